//! KQL natively beside DuckDB: twelve queries as hunts have them, over the same Parquet files.
//!
//! The queries lie in `tests/bench/kql`, each as KQL and as SQL. Spoor's time is that of the whole process, from the files to a
//! file of JSON. DuckDB's is from an empty database to the rows in Python: to start Python is not charged to it. Both read the
//! files each time, and no query is timed whose two answers differ. [`page`] has them in a browser.

pub mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Row;
use super::peers::Peers;
use super::timing::{in_turn, seconds, timed};
use crate::paths::Paths;
use crate::process::{output, step};
use crate::setup::sha256_file;

/// Rows of each table of events.
const SIZES: [(&str, u32); 2] = [("1 M", 1_000_000), ("10 M", 10_000_000)];

/// How many times as long ten times the rows may take.
const GROWTH: f64 = 12.0;

/// What is asked, and the files' name.
const QUERIES: [(&str, &str); 12] = [
    ("`has` and `contains` in long command lines", "filter"),
    ("two `extract`s of command lines", "extract"),
    (
        "`summarize` by two keys with `dcount` and `make_set`",
        "summarize",
    ),
    ("`arg_max` for each of 5,000 users", "arg_max"),
    ("counts for each hour and application", "buckets"),
    ("a `join` of two tables of events", "join"),
    ("`leftanti` against a list of 3,000 domains", "leftanti"),
    ("`mv-expand` of a dynamic array of four", "mv_expand"),
    ("`parse` of command lines", "parse"),
    (
        "`make-series` and `series_decompose_anomalies`, which DuckDB has not: its series alone",
        "make_series",
    ),
    ("`top-nested` of two levels", "top_nested"),
    ("filters by paths of a dynamic column", "dynamic"),
];

/// What one query took over one size of the tables.
enum Outcome {
    /// Seconds of Spoor and of DuckDB.
    Timed(f64, f64),
    /// Spoor refuses data as large as this; what it said.
    Refused(String),
}

/// One query's outcomes, in the order of [`SIZES`].
struct Measured {
    what: &'static str,
    outcomes: Vec<Outcome>,
}

/// A row for each query, and one for all.
pub fn figures(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let bench = Bench::ensure(paths)?;
    for (_, rows) in SIZES {
        bench.tables(rows, Form::Parquet)?;
    }
    let mut all: Vec<Measured> = Vec::new();
    for (what, name) in QUERIES {
        let outcomes = SIZES
            .iter()
            .map(|&(_, rows)| bench.measure(name, rows, runs));
        let outcomes = outcomes.collect::<Result<_>>();
        let outcomes = outcomes.with_context(|| format!("the query {name}"))?;
        all.push(Measured { what, outcomes });
    }
    let peer = format!("DuckDB {}", bench.peers.number("duckdb")?);
    let mut rows: Vec<Row> = all.iter().map(|one| row(one, &peer)).collect();
    rows.push(summary(&all, &peer));
    Ok(rows)
}

/// What the tables are written as.
#[derive(Clone, Copy)]
enum Form {
    Parquet,
    /// Arrow's streams.
    Streams,
}

/// Where everything is that a measurement needs.
struct Bench<'p> {
    paths: &'p Paths,
    peers: Peers,
    queries: PathBuf,
    scratch: PathBuf,
}

impl<'p> Bench<'p> {
    /// The peer installed.
    fn ensure(paths: &'p Paths) -> Result<Self> {
        let queries = paths.root.join("tests/bench/kql");
        let peers = Peers::ensure_at(paths, "kql-peers", &queries.join("requirements.txt"))?;
        let scratch = paths.target.join("bench/kql");
        fs::create_dir_all(&scratch)
            .with_context(|| format!("could not make {}", scratch.display()))?;
        Ok(Bench {
            paths,
            peers,
            queries,
            scratch,
        })
    }

    fn folder(&self, rows: u32, form: Form) -> PathBuf {
        self.scratch.join(match form {
            Form::Parquet => rows.to_string(),
            Form::Streams => format!("{rows}-streams"),
        })
    }

