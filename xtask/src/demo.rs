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

/// What hunts often do, which a page is to have at hand as it has the gallery's hunts.
const TYPICAL: &str = "runtime/kernel/typical.ipynb";

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

/// What made the demo's telemetry. Not in its folder, which notebooks see.
fn data_stamp(paths: &Paths) -> PathBuf {
    paths.demo().join("data.made-by")
}

/// Makes the demo's telemetry, once for each build of the generator.
pub fn data(paths: &Paths) -> Result<PathBuf> {
    let generator = paths.bin().join("spoor-demo-data");
    let folder = paths.demo().join("data");
    let stamp = data_stamp(paths);
    let made_by = crate::setup::sha256_file(&generator)?;
    if folder.is_dir() && fs::read_to_string(&stamp).is_ok_and(|text| text == made_by) {
        return Ok(folder);
    }
    step(
        "Making the demo's telemetry",
        Command::new(&generator).arg(&folder),
    )?;
    fs::write(&stamp, made_by).context("could not mark the demo's data as made")?;
    Ok(folder)
}

/// The gallery's hunts as they were run.
pub struct Gallery {
    /// The folder of the hunts with their results, for a page to show before an engine is there.
    pub finished: PathBuf,
    /// What their sessions gave the kernel, in recordings.
    pub recordings: Vec<PathBuf>,
}

/// Runs the gallery's hunts, each once for each build of what runs it.
pub fn gallery(paths: &Paths) -> Result<Gallery> {
    let (hunts, data) = (paths.root.join("web/gallery"), data(paths)?);
    let finished = paths.demo().join("gallery");
    let recorded = paths.demo().join("recordings");
    for folder in [&finished, &recorded] {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
    }
    let mut recordings = Vec::new();
    let typical = paths.root.join(TYPICAL);
    let engines = [
        paths.spoor(),
        paths.assets().join("kernel.wasm"),
        paths.assets().join("python/python.image"),
        paths.assets().join("plugins/index.json"),
        data_stamp(paths),
    ];
    let listed = fs::read_dir(&hunts).with_context(|| format!("no {}", hunts.display()))?;
    let mut notebooks = vec![typical.clone()];
    for entry in listed {
        let file = entry?.path();
        if file.extension().is_some_and(|end| end == "ipynb") {
            notebooks.push(file);
        }
    }
    for hunt_file in notebooks {
        let name = hunt_file.file_stem().unwrap_or_default();
        let is_shown = hunt_file != typical;
        let folder = if is_shown { &finished } else { &recorded };
        let executed = folder.join(name).with_extension("ipynb");
        let recording = recorded.join(name).with_extension("recording");
        let fresh = |made| is_newer(made, engines.iter().chain([&hunt_file]));
        if !fresh(&executed) || !fresh(&recording) {
            if recording.exists() {
                fs::remove_file(&recording)
                    .with_context(|| format!("could not remove {}", recording.display()))?;
            }
            let record = [Path::new("--record-session"), &recording];
            step(
                &format!("Running {} for the page", name.display()),
                hunt(paths, &hunt_file, &data, &executed).args(record),
            )?;
        }
        recordings.push(recording);
    }
    recordings.sort();
    Ok(Gallery {
        finished,
        recordings,
    })
}

/// Whether a file is there and newer than all that it is made of.
fn is_newer<'a>(file: &PathBuf, made_of: impl Iterator<Item = &'a PathBuf>) -> bool {
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
    let made = changed(file);
    made.is_some() && made_of.map(changed).all(|part| part < made)
}
