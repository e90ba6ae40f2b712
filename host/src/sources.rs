//! `--data`: which files become tables, and what the Python guest sees of them.
//!
//! Called by the command line. Names files and their formats; reads none.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use spoor_data::{Format, table_name};
use spoor_protocol::{DataFormat, SourceSpec};

use crate::error::Error;
use crate::python::Mount;

/// Where the guest sees the data.
pub const GUEST_FOLDER: &str = "/data";

/// Extensions, beside those that announce a format, of files that a folder's tables are made from.
const ALSO: [&str; 6] = ["log", "gz", "gzip", "zst", "zstd", "zip"];

/// How deep folders are searched. Deeper ones are most likely a loop.
const MAX_DEPTH: usize = 32;

/// A file that becomes a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the kernel is told of it.
    pub spec: SourceSpec,
    /// Where it is.
    pub path: PathBuf,
}

/// What `--data` named.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The tables, by name.
    pub sources: Vec<Source>,
    /// The folders and files as they were given.
    given: Vec<PathBuf>,
}

impl Data {
    /// Looks at each path: a file is a table, a folder gives a table for each data file in it and
    /// below it (hidden files and folders aside). Two files of one name are an error that names
    /// both.
    pub fn discover(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut found: BTreeMap<String, Source> = BTreeMap::new();
        for path in paths {
            let meta = fs::metadata(path).map_err(Error::file("cannot read the data", path))?;
            let mut files = Vec::new();
            if meta.is_dir() {
                list(path, 0, &mut files)?;
            } else {
                files.push(path.clone());
            }
            for file in files {
                add(&mut found, file)?;
            }
        }
        Ok(Self {
            sources: found.into_values().collect(),
            given: paths.to_vec(),
        })
    }

    /// The path of the table `name`.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.sources
            .iter()
            .find(|s| s.spec.name == name)
            .map(|s| s.path.as_path())
    }

    /// What the Python guest is to see: one folder is `/data` itself; otherwise each file is
    /// `/data/<its name>` and each folder `/data/<its name>/`. Single files are linked (where the
    /// file system cannot, copied) into a folder of their own, so that the guest sees them and
    /// not their neighbours.
    pub fn mounts(&self) -> Result<Mounts, Error> {
        match self.given.as_slice() {
            [] => Ok(Mounts {
                list: Vec::new(),
                _staged: None,
            }),
            [dir] if dir.is_dir() => Ok(Mounts {
                list: vec![read_only(dir, GUEST_FOLDER)],
                _staged: None,
            }),
            given => stage(given),
        }
    }
}

/// Folders for the guest. What was staged for them goes when this is dropped.
#[derive(Debug)]
pub struct Mounts {
    /// The folders.
    pub list: Vec<Mount>,
    _staged: Option<tempfile::TempDir>,
}

