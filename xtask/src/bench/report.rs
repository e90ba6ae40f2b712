//! BENCHMARKS.md.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use super::{Row, machine};
use crate::paths::Paths;

/// Writes the rows with the machine and the versions above them.
pub fn write(paths: &Paths, runs: u32, rows: &[Row]) -> Result<()> {
    let mut text = String::from("# Benchmarks\n\nWritten by `cargo xtask bench`: medians of ");
    writeln!(
        text,
        "{runs} runs, Spoor and its peer in turn, in one run.\n"
    )?;
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
    let path = paths.root.join("BENCHMARKS.md");
    fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))
}
