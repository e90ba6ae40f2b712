//! `spoor run` with the real kernel and the real Python guest.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Place, expect, outputs, stderr, stdout};

/// Waits until `done` is true. Fails after a time in which even a busy machine gets there.
#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < Duration::from_secs(240),
            "waited for {what} in vain"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a run whose cells' printing is followed in the file `said`.
fn start(place: &Place, args: &[&str]) -> Child {
    let said = fs::File::create(place.path("said")).unwrap();
    place
        .spoor()
        .args(["run", "--log-output"])
        .args(args)
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .unwrap()
}

#[track_caller]
fn wait_for_word(place: &Place, word: &str) {
    wait_until(word, || {
        fs::read_to_string(place.path("said"))
            .unwrap()
            .contains(word)
    });
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn the_documentations_first_steps() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &["# Steps", "y = 2 + 2\nprint(\"2 + 2 =\", y)", "y + 2"],
    );
    let output = place.run(&["run", "n.ipynb"]);
    expect(&output, 0);
    assert_eq!(outputs(&place.path("n.out.ipynb")), ["2 + 2 = 4\n", "6"]);
    assert!(
        stdout(&output).contains("2 cells ran"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn kql_over_files_and_on_to_pandas() {
    let place = Place::new();
    place.write("logs/Logons.csv", "Host,Failed\na,3\nb,5\na,4\n");
    let query = "%%kql --as worst\nLogons | summarize n = sum(Failed) by Host | order by n desc";
    place.notebook(
        "n.ipynb",
        &[
            query,
            "print(type(worst).__name__, list(worst.n), open('/data/Logons.csv').readline())",
        ],
    );
    let output = place.run(&["run", "n.ipynb", "--data", "logs", "-o", "o.ipynb"]);
    expect(&output, 0);
    let shown = outputs(&place.path("o.ipynb"));
    assert!(
        shown[0].contains('7') && shown[0].contains('5'),
        "{}",
        shown[0]
    );
    assert_eq!(shown[1], "DataFrame [7, 5] Host,Failed\n\n");
    assert!(stdout(&output).contains("2 rows"), "{}", stdout(&output));
}

#[test]
fn a_link_out_of_the_data_leads_nowhere() {
    let place = Place::new();
    place.write("secret.csv", "a\n42\n");
    place.write("logs/T.csv", "a\n1\n");
    std::os::unix::fs::symlink("../secret.csv", place.path("logs/out.csv")).unwrap();
    std::os::unix::fs::symlink("T.csv", place.path("logs/within.csv")).unwrap();
    place.notebook(
        "n.ipynb",
        &[
            "print(open('/data/within.csv').read())",
            "open('/data/out.csv')",
            "%%kql\nout",
        ],
    );
    let output = place.run(&["run", "n.ipynb", "--data", "logs", "--allow-errors"]);
    expect(&output, 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert_eq!(shown[0], "a\n1\n\n");
    assert!(
        shown[1].contains("Error") && shown[2].starts_with("KqlError"),
        "{shown:?}"
    );
}

#[test]
fn a_file_that_would_fill_the_memory_leaves_the_other_tables() {
    let place = Place::new();
    let keys: String = (0..200_000)
        .map(|row| format!("{{\"k{}\":1}}\n", row % 10_000))
        .collect();
    place.write("logs/Keys.json", &keys);
    place.write("logs/Good.csv", "a\n1\n2\n");
    let good = "%%kql\nGood | count";
    place.notebook(
        "n.ipynb",
        &[
            "%%kql --as kept\nprint 7",
            "%%kql\nKeys | count",
            good,
            "%%kql\nkept",
        ],
    );
    let output = place.run(&["run", "n.ipynb", "--data", "logs", "--allow-errors"]);
    expect(&output, 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert!(
        shown[1].starts_with("DataError") && shown[1].contains("logs/Keys.json, line "),
        "{}",
        shown[1]
    );
    assert!(
        shown[2].contains('2') && shown[3].contains('7'),
        "{shown:?}"
    );
}

#[test]
fn a_cell_that_fails_stops_the_run_unless_errors_are_allowed() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &["1 + 1", "1 / 0", "3 + 3", "%%kql\nprint 1 | nonsense"],
    );
    let output = place.run(&["run", "n.ipynb"]);
    expect(&output, 1);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert_eq!((shown[0].as_str(), shown[2].as_str()), ("2", ""));
    assert!(shown[1].starts_with("ZeroDivisionError"), "{}", shown[1]);
    assert!(
        stdout(&output).contains("stopped: cell 2 failed"),
        "{}",
        stdout(&output)
    );
    let output = place.run(&["run", "n.ipynb", "--allow-errors"]);
    expect(&output, 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert_eq!(shown[2], "6");
    assert!(shown[3].starts_with("KqlError"), "{}", shown[3]);
    assert!(
        stdout(&output).contains("2 of them failed, as was allowed"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn an_announced_error_does_not_stop_the_run() {
    let place = Place::new();
    let path = place.notebook("n.ipynb", &["1 / 0", "2"]);
    let mut notebook: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    notebook["cells"][0]["metadata"] = serde_json::json!({"tags": ["raises-exception"]});
    fs::write(&path, notebook.to_string()).unwrap();
    expect(&place.run(&["run", "n.ipynb"]), 0);
    assert_eq!(outputs(&place.path("n.out.ipynb"))[1], "2");
}

#[test]
fn a_cell_that_is_to_be_skipped_keeps_its_outputs() {
    let place = Place::new();
    let path = place.notebook("n.ipynb", &["print('no')", "2"]);
    let mut notebook: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    notebook["cells"][0]["metadata"] = serde_json::json!({"tags": ["skip-execution"]});
    notebook["cells"][0]["outputs"] =
        serde_json::json!([{"output_type": "stream", "name": "stdout", "text": "kept"}]);
    fs::write(&path, notebook.to_string()).unwrap();
    let output = place.run(&["run", "n.ipynb"]);
    expect(&output, 0);
    assert_eq!(outputs(&place.path("n.out.ipynb")), ["kept", "2"]);
    assert!(
        stdout(&output).contains("1 cell ran"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn parameters_go_after_their_declaration() {
    let place = Place::new();
    let path = place.notebook(
        "n.ipynb",
        &["days = 7\nhost = 'a'", "print(days + 1, host)"],
    );
    let mut notebook: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    notebook["cells"][0]["metadata"] = serde_json::json!({"tags": ["parameters"]});
    fs::write(&path, notebook.to_string()).unwrap();
    let output = place.run(&["run", "n.ipynb", "-p", "days=30", "-p", "hots=b"]);
    expect(&output, 0);
    assert_eq!(outputs(&place.path("n.out.ipynb")), ["", "", "31 a\n"]);
    assert!(stderr(&output).contains("`hots`"), "{}", stderr(&output));
}

#[test]
fn a_cell_past_its_time_is_interrupted() {
    let place = Place::new();
    place.notebook("n.ipynb", &["kept = 41", "while True: pass", "kept + 1"]);
    let output = place.run(&["run", "n.ipynb", "--cell-timeout", "2"]);
    expect(&output, 4);
    assert!(outputs(&place.path("n.out.ipynb"))[1].contains("KeyboardInterrupt"));
    let output = place.run(&["run", "n.ipynb", "--cell-timeout", "2", "--allow-errors"]);
    expect(&output, 0);
    assert_eq!(outputs(&place.path("n.out.ipynb"))[2], "42");
}

#[test]
fn a_query_past_its_time_is_interrupted() {
    let place = Place::new();
    let long = "%%kql\nrange a from 1 to 30000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 30000 step 1 \
                | extend k = 1) on k | summarize sum(a * b)";
    place.notebook("n.ipynb", &[long]);
    expect(&place.run(&["run", "n.ipynb", "--cell-timeout", "1"]), 4);
    let shown = &outputs(&place.path("n.out.ipynb"))[0];
    assert!(shown.contains("passed its time limit of 1s"), "{shown}");
}

#[test]
fn a_run_past_its_time_ends() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &[
            "1 + 1",
            "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
        ],
    );
    let mut child = start(&place, &["n.ipynb", "--timeout", "20"]);
    assert_eq!(child.wait().unwrap().code(), Some(4));
    let shown = outputs(&place.path("n.out.ipynb"));
    assert_eq!(shown[0], "2");
    assert!(shown[1].starts_with("TimedOut"), "{}", shown[1]);
}

#[test]
fn ctrl_c_interrupts_the_cell() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &["print('looping', flush=True)\nwhile True: pass", "2"],
    );
    let mut child = start(&place, &["n.ipynb"]);
    wait_for_word(&place, "looping");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let shown = outputs(&place.path("n.out.ipynb"));
    assert!(
        shown[0].contains("KeyboardInterrupt") && shown[1].is_empty(),
        "{shown:?}"
    );
}

#[test]
fn a_second_ctrl_c_stops_what_does_not_heed_the_first() {
    let place = Place::new();
    let stubborn = "print('looping', flush=True)\nwhile True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: print('heard', flush=True)";
    place.notebook("n.ipynb", &[stubborn, "2"]);
    let mut child = start(&place, &["n.ipynb"]);
    wait_for_word(&place, "looping");
    signal(&child, "-INT");
    wait_for_word(&place, "heard");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(outputs(&place.path("n.out.ipynb"))[0].contains("Interrupted"));
}

#[test]
fn kill_9_leaves_the_finished_cells() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &[
            "%%kql\nprint answer = 42",
            "print('first')",
            "print('second', flush=True)\nwhile True: pass",
        ],
    );
    let mut child = start(&place, &["n.ipynb", "-o", "o.ipynb"]);
    wait_for_word(&place, "second");
    signal(&child, "-KILL");
    child.wait().unwrap();
    let shown = outputs(&place.path("o.ipynb"));
    assert!(shown[0].contains("42"), "{shown:?}");
    assert_eq!(&shown[1..], ["first\n", ""]);
}

#[test]
fn streams_appear_as_they_are_written() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &["import time\nprint('early', flush=True)\ntime.sleep(600)"],
    );
    let mut child = start(&place, &["n.ipynb"]);
    wait_for_word(&place, "early");
    assert!(child.try_wait().unwrap().is_none(), "the cell has ended");
    signal(&child, "-KILL");
    child.wait().unwrap();
}

#[test]
fn the_notebook_itself_is_written_only_when_told() {
    let place = Place::new();
    let path = place.notebook("n.ipynb", &["1 + 1"]);
    let before = fs::read(&path).unwrap();
    let output = place.run(&["run", "n.ipynb", "-o", "./n.ipynb"]);
    expect(&output, 2);
    assert!(
        stderr(&output).contains("--in-place"),
        "{}",
        stderr(&output)
    );
    expect(&place.run(&["run", "n.ipynb"]), 0);
    assert_eq!(fs::read(&path).unwrap(), before);
    expect(&place.run(&["run", "n.ipynb", "--in-place"]), 0);
    assert_eq!(outputs(&path), ["2"]);
}

#[test]
fn a_change_by_another_is_left_alone() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &[
            "print('ready', flush=True)\nimport time\ntime.sleep(3)",
            "2",
        ],
    );
    let mut child = start(&place, &["n.ipynb", "-o", "o.ipynb"]);
    wait_for_word(&place, "ready");
    fs::write(place.path("o.ipynb"), "someone's work").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(
        fs::read_to_string(place.path("o.ipynb")).unwrap(),
        "someone's work"
    );
    assert_eq!(outputs(&place.path("o.conflict-1.ipynb"))[1], "2");
    let said = fs::read_to_string(place.path("said")).unwrap();
    assert!(said.contains("was changed by someone else"), "{said}");
}