    /// The folder of the tables, which are made once for each state of what makes them.
    fn tables(&self, rows: u32, form: Form) -> Result<PathBuf> {
        let script = self.queries.join("rows.py");
        let folder = self.folder(rows, form);
        // Not in the folder, whose files are tables.
        let stamp = folder.with_extension("made-by");
        let made_by = sha256_file(&script)? + &sha256_file(&self.queries.join("requirements.txt"))?;
        if fs::read_to_string(&stamp).is_ok_and(|text| text == made_by) {
            return Ok(folder);
        }
        let mut python = self.peers.command("python3");
        python.arg(script).arg(&folder).arg(rows.to_string());
        if let Form::Streams = form {
            python.arg("streams");
        }
        step(&format!("Making tables of {rows} rows"), &mut python)?;
        fs::write(&stamp, made_by).context("could not mark the tables as made")?;
        Ok(folder)
    }

    /// Holds the answers against each other, then times both in turn.
    fn measure(&self, name: &str, rows: u32, runs: u32) -> Result<Outcome> {
        let answer = self.scratch.join(format!("{name}.json"));
        let first = self.spoor(name, rows, &answer).output();
        let first = first.context("could not start spoor")?;
        // The exit code for data that cannot be read, which is how a table that is too large ends.
        if first.status.code() == Some(3) && rows > SIZES[0].1 {
            let said = String::from_utf8_lossy(&first.stderr);
            return Ok(Outcome::Refused(reason(&said)));
        }
        if !first.status.success() {
            bail!("spoor: {}", String::from_utf8_lossy(&first.stderr));
        }
        output(self.duckdb("same", name, rows).arg(&answer))?;
        let ours = || Ok(vec![timed(self.spoor(name, rows, &answer))?.as_secs_f64()]);
        let theirs = || {
            let printed = output(&mut self.duckdb("time", name, rows))?;
            let read = printed.trim().parse();
            Ok(vec![
                read.with_context(|| format!("`{printed}` is not a number"))?,
            ])
        };
        match in_turn(runs, &[&ours, &theirs])?[..] {
            [ours, theirs] => Ok(Outcome::Timed(ours, theirs)),
            _ => bail!("a peer was not timed"),
        }
    }

    fn spoor(&self, name: &str, rows: u32, answer: &Path) -> Command {
        let query = self.queries.join(format!("{name}.kql"));
        let mut command = Command::new(self.paths.spoor());
        command.arg("query").arg(format!("@{}", query.display()));
        command.arg("--data").arg(self.folder(rows, Form::Parquet));
        command.args(["--format", "json", "--output"]).arg(answer);
        command
    }

    fn duckdb(&self, task: &str, name: &str, rows: u32) -> Command {
        let mut command = self.peers.command("python3");
        command.arg(self.queries.join("duckdb_query.py")).arg(task);
        command.arg(self.folder(rows, Form::Parquet));
        command.arg(self.queries.join(format!("{name}.sql")));
        command
    }
}

/// Why data was refused: the message without the file, whose place says nothing here, and without its details and advice.
fn reason(said: &str) -> String {
    let line = said.lines().next().unwrap_or_default();
    let reason = line
        .split_once(".parquet: ")
        .map_or(line, |(_, reason)| reason);
    let reason = reason.split([';', '(']).next().unwrap_or_default();
    reason.trim().replace('|', "/")
}

fn row(one: &Measured, peer: &str) -> Row {
    let sized = || SIZES.iter().zip(&one.outcomes);
    let ours = sized().map(|((size, _), outcome)| match outcome {
        Outcome::Timed(ours, _) => format!("{size} {}", seconds(*ours)),
        Outcome::Refused(reason) => format!("{size} refused ({reason})"),
    });
    let theirs = sized().filter_map(|((size, _), outcome)| match outcome {
        Outcome::Timed(_, theirs) => Some(format!("{size} {}", seconds(*theirs))),
        Outcome::Refused(_) => None,
    });
    let speeds = sized().filter_map(|((size, _), outcome)| match outcome {
        Outcome::Timed(ours, theirs) => {
            Some(format!("{:.2} times its speed at {size}", theirs / ours))
        }
        Outcome::Refused(_) => None,
    });
    let speeds: Vec<String> = speeds.collect();
    Row {
        what: format!("KQL over Parquet: {}", one.what),
        ours: format!("`spoor query` {}", ours.collect::<Vec<_>>().join(", ")),
        peer: format!("{peer} {}", theirs.collect::<Vec<_>>().join(", ")),
        verdict: format!(
            "no bar set alone: {}{}",
            speeds.join(", "),
            growth(one).map_or(String::new(), |growth| format!(
                "; {growth:.1} times as long for ten times the rows"
            ))
        ),
    }
}

