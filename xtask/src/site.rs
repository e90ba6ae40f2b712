//! `cargo xtask site`: a folder that any static file server turns into Spoor.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::build::{self, Profile};
use crate::paths::Paths;
use crate::{plugins, web};

/// Where to, and how.
#[derive(Args)]
pub struct Options {
    /// The folder to make [default: `site` in the target folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Build as for day-to-day work: sooner done, larger, slower, and without brotli.
    #[arg(long)]
    daily: bool,
}

/// Builds everything that a page loads, and lays it out.
pub fn run(paths: &Paths, options: &Options) -> Result<()> {
    let profile = if options.daily {
        Profile::Daily
    } else {
        Profile::Dist
    };
    let out = options.out.clone().unwrap_or_else(|| paths.site());
    let out = std::path::absolute(&out)
        .with_context(|| format!("cannot tell where {} is", out.display()))?;
    build::host(paths)?;
    build::kernel(paths, profile)?;
    plugins::build(paths)?;
    build::guest(paths)?;
    web::site(paths, profile, &out)?;
    println!("\nThe site: {}", out.display());
    println!(
        "Any static file server will do, for example: python3 -m http.server --directory {}",
        out.display()
    );
    Ok(())
}
