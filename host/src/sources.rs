//! `--data`: which files become tables, and what the Python guest sees of them.
//!
//! Called by the command line. Names files and their formats; reads none.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use spoor_data::{is_data, table_name, table_names};
use spoor_protocol::{DataFormat, SourceSpec};

use crate::error::Error;
use crate::python::Mount;

/// Where the guest sees the data.
pub const GUEST_FOLDER: &str = "/data";

/// How deep folders are searched. Deeper ones are most likely a loop.
const MAX_DEPTH: usize = 32;

/// How many links a warning names.
const NAMED_LINKS: usize = 5;

/// How many tables under other names than their own are told of one by one.
const TOLD_NAMES: usize = 5;

/// A file that becomes a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the kernel is told of it.
    pub spec: SourceSpec,
    /// Where it is.
    pub path: PathBuf,
}

impl Source {
    /// The file's own name, where that is not its table's, with what to tell someone who asks for a table by it.
    pub fn other_name(&self) -> Option<(String, String)> {
        spoor_data::other_name(&self.spec.label, &self.spec.name)
    }
}

/// What `--data` named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// The tables, by name.
    pub sources: Vec<Source>,
    /// What was left out, a line each.
    pub warnings: Vec<String>,
    /// What the Python guest sees under another name than its own, a line each.
    pub renamed: Vec<String>,
    /// The folders and files as they were given, each once.
    given: Vec<Given>,
}

/// A folder or file that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    path: PathBuf,
    /// Where it is.
    absolute: PathBuf,
    /// What it is called in the guest's folder.
    name: String,
}