/// How many times as long the larger tables take.
fn growth(one: &Measured) -> Option<f64> {
    match one.outcomes[..] {
        [Outcome::Timed(small, _), Outcome::Timed(large, _)] => Some(large / small),
        _ => None,
    }
}

fn summary(all: &[Measured], peer: &str) -> Row {
    let means: Vec<String> = (0..SIZES.len()).map(|size| mean(all, size)).collect();
    let most = all.iter().filter_map(growth).fold(f64::NAN, f64::max);
    let refused = all.iter().flat_map(|one| &one.outcomes);
    let refused = refused.filter(|outcome| matches!(outcome, Outcome::Refused(_)));
    let grows = match refused.count() {
        0 => format!("at most {most:.1} times as long"),
        count => format!("{count} refused, else at most {most:.1} times as long"),
    };
    let word = match most <= GROWTH && !grows.contains("refused") {
        true => "met",
        false => "missed",
    };
    Row {
        what: "KQL over Parquet: the twelve queries, geometric mean".into(),
        ours: "`spoor query`, the whole process".into(),
        peer: format!("{peer} on the same files, without the start of Python"),
        verdict: format!(
            "at least 1 times its speed: {}; at most {GROWTH} times as long for ten times the rows: {word} ({grows})",
            means.join(", ")
        ),
    }
}

/// The geometric mean of DuckDB's times over Spoor's at one size. With a query that was refused the bar is missed.
fn mean(all: &[Measured], size: usize) -> String {
    let outcomes = all.iter().filter_map(|one| one.outcomes.get(size));
    let logarithms = outcomes.filter_map(|outcome| match outcome {
        Outcome::Timed(ours, theirs) => Some((theirs / ours).ln()),
        Outcome::Refused(_) => None,
    });
    let logarithms: Vec<f64> = logarithms.collect();
    let count = logarithms.len();
    let mean = (logarithms.iter().sum::<f64>() / count as f64).exp();
    let word = match count == all.len() && mean >= 1.0 {
        true => "met",
        false => "missed",
    };
    let name = SIZES[size].0;
    match count == all.len() {
        true => format!("{name} {word} ({mean:.2} times)"),
        false => format!("{name} {word} ({mean:.2} times in the {count} that ran)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(outcomes: Vec<Outcome>) -> Measured {
        Measured {
            what: "a query",
            outcomes,
        }
    }

    #[test]
    fn the_mean_is_geometric_and_a_fast_query_hides_no_refused_one() {
        let fast = || measured(vec![Outcome::Timed(1.0, 8.0), Outcome::Timed(9.0, 90.0)]);
        let slow = measured(vec![
            Outcome::Timed(1.0, 0.5),
            Outcome::Refused("too large".into()),
        ]);
        let verdict = summary(&[fast(), slow], "a peer").verdict;
        assert_eq!(
            verdict,
            "at least 1 times its speed: 1 M met (2.00 times), 10 M missed (10.00 times in the 1 that ran); \
             at most 12 times as long for ten times the rows: missed (1 refused, else at most 9.0 times as long)"
        );
        let verdict = summary(&[fast()], "a peer").verdict;
        assert!(
            verdict.ends_with("met (at most 9.0 times as long)"),
            "{verdict}"
        );
    }

    #[test]
    fn a_row_tells_of_a_refusal_without_the_place_of_the_file() {
        let reason =
            reason("error: /somewhere/1/T.parquet: fills too much (at 1 row); load fewer\nmore");
        assert_eq!(reason, "fills too much");
        let one = measured(vec![Outcome::Timed(0.5, 1.0), Outcome::Refused(reason)]);
        let row = row(&one, "a peer");
        assert_eq!(
            row.ours,
            "`spoor query` 1 M 500.0 ms, 10 M refused (fills too much)"
        );
        assert_eq!(row.peer, "a peer 1 M 1.00 s");
        assert_eq!(row.verdict, "no bar set alone: 2.00 times its speed at 1 M");
    }
}
