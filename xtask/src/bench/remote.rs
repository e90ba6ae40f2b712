//! Data that lives elsewhere: how fast a service's answer becomes a table, beside azure-monitor-query and pandas, and how many
//! sessions one server bears.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::timing::{at_least, in_turn, median, seconds};
use super::{Row, engine};
use crate::paths::Paths;
use crate::process::{output, step};
use crate::{build, clients, demo};

/// Rows of the answer; its columns are of every type.
const ROWS: &str = "500000";
/// Sessions at once.
const SESSIONS: &str = "200";

/// All of these rows.
pub fn figures(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let mut rows = vec![decoding(paths, runs)?, sessions(paths, runs)?];
    rows.extend(proxying(paths, runs)?);
    Ok(rows)
}

/// A workspace asked through `spoor serve`, beside the same workspace asked directly.
fn proxying(paths: &Paths, runs: u32) -> Result<[Row; 2]> {
    let data = engine::rows(paths)?;
    let mut node = Command::new("node");
    node.current_dir(&paths.root)
        .args(["tests/bench/proxy.mjs", "--table", "bench_rows"])
        .args(["--large", &runs.to_string()])
        .arg("--spoor")
        .arg(paths.spoor())
        .arg("--site")
        .arg(paths.site())
        .arg("--data")
        .arg(data);
    let told: Value = serde_json::from_str(&output(&mut node)?)
        .context("tests/bench/proxy.mjs did not print JSON")?;
    proxy_rows(&told)
}

fn proxy_rows(told: &Value) -> Result<[Row; 2]> {
    let figure = |pointer: &str| -> Result<f64> {
        let number = told.pointer(pointer).and_then(Value::as_f64);
        number.with_context(|| format!("tests/bench/proxy.mjs gave no {pointer}"))
    };
    let (direct, through) = (figure("/small/direct")?, figure("/small/through")?);
    let (read, sent) = (figure("/large/direct")?, figure("/large/through")?);
    let rate = |milliseconds: f64| format!("{:.2} million rows a second", 1e3 / milliseconds);
    let met = |is_met: bool, figure: String| match is_met {
        true => format!("met ({figure})"),
        false => format!("missed ({figure})"),
    };
    Ok([
        Row {
            what: "a query of a workspace, `print n = 1`, on a connection that is open".to_owned(),
            ours: format!("through `spoor serve` {through:.1} ms"),
            peer: format!("the workspace directly {direct:.1} ms"),
            verdict: format!(
                "at most 2 ms more: {}",
                met(
                    through - direct <= 2.0,
                    format!("{:.1} ms", through - direct)
                )
            ),
        },
        Row {
            what: "a million rows by ten columns of a workspace, to the last byte".to_owned(),
            ours: format!("through `spoor serve`, as Arrow, {}", rate(sent)),
            peer: format!("the workspace directly, as JSON, {}", rate(read)),
            verdict: format!(
                "at least 70% of the rate: {}",
                met(read / sent >= 0.7, format!("{:.0}%", 100.0 * read / sent))
            ),
        },
    ])
}

/// An answer of Log Analytics, from the same bytes.
fn decoding(paths: &Paths, runs: u32) -> Result<Row> {
    let body = answer(paths)?;
    let peers = clients::environment(paths)?;
    let script = paths.root.join("tests/peers/logs_to_pandas.py");
    let spoor = || {
        let mut command = Command::new(decoder(paths));
        number(command.args(["time", ROWS]).arg(&body))
    };
    let pandas = || {
        let mut command = peers.command("python3");
        number(command.arg(&script).arg(ROWS).arg(&body))
    };
    let times = in_turn(runs, &[&spoor, &pandas])?;
    let [ours, theirs] = times[..] else {
        bail!("a peer was not timed");
    };
    let megabytes = fs::metadata(&body)?.len() as f64 / 1e6;
    Ok(Row {
        what: format!(
            "a Log Analytics answer of 500,000 rows by 11 columns ({megabytes:.0} MB), from its bytes to a table"
        ),
        ours: format!("to Arrow {}", seconds(ours)),
        peer: format!(
            "azure-monitor-query {}, to pandas {} {}",
            peers.number("azure-monitor-query")?,
            peers.number("pandas")?,
            seconds(theirs)
        ),
        verdict: at_least(10.0, ours, theirs),
    })
}

