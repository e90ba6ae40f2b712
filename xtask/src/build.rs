//! Building the host, kernel.wasm, the Python guest and the page.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::paths::Paths;
use crate::process::{say, step};
use crate::toolchain::Toolchain;
use crate::{plugins, setup, web};

/// What to build.
#[derive(Args)]
pub struct Options {
    /// The parts to build; all of them if none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Build kernel.wasm and the page as they are published: slower to build, smaller and faster.
    #[arg(long)]
    dist: bool,
}

/// A part of Spoor that is built by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The `spoor` command.
    Host,
    /// kernel.wasm.
    Kernel,
    /// The plugins that ship.
    Plugins,
    /// The Python guest with IPython and pandas already imported.
    Guest,
    /// The page.
    Web,
}

/// How WebAssembly is optimised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build: day-to-day work, the demo and the tests.
    Daily,
    /// As published: link-time optimisation over everything.
    Dist,
}

impl Profile {
    /// The profile's name in Cargo.toml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "wasm",
            Self::Dist => "wasm-dist",
        }
    }
}

/// `cargo xtask build`.
pub fn run(paths: &Paths, options: &Options) -> Result<()> {
    let profile = if options.dist {
        Profile::Dist
    } else {
        Profile::Daily
    };
    let wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    if wanted(Part::Host) {
        host(paths)?;
    }
    if wanted(Part::Kernel) {
        kernel(paths, profile)?;
    }
    if wanted(Part::Guest) {
        guest(paths)?;
    }
    if wanted(Part::Plugins) {
        plugins::build(paths)?;
    }
    if wanted(Part::Web) {
        web::build(paths, profile)?;
    }
    Ok(())
}

/// The native crates, as flags of cargo: all but the browser's and the tasks. One set of crates for
/// building and testing, so that cargo chooses their dependencies' features once.
pub const NOT_NATIVE: [&str; 6] = [
    "--exclude",
    "spoor-worker",
    "--exclude",
    "spoor-page",
    "--exclude",
    "xtask",
];

/// The `spoor` command, the gallery's generator, and the benchmarks' own programs.
pub fn host(paths: &Paths) -> Result<()> {
    step(
        "Building the host",
        Command::new("cargo")
            .current_dir(&paths.root)
            .env("CARGO_TARGET_DIR", &paths.target)
            .args(["build", "--release", "--locked", "--workspace", "--bins"])
            .args(NOT_NATIVE),
    )
}

/// kernel.wasm, put into the assets folder.
pub fn kernel(paths: &Paths, profile: Profile) -> Result<()> {
    let toolchain = Toolchain::ensure(paths)?;
    let mut command = toolchain.cargo_build(paths, "wasm32-wasip1")?;
    step(
        "Building kernel.wasm",
        command.args([
            "--locked",
            "--profile",
            profile.name(),
            "-p",
            "spoor-kernel",
        ]),
    )?;
    let built = paths
        .target
        .join("wasm32-wasip1")
        .join(profile.name())
        .join("spoor_kernel.wasm");
    put(&built, &paths.assets().join("kernel.wasm"))
}

/// The Python guest: `spoor` itself makes it from the pinned wheels, once for each set of inputs.
pub fn guest(paths: &Paths) -> Result<()> {
    let wheels = setup::wheels(paths)?;
    step(
        "Preparing the Python guest",
        Command::new(paths.spoor())
            .args(["guest", "build", "--wheels"])
            .arg(wheels)
            .arg("--package")
            .arg(paths.root.join("runtime/python"))
            .arg("--out")
            .arg(paths.assets().join("python")),
    )
}

/// All that the host needs to run a notebook.
pub fn for_running(paths: &Paths) -> Result<()> {
    host(paths)?;
    kernel(paths, Profile::Daily)?;
    plugins::build(paths)?;
    guest(paths)
}

/// Copies a built file into place whole: a reader sees the old bytes or the new, never a part.
/// A file that already holds the same bytes is left alone, so that caches keyed by it stay good.
pub fn put(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} was not built", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = to.parent().context("a built file needs a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let part = to.with_extension("part");
    fs::write(&part, &bytes).with_context(|| format!("could not write {}", part.display()))?;
    fs::rename(&part, to).with_context(|| format!("could not put {} in place", to.display()))?;
    say(&format!(
        "{} ({:.1} MB)",
        to.display(),
        bytes.len() as f64 / 1e6
    ));
    Ok(())
}
