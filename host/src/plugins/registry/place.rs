//! Where a registry is: a folder, or an address that a static server answers.
//!
//! Spoor has no TLS of its own; what is not on this machine it has `curl` fetch, with the system's certificates and proxies.
//! Nothing depends on the way being safe: the index is signed, and it has each module's hash.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spoor_registry::is_inside;

use super::wrong;
use crate::error::Error;

/// Seconds that a fetch may take.
const FETCH_TIME: u32 = 120;

/// A registry's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// `https://` or `http://`, without a slash at the end.
    Address(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Folder(path) => path.display().fmt(f),
            Place::Address(address) => address.fmt(f),
        }
    }
}

impl Place {
    /// The place that a person wrote: an address, a `file://` address, or a folder, made absolute.
    ///
    /// # Errors
    /// The folder is not there.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Place::Address(text.trim_end_matches('/').to_owned()));
        }
        let path = Path::new(text.strip_prefix("file://").unwrap_or(text));
        let path = path
            .canonicalize()
            .map_err(Error::file("cannot read the registry", path))?;
        Ok(Place::Folder(path))
    }

    /// A file of the registry: names joined by `/`, none of which leads out of it; at most so many bytes.
    ///
    /// # Errors
    /// It cannot be had, is longer, or is outside.
    pub fn read(&self, file: &str, most: u64) -> Result<Vec<u8>, Error> {
        if !is_inside(file) {
            return Err(wrong(format!(
                "the registry {self} names the file '{file}', which is not one of its own"
            )));
        }
        match self {
            Place::Folder(folder) => read_file(&folder.join(file), most),
            Place::Address(address) => fetch(&format!("{address}/{file}"), most),
        }
    }
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(Error::file("cannot read", path))?;
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::file("cannot read", path))?;
    bounded(bytes, most, &path.display().to_string())
}

fn bounded(bytes: Vec<u8>, most: u64, what: &str) -> Result<Vec<u8>, Error> {
    if bytes.len() as u64 > most {
        return Err(wrong(format!(
            "{what} is longer than the {most} bytes that it may have"
        )));
    }
    Ok(bytes)
}

fn fetch(address: &str, most: u64) -> Result<Vec<u8>, Error> {
    let failed = |why: String| wrong(format!("cannot read {address}: {why}"));
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--location"])
        .args(["--proto", "=https,http", "--proto-redir", "=https"])
        .args(["--max-time", &FETCH_TIME.to_string()])
        .args(["--max-filesize", &most.to_string()])
        .args(["--url", address])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| {
            failed(format!(
                "spoor has curl fetch what is not on this machine, and it does not start ({e}). \
                 Install curl, or copy the registry into a folder"
            ))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(said.trim().to_owned()));
    }
    bounded(output.stdout, most, address)
}