#[test]
fn a_page_is_written_even_of_a_failed_run() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Title", "print('over here')", "1 / 0"]);
    expect(&place.run(&["run", "n.ipynb", "--html", "n.html"]), 1);
    let page = fs::read_to_string(place.path("n.html")).unwrap();
    assert!(page.contains("over here") && page.contains("ZeroDivisionError"));
}

fn record(place: &Place) -> std::path::PathBuf {
    place.write("T.csv", "a,b\n1,x\n2,y\n3,x\n");
    let kql = "%%kql --as t\nT | summarize n = count(), total = sum(a) by b | order by n desc";
    place.notebook(
        "n.ipynb",
        &[
            "print('hello')",
            kql,
            "t",
            "kql('T | take 1')",
            "%%kql\nprint now(), rand()",
            "1 / 0",
        ],
    );
    expect(
        &place.run(&[
            "run",
            "n.ipynb",
            "--data",
            "T.csv",
            "--allow-errors",
            "--record-session",
            "session.rec",
        ]),
        0,
    );
    place.path("session.rec")
}

#[test]
fn a_recorded_session_replays_byte_for_byte() {
    let place = Place::new();
    record(&place);
    let output = place.run(&["replay", "session.rec"]);
    expect(&output, 0);
    assert!(
        stdout(&output).contains("byte for byte"),
        "{}",
        stdout(&output)
    );
    expect(
        &place.run(&["run", "n.ipynb", "--record-session", "session.rec"]),
        2,
    );
}

