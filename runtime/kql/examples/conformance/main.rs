//! Runs queries with known answers and counts right, wrong and refused:
//! `cargo run --release -p spoor-kql --example conformance -- FOLDER [--set NAME] [--case ID] [--show N] [--report FILE]`.
//!
//! FOLDER holds `truth.jsonl`, `refused.jsonl`, `sentinel.jsonl` (may be gzipped) and `schemas.json`. A query is right when it
//! gives the known columns, types and rows; wrong when it gives others, which is the worst that can happen; refused when it
//! gives a message.

// Its purpose is to print.
#![allow(clippy::print_stdout)]

mod cases;
mod compare;
mod order;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cases::{Case, Expected};
use spoor_kql::{Engine, EngineOptions, QueryError, Step};
use spoor_table::Table;

/// 2024-06-01, in ticks: what `now()` gives.
const NOW: i64 = 638_528_256_000_000_000;

/// A query that takes longer has failed.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What came of a case.
enum Outcome {
    Right,
    Wrong(String),
    Refused(String),
}

#[derive(Default)]
struct Options {
    folder: PathBuf,
    set: Option<String>,
    case: Option<String>,
    show: usize,
    report: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    if !options.folder.is_dir() {
        println!("skipped: there is no folder {}", options.folder.display());
        return Ok(());
    }
    std::panic::set_hook(Box::new(|_| {}));
    let cases = cases::load(&options.folder)?;
    let sentinel = sentinel_engine(&options.folder)?;
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut report = Vec::new();
    let mut shown = 0;
    for case in cases.iter().filter(|case| selected(case, &options)) {
        let outcome = run(case, &sentinel);
        let counts = tally.entry(case.set.clone()).or_default();
        let (at, label, text) = match &outcome {
            Outcome::Right => (0, "right", String::new()),
            Outcome::Wrong(text) => (1, "wrong", text.clone()),
            Outcome::Refused(text) => (2, "refused", text.clone()),
        };
        counts[at] += 1;
        if at == 2 && case.expected.is_some() {
            *reasons
                .entry(text.lines().next().unwrap_or("").to_owned())
                .or_default() += 1;
        }
        let interesting = options.case.is_some() || at == 1 && shown < options.show;
        if interesting {
            shown += 1;
            println!("== {} {label}\n{}\n{text}\n", case.id, case.query.trim());
        }
        report.push(
            serde_json::json!({"id": case.id, "set": case.set, "outcome": label, "reason": text}),
        );
    }
    print_tally(&tally, &reasons);
    if let Some(path) = options.report {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--set" => options.set = Some(value()?),
            "--case" => options.case = Some(value()?),
            "--show" => options.show = value()?.parse().map_err(|_| "--show takes a number")?,
            "--report" => options.report = Some(value()?.into()),
            folder => options.folder = folder.into(),
        }
    }
    Ok(options)
}

fn selected(case: &Case, options: &Options) -> bool {
    let set = options.set.as_ref().is_none_or(|set| *set == case.set);
    set && options.case.as_ref().is_none_or(|id| *id == case.id)
}

fn print_tally(tally: &BTreeMap<String, [usize; 3]>, reasons: &BTreeMap<String, usize>) {
    let mut reasons: Vec<_> = reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("reasons for refusal:");
    for (reason, count) in reasons.into_iter().take(60) {
        println!("{count:6}  {reason}");
    }
    for (set, [right, wrong, refused]) in tally {
        let all = right + wrong + refused;
        println!("{set:10} {all:5} cases: {right} right, {wrong} wrong, {refused} refused");
    }
}

/// An engine with an empty table for each schema.
fn sentinel_engine(folder: &Path) -> Result<Engine, Box<dyn std::error::Error>> {
    let mut engine = new_engine()?;
    for (name, columns) in cases::schemas(folder)? {
        engine.register(&name, Table::empty(columns));
    }
    Ok(engine)
}

fn new_engine() -> Result<Engine, Box<dyn std::error::Error>> {
    Ok(Engine::new(EngineOptions::default())?)
}

fn run(case: &Case, sentinel: &Engine) -> Outcome {
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(case, sentinel)));
    let answer = answer.unwrap_or_else(|_| Err("it panicked".to_owned()));
    match (answer, &case.expected) {
        (Err(reason), Some(_)) => Outcome::Refused(reason),
        (Err(_), None) => Outcome::Right,
        (Ok(table), None) => Outcome::Wrong(format!(
            "it must be refused, but gave {} rows",
            table.rows()
        )),
        (Ok(table), Some(Expected::Columns(columns))) => match compare::columns(&table, columns) {
            Ok(()) => Outcome::Right,
            Err(difference) => Outcome::Wrong(difference),
        },
        (Ok(table), Some(Expected::Rows(rows))) => match compare::rows(&case.query, &table, rows) {
            Ok(()) => Outcome::Right,
            Err(difference) => Outcome::Wrong(difference),
        },
    }
}

fn answer(case: &Case, sentinel: &Engine) -> Result<Table, String> {
    let own = new_engine().map_err(|error| error.to_string())?;
    let engine = if case.set == "sentinel" {
        sentinel
    } else {
        &own
    };
    let mut query = engine.start(&case.query, NOW).map_err(|diagnostics| {
        let first = diagnostics
            .first()
            .map(|d| d.message.clone())
            .unwrap_or_default();
        format!(
            "{first}\n{}",
            spoor_kql_syntax::render(&case.query, &diagnostics)
        )
    })?;
    let began = Instant::now();
    loop {
        match query.step(Duration::from_millis(100)) {
            Ok(Step::Done(result)) => return Ok(result.table),
            Ok(Step::More) if began.elapsed() < TIME_LIMIT => {}
            Ok(Step::More | Step::Call(_)) => return Err("it took too long".to_owned()),
            Err(QueryError::Diagnostics(diagnostics)) => {
                return Err(spoor_kql_syntax::render(&case.query, &diagnostics));
            }
            Err(error) => return Err(format!("failed: {error}")),
        }
    }
}
