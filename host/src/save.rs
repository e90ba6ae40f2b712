//! Writing results so that nothing saved is ever lost: whole files or none, and never over what
//! someone else wrote meanwhile.
//!
//! `run` saves its notebook through a [`Saver`] after each cell; one-off results go through
//! [`write_atomically`].

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file that is saved again and again.
#[derive(Debug)]
pub struct Saver {
    path: PathBuf,
    /// The file as this saver left it.
    seen: Option<Version>,
}

/// How a save went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is at the path.
    There,
    /// The file had been changed by someone else, and was left as it is; from now on this saver
    /// saves beside it.
    Beside(PathBuf),
}

impl Saver {
    /// A saver for `path`. A file that is there now is replaced by the first save.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let seen = Version::of(&path);
        Self { path, seen }
    }

    /// A saver that keeps nothing, for what is handed over once, at its end.
    pub fn nowhere() -> Self {
        Self {
            path: PathBuf::new(),
            seen: None,
        }
    }

    /// Where the last save went, or the next will go; empty for [`Saver::nowhere`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves.
    pub fn save(&mut self, bytes: &[u8]) -> Result<Saved, Error> {
        let mut saved = Saved::There;
        if self.path.as_os_str().is_empty() {
            return Ok(saved);
        }
        if Version::of(&self.path) != self.seen {
            self.path = beside(&self.path);
            self.seen = None;
            saved = Saved::Beside(self.path.clone());
        }
        write_atomically(&self.path, bytes)?;
        self.seen = Version::of(&self.path);
        Ok(saved)
    }
}

/// Tells one state of a file from another.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    dev: u64,
    ino: u64,
    len: u64,
    modified: (i64, i64),
}

impl Version {
    /// The file's; `None` if there is no file.
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        let modified = (meta.mtime(), meta.mtime_nsec());
        Some(Self {
            dev: meta.dev(),
            ino: meta.ino(),
            len: meta.len(),
            modified,
        })
    }
}

/// A free name like `out.conflict-1.ipynb` for `out.ipynb`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map(|e| format!(".{}", e.to_string_lossy()))
        .unwrap_or_default();
    let free = (1..).map(|n: u32| path.with_file_name(format!("{stem}.conflict-{n}{extension}")));
    free.into_iter()
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.to_owned())
}

/// Where a write to `path` ends up, links followed: the same for all paths of one file, whether
/// it is there yet or not.
pub fn place(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(dir), Some(name)) if dir.as_os_str().is_empty() => place(Path::new(".")).join(name),
        (Some(dir), Some(name)) => place(dir).join(name),
        // Nothing is there by that name, and nothing can be written to it.
        _ => path.to_owned(),
    }
}

/// Puts `bytes` at `path`, whole or not at all, and on the disk before it returns. A file that is
/// replaced hands on its permissions; a link is followed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, bytes).map_err(Error::file("cannot write", path))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !dir.exists() {
        let why = format!("there is no folder {}: make it first", dir.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    // The mode of a new file is cut by the umask as it is created.
    let mut temp = tempfile::Builder::new()
        .prefix(".spoor-")
        .suffix(".tmp")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(dir)?;
    temp.write_all(bytes)?;
    if let Ok(replaced) = fs::metadata(path) {
        temp.as_file().set_permissions(replaced.permissions())?;
    }
    temp.as_file().sync_all()?;
    temp.persist(path)?;
    // The new name must outlive a power cut too; some file systems cannot promise it.
    File::open(dir).and_then(|dir| dir.sync_all()).or(Ok(()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_change_by_another_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.ipynb");
        fs::write(&path, "before the run").unwrap();
        let mut saver = Saver::new(&path);
        assert_eq!(saver.save(b"one").unwrap(), Saved::There);
        assert_eq!(saver.save(b"two").unwrap(), Saved::There);
        fs::write(&path, "somebody's work").unwrap();
        let aside = dir.path().join("out.conflict-1.ipynb");
        assert_eq!(saver.save(b"three").unwrap(), Saved::Beside(aside.clone()));
        assert_eq!(saver.save(b"four").unwrap(), Saved::There);
        assert_eq!(fs::read(&path).unwrap(), b"somebody's work");
        assert_eq!(fs::read(&aside).unwrap(), b"four");
    }

    #[test]
    fn a_file_that_appears_is_a_conflict_and_one_that_goes_is_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut saver = Saver::new(&path);
        fs::write(&path, "new").unwrap();
        assert!(matches!(saver.save(b"one").unwrap(), Saved::Beside(_)));
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn permissions_and_links_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
    }

    #[test]
    fn a_place_is_the_same_by_every_path() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/file"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("d"), root.join("link")).unwrap();
        for name in ["file", "new", "new folder/new"] {
            let expected = root.join("d").join(name);
            assert_eq!(place(&root.join("link").join(name)), expected);
            assert_eq!(place(&root.join("d/../link").join(name)), expected);
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(place(Path::new("not there")), here.join("not there"));
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("taken")).unwrap();
        assert!(write_atomically(&dir.path().join("taken"), b"x").is_err());
        let nowhere = write_atomically(&dir.path().join("no/such/file"), b"x").unwrap_err();
        assert!(nowhere.to_string().contains("no folder"), "{nowhere}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
