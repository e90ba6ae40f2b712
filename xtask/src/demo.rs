//! `cargo xtask demo`: from nothing to a finished hunt.

use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::paths::Paths;
use crate::process::{hunt, run, say, step};

/// The hunt that the demo runs, in `web/gallery`.
const HUNT: &str = "signin-anomalies";

/// Sets up, builds, makes the demo's data, runs the first hunt and renders it.
pub fn run_demo(paths: &Paths) -> Result<()> {
    build::for_running(paths)?;
    let data = data(paths)?;
    let notebook = paths.root.join("web/gallery").join(format!("{HUNT}.ipynb"));
    let executed = paths.demo().join(format!("{HUNT}.ipynb"));
    let page = executed.with_extension("html");
    say(&format!("Running the hunt {HUNT}"));
    run(&mut hunt(paths, &notebook, &data, &executed))?;
    println!("\nThe executed notebook: {}", executed.display());
    println!("Its page: {}", page.display());
    println!(
        "Open it in any browser, for example: xdg-open {}",
        page.display()
    );
    Ok(())
}

/// Makes the demo's telemetry, once for each build of the generator.
pub fn data(paths: &Paths) -> Result<std::path::PathBuf> {
    let generator = paths.bin().join("spoor-demo-data");
    let folder = paths.demo().join("data");
    let stamp = folder.join(".made-by");
    let made_by = crate::setup::sha256_file(&generator)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == made_by) {
        return Ok(folder);
    }
    step(
        "Making the demo's telemetry",
        Command::new(&generator).arg(&folder),
    )?;
    std::fs::write(&stamp, made_by).context("could not mark the demo's data as made")?;
    Ok(folder)
}
