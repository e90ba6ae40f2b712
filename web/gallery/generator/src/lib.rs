//! Makes the gallery's demo telemetry: a week at Halden Freight (a company that does not exist), in Microsoft Sentinel's
//! tables, with one intrusion hidden in it. The gallery's hunts are written for it; `cargo xtask demo` and the page's
//! build call [`generate`].
//!
//! For one seed the files are byte for byte the same, on every platform. What happened in the week is told in
//! `ANSWERS.md` beside this crate.

mod alerts;
#[cfg(test)]
mod answers;
mod company;
mod desktops;
mod perimeter;
mod rng;
mod secrets;
mod security;
mod servers;
mod signins;
mod story;
mod tables;
mod time;
mod week;
mod write;

use std::io;
use std::path::{Path, PathBuf};

use company::Company;
use week::Week;

/// What to make.
#[derive(Debug, Clone)]
pub struct Options {
    /// Another seed gives another week with the same story in it. The gallery's findings hold for the default.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { seed: 2026 }
    }
}

/// What was made: a file for each table, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The files.
    pub files: Vec<FileSummary>,
}

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// The table in it.
    pub table: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Rows.
    pub rows: usize,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Summary {
    /// Rows over all files.
    pub fn rows(&self) -> usize {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes over all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Writes the tables as Parquet files into `dir`, which is made if it is not there. Files of the same names are replaced,
/// each at once.
pub fn generate(dir: &Path, options: &Options) -> io::Result<Summary> {
    std::fs::create_dir_all(dir)?;
    let week = week_of(options.seed);
    let files = vec![
        write::file(dir, &week.signins)?,
        write::file(dir, &week.security)?,
        write::file(dir, &week.processes)?,
        write::file(dir, &week.network)?,
        write::file(dir, &week.dns)?,
        write::file(dir, &week.firewall)?,
        write::file(dir, &week.alerts)?,
    ];
    Ok(Summary { files })
}

fn week_of(seed: u64) -> Week {
    let company = Company::new(seed);
    let mut week = Week::default();
    signins::ordinary(seed, &company, &mut week);
    desktops::ordinary(seed, &company, &mut week);
    servers::ordinary(seed, &company, &mut week);
    security::ordinary(seed, &company, &mut week);
    perimeter::ordinary(seed, &company, &mut week);
    secrets::leaks(seed, &company, &mut week);
    story::tell(seed, &company, &mut week);
    alerts::all(seed, &company, &mut week);
    security::process_creation(&mut week);
    perimeter::firewall(seed, &company, &mut week);
    week.sort();
    week
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes() {
        let first = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        let summary = generate(first.path(), &Options::default()).unwrap();
        generate(second.path(), &Options::default()).unwrap();
        for file in &summary.files {
            let name = file.path.file_name().unwrap();
            let (a, b) = (
                std::fs::read(&file.path).unwrap(),
                std::fs::read(second.path().join(name)).unwrap(),
            );
            assert!(a == b, "{} differs", file.table);
            assert_eq!(a.len() as u64, file.bytes);
        }
        assert!(
            (200_000..600_000).contains(&summary.rows()),
            "{} rows",
            summary.rows()
        );
    }
}
