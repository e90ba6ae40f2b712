//! What the figures were measured on.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::output;
use crate::toolchain::Toolchain;

/// Lines that say the machine and the versions, for the head of BENCHMARKS.md.
pub fn describe(paths: &Paths) -> Result<Vec<String>> {
    let cores = std::thread::available_parallelism()?.get();
    let mut lines = vec![format!(
        "Machine: {}, {cores} cores, {:.0} GiB",
        processor(),
        memory_gib()
    )];
    lines.push(format!(
        "Host compiler: {}",
        output(Command::new("rustc").arg("--version"))?.trim()
    ));
    lines.push(format!(
        "WebAssembly compiler: {}",
        Toolchain::ensure(paths)?.version()?
    ));
    lines.push(format!(
        "Spoor: {}",
        output(Command::new(paths.spoor()).arg("--version"))?
            .trim()
            .replace('\n', ", ")
    ));
    Ok(lines)
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    model.unwrap_or("unknown processor").to_owned()
}

fn memory_gib() -> f64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    total.unwrap_or(f64::NAN) / f64::from(1 << 20)
}
