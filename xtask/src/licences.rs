//! Which licences a dependency may have, and where it may come from.
//!
//! Spoor is Apache-2.0, so what it links must allow that: permissive licences, and MPL-2.0, whose
//! terms end at its own files. Every crate comes from the registry that Cargo.lock's checksums
//! are of.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::paths::Paths;
use crate::process::{output, say};

const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Checks every package of Cargo.lock; the error lists each that does not fit.
pub fn check(paths: &Paths) -> Result<()> {
    say("Checking licences");
    let metadata = output(Command::new("cargo").current_dir(&paths.root).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("cargo metadata did not print JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let wrong: Vec<String> = packages.iter().filter_map(problem).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "dependencies that do not fit (the list is in xtask/src/licences.rs):\n  {}",
        wrong.join("\n  ")
    )
}

fn problem(package: &Value) -> Option<String> {
    let name = format!("{} {}", package["name"], package["version"]).replace('"', "");
    let licence = package["license"].as_str().unwrap_or_default();
    if !allowed(licence) {
        return Some(format!("{name}: its licence is `{licence}`"));
    }
    let source = package["source"].as_str();
    let from_registry = source.is_none_or(|source| source.starts_with("registry+"));
    (!from_registry).then(|| format!("{name}: it comes from {}", source.unwrap_or_default()))
}

fn allowed(licence: &str) -> bool {
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(in_list))
}

fn in_list(requirement: &LicenseReq) -> bool {
    let id = requirement.license.id();
    id.is_some_and(|id| ALLOWED.contains(&id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough_and_every_conjunct_counts() {
        for fits in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception",
            "MIT AND Zlib",
        ] {
            assert!(allowed(fits), "{fits}");
        }
        for unfit in ["", "GPL-3.0", "MIT AND GPL-3.0", "no such licence"] {
            assert!(!allowed(unfit), "{unfit}");
        }
    }
}
