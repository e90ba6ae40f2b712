//! Times of a million rows of ten columns: `cargo run --release -p spoor-results --example million`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use spoor_messages::results::*;
use spoor_results::Results;
use spoor_table::{Column, KustoType, Table, Value, ipc};

const ROWS: usize = 1_000_000;
/// As in the worker.
const SLICE: Duration = Duration::from_millis(12);

fn main() {
    let bytes = ipc::to_stream(&table()).unwrap();
    println!("{} MB of Arrow", bytes.len() >> 20);
    let mut results = Results::new();
    run(&mut results, "open", Ask::Open { result: 1 }, Some(bytes));
    let sorted = |column, ascending| View {
        sorts: vec![Sort { column, ascending }],
        ..View::default()
    };
    for (column, what) in ["datetime", "long", "few texts", "many texts", "real"]
        .iter()
        .enumerate()
    {
        let view = sorted(column as u32, false);
        run(
            &mut results,
            &format!("sort by {what}"),
            Ask::View { result: 1, view },
            None,
        );
    }
    for (what, column, test) in [
        ("long > 500000", 1, Test::Greater("500000".into())),
        ("text contains", 3, Test::Contains("svchost 9".into())),
    ] {
        let filters = vec![Filter { column, test }];
        let view = View {
            filters,
            ..View::default()
        };
        run(
            &mut results,
            &format!("filter {what}"),
            Ask::View { result: 1, view },
            None,
        );
    }
    let search = View {
        search: "needle".into(),
        ..View::default()
    };
    run(
        &mut results,
        "search all columns",
        Ask::View {
            result: 1,
            view: search,
        },
        None,
    );
    for column in [0, 1, 2, 3] {
        let view = View::default();
        run(
            &mut results,
            &format!("stats of column {column}"),
            Ask::Stats {
                result: 1,
                view,
                column,
            },
            None,
        );
    }
    let rows = Ask::Rows {
        result: 1,
        view: sorted(4, false),
        from: 500_000,
        to: 500_060,
    };
    run(&mut results, "60 rows", rows, None);
    let export = Ask::Export {
        result: 1,
        view: View::default(),
        selection: Selection::default(),
        format: ExportFormat::Csv,
    };
    run(&mut results, "export as CSV", export, None);
}

/// Prints how long an answer takes, and the longest slice on the way to it.
fn run(results: &mut Results, what: &str, ask: Ask, buffer: Option<Vec<u8>>) {
    let begun = Instant::now();
    let mut answers = results.ask(Request { request: 1, ask }, buffer);
    let mut longest = begun.elapsed();
    while answers.is_empty() {
        let slice = Instant::now();
        answers = results.work(&mut || slice.elapsed() >= SLICE);
        longest = longest.max(slice.elapsed());
    }
    let (all, longest) = (begun.elapsed().as_millis(), longest.as_millis());
    println!("{what:<24} {all:>5} ms, longest slice {longest:>3} ms");
}

fn table() -> Table {
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed >> 33
    };
    let types = [
        ("TimeGenerated", KustoType::DateTime),
        ("Number", KustoType::Long),
        ("Computer", KustoType::String),
        ("CommandLine", KustoType::String),
        ("Score", KustoType::Real),
        ("Account", KustoType::String),
        ("Port", KustoType::Int),
        ("Ok", KustoType::Bool),
        ("Elapsed", KustoType::TimeSpan),
        ("Activity", KustoType::String),
    ];
    let columns: Vec<Column> = types
        .iter()
        .map(|(name, ty)| Column::new(*name, *ty))
        .collect();
    let mut table = Table::empty(columns);
    for _ in 0..ROWS / 8192 + 1 {
        let left = ROWS - table.rows();
        let rows: Vec<Vec<Value>> = (0..left.min(8192)).map(|_| row(&mut next)).collect();
        let part = Table::from_values(table.shared_columns(), &rows).unwrap();
        for batch in part.batches() {
            table.push(batch.clone()).unwrap();
        }
    }
    table
}

fn row(next: &mut impl FnMut() -> u64) -> Vec<Value> {
    vec![
        Value::DateTime(638_000_000_000_000_000 + next() as i64 * 1000),
        Value::Long(next() as i64 % 1_000_000),
        Value::String(format!("host-{:03}.example.org", next() % 400)),
        Value::String(format!(
            "C:\\Windows\\System32\\svchost {} -k netsvcs",
            next()
        )),
        Value::Real(next() as f64 / 1e6),
        Value::String(format!("EXAMPLE\\user{}", next() % 5000)),
        Value::Int(next() as i32 & 0xffff),
        Value::Bool(next().is_multiple_of(2)),
        Value::TimeSpan(next() as i64 % 100_000_000),
        Value::String("A process was started".into()),
    ]
}
