//! The command line, case by case: `tests/cases/*.txt`, each run by the real binary in a folder of
//! its own. The files' first case explains their form.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use common::{Place, stderr, stdout};

/// One case, as written.
#[derive(Default)]
struct Case {
    name: String,
    files: Vec<(String, String)>,
    runs: Vec<Run>,
}

/// One command of a case and what is expected of it.
#[derive(Default)]
struct Run {
    command: String,
    input: String,
    code: i32,
    /// Standard output in full, where the case gives lines of it.
    output: Option<String>,
    output_has: Vec<String>,
    output_lacks: Vec<String>,
    error_has: Vec<String>,
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("--- ") {
            cases.push(Case {
                name: name.into(),
                ..Case::default()
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            continue;
        };
        let (mark, rest) = line.split_at(line.len().min(2));
        match mark {
            "> " => case.files.push((rest.into(), String::new())),
            "| " | "|" => push_line(&mut case.files.last_mut().unwrap().1, rest),
            "$ " | "$" => case.runs.push(Run {
                command: rest.into(),
                ..Run::default()
            }),
            "" | "# " => {}
            _ => expectation(case.runs.last_mut().unwrap(), mark, rest),
        }
    }
    cases
}

fn expectation(run: &mut Run, mark: &str, rest: &str) {
    match mark {
        "= " => run.code = rest.parse().unwrap(),
        "< " => push_line(&mut run.input, rest),
        "  " => push_line(run.output.get_or_insert_default(), rest),
        "? " => run.output_has.push(rest.into()),
        "- " => run.output_lacks.push(rest.into()),
        "! " => run.error_has.push(rest.into()),
        other => panic!("a line of a case begins with `{other}`"),
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Words, with single quotes around those that have spaces.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![];
    let mut quoted = false;
    let mut word: Option<String> = None;
    for c in command.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn carry_out(place: &Place, run: &Run) -> Output {
    let mut child = place
        .spoor_with_mute_kernel()
        .args(words(&run.command))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(run.input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What is wrong with an output, if anything is.
fn verdict(run: &Run, output: &Output) -> Option<String> {
    let (out, err) = (stdout(output), stderr(output));
    let mut wrong = Vec::new();
    if output.status.code() != Some(run.code) {
        wrong.push(format!(
            "exit code {:?} instead of {}",
            output.status.code(),
            run.code
        ));
    }
    if run.output.as_ref().is_some_and(|expected| *expected != out) {
        wrong.push("another standard output".into());
    }
    let lacks = |text: &str, pieces: &[String]| {
        pieces
            .iter()
            .find(|piece| !text.contains(piece.as_str()))
            .cloned()
    };
    wrong.extend(
        lacks(&out, &run.output_has).map(|piece| format!("standard output lacks `{piece}`")),
    );
    wrong
        .extend(lacks(&err, &run.error_has).map(|piece| format!("standard error lacks `{piece}`")));
    let unwanted = run
        .output_lacks
        .iter()
        .find(|piece| out.contains(piece.as_str()));
    wrong.extend(unwanted.map(|piece| format!("standard output has `{piece}`")));
    if err.contains("panicked") {
        wrong.push("a panic".into());
    }
    let wrong = wrong.join(", ");
    (!wrong.is_empty()).then(|| {
        format!(
            "{wrong}\n$ spoor {}\n--- stdout\n{out}--- stderr\n{err}",
            run.command
        )
    })
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failures = Vec::new();
    let mut count = 0;
    for file in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        for case in parse(&fs::read_to_string(&file).unwrap()) {
            count += 1;
            let place = Place::new();
            for (name, text) in &case.files {
                place.write(name, text);
            }
            let failed = case
                .runs
                .iter()
                .find_map(|run| verdict(run, &carry_out(&place, run)));
            failures
                .extend(failed.map(|what| format!("{}: {}: {what}", file.display(), case.name)));
        }
    }
    assert!(count > 0, "there are no cases");
    assert!(
        failures.is_empty(),
        "{} of {count} cases fail\n\n{}",
        failures.len(),
        failures.join("\n")
    );
}
