//! `spoor run` beside papermill, and `spoor render` beside nbconvert.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Row;
use super::timing::{at_least, paired, seconds};
use crate::paths::Paths;
use crate::process::{output, step};
use crate::setup::sha256_file;

/// Ten trivial Python cells.
pub fn run(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let peers = Peers::ensure(paths)?;
    let notebook = paths.root.join("tests/peers/ten-cells.ipynb");
    let out = peers.scratch.join("out.ipynb");
    let ours = || {
        let mut command = Command::new(paths.spoor());
        command.arg("run").arg(&notebook).arg("--output").arg(&out);
        command
    };
    let theirs = || {
        let mut command = peers.command("papermill");
        command
            .args(["--kernel", "python3", "--no-progress-bar"])
            .arg(&notebook)
            .arg(&out);
        command
    };
    let (spoor, papermill) = paired(runs, &ours, &theirs)?;
    Ok(vec![Row {
        what: "a notebook of ten trivial Python cells".into(),
        ours: format!("`spoor run` {}", seconds(spoor)),
        peer: format!("{} {}", peers.version("papermill")?, seconds(papermill)),
        verdict: at_least(5.0, spoor, papermill),
    }])
}

/// A notebook of two cells to a page.
pub fn render(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let peers = Peers::ensure(paths)?;
    let notebook = paths.root.join("tests/peers/two-cells.ipynb");
    let (our_page, their_page) = (
        peers.scratch.join("ours.html"),
        peers.scratch.join("theirs.html"),
    );
    let ours = || {
        let mut command = Command::new(paths.spoor());
        command
            .arg("render")
            .arg(&notebook)
            .arg("--output")
            .arg(&our_page);
        command
    };
    let theirs = || {
        let mut command = peers.command("jupyter-nbconvert");
        command
            .args(["--to", "html", "--output"])
            .arg(&their_page)
            .arg(&notebook);
        command
    };
    let (spoor, nbconvert) = paired(runs, &ours, &theirs)?;
    let version = peers.version("nbconvert")?;
    let (our_bytes, their_bytes) = (size(&our_page)?, size(&their_page)?);
    let share = our_bytes as f64 / their_bytes as f64;
    Ok(vec![
        Row {
            what: "a notebook of two cells to HTML".into(),
            ours: format!("`spoor render` {}", seconds(spoor)),
            peer: format!("{version} {}", seconds(nbconvert)),
            verdict: at_least(50.0, spoor, nbconvert),
        },
        Row {
            what: "bytes of that page".into(),
            ours: format!("{:.1} KB", our_bytes as f64 / 1e3),
            peer: format!("{version} {:.1} KB", their_bytes as f64 / 1e3),
            verdict: format!(
                "at most a tenth: {} ({:.3})",
                if share <= 0.1 { "met" } else { "missed" },
                share
            ),
        },
    ])
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)
        .with_context(|| format!("{} was not written", path.display()))?
        .len())
}

/// Peers in a virtual environment of their own.
pub struct Peers {
    bin: PathBuf,
    scratch: PathBuf,
}

impl Peers {
    fn ensure(paths: &Paths) -> Result<Self> {
        Self::ensure_at(
            paths,
            "peers",
            &paths.root.join("tests/peers/requirements.txt"),
        )
    }

    /// The environment `name` of the cache, with what the file `lock` requires.
    pub fn ensure_at(paths: &Paths, name: &str, lock: &Path) -> Result<Self> {
        let home = paths.cache.join(name);
        let (bin, stamp, digest) = (home.join("bin"), home.join(".lock"), sha256_file(lock)?);
        if !fs::read_to_string(&stamp).is_ok_and(|text| text == digest) {
            step(
                "Making a virtual environment for the peers",
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&home),
            )?;
            step(
                "Installing the peers",
                Command::new(bin.join("pip"))
                    .args(["install", "--quiet", "--requirement"])
                    .arg(lock),
            )?;
            fs::write(&stamp, digest).context("could not mark the peers as installed")?;
        }
        let scratch = paths.target.join("bench");
        fs::create_dir_all(&scratch)
            .with_context(|| format!("could not make {}", scratch.display()))?;
        Ok(Self { bin, scratch })
    }

    /// A command of the environment, with its own programs first on the path.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.bin.display()));
        command
    }

    fn version(&self, package: &str) -> Result<String> {
        Ok(format!("{package} {}", self.number(package)?))
    }

    /// A package's version.
    pub fn number(&self, package: &str) -> Result<String> {
        let script = format!("import importlib.metadata as m; print(m.version('{package}'))");
        Ok(output(self.command("python3").args(["-c", &script]))?
            .trim()
            .to_owned())
    }
}
