//! `cargo xtask demo`: from nothing to a finished hunt.

use std::fs;
use std::path::{Path, PathBuf};
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
pub fn data(paths: &Paths) -> Result<PathBuf> {
    let generator = paths.bin().join("spoor-demo-data");
    let folder = paths.demo().join("data");
    let stamp = folder.join(".made-by");
    let made_by = crate::setup::sha256_file(&generator)?;
    if fs::read_to_string(&stamp).is_ok_and(|text| text == made_by) {
        return Ok(folder);
    }
    step(
        "Making the demo's telemetry",
        Command::new(&generator).arg(&folder),
    )?;
    fs::write(&stamp, made_by).context("could not mark the demo's data as made")?;
    Ok(folder)
}

/// The gallery's hunts with their results, for a page to show before an engine is there. Each is run
/// once for each build of what runs it.
pub fn gallery(paths: &Paths) -> Result<PathBuf> {
    let (hunts, data) = (paths.root.join("web/gallery"), data(paths)?);
    let finished = paths.demo().join("gallery");
    fs::create_dir_all(&finished)
        .with_context(|| format!("could not make {}", finished.display()))?;
    let engines = [
        paths.spoor(),
        paths.assets().join("kernel.wasm"),
        paths.assets().join("python/python.image"),
        paths.assets().join("plugins/index.json"),
        data.join(".made-by"),
    ];
    for entry in fs::read_dir(&hunts).with_context(|| format!("no {}", hunts.display()))? {
        let hunt_file = entry?.path();
        if hunt_file.extension().is_none_or(|end| end != "ipynb") {
            continue;
        }
        let executed = finished.join(hunt_file.file_name().unwrap_or_default());
        let made_of = engines.iter().chain([&hunt_file]);
        if !is_newer(&executed, made_of.map(PathBuf::as_path)) {
            let name = hunt_file.file_stem().unwrap_or_default().display();
            step(
                &format!("Running {name} for the gallery"),
                &mut hunt(paths, &hunt_file, &data, &executed),
            )?;
        }
    }
    Ok(finished)
}

/// Whether a file is there and newer than all that it is made of.
fn is_newer<'a>(file: &Path, made_of: impl Iterator<Item = &'a Path>) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let made = changed(file);
    made.is_some() && made_of.map(changed).all(|part| part < made)
}
