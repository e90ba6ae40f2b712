//! The ahead-of-time cache as processes meet it.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::process::Stdio;

use common::{Place, expect, stderr};

/// `preparing: compiling kernel.wasm` lines among what was said.
fn compilations(said: &str) -> usize {
    said.lines()
        .filter(|line| line.starts_with("preparing: compiling kernel.wasm"))
        .count()
}

#[test]
fn processes_that_race_for_an_empty_cache_compile_once() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Nothing to run"]);
    // Written before the race, so that its making is no part of it.
    place.spoor_with_mute_kernel();
    let start = |n: usize| {
        let mut command = place.spoor_with_mute_kernel();
        command.args(["run", "n.ipynb", "-o", &format!("out-{n}.ipynb")]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let racers: Vec<_> = (0..6).map(start).collect();
    let mut compiled = 0;
    for racer in racers {
        let output = racer.wait_with_output().unwrap();
        expect(&output, 0);
        compiled += compilations(&stderr(&output));
    }
    assert_eq!(compiled, 1);
}

#[test]
fn a_damaged_entry_is_made_again() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Nothing to run"]);
    let run = || {
        place
            .spoor_with_mute_kernel()
            .args(["run", "n.ipynb"])
            .output()
            .unwrap()
    };
    assert_eq!(compilations(&stderr(&run())), 1);
    assert_eq!(compilations(&stderr(&run())), 0);
    let entries = fs::read_dir(place.path("cache/spoor/aot"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let entry = entries
        .into_iter()
        .find(|p| p.extension().is_some_and(|e| e == "cwasm"))
        .unwrap();
    let whole = fs::read(&entry).unwrap();
    fs::write(&entry, &whole[..whole.len() / 3]).unwrap();
    let again = run();
    expect(&again, 0);
    assert_eq!(compilations(&stderr(&again)), 1);
}

#[test]
fn a_missing_kernel_says_what_to_do() {
    let place = Place::new();
    place.notebook("n.ipynb", &["# Nothing to run"]);
    let output = place
        .spoor()
        .env("SPOOR_ASSETS", place.path("nowhere"))
        .args(["run", "n.ipynb"])
        .output()
        .unwrap();
    expect(&output, 5);
    assert!(
        stderr(&output).contains("cargo xtask setup"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_kernel_that_answers_nothing_is_an_error_on_the_cell() {
    let place = Place::new();
    place.notebook("n.ipynb", &["1 + 1", "2 + 2"]);
    let output = place
        .spoor_with_mute_kernel()
        .args(["run", "n.ipynb"])
        .output()
        .unwrap();
    expect(&output, 1);
    assert!(
        common::stdout(&output).contains("did not reply"),
        "{}",
        common::stdout(&output)
    );
}