fn add(found: &mut BTreeMap<String, Source>, path: PathBuf) -> Result<(), Error> {
    let label = path.to_string_lossy().into_owned();
    let name = table_name(&label);
    if let Some(other) = found.get(&name) {
        if same_file(&other.path, &path) {
            return Ok(());
        }
        return Err(Error::Data(format!(
            "two files would be the table `{name}`: {} and {}. Rename one, or name the files wanted one by one",
            other.spec.label, label
        )));
    }
    let bytes = fs::metadata(&path).ok().map(|meta| meta.len());
    let spec = SourceSpec {
        name: name.clone(),
        label,
        bytes,
        format: format_of(&path),
    };
    found.insert(name, Source { spec, path });
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn format_of(path: &Path) -> DataFormat {
    match Format::of_path(&path.to_string_lossy()) {
        Some(Format::Csv) => DataFormat::Csv,
        Some(Format::Parquet) => DataFormat::Parquet,
        Some(Format::Arrow) => DataFormat::Arrow,
        // Whether by lines or whole is found from the bytes.
        Some(Format::Json) | None => DataFormat::Auto,
    }
}

/// Adds the data files in and below `dir`, in the order of their names.
fn list(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = entries
        .map_err(Error::file("cannot list the folder", dir))?
        .iter()
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| !hidden(path)) {
        if path.is_dir() {
            // Links to folders could lead in circles, or out of what was named.
            if !path.is_symlink() && depth < MAX_DEPTH {
                list(&path, depth + 1, files)?;
            }
        } else if is_data(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn is_data(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    path.is_file()
        && (Format::of_path(&path.to_string_lossy()).is_some()
            || extension.is_some_and(|e| ALSO.contains(&e.as_str())))
}

fn stage(given: &[PathBuf]) -> Result<Mounts, Error> {
    let staged = tempfile::Builder::new()
        .prefix("spoor-data-")
        .tempdir()
        .map_err(Error::file("cannot make a folder in", std::env::temp_dir()))?;
    let mut list = vec![read_only(staged.path(), GUEST_FOLDER)];
    for path in given {
        let absolute = path
            .canonicalize()
            .map_err(Error::file("cannot read the data", path))?;
        // By the name that was given, not the one that a link leads to.
        let name = path
            .file_name()
            .or(absolute.file_name())
            .unwrap_or_default();
        let here = staged.path().join(name);
        if absolute.is_dir() {
            // So that listing /data shows it; what is in it comes from the mount.
            fs::create_dir_all(&here).map_err(Error::file("cannot make", &here))?;
            list.push(read_only(
                &absolute,
                &format!("{GUEST_FOLDER}/{}", name.to_string_lossy()),
            ));
        } else if !here.exists() {
            fs::hard_link(&absolute, &here)
                .or_else(|_| fs::copy(&absolute, &here).map(drop))
                .map_err(Error::file("cannot hand to Python", path))?;
        }
    }
    Ok(Mounts {
        list,
        _staged: Some(staged),
    })
}

fn read_only(host: &Path, guest: &str) -> Mount {
    Mount {
        host: host.to_owned(),
        guest: guest.to_owned(),
        read_only: true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a\n1\n").unwrap();
        }
        dir
    }

    fn names(data: &Data) -> Vec<&str> {
        data.sources.iter().map(|s| s.spec.name.as_str()).collect()
    }

    #[test]
    fn a_folder_gives_its_data_files() {
        let files = [
            "b.csv",
            "a/c.parquet",
            "README.md",
            ".hidden.csv",
            ".git/x.csv",
            "zeek.log",
            "d.json.gz",
            "e.zip",
        ];
        let dir = folder(&files);
        let data = Data::discover(&[dir.path().to_owned()]).unwrap();
        assert_eq!(names(&data), ["b", "c", "d", "e", "zeek"]);
        assert_eq!(data.path("c").unwrap(), dir.path().join("a/c.parquet"));
        assert_eq!(data.sources[0].spec.format, DataFormat::Csv);
        assert_eq!(data.sources[0].spec.bytes, Some(4));
    }

    #[test]
    fn a_named_file_needs_no_known_extension() {
        let dir = folder(&["events.dat"]);
        let data = Data::discover(&[dir.path().join("events.dat")]).unwrap();
        assert_eq!(names(&data), ["events_dat"]);
    }

    #[test]
    fn two_files_of_a_name_are_both_named() {
        let dir = folder(&["a/t.csv", "b/t.json"]);
        let error = Data::discover(&[dir.path().to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a/t.csv") && error.contains("b/t.json") && error.contains("`t`"),
            "{error}"
        );
    }

    #[test]
    fn a_file_may_be_named_beside_its_folder() {
        let dir = folder(&["t.csv"]);
        let data = Data::discover(&[dir.path().to_owned(), dir.path().join("t.csv")]).unwrap();
        assert_eq!(names(&data), ["t"]);
    }

    #[test]
    fn missing_data_is_an_error() {
        let error = Data::discover(&["/no/such/folder".into()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }

    #[test]
    fn links_in_circles_end() {
        let dir = folder(&["t.csv"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
        assert_eq!(
            names(&Data::discover(&[dir.path().to_owned()]).unwrap()),
            ["t"]
        );
    }

    #[test]
    fn the_guest_sees_a_file_and_not_its_neighbours() {
        let dir = folder(&["t.csv", "secret.csv", "logs/u.csv"]);
        let data = Data::discover(&[dir.path().join("t.csv"), dir.path().join("logs")]).unwrap();
        let mounts = data.mounts().unwrap();
        let guest: Vec<&str> = mounts.list.iter().map(|m| m.guest.as_str()).collect();
        assert_eq!(guest, ["/data", "/data/logs"]);
        assert!(mounts.list[0].host.join("t.csv").is_file());
        assert!(!mounts.list[0].host.join("secret.csv").exists());
        assert!(mounts.list.iter().all(|m| m.read_only));
        let whole = Data::discover(&[dir.path().to_owned()]).unwrap();
        let whole = whole.mounts().unwrap();
        assert_eq!(
            (whole.list.len(), whole.list[0].host.as_path()),
            (1, dir.path())
        );
    }
}
