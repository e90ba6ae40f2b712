//! Has the browser's benchmark (`tests/bench/figures.mjs`) measure the page and its peers, and reads what it prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::peers::Peers;
use super::timing::median;
use crate::paths::Paths;
use crate::process::{output, step};
use crate::setup::{self, sha256_file};

/// Has the scripts measure.
pub fn measure(paths: &Paths, runs: u32) -> Result<Figures> {
    let lite = jupyterlite(paths)?;
    let mut node = Command::new("node");
    node.current_dir(&paths.root)
        .arg("tests/bench/figures.mjs")
        .args(["--runs", &runs.to_string()]);
    let folders = [
        ("--site", paths.site()),
        ("--web", paths.web()),
        ("--spoor", paths.spoor()),
        ("--jupyterlite", lite.site),
    ];
    for (name, folder) in folders {
        node.arg(name).arg(folder);
    }
    let printed = output(node.env("CHROMIUM", setup::browser()?))?;
    let mut value: Value =
        serde_json::from_str(&printed).context("the browser's benchmark did not print JSON")?;
    value["jupyterlite_version"] = lite.version.into();
    Ok(Figures(value))
}

/// JupyterLite as it is served.
struct Lite {
    site: PathBuf,
    version: String,
}

/// Makes JupyterLite's folder, once for each version of what it is made of.
fn jupyterlite(paths: &Paths) -> Result<Lite> {
    let folder = paths.root.join("tests/peers");
    let (lock, script) = (
        folder.join("jupyterlite-requirements.txt"),
        folder.join("jupyterlite.py"),
    );
    let peers = Peers::ensure_at(paths, "jupyterlite", &lock)?;
    let out = paths.target.join("bench/jupyterlite");
    let pyodide = paths.root.join("web/node_modules/pyodide");
    let made_of = [&lock, &script, &pyodide.join("package.json")];
    let digests: Vec<String> = made_of
        .into_iter()
        .map(|file| sha256_file(file))
        .collect::<Result<_>>()?;
    made(&out, &digests.concat(), || {
        step(
            "Making JupyterLite",
            peers
                .command("python3")
                .arg(&script)
                .arg("--pyodide")
                .arg(&pyodide)
                .arg("--out")
                .arg(&out),
        )
    })?;
    Ok(Lite {
        site: out.join("site"),
        version: peers.number("jupyterlite-core")?,
    })
}

/// Has `make` make a folder, unless it was made of the same things already.
fn made(out: &Path, of: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = out.join(".made");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == of) {
        return Ok(());
    }
    make()?;
    std::fs::write(&stamp, of).with_context(|| format!("could not mark {} as made", out.display()))
}

/// What the scripts printed.
pub struct Figures(pub Value);

impl Figures {
    /// The numbers of the array at `pointer`, or one number of each object in the array above it.
    pub fn all(&self, pointer: &str) -> Result<Vec<f64>> {
        let missing = || format!("the browser's benchmark gave no {pointer}");
        let numbers = match self.0.pointer(pointer) {
            Some(found) => found
                .as_array()
                .map(|all| all.iter().map(Value::as_f64).collect()),
            None => pointer.rsplit_once('/').and_then(|(list, name)| {
                let list = self.0.pointer(list)?.as_array()?;
                Some(list.iter().map(|one| one[name].as_f64()).collect())
            }),
        };
        let numbers: Option<Vec<f64>> = numbers.with_context(missing)?;
        numbers.filter(|all| !all.is_empty()).with_context(missing)
    }

    /// Their median.
    pub fn median(&self, pointer: &str) -> Result<f64> {
        Ok(median(self.all(pointer)?))
    }

    /// The median of milliseconds, in seconds.
    pub fn seconds(&self, pointer: &str) -> Result<f64> {
        Ok(self.median(pointer)? / 1e3)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_arrays_or_parts_of_objects_in_one() {
        let figures = Figures(json!({ "a": { "b": [3, 1, 2] }, "c": [{ "d": 5 }, { "d": 7 }] }));
        assert_eq!(figures.median("/a/b").unwrap(), 2.0);
        assert_eq!(figures.seconds("/c/d").unwrap(), 0.006);
        assert!(figures.median("/a/none").is_err());
        assert!(figures.median("/c/none").is_err());
    }
}
