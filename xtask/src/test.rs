//! `cargo xtask test`: set up, build, and run every test there is.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::build::{self, Profile};
use crate::paths::Paths;
use crate::process::{say, step};
use crate::{clients, demo, hunt_real, licences, plugins, setup, web};

/// Which tests to run.
#[derive(Args)]
pub struct Options {
    /// Leave the browser out.
    #[arg(long)]
    no_browser: bool,
}

/// Sets up, builds, lints, and tests.
pub fn run(paths: &Paths, options: &Options) -> Result<()> {
    if !options.no_browser {
        // What may have to be installed is asked for before anything takes long.
        setup::browser()?;
        setup::firefox()?;
        setup::vectors(paths)?;
    }
    build::for_running(paths)?;
    lint(paths)?;
    // Sign-in is tested against an authority that comes from npm.
    setup::npm(paths)?;
    step(
        "Running the crates' tests",
        cargo(paths)
            .args(["test", "--release", "--locked", "--workspace"])
            .args(build::NOT_NATIVE)
            .env("SPOOR_ASSETS", paths.assets()),
    )?;
    step(
        "Running the tasks', the page's and the worker's own tests",
        cargo(paths)
            .args(["test", "--locked", "-p", "xtask"])
            .args(["-p", "spoor-page", "-p", "spoor-worker"]),
    )?;
    plugins::check(paths)?;
    hunt_real::run(paths)?;
    clients::run(paths)?;
    if options.no_browser {
        say("Left out: the browser's tests (--no-browser)");
    } else {
        browser(paths)?;
    }
    say("All tests passed");
    Ok(())
}

/// The same notebook in Chromium and under wasmtime, compared cell by cell.
fn browser(paths: &Paths) -> Result<()> {
    setup::npm(paths)?;
    let chromium = setup::browser()?;
    web::build(paths, Profile::Daily)?;
    let data = demo::data(paths)?;
    web::test(paths, &chromium, &data)
}

/// Formatting, lints, and the dependencies' licences and sources.
pub fn lint(paths: &Paths) -> Result<()> {
    step(
        "Checking formatting",
        cargo(paths).args(["fmt", "--all", "--check"]),
    )?;
    step(
        "Linting",
        cargo(paths)
            .args(["clippy", "--release", "--locked", "--workspace"])
            .args(["--all-targets", "--", "-D", "warnings"]),
    )?;
    licences::check(paths)
}

fn cargo(paths: &Paths) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(&paths.root)
        .env("CARGO_TARGET_DIR", &paths.target);
    command
}
