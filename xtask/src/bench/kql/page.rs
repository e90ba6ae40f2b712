//! The same queries in Chromium: the kernel in a tab beside DuckDB-Wasm, both over rows that they hold in memory.
//!
//! `tests/bench/kql.mjs` measures; what the times are of stands there.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::super::Row;
use super::super::timing::{median, seconds};
use super::{Bench, Form, SIZES};
use crate::paths::Paths;
use crate::process::output;
use crate::setup;

/// How many times as fast the kernel is to be.
const WANTED: f64 = 1.5;

/// One row for all queries.
pub fn figures(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    setup::packages(&paths.root.join("tests/bench/kql"), "the benchmark's")?;
    let bench = Bench::ensure(paths)?;
    let (name, rows) = SIZES[0];
    let tables = bench.tables(rows, Form::Parquet)?;
    let streams = bench.tables(rows, Form::Streams)?;
    let mut node = Command::new("node");
    node.current_dir(&paths.root)
        .env("CHROMIUM", setup::browser()?)
        .args(["tests/bench/kql.mjs", "--runs", &runs.to_string()])
        .arg("--site")
        .arg(paths.site())
        .arg("--tables")
        .arg(tables)
        .arg("--streams")
        .arg(streams);
    let printed: Value = serde_json::from_str(&output(&mut node)?)
        .context("tests/bench/kql.mjs did not print JSON")?;
    Ok(vec![row(name, &printed)?])
}

fn row(size: &str, printed: &Value) -> Result<Row> {
    let queries = printed["queries"].as_object();
    let queries = queries.context("tests/bench/kql.mjs gave no queries")?;
    let version = printed["duckdb"].as_str().unwrap_or_default();
    let ratios: Vec<f64> = queries
        .values()
        .filter_map(|times| Some(time(times, "theirs")? / time(times, "ours")?))
        .collect();
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    Ok(Row {
        what: format!("KQL in Chromium over {size} rows in memory"),
        ours: listed(queries, "ours"),
        peer: format!(
            "DuckDB-Wasm (DuckDB {version}) {}",
            listed(queries, "theirs")
        ),
        verdict: format!(
            "at least {WANTED} times its speed, geometric mean of the {} that both have: {} ({mean:.2} times)",
            ratios.len(),
            if mean >= WANTED { "met" } else { "missed" }
        ),
    })
}

/// Each query's median.
fn listed(queries: &Map<String, Value>, whose: &str) -> String {
    let times = queries
        .iter()
        .filter_map(|(name, times)| Some(format!("`{name}` {}", seconds(time(times, whose)?))));
    times.collect::<Vec<_>>().join(", ")
}

/// The median in seconds. `None` of a query that was not run.
fn time(times: &Value, whose: &str) -> Option<f64> {
    let times = times[whose].as_array()?.iter().map(Value::as_f64);
    let times: Vec<f64> = times.collect::<Option<_>>()?;
    (!times.is_empty()).then(|| median(times) / 1e3)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_peer_has_not_is_listed_and_not_in_the_mean() {
        let printed = json!({ "duckdb": "v1", "queries": {
            "a": { "ours": [9.0, 1.0, 2.0], "theirs": [1.0, 8.0, 4.0] },
            "b": { "ours": [5.0], "theirs": [] },
        } });
        let row = row("1 M", &printed).unwrap();
        assert_eq!(row.ours, "`a` 2.0 ms, `b` 5.0 ms");
        assert_eq!(row.peer, "DuckDB-Wasm (DuckDB v1) `a` 4.0 ms");
        assert!(
            row.verdict
                .ends_with("the 1 that both have: met (2.00 times)"),
            "{}",
            row.verdict
        );
    }
}
