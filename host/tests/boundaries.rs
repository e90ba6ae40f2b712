//! What the command does to files and to the terminal, and never does: kernel.wasm answers nothing here.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Place, expect, stderr, stdout};

fn run(place: &Place, args: &[&str]) -> Output {
    place.spoor_with_mute_kernel().args(args).output().unwrap()
}

/// Runs the command, which is to refuse its line with these words.
#[track_caller]
fn refused(place: &Place, args: &[&str], words: &[&str]) {
    let output = run(place, args);
    expect(&output, 2);
    let told = stderr(&output);
    assert!(words.iter().all(|word| told.contains(word)), "{told}");
}

#[test]
fn pages_replace_neither_notebooks_nor_each_other() {
    let place = Place::new();
    let notebook = place.notebook("a/x.ipynb", &["# One"]);
    place.notebook("b/x.ipynb", &["# Two"]);
    let before = fs::read(&notebook).unwrap();
    refused(
        &place,
        &["render", "a/x.ipynb", "b/x.ipynb", "-o", "pages"],
        &[
            "the page of b/x.ipynb",
            "pages/x.html",
            "the page of a/x.ipynb",
        ],
    );
    assert!(!place.path("pages").exists());
    symlink("a", place.path("link")).unwrap();
    for output in ["a/x.ipynb", "./b/../a/x.ipynb", "link/x.ipynb"] {
        refused(
            &place,
            &["render", "a/x.ipynb", "-o", output],
            &["the notebook a/x.ipynb"],
        );
    }
    fs::create_dir(place.path("pages")).unwrap();
    symlink("../a/x.ipynb", place.path("pages/y.html")).unwrap();
    place.notebook("b/y.ipynb", &["# Three"]);
    refused(
        &place,
        &["render", "a/x.ipynb", "b/y.ipynb", "-o", "pages"],
        &["the page of b/y.ipynb", "the notebook a/x.ipynb"],
    );
    assert_eq!(fs::read(&notebook).unwrap(), before);
    expect(&run(&place, &["render", "a/x.ipynb", "b/y.ipynb"]), 0);
}

#[test]
fn a_runs_results_replace_neither_inputs_nor_each_other() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Nothing to run"]);
    place.write("T.csv", "a\n1\n");
    for (args, words) in [
        (
            &["-o", "o.ipynb", "--html", "./o.ipynb"][..],
            ["the page", "the executed notebook"],
        ),
        (&["--html", "n.ipynb"], ["the page", "the notebook n.ipynb"]),
        (
            &["--in-place", "--html", "n.ipynb"],
            ["the page", "the executed notebook"],
        ),
        (
            &["--data", "T.csv", "--html", "T.csv"],
            ["the page", "the data file T.csv"],
        ),
        (
            &["--record-session", "n.out.ipynb"],
            ["the recording", "the executed notebook"],
        ),
    ] {
        let args = [&["run", "n.ipynb"], args].concat();
        refused(&place, &args, &words);
    }
    assert_eq!(fs::read(place.path("T.csv")).unwrap(), b"a\n1\n");
    assert!(!place.path("o.ipynb").exists() && !place.path("n.out.ipynb").exists());
}

#[test]
fn a_querys_result_does_not_replace_what_it_reads() {
    let place = Place::new();
    place.write("logs/T.csv", "a\n1\n");
    place.write("logs/R.csv", "b\n2\n");
    place.write("q.kql", "T");
    let query = |output| ["query", "@q.kql", "-d", "logs", "-o", output];
    refused(&place, &query("logs/T.csv"), &["the data file logs/T.csv"]);
    let args = ["query", "@q.kql", "-d", "logs", "-f", "csv", "-o", "q.kql"];
    refused(&place, &args, &["the query q.kql"]);
    // A file that the query does not read may be made anew.
    expect(&run(&place, &query("logs/R.csv")), 0);
    assert!(
        fs::read_to_string(place.path("logs/R.csv"))
            .unwrap()
            .starts_with("a")
    );
}