impl Data {
    /// Looks at each path: a file is a table, a folder gives a table for each data file in it and
    /// below it (hidden files and folders aside). A link that leads out of its folder is left out,
    /// with a warning. Files that would be one table have their folders or their extensions in
    /// their tables' names ([`table_names`]), with a warning.
    pub fn discover(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut found: Vec<PathBuf> = Vec::new();
        let mut seen = BTreeSet::new();
        let (given, renamed) = given(paths)?;
        let mut warnings = Vec::new();
        for path in paths {
            let meta = fs::metadata(path).map_err(Error::file("cannot read the data", path))?;
            let files = if meta.is_dir() {
                let listing = Listing::of(path)?;
                warnings.extend(empty_warning(path, &listing.files));
                warnings.extend(links_warning(path, &listing.outside));
                listing.files
            } else {
                vec![path.clone()]
            };
            for file in files {
                // A file may be named beside its folder; a link to it may have a name of its own.
                let real = file.canonicalize().unwrap_or_else(|_| file.clone());
                if seen.insert((table_name(&file.to_string_lossy()), real)) {
                    found.push(file);
                }
            }
        }
        let sources = sources(found);
        warnings.extend(names_warnings(&sources));
        Ok(Self {
            sources,
            warnings,
            renamed,
            given,
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
    /// `/data/<its name>` and each folder `/data/<its name>/`, with a number after a name that is
    /// taken. Single files are linked (where the file system cannot, copied) into a folder of their
    /// own, so that the guest sees them and not their neighbours. Links that lead out of a folder
    /// lead nowhere: WASI refuses to follow them.
    pub fn mounts(&self) -> Result<Mounts, Error> {
        match self.given.as_slice() {
            [] => Ok(Mounts {
                list: Vec::new(),
                _staged: None,
            }),
            [dir] if dir.absolute.is_dir() => Ok(Mounts {
                list: vec![read_only(&dir.path, GUEST_FOLDER)],
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

/// The files as tables, in the order of the tables' names.
fn sources(files: Vec<PathBuf>) -> Vec<Source> {
    let labels: Vec<String> = files
        .iter()
        .map(|file| file.to_string_lossy().into_owned())
        .collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let names = table_names(&labels);
    let named = files.iter().zip(&labels).zip(names);
    let mut sources: Vec<Source> = named
        .map(|((path, label), name)| Source {
            spec: SourceSpec {
                name,
                label: (*label).to_owned(),
                bytes: fs::metadata(path).ok().map(|meta| meta.len()),
                format: DataFormat::of_path(label),
            },
            path: path.clone(),
        })
        .collect();
    sources.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    sources
}

/// A line for each table that is not called what its file alone would be, and one for what is left of many.
fn names_warnings(sources: &[Source]) -> Vec<String> {
    let told = |source: &Source| {
        let plain = table_name(&source.spec.label);
        (plain != source.spec.name).then(|| {
            format!(
                "several files would be the table {plain}: {} is the table {}",
                source.spec.label, source.spec.name
            )
        })
    };
    let mut lines: Vec<String> = sources.iter().filter_map(told).collect();
    let more = lines.len().saturating_sub(TOLD_NAMES);
    if more > 1 {
        lines.truncate(TOLD_NAMES);
        lines.push(format!(
            "{more} more files are tables with their folders or extensions in their names, because several files have one name"
        ));
    }
    lines
}

/// Names what was given as the guest will see it, with a line for each that goes by another name
/// than its own.
fn given(paths: &[PathBuf]) -> Result<(Vec<Given>, Vec<String>), Error> {
    let mut all: Vec<Given> = Vec::new();
    let mut taken = BTreeSet::new();
    let mut renamed = Vec::new();
    for path in paths {
        let unreadable = Error::file("cannot read the data", path);
        let absolute = path.canonicalize().map_err(unreadable)?;
        if all.iter().any(|given| given.absolute == absolute) {
            continue;
        }
        // By the name that was given, not the one that a link leads to.
        let own = path.file_name().or(absolute.file_name());
        let own = own.map_or("files".into(), |name| name.to_string_lossy());
        let name = free_name(&own, &taken);
        if name != own {
            renamed.push(format!(
                "two folders or files are called {own}: Python sees {} as {GUEST_FOLDER}/{name}",
                path.display()
            ));
        }
        taken.insert(name.clone());
        all.push(Given {
            path: path.clone(),
            absolute,
            name,
        });
    }
    Ok((all, renamed))
}

/// `name`, or the first of `name-2`, `name-3`, ... that is free. The number stands before an
/// extension.
fn free_name(name: &str, taken: &BTreeSet<String>) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    };
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}{extension}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}

/// What is in and below a folder.
struct Listing {
    /// The folder, without links on the way.
    root: PathBuf,
    /// The data files, in the order of their names.
    files: Vec<PathBuf>,
    /// Links that would be data, or folders, and lead out of the folder.
    outside: Vec<PathBuf>,
}

impl Listing {
    fn of(dir: &Path) -> Result<Self, Error> {
        let root = dir.canonicalize();
        let mut listing = Listing {
            root: root.map_err(Error::file("cannot list the folder", dir))?,
            files: Vec::new(),
            outside: Vec::new(),
        };
        listing.add(dir, 0)?;
        Ok(listing)
    }

    fn add(&mut self, dir: &Path, depth: usize) -> Result<(), Error> {
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = entries
            .map_err(Error::file("cannot list the folder", dir))?
            .iter()
            .map(fs::DirEntry::path)
            .collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| !hidden(path)) {
            let is_dir = path.is_dir();
            if !(is_dir || path.is_file() && is_data(&path.to_string_lossy())) {
                continue;
            }
            if self.leads_out(&path) {
                self.outside.push(path);
            } else if !is_dir {
                self.files.push(path);
            } else if !path.is_symlink() && depth < MAX_DEPTH {
                // Links to folders could lead in circles.
                self.add(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether the path is a link out of the folder, or to where nobody can tell.
    fn leads_out(&self, path: &Path) -> bool {
        let inside = |target: PathBuf| target.starts_with(&self.root);
        path.is_symlink() && !path.canonicalize().is_ok_and(inside)
    }
}

fn empty_warning(dir: &Path, files: &[PathBuf]) -> Option<String> {
    files.is_empty().then(|| {
        format!(
            "{} has no data files: CSV, TSV, JSON, JSON lines, Parquet, Arrow and .log files are, also gzipped, zstd-compressed or \
             zipped. A file of another name is read if --data names it",
            dir.display()
        )
    })
}

fn links_warning(dir: &Path, links: &[PathBuf]) -> Option<String> {
    let named: Vec<String> = links
        .iter()
        .take(NAMED_LINKS)
        .map(|link| link.display().to_string())
        .collect();
    let more = match links.len().saturating_sub(NAMED_LINKS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!links.is_empty()).then(|| {
        format!(
            "left out of {}, because the link leads out of the folder: {}{more}. To read what it leads to, name that with --data",
            dir.display(),
            named.join(", ")
        )
    })
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn stage(given: &[Given]) -> Result<Mounts, Error> {
    let staged = tempfile::Builder::new()
        .prefix("spoor-data-")
        .tempdir()
        .map_err(Error::file("cannot make a folder in", std::env::temp_dir()))?;
    let mut list = vec![read_only(staged.path(), GUEST_FOLDER)];
    for Given {
        path,
        absolute,
        name,
    } in given
    {
        let here = staged.path().join(name);
        if absolute.is_dir() {
            // So that listing /data shows it; what is in it comes from the mount.
            fs::create_dir(&here).map_err(Error::file("cannot make", &here))?;
            list.push(read_only(absolute, &format!("{GUEST_FOLDER}/{name}")));
        } else {
            fs::hard_link(absolute, &here)
                .or_else(|_| fs::copy(absolute, &here).map(drop))
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
    fn files_of_one_name_are_tables_of_several() {
        let files = ["a/t.csv", "b/t.json", "u.csv", "x.csv", "x.csv.gz"];
        let dir = folder(&files);
        let data = Data::discover(&[dir.path().to_owned()]).unwrap();
        assert_eq!(names(&data), ["a_t", "b_t", "u", "x_csv", "x_csv_gz"]);
        assert_eq!(data.path("b_t").unwrap(), dir.path().join("b/t.json"));
        assert!(
            data.warnings.len() == 4
                && data.warnings[0].contains("would be the table t: ")
                && data.warnings[0].ends_with("a/t.csv is the table a_t"),
            "{:?}",
            data.warnings
        );
    }

    #[test]
    fn many_files_of_one_name_make_few_lines() {
        let files: Vec<String> = (10..30).map(|day| format!("2024-01-{day}/e.csv")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let dir = folder(&files);
        let data = Data::discover(&[dir.path().to_owned()]).unwrap();
        assert_eq!((data.sources.len(), data.warnings.len()), (20, 6));
        assert_eq!(data.sources[0].spec.name, "_2024_01_10_e");
        assert!(
            data.warnings[5].starts_with("15 more files"),
            "{:?}",
            data.warnings
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
    fn links_out_of_a_folder_are_left_out_and_named() {
        use std::os::unix::fs::symlink;
        let outside = folder(&["secret.csv", "more/u.csv", "t.csv"]);
        let dir = folder(&["in/t.csv", "README"]);
        let at = |name: &str| dir.path().join(name);
        symlink(outside.path().join("secret.csv"), at("out.csv")).unwrap();
        symlink(outside.path().join("more"), at("folder")).unwrap();
        symlink(outside.path().join("t.csv"), at("README.txt.md")).unwrap();
        symlink("in/t.csv", at("within.csv")).unwrap();
        let data = Data::discover(&[dir.path().to_owned()]).unwrap();
        assert_eq!(names(&data), ["t", "within"]);
        let [warning] = data.warnings.as_slice() else {
            unreachable!("one warning for the folder: {:?}", data.warnings);
        };
        assert!(
            warning.contains("/folder, ") && warning.contains("/out.csv. "),
            "{warning}"
        );
        // What a person names themselves may be a link.
        let named = Data::discover(&[at("out.csv")]).unwrap();
        assert_eq!((names(&named), named.warnings.len()), (vec!["out"], 0));
        // A folder may be named through a link.
        symlink(dir.path().join("in"), outside.path().join("link")).unwrap();
        let linked = Data::discover(&[outside.path().join("link")]).unwrap();
        assert_eq!((names(&linked), linked.warnings.len()), (vec!["t"], 0));
    }

    #[test]
    fn many_links_make_one_line() {
        let links: Vec<PathBuf> = (0..7).map(|n| format!("d/{n}.csv").into()).collect();
        let warning = links_warning(Path::new("d"), &links).unwrap();
        assert!(warning.contains("d/4.csv and 2 more."), "{warning}");
    }

    #[test]
    fn folders_of_one_name_are_both_seen() {
        let dir = folder(&["a/logs/t.csv", "b/logs/u.csv", "c/logs/v.csv"]);
        let given: Vec<PathBuf> = ["a/logs", "b/logs", "a/../a/logs", "c/logs"]
            .iter()
            .map(|name| dir.path().join(name))
            .collect();
        let data = Data::discover(&given).unwrap();
        assert_eq!(names(&data), ["t", "u", "v"]);
        let mounts = data.mounts().unwrap();
        let seen: Vec<(&str, bool)> = mounts.list[1..]
            .iter()
            .zip(["t.csv", "u.csv", "v.csv"])
            .map(|(mount, file)| (mount.guest.as_str(), mount.host.join(file).is_file()))
            .collect();
        let expected = ["/data/logs", "/data/logs-2", "/data/logs-3"];
        assert_eq!(seen, expected.map(|guest| (guest, true)));
        assert!(
            data.renamed.len() == 2 && data.renamed[0].contains("b/logs as /data/logs-2"),
            "{:?}",
            data.renamed
        );
    }

    #[test]
    fn a_number_stands_before_the_extension() {
        let taken = ["t.csv", ".x", "t-2.csv"].map(str::to_owned).into();
        assert_eq!(free_name("t.csv", &taken), "t-3.csv");
        assert_eq!(free_name(".x", &taken), ".x-2");
        assert_eq!(free_name("u", &taken), "u");
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
