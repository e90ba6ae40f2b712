//! The page beside Pyodide, in Chromium: time to the first Python result and to the first KQL result.

use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Row;
use super::timing::{at_least, seconds};
use crate::paths::Paths;
use crate::process::output;
use crate::setup;

/// What the time goes into, for as long as the bar is missed.
const WHY_NOT: &str = ": one thread of the browser decodes 72 MB (kernel, CPython, and the memory in which \
    IPython is imported), where Pyodide's bare interpreter has 13 MB";

/// Page load to the first Python result, cold cache.
pub fn python(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let measured = measured(paths, runs)?;
    let (ours, theirs) = (
        figure(measured, "/spoor_python/median_ms")? / 1e3,
        figure(measured, "/pyodide/median_ms")? / 1e3,
    );
    let bytes = |path: &str| Ok::<_, anyhow::Error>(figure(measured, path)? / 1e6);
    Ok(vec![Row {
        what: "page load to the first Python result in Chromium, cold cache".into(),
        ours: format!(
            "{} ({:.1} MB sent)",
            seconds(ours),
            bytes("/spoor_python/bytes")?
        ),
        peer: format!(
            "pyodide {} {} ({:.1} MB sent)",
            measured["pyodide_version"].as_str().unwrap_or_default(),
            seconds(theirs),
            bytes("/pyodide/bytes")?
        ),
        verdict: at_least(3.0, ours, theirs) + if theirs < 3.0 * ours { WHY_NOT } else { "" },
    }])
}

/// Page load to the first KQL result, cold cache, and the kernel's size.
pub fn kql(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let measured = measured(paths, runs)?;
    let time = figure(measured, "/spoor_kql/median_ms")? / 1e3;
    let raw = figure(measured, "/kernel_bytes/raw")? / 1e6;
    let word = |met: bool| if met { "met" } else { "missed" };
    // Only a site that is built for publication has it.
    let (brotli, small) = match figure(measured, "/kernel_bytes/brotli") {
        Ok(bytes) => (format!("{:.2} MB brotli", bytes / 1e6), word(bytes <= 6e6)),
        Err(_) => ("not compressed".into(), "not measured"),
    };
    Ok(vec![
        Row {
            what: "page load to the first KQL result in Chromium, cold cache".into(),
            ours: seconds(time),
            peer: "-".into(),
            verdict: format!("under 1.5 s: {}", word(time < 1.5)),
        },
        Row {
            what: "size of kernel.wasm".into(),
            ours: format!("{raw:.1} MB raw, {brotli}"),
            peer: "-".into(),
            verdict: format!("at most 6 MB brotli: {small}"),
        },
    ])
}

/// What the browser's benchmark printed; run once for both.
fn measured(paths: &Paths, runs: u32) -> Result<&'static Value> {
    static MEASURED: OnceLock<Value> = OnceLock::new();
    if let Some(value) = MEASURED.get() {
        return Ok(value);
    }
    let printed = output(
        Command::new("node")
            .current_dir(&paths.root)
            .arg("tests/bench/browser.mjs")
            .arg("--site")
            .arg(paths.web())
            .args(["--runs", &runs.to_string()])
            .env("CHROMIUM", setup::browser()?),
    )?;
    let value =
        serde_json::from_str(&printed).context("the browser's benchmark did not print JSON")?;
    Ok(MEASURED.get_or_init(|| value))
}

fn figure(measured: &Value, pointer: &str) -> Result<f64> {
    measured
        .pointer(pointer)
        .and_then(Value::as_f64)
        .with_context(|| format!("the browser's benchmark gave no {pointer}"))
}
