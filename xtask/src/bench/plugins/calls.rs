//! A call over a few rows, from a record batch to a checked answer, in an instance of its own.
//!
//! The plugin is in a workspace of its own, `tests/peers/plugins`, which is built here alone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::super::Row;
use super::super::timing::{in_turn, seconds};
use super::number;
use crate::paths::Paths;
use crate::process::{output, step};
use crate::toolchain::Toolchain;

/// Calls of a run.
const CALLS: &str = "2000";

/// What a call takes.
pub fn row(paths: &Paths, runs: u32) -> Result<Row> {
    let module = module(paths)?;
    let call = || {
        let mut command = Command::new(paths.bin().join("time_plugin"));
        let micros = output(command.arg(&module).arg(CALLS))?;
        Ok(vec![number(&micros)? / 1e6])
    };
    let [call] = in_turn(runs, &[&call])?[..] else {
        bail!("the call was not timed");
    };
    Ok(Row {
        what: "a call of gcd over 1,024 rows of two int64 columns".into(),
        ours: format!("a fresh instance for each call {}", seconds(call)),
        peer: "-".into(),
        verdict: "no bar set".into(),
    })
}

fn module(paths: &Paths) -> Result<PathBuf> {
    let target = paths.target.join("peers");
    let mut command = Toolchain::ensure(paths)?.cargo_build(paths, "wasm32-unknown-unknown")?;
    command
        .current_dir(paths.root.join("tests/peers/plugins"))
        .env("CARGO_TARGET_DIR", &target)
        .args(["--locked", "--profile", "plugin", "-p", "gcd-spoor"]);
    step("Building gcd", &mut command)?;
    Ok(target.join("wasm32-unknown-unknown/plugin/gcd_spoor.wasm"))
}
