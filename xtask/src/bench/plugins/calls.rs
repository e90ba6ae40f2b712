//! A call over a few rows, from a record batch to a checked answer, beside arrow-udf's and Extism's.
//!
//! The peers are in a workspace of their own, `tests/peers/plugins`, which is built here alone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::super::Row;
use super::super::timing::{at_least, in_turn, seconds};
use super::number;
use crate::paths::Paths;
use crate::process::{output, step};
use crate::toolchain::Toolchain;

/// Calls of a run.
const CALLS: &str = "2000";

/// What a call takes, a row for each peer.
pub fn rows(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let built = Built::ensure(paths)?;
    let ours = || {
        let mut command = Command::new(paths.bin().join("time_plugin"));
        micros(command.arg(&built.spoor).arg(CALLS))
    };
    let udf = |instance| micros(&mut built.arrow_udf.command(instance));
    let extism = |instance| micros(&mut built.extism.command(instance));
    let times = in_turn(
        runs,
        &[
            &ours,
            &|| udf("kept"),
            &|| udf("fresh"),
            &|| extism("kept"),
            &|| extism("fresh"),
        ],
    )?;
    let [ours, udf, fresh_udf, extism, fresh_extism] = times[..] else {
        bail!("a peer was not timed");
    };
    let row = |short: &str, peer: String, kept: f64, fresh: f64| Row {
        what: format!("a call of gcd over 1,024 rows of two int64 columns, beside {short}"),
        ours: format!("a fresh instance for each call {}", seconds(ours)),
        peer: format!(
            "{peer}: one instance for all calls, as it does by default, {}; a fresh one for each {}",
            seconds(kept),
            seconds(fresh)
        ),
        verdict: format!(
            "{} beside its one instance; {:.1} times beside fresh ones",
            at_least(2.0, ours, kept),
            fresh / ours
        ),
    };
    let udf_version = built.version("arrow-udf-runtime")?;
    let extism_version = built.version("extism")?;
    Ok(vec![
        row(
            "arrow-udf",
            format!("arrow-udf-runtime {udf_version}"),
            udf,
            fresh_udf,
        ),
        row(
            "Extism",
            format!("Extism {extism_version}, given Arrow IPC streams"),
            extism,
            fresh_extism,
        ),
    ])
}

/// The seconds of the microseconds that a command prints.
fn micros(command: &mut Command) -> Result<Vec<f64>> {
    Ok(vec![number(&output(command)?)? / 1e6])
}

/// A peer's program, and its module of the function.
struct Peer {
    host: PathBuf,
    module: PathBuf,
}

impl Peer {
    /// Its calls, with an `instance` that is `kept` or `fresh`.
    fn command(&self, instance: &str) -> Command {
        let mut command = Command::new(&self.host);
        command.arg(&self.module).args([CALLS, instance]);
        command
    }
}

/// The peers, and the same function as Spoor's plugin.
struct Built {
    spoor: PathBuf,
    arrow_udf: Peer,
    extism: Peer,
    lock: String,
}

impl Built {
    fn ensure(paths: &Paths) -> Result<Self> {
        let folder = paths.root.join("tests/peers/plugins");
        let target = paths.target.join("peers");
        let build = |mut command: Command, names: &[&str], profile: &str| {
            command
                .current_dir(&folder)
                .env("CARGO_TARGET_DIR", &target)
                .args(["--locked", "--profile", profile]);
            for name in names {
                command.args(["-p", name]);
            }
            step(&format!("Building {}", names.join(" and ")), &mut command)
        };
        let toolchain = Toolchain::ensure(paths)?;
        let module = |name: &str, triple: &str| -> Result<PathBuf> {
            build(toolchain.cargo_build(paths, triple)?, &[name], "plugin")?;
            let file = format!("{}.wasm", name.replace('-', "_"));
            Ok(target.join(triple).join("plugin").join(file))
        };
        // Both at once, so that what they share is built once.
        let mut hosts = Command::new("cargo");
        hosts.arg("build");
        build(hosts, &["calls-arrow-udf", "calls-extism"], "release")?;
        let host = |name: &str| target.join("release").join(name);
        // Each for the target that its makers build for.
        Ok(Self {
            spoor: module("gcd-spoor", "wasm32-unknown-unknown")?,
            arrow_udf: Peer {
                host: host("calls-arrow-udf"),
                module: module("gcd-arrow-udf", "wasm32-wasip1")?,
            },
            extism: Peer {
                host: host("calls-extism"),
                module: module("gcd-extism", "wasm32-unknown-unknown")?,
            },
            lock: fs::read_to_string(folder.join("Cargo.lock"))
                .context("the peers have no Cargo.lock")?,
        })
    }

    /// The version of a package.
    fn version(&self, name: &str) -> Result<&str> {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let (_, after) = self
            .lock
            .split_once(&entry)
            .with_context(|| format!("the peers' Cargo.lock has no {name}"))?;
        Ok(after.split('"').next().unwrap_or_default())
    }
}