#[test]
fn outputs_outlive_an_error_that_ends_the_session() {
    let place = Place::new();
    let print = "for i in range(1000): print(f'line {i}', 'x' * 1000)";
    place.notebook("n.ipynb", &["print('first')", print, "2"]);
    // Compiled code is there after this, so that nothing else is as large as the recording.
    expect(&place.run(&["run", "n.ipynb", "-o", "whole.ipynb"]), 0);
    let spoor = place.spoor();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(spoor.get_program())
        .args([
            "run",
            "n.ipynb",
            "-o",
            "o.ipynb",
            "--record-session",
            "r.rec",
        ])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    expect(&output, 5);
    let shown = outputs(&place.path("o.ipynb"));
    assert_eq!(shown[0], "first\n");
    assert!(shown[1].contains("line 1 xxx"), "{}", shown[1]);
    assert!(
        shown[1].contains("SessionEnded") && shown[1].contains("r.rec"),
        "{}",
        shown[1]
    );
    assert_eq!(shown[2], "");
}

#[test]
fn a_changed_recording_shows_its_first_difference() {
    let place = Place::new();
    let path = record(&place);
    let whole = fs::read(&path).unwrap();
    replace(&path, b"hello", b"hullo");
    let output = place.run(&["replay", "session.rec"]);
    expect(&output, 1);
    assert!(stdout(&output).contains("hullo"), "{}", stdout(&output));
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let output = place.run(&["replay", "session.rec"]);
    expect(&output, 0);
    assert!(
        stderr(&output).contains("breaks off"),
        "{}",
        stderr(&output)
    );
}

