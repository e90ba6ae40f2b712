//! BENCHMARKS.md.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use super::{Row, machine};
use crate::paths::Paths;

/// The rows that BENCHMARKS.md has.
pub fn read(paths: &Paths) -> Result<Vec<Row>> {
    let path = paths.root.join("BENCHMARKS.md");
    let text =
        fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(text.lines().filter_map(row).collect())
}

/// A row of the table; its head and its rule are none.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line
        .strip_prefix("| ")?
        .strip_suffix(" |")?
        .split(" | ")
        .collect();
    let [what, ours, peer, verdict] = cells[..] else {
        return None;
    };
    (what != "what" && what != "---").then(|| Row {
        what: what.into(),
        ours: ours.into(),
        peer: peer.into(),
        verdict: verdict.into(),
    })
}

/// The rows with those that were measured again in their places, and new ones at the end.
pub fn merged(mut rows: Vec<Row>, measured: Vec<Row>) -> Vec<Row> {
    for new in measured {
        match rows.iter_mut().find(|row| row.what == new.what) {
            Some(row) => *row = new,
            None => rows.push(new),
        }
    }
    rows
}

/// What people have written below the table: from the first heading of the second level on.
fn written(text: &str) -> &str {
    text.find("\n## ").map_or("", |at| &text[at..])
}

/// Writes the rows with the machine and the versions above them. What people have written below them stays.
pub fn write(paths: &Paths, runs: u32, rows: &[Row]) -> Result<()> {
    let path = paths.root.join("BENCHMARKS.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let mut text = String::from("# Benchmarks\n\nWritten by `cargo xtask bench`: medians of ");
    writeln!(text, "{runs} runs, Spoor and its peer in turn.\n")?;
    for line in machine::describe(paths)? {
        writeln!(text, "- {line}")?;
    }
    text.push_str("\n| what | Spoor | beside | bar |\n| --- | --- | --- | --- |\n");
    for row in rows {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.what, row.ours, row.peer, row.verdict
        )?;
    }
    text.push_str(written(&before));
    fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_and_replaced_by_what_they_are_of() {
        let text = "| what | Spoor | beside | bar |\n| --- | --- | --- | --- |\n| a | 1 | - | met |\n| b | 2 | - | met |";
        let rows: Vec<Row> = text.lines().filter_map(row).collect();
        let new = ["| b | 3 | - | met |", "| c | 4 | - | met |"];
        let rows = merged(rows, new.into_iter().filter_map(row).collect());
        let ours: Vec<&str> = rows.iter().map(|row| row.ours.as_str()).collect();
        assert_eq!(ours, ["1", "3", "4"]);
    }

    #[test]
    fn what_people_wrote_below_stays() {
        let text = "# Benchmarks\n\n| a | 1 | - | met |\n\n## Why\n\nBecause.\n";
        assert_eq!(written(text), "\n## Why\n\nBecause.\n");
        assert_eq!(written("# Benchmarks\n"), "");
    }
}
