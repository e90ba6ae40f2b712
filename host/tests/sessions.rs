//! Sessions as a library has them: several in one process, requests other than cells.

#![allow(clippy::unwrap_used)]

mod live;

use std::time::Duration;

use spoor::session::{End, Options, Report};
use spoor_protocol::Event;

use live::{Notebook, execute, shown};

#[test]
fn sessions_share_a_process_and_nothing_else() {
    let mut notebooks: Vec<Notebook> = (0..3).map(|_| Notebook::open(Options::default())).collect();
    for (n, notebook) in notebooks.iter_mut().enumerate() {
        assert_eq!(notebook.cell(&format!("mine = {n}")), "");
    }
    for (n, notebook) in notebooks.iter_mut().enumerate() {
        assert_eq!(notebook.cell("mine"), n.to_string());
    }
}

#[test]
fn a_restart_wipes_the_state() {
    let mut notebook = Notebook::open(Options::default());
    notebook.cell("kept = 1");
    notebook.request(|_| Event::Restart);
    assert_eq!(notebook.cell("kept"), "NameError");
}

#[test]
fn an_interrupt_reaches_python_and_the_session_goes_on() {
    let mut notebook = Notebook::open(Options::default());
    notebook.cell("kept = 6");
    notebook
        .session
        .send(execute(
            "loop".into(),
            "print('on', flush=True)\nwhile True: pass",
        ))
        .unwrap();
    loop {
        match notebook
            .reports
            .recv_timeout(Duration::from_secs(240))
            .unwrap()
        {
            Report::Message(message) if shown(&message).contains("on") => break,
            Report::Done(_) => panic!("the loop ended"),
            _ => {}
        }
    }
    notebook.session.interrupt().now();
    let (messages, end) = notebook.finish();
    assert_eq!(
        messages.iter().map(shown).collect::<String>(),
        "KeyboardInterrupt"
    );
    assert_eq!(end, End::Carried);
    assert_eq!(notebook.cell("kept * 7"), "42");
}

#[test]
fn an_interrupt_reaches_a_query() {
    let mut notebook = Notebook::open(Options::default());
    let long = "%%kql\nrange a from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 100000 step 1 \
                | extend k = 1) on k | summarize sum(a * b)";
    notebook.session.send(execute("long".into(), long)).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    notebook.session.interrupt().now();
    let (messages, _) = notebook.finish();
    assert!(
        messages.iter().any(|m| m.msg_type == "error"),
        "the query was not interrupted"
    );
    assert_eq!(notebook.cell("1 + 1"), "2");
}

#[test]
fn names_are_completed_in_both_languages() {
    let mut notebook = Notebook::open(Options::default());
    notebook.cell("suspicious = 1");
    let complete = |code: &str| {
        let (code, cursor_pos) = (code.to_owned(), code.chars().count());
        move |id| Event::Complete {
            id,
            code,
            cursor_pos,
        }
    };
    for (code, expected) in [
        ("suspi", "suspicious"),
        ("%%kql\nprint x = 1 | exte", "extend"),
    ] {
        let messages = notebook.request(complete(code));
        let reply = messages
            .iter()
            .find(|m| m.msg_type == "complete_reply")
            .unwrap();
        let matches = reply.content["matches"].as_array().unwrap();
        assert!(
            matches
                .iter()
                .any(|m| m.as_str().is_some_and(|m| m.trim() == expected)),
            "{code}: {matches:?}"
        );
    }
}

#[test]
fn a_python_that_runs_out_of_memory_or_exits_is_rolled_back() {
    let mut notebook = Notebook::open(Options {
        python_memory: Some(512 << 20),
        ..Options::default()
    });
    notebook.cell("kept = [1]");
    let shown = notebook.cell("kept.append(2)\nimport os\nos._exit(3)");
    assert!(!shown.is_empty(), "ending the interpreter went unnoticed");
    assert_eq!(notebook.cell("kept"), "[1]");
    let shown = notebook.cell("x = bytearray(1 << 30)");
    assert!(shown.contains("Memory"), "{shown}");
    assert_eq!(notebook.cell("kept"), "[1]");
}
