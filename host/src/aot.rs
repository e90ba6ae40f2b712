//! The ahead-of-time cache: WebAssembly modules compiled once, kept in a folder, mapped in later.
//!
//! Called for kernel.wasm and for the Python guest. An entry is named by the SHA-256 of the
//! module's bytes and a hash of the engine's configuration and version, so a new wasmtime never
//! meets an old entry.
//!
//! Loading compiled code is as trusting as running a program, so an entry is used only if
//! - the folder and the file are the user's own, and nobody else can write to them;
//! - the file's SHA-256 is the one noted when it was compiled. Hashing hundreds of megabytes at
//!   every start would cost more than the rest of it, so the note also keeps the file's identity
//!   (device, inode, length, times) as of its last check: while that is unchanged so are the
//!   bytes, and any other identity means hashing again.
//!
//! Anything else is compiled anew. Writes go to a temporary file that is then renamed, under a
//! lock, so that processes that start at once compile once and never see half an entry.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::error::Error;

/// Something slow, or something gone wrong but survived, worth a line to the person who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A module is being compiled: `compiling kernel.wasm, once`.
    Compiling {
        /// The module's file name.
        name: String,
    },
    /// Another process is compiling it; this one waits.
    Waiting {
        /// The module's file name.
        name: String,
    },
    /// The compiled module was not kept; the next start compiles again.
    NotKept {
        /// The module's file name.
        name: String,
        /// Why not.
        reason: String,
    },
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Progress::Compiling { name } => write!(f, "compiling {name}, once"),
            Progress::Waiting { name } => {
                write!(f, "waiting for another spoor that compiles {name}")
            }
            Progress::NotKept { name, reason } => {
                write!(f, "the compiled {name} could not be kept: {reason}")
            }
        }
    }
}

/// A folder of compiled modules.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// The user's cache: `$XDG_CACHE_HOME/spoor/aot`, else `~/.cache/spoor/aot`.
    pub fn of_user() -> Self {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir);
        Self {
            dir: base.join("spoor").join("aot"),
        }
    }

    /// A cache in a folder of the caller's choice.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The module at `wasm`, whose bytes have the SHA-256 `sha256` (hex): mapped in from the
    /// cache, or compiled and kept there. `wasm` itself is read only when it must be compiled,
    /// and its digest is checked then. A cache that cannot be used costs time, not the result.
    pub fn load(
        &self,
        engine: &Engine,
        wasm: &Path,
        sha256: &str,
        progress: &dyn Fn(Progress),
    ) -> Result<Module, Error> {
        let name = file_name(wasm);
        if let Err(source) = self.prepare() {
            progress(Progress::NotKept {
                name,
                reason: format!("{}: {source}", self.dir.display()),
            });
            progress(Progress::Compiling {
                name: file_name(wasm),
            });
            return compile(engine, wasm, sha256);
        }
        let entry = Entry::new(&self.dir, sha256, engine);
        if let Some(module) = entry.open(engine) {
            return Ok(module);
        }
        match entry.lock(&name, progress) {
            // Whoever held the lock before may have just made it.
            Ok(_held) => match entry.open(engine) {
                Some(module) => Ok(module),
                None => entry.make(engine, wasm, sha256, progress),
            },
            Err(_) => entry.make(engine, wasm, sha256, progress),
        }
    }

    /// The SHA-256 (hex) of the file at `path`, remembered in the cache by the file's identity.
    pub fn digest_of(&self, path: &Path) -> Result<String, Error> {
        let mut file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingAsset {
                path: path.to_owned(),
            },
            _ => Error::File {
                what: "cannot read",
                path: path.to_owned(),
                source,
            },
        })?;
        let unreadable = || Error::file("cannot read", path);
        let seen = Identity::of(&file).map_err(unreadable())?;
        let mut hasher = DefaultHasher::new();
        path.canonicalize().map_err(unreadable())?.hash(&mut hasher);
        let note = self.dir.join(format!("{:016x}.sha256", hasher.finish()));
        if let Some(known) = Note::read(&note).filter(|n| n.seen == seen) {
            return Ok(known.sha256);
        }
        let sha256 = hash_file(&mut file).map_err(unreadable())?;
        if self.prepare().is_ok() {
            // Only a shortcut: without the note the file is hashed again.
            let _ = Note {
                sha256: sha256.clone(),
                seen,
            }
            .write(&note);
        }
        Ok(sha256)
    }

    /// Makes the folder, and makes it the user's alone.
    fn prepare(&self) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        let meta = fs::metadata(&self.dir)?;
        if meta.uid() != user() {
            return Err(io::Error::other("the folder belongs to another user"));
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

/// Where one compiled module is, or will be.
struct Entry {
    code: PathBuf,
    note: PathBuf,
    lock: PathBuf,
}

impl Entry {
    fn new(dir: &Path, sha256: &str, engine: &Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let stem = format!("{sha256}-{:016x}", hasher.finish());
        let with = |ext: &str| dir.join(format!("{stem}.{ext}"));
        Self {
            code: with("cwasm"),
            note: with("json"),
            lock: with("lock"),
        }
    }

    /// The module, if the entry is there, trusted and whole.
    fn open(&self, engine: &Engine) -> Option<Module> {
        let mut file = open_own(&self.code).ok()?;
        let note = Note::read(&self.note)?;
        let seen = Identity::of(&file).ok()?;
        if note.seen != seen {
            if hash_file(&mut file).ok()? != note.sha256 {
                return None;
            }
            // Only a shortcut for the next start.
            let _ = Note {
                sha256: note.sha256,
                seen,
            }
            .write(&self.note);
        }
        // SAFETY: the file is the user's own, unwritable to others, in a folder of the same
        // kind, and holds the bytes that `make` serialized (checked by digest). Entries are
        // replaced by renaming and never written in place, so the mapped inode does not change.
        unsafe { Module::deserialize_open_file(engine, file) }.ok()
    }

    /// Compiles, keeps and loads the module.
    fn make(
        &self,
        engine: &Engine,
        wasm: &Path,
        sha256: &str,
        progress: &dyn Fn(Progress),
    ) -> Result<Module, Error> {
        progress(Progress::Compiling {
            name: file_name(wasm),
        });
        let module = compile(engine, wasm, sha256)?;
        let kept = module
            .serialize()
            .map_err(io::Error::other)
            .and_then(|bytes| self.keep(&bytes));
        if let Err(reason) = kept {
            progress(Progress::NotKept {
                name: file_name(wasm),
                reason: reason.to_string(),
            });
            return Ok(module);
        }
        // The mapped copy shares its pages with every other process; the fresh one does not.
        Ok(self.open(engine).unwrap_or(module))
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        let file = write_atomically(&self.code, bytes)?;
        Note {
            sha256: hex(&Sha256::digest(bytes)),
            seen: Identity::of(&file)?,
        }
        .write(&self.note)
    }

    /// Waits until no other process compiles this entry. The lock goes with the returned file,
    /// and with the process that holds it, however that ends.
    fn lock(&self, name: &str, progress: &dyn Fn(Progress)) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.lock)?;
        if file.try_lock().is_err() {
            progress(Progress::Waiting {
                name: name.to_owned(),
            });
            file.lock()?;
        }
        Ok(file)
    }
}

