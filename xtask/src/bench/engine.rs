//! The query engine inside kernel.wasm beside native DataFusion, and its way into pandas.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Row;
use super::timing::{median, seconds};
use crate::paths::Paths;
use crate::process::output;

const GROUP_BY: &str = "%%kql\nbench_rows | summarize count(), avg(Score) by Account";
const TO_PANDAS: &str = "frame = kql('set notruncation; bench_rows')\nassert frame.shape == (1_000_000, 10), frame.shape";

/// A group-by over a million rows in memory.
pub fn group_by(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let rows = rows(paths)?;
    let kernel = cells(paths, &rows, runs, GROUP_BY)?;
    let native = |threads: &str| -> Result<f64> {
        let mut command = Command::new(paths.bin().join("native_group_by"));
        let times = numbers(command.arg(&rows).args([&(runs + 2).to_string(), threads]))?;
        // The first two runs warm the caches, as the kernel's do.
        Ok(median(times.into_iter().skip(2).collect()) / 1e3)
    };
    let (one, two) = (native("1")?, native("2")?);
    let ratio = kernel / one;
    let word = if ratio <= 3.0 { "met" } else { "missed" };
    Ok(vec![Row {
        what: "a group-by of a million rows into 5,000 groups, two aggregates".into(),
        ours: format!("kernel.wasm under wasmtime, one thread {}", seconds(kernel)),
        peer: format!(
            "native DataFusion, one thread {}, two threads {}",
            seconds(one),
            seconds(two)
        ),
        verdict: format!(
            "within 3 times of native: {word} ({ratio:.1} times one thread, {:.1} times two)",
            kernel / two
        ),
    }])
}

/// A million rows by ten columns from KQL into a pandas frame.
pub fn to_pandas(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let time = cells(paths, &rows(paths)?, runs, TO_PANDAS)?;
    Ok(vec![Row {
        what: "`kql()` of a million rows by ten columns into pandas".into(),
        ours: seconds(time),
        peer: "-".into(),
        verdict: "no bar set".into(),
    }])
}

/// The benchmark's rows, written once.
pub(super) fn rows(paths: &Paths) -> Result<PathBuf> {
    let file = paths.target.join("bench").join("bench_rows.arrow");
    let folder = file
        .parent()
        .context("the benchmark's rows need a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    output(Command::new(paths.bin().join("bench_rows")).arg(&file))?;
    Ok(file)
}

/// The median seconds of a cell in a session under wasmtime, after two runs that are not counted:
/// the first reads the data.
fn cells(paths: &Paths, rows: &Path, runs: u32, cell: &str) -> Result<f64> {
    let mut command = Command::new(paths.bin().join("time_cells"));
    let times = numbers(
        command
            .env("SPOOR_ASSETS", paths.assets())
            .arg(rows)
            .args([&(runs + 2).to_string(), cell]),
    )?;
    Ok(median(times.into_iter().skip(2).collect()) / 1e3)
}

fn numbers(command: &mut Command) -> Result<Vec<f64>> {
    output(command)?
        .lines()
        .map(|line| {
            line.parse()
                .with_context(|| format!("`{line}` is not a number"))
        })
        .collect()
}
