//! `cargo xtask`: everything that building, trying and testing Spoor takes.
//!
//! Each task sets up what it needs first, so `cargo xtask demo` and `cargo xtask test` work on a
//! fresh machine. Set-up is idempotent: what is there is used, what is missing is named before it
//! is installed, and what cannot be installed ends with the command to run by hand.

// What a task answers goes to standard output; how it gets on goes to standard error.
#![allow(clippy::print_stdout)]

mod bench;
mod build;
mod clients;
mod conformance;
mod demo;
mod hunt_real;
mod licences;
mod paths;
mod plugins;
mod process;
mod setup;
mod site;
mod test;
mod toolchain;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::paths::Paths;

/// Builds, tries and tests Spoor.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up, build, make the demo data, run the gallery's first hunt and render it.
    Demo,
    /// Set up, build everything, and run every test.
    Test(test::Options),
    /// Install what is missing and fetch what is pinned: toolchain, Python guest, npm packages.
    Setup,
    /// Build the host, kernel.wasm, the Python guest and the page into the assets folder.
    Build(build::Options),
    /// Build the page into a folder for any static file server.
    Site(site::Options),
    /// Check formatting, lints and licences.
    Lint,
    /// Measure Spoor beside its peers and write BENCHMARKS.md.
    Bench(bench::Options),
    /// Run KQL conformance data, where it is present.
    Conformance(conformance::Options),
    /// Run the hunt over real telemetry, where it is present, and assert what it finds.
    HuntReal,
    /// Query `spoor serve --api` with azure-kusto-data, azure-monitor-query, MSTICPy and Kqlmagic.
    ApiClients,
}

fn main() -> ExitCode {
    let result = Paths::find().and_then(|paths| match Cli::parse().task {
        Task::Demo => demo::run_demo(&paths),
        Task::Test(options) => test::run(&paths, &options),
        Task::Setup => setup::everything(&paths),
        Task::Build(options) => build::run(&paths, &options),
        Task::Site(options) => site::run(&paths, &options),
        Task::Lint => test::lint(&paths),
        Task::Bench(options) => bench::run(&paths, &options),
        Task::Conformance(options) => conformance::run(&paths, &options),
        Task::HuntReal => hunt_real::run(&paths),
        Task::ApiClients => clients::run(&paths),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
