//! Sessions as a library has them: several in one process, requests other than cells.

#![allow(clippy::unwrap_used, clippy::panic)]

mod live;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use spoor::Error;
use spoor::native::{Answered, Asked, Problem, Providers, Query, Remote, Watch};
use spoor::session::{End, Options, Report, Session};
use spoor_protocol::{Event, FetchError, Told};
use spoor_table::{Column, KustoType, Table, Value};

use live::{Notebook, execute, runtime, shown};

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

#[test]
fn a_cell_that_asks_on_and_on_is_stopped_at_its_time() {
    let mut notebook = Notebook::open(Options {
        cell_time: Some(Duration::from_secs(1)),
        ..Options::default()
    });
    notebook.cell("kept = 1");
    let query = "range x from 1 to 300000 step 1 | summarize sum(x * x)";
    let code = format!(
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nkept = 2\nwhile True:\n    try: kql('{query}')\n    except BaseException: pass"
    );
    let began = Instant::now();
    notebook.session.send(execute("ask".into(), &code)).unwrap();
    let (messages, end) = notebook.finish();
    assert_eq!(end, End::TimedOut);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
    assert!(messages.iter().any(|m| shown(m) == "TimeoutError"));
    assert_eq!(notebook.cell("kept"), "1");
}

#[test]
fn a_query_begun_past_the_time_is_interrupted_too() {
    let notebook = Notebook::open(Options {
        cell_time: Some(Duration::from_secs(1)),
        ..Options::default()
    });
    let long = "range a from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 100000 step 1 \
                | extend k = 1) on k | summarize sum(a * b)";
    let code = format!(
        "n = 0\nfor _ in range(2):\n    try: kql('{long}')\n    except KeyboardInterrupt: n += 1\nprint(n)"
    );
    let began = Instant::now();
    notebook
        .session
        .send(execute("long".into(), &code))
        .unwrap();
    let (_, end) = notebook.finish();
    assert_eq!(end, End::TimedOut);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn output_beyond_the_limit_is_left_out_and_the_cell_goes_on() {
    let mut notebook = Notebook::open(Options::default());
    let shown = notebook.cell(
        "import os\nfor _ in range(100):\n    print('x' * (1 << 20))\n    os.write(1, b'y')\nreached = 'the end'",
    );
    let kept = shown.matches('x').count();
    assert!((50 << 20..=64 << 20).contains(&kept), "{kept}");
    let notes: Vec<_> = shown.lines().filter(|l| l.contains("spoor:")).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("passes 64 MiB") && notes[0].contains("/tmp"));
    assert!(notes[1].contains("left out beyond its 64 MiB"));
    assert_eq!(notebook.cell("reached"), "'the end'");
}

#[test]
fn an_answer_comes_whatever_is_left_out() {
    let mut notebook = Notebook::open(Options::default());
    for (content, metadata) in [("room", "0"), ("0", "room")] {
        // Fits the guest's frame, but not the kernel's, which says more beside it.
        let code = format!(
            "from spoor import door, frames\n\
             parts = lambda a, b: ('display_data', {{'data': {{'text/html': 'x' * a}}}}, {{'m': 'x' * b}})\n\
             room = frames.MAX_HEADER - len(frames.encode(door._message(*parts(0, 0))))\n\
             door.publish(*parts({content}, {metadata}))\nprint('on')"
        );
        let shown = notebook.cell(&code);
        assert!(
            shown.ends_with("on\n"),
            "{}",
            &shown[..shown.len().min(500)]
        );
        assert!(
            shown.contains("left out"),
            "{}",
            &shown[..shown.len().min(500)]
        );
    }
}

#[test]
fn a_panic_on_the_sessions_thread_ends_it_with_an_error() {
    let (sender, ended) = channel();
    let session = Session::open(&runtime(), Options::default(), move |report| match report {
        Report::Message(message) if message.msg_type == "stream" => panic!("a fault of our own"),
        Report::Done(end) => drop(sender.send(end)),
        _ => {}
    })
    .unwrap();
    // In the midst of the guest's turn, which then has nobody to answer it.
    session
        .send(execute(
            "1".into(),
            "print('here', flush=True)\nwhile True: pass",
        ))
        .unwrap();
    let end = ended.recv_timeout(Duration::from_secs(240)).unwrap();
    let error = end.unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    assert!(error.to_string().contains("a fault of our own"), "{error}");
    assert!(
        session.close(Duration::from_secs(30)),
        "the thread did not end"
    );
}

