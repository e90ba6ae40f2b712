//! `cargo xtask conformance`: KQL beside Kusto's own answers.
//!
//! The data does not ship with Spoor. Where it is absent this says so and succeeds.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::paths::Paths;
use crate::process::{say, step};

/// What to run and where to report it.
#[derive(Args)]
pub struct Options {
    /// One corpus: docs, generated, refused or sentinel.
    #[arg(long)]
    set: Option<String>,
    /// One case, by its id.
    #[arg(long)]
    case: Option<String>,
    /// Write every case's outcome here, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Runs the conformance example of `spoor-kql` over the data beside the checkout.
pub fn run(paths: &Paths, options: &Options) -> Result<()> {
    let Some(data) = paths.shared("kql") else {
        say("Skipped: KQL conformance (its data is not beside the checkout)");
        return Ok(());
    };
    let mut command = Command::new("cargo");
    command
        .current_dir(&paths.root)
        .env("CARGO_TARGET_DIR", &paths.target)
        .args([
            "run",
            "--release",
            "--locked",
            "-p",
            "spoor-kql",
            "--example",
            "conformance",
            "--",
        ])
        .arg(data);
    for (flag, value) in [("--set", &options.set), ("--case", &options.case)] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    if let Some(report) = &options.report {
        command.arg("--report").arg(std::path::absolute(report)?);
    }
    step("Running KQL conformance", &mut command)
}