/// What is known of a file's bytes, and of which file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    sha256: String,
    seen: Identity,
}

impl Note {
    fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        open_own(path)
            .ok()?
            .take(4096)
            .read_to_string(&mut text)
            .ok()?;
        serde_json::from_str(&text).ok()
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        write_atomically(path, &serde_json::to_vec(self)?).map(drop)
    }
}

/// What changes when a file's bytes do.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    dev: u64,
    ino: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            dev: meta.dev(),
            ino: meta.ino(),
            len: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}

fn compile(engine: &Engine, wasm: &Path, sha256: &str) -> Result<Module, Error> {
    let bytes = fs::read(wasm).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::MissingAsset {
            path: wasm.to_owned(),
        },
        _ => Error::File {
            what: "cannot read",
            path: wasm.to_owned(),
            source,
        },
    })?;
    let found = hex(&Sha256::digest(&bytes));
    if !found.eq_ignore_ascii_case(sha256) {
        return Err(Error::Checksum {
            path: wasm.to_owned(),
            expected: sha256.to_owned(),
            found,
        });
    }
    Module::from_binary(engine, &bytes).map_err(|e| Error::Module {
        name: file_name(wasm),
        reason: format!("{e:#}"),
    })
}

/// Opens a file that only the user may have written.
fn open_own(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.uid() != user() || meta.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to this file"));
    }
    Ok(file)
}

/// Puts `bytes` at `path`, whole or not at all, readable by the user alone.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let dir = path.parent().ok_or_else(|| io::Error::other("no folder"))?;
    // tempfile makes its files with mode 0600.
    let mut temp = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_data()?;
    Ok(temp.persist(path)?)
}