/// A host that has no answer until nobody waits for one.
#[derive(Default)]
struct Endless {
    begun: AtomicBool,
    stopped: AtomicBool,
}

impl Query for Endless {
    fn run(&self, _: &str, watch: &Watch, _: &mut dyn Write) -> Result<u64, Problem> {
        self.begun.store(true, Ordering::SeqCst);
        while watch.stop().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.stopped.store(true, Ordering::SeqCst);
        Err(Problem::default())
    }
}

#[test]
fn an_interrupt_reaches_a_query_of_the_host() {
    let host = Arc::new(Endless::default());
    let notebook = Notebook::open(Options {
        providers: Providers {
            host: Some(host.clone()),
            ..Providers::default()
        },
        ..Options::default()
    });
    let cell = execute("long".into(), "%%kql host\nT");
    notebook.session.send(cell).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !host.begun.load(Ordering::SeqCst) {
        assert!(Instant::now() < end, "the host was not asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    notebook.session.interrupt().now();
    let (messages, end) = notebook.finish();
    assert!(host.stopped.load(Ordering::SeqCst));
    assert_eq!(end, End::Carried);
    assert_eq!(
        messages.iter().map(shown).collect::<String>(),
        "KeyboardInterrupt"
    );
}

#[test]
fn a_session_without_a_host_says_so() {
    let mut notebook = Notebook::open(Options::default());
    let messages = notebook.request(|id| execute(id, "%%kql host\nT"));
    let error = messages.iter().find(|m| m.msg_type == "error").unwrap();
    let said = error.content["evalue"].as_str().unwrap();
    assert!(said.contains("no host here"), "{said}");
}

/// A workspace whose every answer is two rows of three.
struct Soc;

impl Remote for Soc {
    fn ask(&self, asked: Asked<'_>, _: &Watch) -> Result<Answered, FetchError> {
        if asked.workspace != "soc" {
            return Err(FetchError::new("no such workspace").hint("there is soc"));
        }
        let columns = vec![
            Column::new("Asked", KustoType::String),
            Column::new("Span", KustoType::String),
        ];
        let span = asked.timespan.unwrap_or("none").to_owned();
        let row = vec![Value::String(asked.text.trim().into()), Value::String(span)];
        let table = Table::from_values(columns, &[row.clone(), row]).unwrap();
        Ok(Answered {
            tables: vec![table],
            told: Told {
                partial: vec!["one row of three was left out".into()],
                ..Told::default()
            },
        })
    }
}

#[test]
fn a_workspace_answers_cells_and_python_which_is_told_what_is_missing() {
    let mut notebook = Notebook::open(Options {
        providers: Providers {
            remote: Some(Arc::new(Soc)),
            ..Providers::default()
        },
        ..Options::default()
    });
    let messages = notebook.request(|id| execute(id, "%%kql --workspace soc\nSigninLogs"));
    let notice = messages.iter().find(|m| m.msg_type == "display_data");
    let notice = notice.unwrap().content["data"]["text/plain"].to_string();
    assert!(
        notice.contains("Partial result of workspace 'soc': one row of three"),
        "{notice}"
    );
    let result = messages
        .iter()
        .find(|m| m.msg_type == "execute_result")
        .unwrap();
    assert_eq!(result.content["metadata"]["spoor"]["workspace"], "soc");

    let code = r#"
from datetime import timedelta
from spoor import PartialResultError
try:
    kql("T", workspace="soc", timespan=timedelta(hours=2))
    print("no error")
except PartialResultError as error:
    print(error.reasons, error.frame.Span[0], len(error.frame))
frame = kql("T | where a == b", workspace="soc", allow_partial=True, b="x")
print(frame.Asked[0], frame.attrs["spoor"]["partial"])
try:
    kql("T", workspace="east")
except Exception as error:
    print(type(error).__name__, error)
"#;
    let messages = notebook.request(|id| execute(id, code));
    let text: String = messages.iter().map(shown).collect();
    assert_eq!(
        text,
        "['one row of three was left out'] P0DT2H0M0S 2\n\
         let b = \"x\"; T | where a == b ['one row of three was left out']\n\
         KqlError no such workspace\n"
    );
}