/// Builds the decoder's example natively, and has it write the answer.
fn answer(paths: &Paths) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(&paths.root)
        .env("CARGO_TARGET_DIR", &paths.target)
        .args(["build", "--locked", "--release", "--workspace"])
        .args(["--example", "decode"])
        .args(build::NOT_NATIVE);
    step("Building the decoder natively", &mut cargo)?;
    let folder = paths.target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let body = folder.join("log-analytics.json");
    output(
        Command::new(decoder(paths))
            .args(["write", ROWS])
            .arg(&body),
    )?;
    Ok(body)
}

fn decoder(paths: &Paths) -> PathBuf {
    paths.bin().join("examples/decode")
}

fn number(command: &mut Command) -> Result<Vec<f64>> {
    let printed = output(command)?;
    let printed = printed.trim();
    let read = printed.parse();
    Ok(vec![
        read.with_context(|| format!("`{printed}` is not a number"))?,
    ])
}

/// Sessions of the page at one server, all at once.
fn sessions(paths: &Paths, runs: u32) -> Result<Row> {
    let data = demo::data(paths)?;
    let mut rounds = Vec::new();
    for _ in 0..runs {
        let mut node = Command::new("node");
        node.current_dir(&paths.root)
            .args(["tests/bench/sessions.mjs", "--sessions", SESSIONS])
            .arg("--spoor")
            .arg(paths.spoor())
            .arg("--site")
            .arg(paths.site())
            .arg("--data")
            .arg(&data);
        let round: Value = serde_json::from_str(&output(&mut node)?)
            .context("tests/bench/sessions.mjs did not print JSON")?;
        rounds.push(round);
    }
    sessions_row(&rounds)
}

fn sessions_row(rounds: &[Value]) -> Result<Row> {
    let figure = |pointer: &str| -> Result<f64> {
        let numbers = rounds.iter().map(|round| round.pointer(pointer)?.as_f64());
        let numbers: Option<Vec<f64>> = numbers.collect();
        Ok(median(numbers.with_context(|| {
            format!("tests/bench/sessions.mjs gave no {pointer}")
        })?))
    };
    let mut errors = 0;
    for round in rounds {
        let told = round["errors"].as_array();
        errors += told
            .context("tests/bench/sessions.mjs gave no errors")?
            .len();
    }
    let (queries, count) = (figure("/queries")?, figure("/sessions")?);
    let (before, most) = (figure("/memory/before")?, figure("/memory/most")?);
    Ok(Row {
        what: format!(
            "{SESSIONS} sessions of the page at one `spoor serve`, each asking queries of the demo's data"
        ),
        ours: format!(
            "{queries:.0} queries, {:.0} a second: median {}, 95th percentile {}; memory {:.0} MB before, at most {:.0} MB, {:.0} KB a session",
            queries / figure("/seconds")?,
            seconds(figure("/median")? / 1e3),
            seconds(figure("/p95")? / 1e3),
            before / 1e6,
            most / 1e6,
            (most - before) / count / 1e3
        ),
        peer: "-".into(),
        verdict: match errors {
            0 => "without an error: met".to_owned(),
            _ => format!("without an error: missed ({errors})"),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_adds_is_held_to_its_bars() {
        let told = json!({ "small": { "direct": 1.0, "through": 2.5 }, "large": { "direct": 2000.0, "through": 4000.0 } });
        let [small, large] = proxy_rows(&told).unwrap();
        assert_eq!(small.verdict, "at most 2 ms more: met (1.5 ms)");
        assert_eq!(large.verdict, "at least 70% of the rate: missed (50%)");
        assert_eq!(
            large.peer,
            "the workspace directly, as JSON, 0.50 million rows a second"
        );
        assert!(proxy_rows(&json!({ "small": {} })).is_err());
    }

    #[test]
    fn sessions_with_errors_miss_the_bar() {
        let round = |errors: Value| {
            json!({ "sessions": 200, "queries": 1800, "errors": errors, "median": 400.0, "p95": 500.0,
            "seconds": 4.0, "memory": { "before": 80e6, "after": 90e6, "most": 100e6 } })
        };
        let row =
            sessions_row(&[round(json!([])), round(json!(["a query has status 500"]))]).unwrap();
        assert_eq!(row.verdict, "without an error: missed (1)");
        assert_eq!(
            row.ours,
            "1800 queries, 450 a second: median 400.0 ms, 95th percentile 500.0 ms; memory 80 MB before, at most 100 MB, 100 KB a session"
        );
        assert!(sessions_row(&[json!({ "errors": [] })]).is_err());
    }
}