fn hash_file(file: &mut File) -> io::Result<String> {
    let mut sha = Sha256::new();
    io::copy(file, &mut sha)?;
    Ok(hex(&sha.finalize()))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::RefCell;

    use super::*;

    /// A cache in a folder of its own, and the smallest module there is.
    struct Bench {
        dir: tempfile::TempDir,
        wasm: PathBuf,
        sha256: String,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let wasm = dir.path().join("tiny.wasm");
            fs::write(&wasm, b"\0asm\x01\0\0\0").unwrap();
            let sha256 = hex(&Sha256::digest(b"\0asm\x01\0\0\0"));
            Self { dir, wasm, sha256 }
        }

        fn cache(&self) -> Cache {
            Cache::at(self.dir.path().join("aot"))
        }

        /// Loads, and tells what was reported meanwhile.
        fn load(&self) -> Result<Vec<Progress>, Error> {
            let seen = RefCell::new(Vec::new());
            let engine = crate::engine::shared()?;
            self.cache().load(engine, &self.wasm, &self.sha256, &|p| {
                seen.borrow_mut().push(p)
            })?;
            Ok(seen.into_inner())
        }

        fn entry(&self, ext: &str) -> PathBuf {
            let dir = fs::read_dir(self.cache().dir()).unwrap();
            dir.map(|e| e.unwrap().path())
                .find(|p| p.extension().is_some_and(|e| e == ext))
                .unwrap()
        }
    }

    fn compiling() -> Vec<Progress> {
        vec![Progress::Compiling {
            name: "tiny.wasm".into(),
        }]
    }

    #[test]
    fn a_module_is_compiled_once() {
        let bench = Bench::new();
        assert_eq!(bench.load().unwrap(), compiling());
        assert_eq!(bench.load().unwrap(), []);
        assert_eq!(
            fs::metadata(bench.entry("cwasm")).unwrap().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(bench.cache().dir()).unwrap().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_hit_does_not_need_the_module_itself() {
        let bench = Bench::new();
        bench.load().unwrap();
        fs::remove_file(&bench.wasm).unwrap();
        assert_eq!(bench.load().unwrap(), []);
    }

    #[test]
    fn a_damaged_entry_is_made_again() {
        let damages: [fn(&mut Vec<u8>); 3] = [
            |bytes| bytes.truncate(bytes.len() / 2),
            |bytes| bytes.clear(),
            |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            },
        ];
        for damage in damages {
            let bench = Bench::new();
            bench.load().unwrap();
            let mut bytes = fs::read(bench.entry("cwasm")).unwrap();
            damage(&mut bytes);
            fs::write(bench.entry("cwasm"), bytes).unwrap();
            assert_eq!(bench.load().unwrap(), compiling());
            assert_eq!(bench.load().unwrap(), []);
        }
    }

    #[test]
    fn an_entry_that_others_can_write_is_not_trusted() {
        let bench = Bench::new();
        bench.load().unwrap();
        fs::set_permissions(bench.entry("cwasm"), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(bench.load().unwrap(), compiling());
    }

    #[test]
    fn an_entry_copied_elsewhere_is_checked_and_kept() {
        let bench = Bench::new();
        bench.load().unwrap();
        let entry = bench.entry("cwasm");
        let bytes = fs::read(&entry).unwrap();
        fs::remove_file(&entry).unwrap();
        fs::write(&entry, bytes).unwrap();
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(bench.load().unwrap(), []);
    }

    #[test]
    fn a_note_that_is_not_ours_is_ignored() {
        let bench = Bench::new();
        bench.load().unwrap();
        fs::write(bench.entry("json"), "{\"sha256\": 7}").unwrap();
        assert_eq!(bench.load().unwrap(), compiling());
    }

    #[test]
    fn the_wrong_module_is_refused() {
        let bench = Bench::new();
        fs::write(&bench.wasm, b"\0asm\x01\0\0\0\0\x02\x01a").unwrap();
        assert!(matches!(bench.load(), Err(Error::Checksum { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_used_costs_only_time() {
        let bench = Bench::new();
        fs::write(bench.cache().dir(), "a file where the folder should be").unwrap();
        let seen = bench.load().unwrap();
        assert!(
            matches!(
                seen.as_slice(),
                [Progress::NotKept { .. }, Progress::Compiling { .. }]
            ),
            "{seen:?}"
        );
    }

    #[test]
    fn a_race_compiles_once() {
        let bench = Bench::new();
        let compiled = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| bench.load().unwrap()))
                .collect();
            let seen = racers.into_iter().flat_map(|r| r.join().unwrap());
            seen.filter(|p| matches!(p, Progress::Compiling { .. }))
                .count()
        });
        assert_eq!(compiled, 1);
    }

    #[test]
    fn a_digest_is_remembered_until_the_file_changes() {
        let bench = Bench::new();
        assert_eq!(bench.cache().digest_of(&bench.wasm).unwrap(), bench.sha256);
        assert_eq!(bench.cache().digest_of(&bench.wasm).unwrap(), bench.sha256);
        fs::write(&bench.wasm, b"other").unwrap();
        assert_eq!(
            bench.cache().digest_of(&bench.wasm).unwrap(),
            hex(&Sha256::digest(b"other"))
        );
    }
}
