//! `cargo xtask bench`: Spoor beside its peers, in one run, into BENCHMARKS.md.
//!
//! Every figure is the median of at least five runs; a pair of commands is timed in turn, A B A B,
//! so that a machine whose speed drifts is fair to both.

mod engine;
mod figures;
mod kql;
mod machine;
mod page;
pub mod peers;
mod plugins;
mod remote;
mod report;
mod timing;

use anyhow::Result;
use clap::Args;

use crate::build::{self, Profile};
use crate::paths::Paths;
use crate::process::say;
use crate::web;

/// How to measure.
#[derive(Args)]
pub struct Options {
    /// Counted runs of each command; at least five.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..))]
    runs: u32,
    /// Measure these alone (run, render, page, engine, pandas, plugins, remote, kql, kql-page); the other rows of BENCHMARKS.md stay as they were.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Use the kernel and the page as they are built now, instead of building them for publication.
    #[arg(long)]
    as_built: bool,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

/// One measured comparison.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Spoor's figure.
    pub ours: String,
    /// The peer and its figure.
    pub peer: String,
    /// What must hold, and by how much it does or does not.
    pub verdict: String,
}

/// Builds for publication, measures, and writes BENCHMARKS.md.
pub fn run(paths: &Paths, options: &Options) -> Result<()> {
    build::host(paths)?;
    // Plugins and native queries run without either.
    if [
        "run", "render", "page", "engine", "pandas", "remote", "kql-page",
    ]
    .iter()
    .any(|part| options.wants(part))
    {
        if !options.as_built {
            build::kernel(paths, Profile::Dist)?;
        }
        build::guest(paths)?;
    }
    // What others ask of a server is asked of one that serves the page.
    if ["page", "remote", "kql-page"]
        .iter()
        .any(|part| options.wants(part))
    {
        let profile = if options.as_built {
            Profile::Daily
        } else {
            Profile::Dist
        };
        web::build(paths, profile)?;
        web::site(paths, profile, &paths.site())?;
    }
    let mut rows = Vec::new();
    let mut measure = |name: &str, with: &dyn Fn(&Paths, u32) -> Result<Vec<Row>>| -> Result<()> {
        if options.wants(name) {
            say(&format!("Measuring: {name}"));
            let measured = with(paths, options.runs)?;
            measured.iter().for_each(|row| {
                eprintln!(
                    "    {}: {} | {} | {}",
                    row.what, row.ours, row.peer, row.verdict
                )
            });
            rows.extend(measured);
        }
        Ok(())
    };
    measure("run", &peers::run)?;
    measure("render", &peers::render)?;
    measure("page", &page::figures)?;
    measure("engine", &engine::group_by)?;
    measure("pandas", &engine::to_pandas)?;
    measure("plugins", &plugins::figures)?;
    measure("remote", &remote::figures)?;
    measure("kql", &kql::figures)?;
    measure("kql-page", &kql::page::figures)?;
    if !options.only.is_empty() {
        rows = report::merged(report::read(paths)?, rows);
    }
    report::write(paths, options.runs, &rows)
}
