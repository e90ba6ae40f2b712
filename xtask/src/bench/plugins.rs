//! Plugins: what a call costs beside other runtimes', how fast indicators are found beside MSTICPy and beside native
//! code, how long a plugin takes from a registry to its first result, and what metering costs each plugin that ships.
//!
//! Each call's cost is in [`calls`], metering's in [`metering`].

mod calls;
mod metering;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Row;
use super::peers::Peers;
use super::timing::{in_turn, seconds, timed};
use crate::paths::Paths;
use crate::plugins;
use crate::process::{output, step};

/// Rows that IoCExtract is given: all would take it a quarter of an hour.
const PREFIX: &str = "2000";
/// Rows that the first result of an added plugin is of.
const FIRST: usize = 1_000;

/// All of the plugins' rows.
pub fn figures(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let modules = plugins::build(paths)?;
    let mut rows = calls::rows(paths, runs)?;
    let text = text(paths)?;
    rows.extend(indicators(paths, runs, &modules, &text)?);
    rows.push(first_result(paths, runs, &text)?);
    rows.push(metering::row(paths, runs, &modules)?);
    Ok(rows)
}

/// A million rows of text with indicators, as CSV.
fn text(paths: &Paths) -> Result<PathBuf> {
    let mut build = Command::new("cargo");
    build
        .current_dir(&paths.root)
        .env("CARGO_TARGET_DIR", &paths.target)
        .args(["build", "--locked", "--profile", "plugin"])
        .args(["-p", "spoor-plugin-indicators", "--example", "throughput"]);
    step("Building indicators natively", &mut build)?;
    let folder = paths.target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let file = folder.join("indicators.csv");
    output(Command::new(native(paths)).arg(&file))?;
    Ok(file)
}

fn native(paths: &Paths) -> PathBuf {
    paths.target.join("plugin/examples/throughput")
}

/// Indicators in a million rows.
fn indicators(paths: &Paths, runs: u32, modules: &[PathBuf], text: &Path) -> Result<Vec<Row>> {
    let lock = paths.root.join("tests/peers/msticpy-requirements.txt");
    let peers = Peers::ensure_at(paths, "msticpy", &lock)?;
    let module = module(modules, "indicators")?;
    let script = paths.root.join("tests/peers/ioc_extract.py");
    let spoor = || found(paths, module, text);
    let native = || native_calls(paths);
    let msticpy = || {
        let mut command = peers.command("python3");
        let rate = output(command.arg(&script).arg(text).arg(PREFIX))?;
        Ok(vec![number(&rate)?])
    };
    let times = in_turn(runs, &[&spoor, &native, &msticpy])?;
    let [calls, whole, native, msticpy] = times[..] else {
        bail!("a peer was not timed");
    };
    let (ours, share) = (1e6 / whole, calls / native);
    let word = |met: bool| if met { "met" } else { "missed" };
    Ok(vec![
        Row {
            what: "indicators in a million rows of text, beside MSTICPy".into(),
            ours: format!(
                "`spoor plugin run indicators` {ours:.0} rows a second, reading CSV and writing Parquet included"
            ),
            peer: format!(
                "IoCExtract of MSTICPy {} {msticpy:.0} rows a second, in memory, over the first {PREFIX}",
                peers.number("msticpy")?
            ),
            verdict: format!(
                "at least 20 times its rate: {} ({:.0} times)",
                word(ours >= 20.0 * msticpy),
                ours / msticpy
            ),
        },
        Row {
            what: "indicators in a million rows of text, beside native Rust".into(),
            ours: format!("the calls of that {}", seconds(calls)),
            peer: format!("the same calls outside a sandbox {}", seconds(native)),
            verdict: format!(
                "within 2 times native: {} ({share:.1} times)",
                word(share <= 2.0)
            ),
        },
    ])
}

/// The module of a plugin that ships.
fn module<'m>(modules: &'m [PathBuf], name: &str) -> Result<&'m Path> {
    let file = format!("spoor_plugin_{name}.wasm");
    let module = modules.iter().find(|module| module.ends_with(&file));
    Ok(module.with_context(|| format!("{file} was not built"))?)
}

