//! `cargo xtask hunt-real`: a hunt over real telemetry, with its findings asserted.
//!
//! The data does not ship with Spoor. Where it is absent this says so and succeeds.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::paths::Paths;
use crate::process::{hunt, say, step};

const DATA: &str = "data/covenant_dcom_iertutil_dll_hijack.zip";
const HUNT: &str = "tests/hunts/lateral-movement";

/// Runs the hunt and compares what it found with what reading the events by hand gave.
pub fn run(paths: &Paths) -> Result<()> {
    let Some(data) = paths.shared(DATA) else {
        say(&format!(
            "Skipped: the hunt over real telemetry ({DATA} is not beside the checkout)"
        ));
        return Ok(());
    };
    let notebook = paths.root.join(HUNT).with_extension("ipynb");
    let folder = paths.target.join("hunt-real");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    let executed = folder.join("lateral-movement.ipynb");
    step(
        "Hunting through real telemetry",
        &mut hunt(paths, &notebook, &data, &executed),
    )?;
    check(
        &executed,
        &paths.root.join(HUNT).with_extension("expected.json"),
    )
}

/// Each expected finding is a line `name: value` that the executed notebook prints.
fn check(executed: &Path, expected: &Path) -> Result<()> {
    let printed = printed(&json(executed)?);
    let expected = json(expected)?;
    let findings = expected
        .as_object()
        .context("the expected findings are not a JSON object")?;
    for (name, value) in findings {
        let line = format!(
            "{name}: {}",
            value
                .as_str()
                .context("an expected finding is not a string")?
        );
        ensure!(
            printed.lines().any(|printed| printed == line),
            "the hunt did not find `{line}`; it printed:\n{printed}"
        );
        eprintln!("    found {line}");
    }
    Ok(())
}

fn json(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// Everything that the notebook's cells wrote to standard output.
fn printed(notebook: &Value) -> String {
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let outputs = cells.flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    outputs
        .filter(|output| output["name"] == "stdout")
        .map(|output| joined(&output["text"]))
        .collect()
}

fn joined(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_output_is_gathered_from_lines_and_strings() {
        let notebook = serde_json::json!({"cells": [
            {"outputs": [{"name": "stdout", "text": ["a: 1\n", "b: 2\n"]}, {"name": "stderr", "text": "no"}]},
            {"source": "text"},
            {"outputs": [{"name": "stdout", "text": "c: 3\n"}]}
        ]});
        assert_eq!(printed(&notebook), "a: 1\nb: 2\nc: 3\n");
    }
}