/// Changes the last place where the bytes stand: the kernel's answer, not the request.
fn replace(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes
        .windows(from.len())
        .rposition(|window| window == from)
        .unwrap();
    bytes[at..at + from.len()].copy_from_slice(to);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_query_that_the_host_runs_gives_what_the_kernel_gives() {
    let place = Place::new();
    place.write(
        "logs/Logons.csv",
        "Host,Failed,At\na,3,2024-03-01\nb,5,\na,4,2024-03-02T10:00:00Z\n",
    );
    let query = "Logons\n| summarize n = sum(Failed), Last = max(At) by Host\n| order by n desc";
    place.notebook(
        "n.ipynb",
        &[
            &format!("%%kql --as here\n{query}"),
            &format!("%%kql host --as there\n{query}"),
            "print(here.equals(there), list(there.n), list(here.dtypes) == list(there.dtypes))",
            "%%kql\nthere | count",
            "%%kql host\nLogons\n| where Nobody == 1",
        ],
    );
    let args = [
        "run",
        "n.ipynb",
        "--data",
        "logs",
        "--record-session",
        "s.rec",
    ];
    expect(&place.run(&args), 1);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[2], "True [7, 5] True\n");
    assert!(shown[3].contains('2'), "{}", shown[3]);
    let written = fs::read_to_string(place.path("n.out.ipynb")).unwrap();
    assert!(
        written.contains("--> 3:9") && written.contains("Nobody"),
        "{written}"
    );
    let replayed = place.run(&["replay", "s.rec"]);
    expect(&replayed, 0);
    assert!(stdout(&replayed).contains("byte for byte"));
}