#[test]
fn names_do_not_command_the_terminal() {
    let place = Place::new();
    let evil = "evil\x1b]0;owned\x07.csv";
    place.write(evil, "a,b\n1\n");
    let mut archive = zip::ZipWriter::new(fs::File::create(place.path("z.zip")).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("in\x1b[2J.csv", options).unwrap();
    archive.write_all(b"a,b\n1\n").unwrap();
    archive.finish().unwrap();
    for (query, data, seen) in [
        (
            "evil_0_owned",
            evil,
            "evil\\u{1b}]0;owned\\u{7}.csv, line 2",
        ),
        ("z", "z.zip", "file in\\u{1b}[2J.csv in it, line 2"),
    ] {
        let output = run(&place, &["query", query, "-d", data]);
        expect(&output, 3);
        let told = stderr(&output);
        assert!(told.contains(seen) && !told.contains('\x1b'), "{told:?}");
    }
    place.notebook("x\x1b[2J.ipynb", &["# Nothing to run"]);
    let output = run(
        &place,
        &["run", "x\x1b[2J.ipynb", "--html", "y\x1b[2J.html"],
    );
    expect(&output, 0);
    let told = stdout(&output);
    assert!(
        told.contains("y\\u{1b}[2J.html") && !told.contains('\x1b'),
        "{told:?}"
    );
}

#[test]
fn links_out_of_a_folder_are_named() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Nothing to run"]);
    place.write("secret.csv", "a\n1\n");
    place.write("logs/T.csv", "a\n1\n");
    symlink("../secret.csv", place.path("logs/out.csv")).unwrap();
    for args in [
        &["run", "n.ipynb", "--data", "logs"][..],
        &["query", "T", "--data", "logs"],
    ] {
        let output = run(&place, args);
        expect(&output, 0);
        let told = stderr(&output);
        assert_eq!(told.matches("warning:").count(), 1, "{told}");
        assert!(told.contains("logs/out.csv. "), "{told}");
    }
    expect(&run(&place, &["query", "out", "--data", "logs"]), 1);
}

/// While the page is made nobody waits for the interrupt, so the signal itself has to end the program. One that comes while the page is
/// written waits for that, and then there is all of it: on a fast machine the first may be too late.
fn interrupted_while_the_page_is_made(signal: &str) {
    let place = Place::new();
    let text = format!(
        "# Long\n{}",
        "**a** `b` [c](https://example.org)\n\n".repeat(600_000)
    );
    place.notebook("n.ipynb", &[&text]);
    let is_early = (0..10).any(|_| {
        let page = interrupted_run(&place, signal);
        if let Some(page) = &page {
            assert!(page.trim_end().ends_with("</html>"), "half a page");
        }
        page.is_none()
    });
    assert!(is_early, "no signal came while the page was made");
}

/// A run that is sent the signal once the page is being made; the page, if it was written.
fn interrupted_run(place: &Place, signal: &str) -> Option<String> {
    for name in ["o.ipynb", "o.html"] {
        let _ = fs::remove_file(place.path(name));
    }
    let mut child = place
        .spoor_with_mute_kernel()
        .args(["run", "n.ipynb", "-o", "o.ipynb", "--html", "o.html"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    // The notebook is there when the run begins. It has no cell to run, so the page is next.
    let status = loop {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "it does not end"
        );
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let pause = if place.path("o.ipynb").exists() {
            let id = child.id().to_string();
            Command::new("kill").args([signal, &id]).status().unwrap();
            50
        } else {
            1
        };
        std::thread::sleep(Duration::from_millis(pause));
    };
    // A signal may also come when all is done.
    assert!(matches!(status.code(), Some(130 | 0)), "{status}");
    let names: Vec<String> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        !names.iter().any(|name| name.ends_with(".tmp")),
        "{names:?}"
    );
    let whole: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("o.ipynb")).unwrap()).unwrap();
    assert_eq!(whole["cells"].as_array().unwrap().len(), 1);
    let page = fs::read_to_string(place.path("o.html")).ok();
    assert!(page.is_some() || status.code() == Some(130), "{status}");
    page
}

#[test]
fn ctrl_c_ends_the_making_of_a_page() {
    interrupted_while_the_page_is_made("-INT");
}

#[test]
fn a_request_to_end_ends_the_making_of_a_page() {
    interrupted_while_the_page_is_made("-TERM");
}
