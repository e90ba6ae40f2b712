//! `cargo xtask conformance`: KQL beside Kusto's own answers.
//!
//! The data does not ship with Spoor. Where it is absent this says so and succeeds.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::build::NOT_NATIVE;
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
    // With the whole workspace, whose dependencies are built already; alone it would choose others.
    step(
        "Building the conformance runner",
        Command::new("cargo")
            .current_dir(&paths.root)
            .env("CARGO_TARGET_DIR", &paths.target)
            .args(["build", "--release", "--locked", "--workspace"])
            .args(NOT_NATIVE)
            .args(["--example", "conformance"]),
    )?;
    let mut command = Command::new(paths.bin().join("examples/conformance"));
    command.arg(data);
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