/// Seconds of `spoor plugin run indicators`: of its calls, and in all.
fn found(paths: &Paths, module: &Path, text: &Path) -> Result<Vec<f64>> {
    let mut command = Command::new(paths.spoor());
    command.args(["plugin", "run"]).arg(module);
    command.args(["--stats", "--column", "text=Text", "--data"]);
    command.arg(text).arg("--output");
    command.arg(text.with_extension("parquet"));
    let began = Instant::now();
    let done = command.output().context("could not start spoor")?;
    let whole = began.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        bail!("{command:?} failed ({}): {said}", done.status);
    }
    let calls = said.split_once("time ").and_then(|(_, time)| {
        let time = time.split_once(" ms")?.0;
        time.replace(',', "").parse::<f64>().ok()
    });
    let calls = calls.with_context(|| format!("--stats said no time: {said}"))? / 1e3;
    Ok(vec![calls, whole])
}

/// The seconds of the same calls natively; `call: 1.070 s, 934579 rows/s` says them.
fn native_calls(paths: &Paths) -> Result<Vec<f64>> {
    let printed = output(&mut Command::new(native(paths)))?;
    let line = printed.lines().find_map(|line| line.strip_prefix("call: "));
    let time = line.and_then(|line| line.split_once(" s"));
    let (time, _) = time.context("throughput printed no time of its calls")?;
    Ok(vec![number(time)?])
}

/// From a folder that is a registry to a result, where nothing was added or compiled before.
fn first_result(paths: &Paths, runs: u32, text: &Path) -> Result<Row> {
    let rows = text.with_file_name("indicators-first.csv");
    fs::write(&rows, head(text, FIRST + 1)?).context("could not write the first rows")?;
    let times = in_turn(runs, &[&|| cold(paths, &rows)])?;
    let [whole, add, run] = times[..] else {
        bail!("a command was not timed");
    };
    Ok(Row {
        what: "cold `spoor plugin add indicators` from a folder to the first result".into(),
        ours: format!(
            "{}: `add` {}, then `run` on {FIRST} rows {}, which compiles",
            seconds(whole),
            seconds(add),
            seconds(run)
        ),
        peer: "-".into(),
        verdict: "no bar set".into(),
    })
}

/// Seconds of both commands, of `add` and of `run`, for a user who has no folder yet.
fn cold(paths: &Paths, rows: &Path) -> Result<Vec<f64>> {
    let home = paths.target.join("bench/cold");
    if home.exists() {
        fs::remove_dir_all(&home).context("could not clear the caches")?;
    }
    fs::create_dir_all(&home).context("could not make the caches")?;
    let spoor = |words: &[&str]| {
        let mut command = Command::new(paths.spoor());
        command.arg("plugin").args(words);
        command.env("HOME", &home);
        for name in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
        command
    };
    let registry = paths.assets().join("plugins");
    let key = key_of(&registry)?;
    let mut add = spoor(&["add", "indicators", "--key", &key, "--from"]);
    add.arg(&registry);
    let add = timed(add)?.as_secs_f64();
    let mut run = spoor(&["run", "indicators", "--column", "text=Text", "--data"]);
    run.arg(rows).arg("--output").arg(home.join("found.csv"));
    let run = timed(run)?.as_secs_f64();
    Ok(vec![add + run, add, run])
}

/// The key of a registry, as its index says it: whoever measures a registry just built may believe that.
fn key_of(registry: &Path) -> Result<String> {
    let index = fs::read(registry.join("index.json")).context("the registry has no index")?;
    let index: Value = serde_json::from_slice(&index).context("the index is not JSON")?;
    let key = index["signature"]["key"].as_str();
    Ok(key.context("the index is not signed")?.to_owned())
}

fn head(file: &Path, lines: usize) -> Result<String> {
    let text =
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    Ok(text.split_inclusive('\n').take(lines).collect())
}

fn number(text: &str) -> Result<f64> {
    let text = text.trim();
    text.parse()
        .with_context(|| format!("`{text}` is not a number"))
}
