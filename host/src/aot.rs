//! The ahead-of-time cache: WebAssembly modules compiled once, kept in a folder, mapped in later.
//!
//! Called for kernel.wasm, for the Python guest and for plugins. An entry is named by the SHA-256 of the
//! module's bytes and a hash of the engine's configuration and version, so a new wasmtime never
//! meets an old entry.
//!
//! Loading compiled code is as trusting as running a program, so an entry is used only if
//! - the folder and the file are the user's own, nobody else can write to them, and neither is a
//!   link;
//! - the file's SHA-256 is the one noted when it was compiled. Hashing hundreds of megabytes at
//!   every start would cost more than the rest of it, so the note also keeps the file's identity
//!   (device, inode, length, times) as of its last check: while that is unchanged so are the
//!   bytes, and any other identity means hashing again.
//!
//! Anything else is compiled anew. A user without a folder of their own has no cache: a folder
//! that all users share, as `/tmp` is, is never the place of code. Writes go to a temporary file
//! that is then renamed, under a lock, so that processes that start at once compile once and never
//! see half an entry.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::error::Error;

/// Something slow, or something gone wrong but survived, worth a line to the person who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A module is being compiled: `preparing: compiling kernel.wasm, once for this machine`.
    Compiling {
        /// The module's file name.
        name: String,
    },
    /// Another process is compiling it; this one waits.
    Waiting {
        /// The module's file name.
        name: String,
    },
    /// The compiled module was not kept; the next start compiles again. Of a cache that cannot be
    /// used this is said once.
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
            Progress::Compiling { name } => {
                write!(f, "preparing: compiling {name}, once for this machine")
            }
            Progress::Waiting { name } => {
                write!(
                    f,
                    "preparing: waiting for another spoor that compiles {name}"
                )
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
    /// `None` where there is no folder for it: then nothing is kept.
    dir: Option<PathBuf>,
    /// Whether it has been said that the cache cannot be used.
    told: Arc<AtomicBool>,
}

impl Cache {
    /// The user's cache: `$XDG_CACHE_HOME/spoor/aot`, else `~/.cache/spoor/aot`. A user who has
    /// neither has a cache that keeps nothing.
    pub fn of_user() -> Self {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        Self::below(base)
    }

    /// A cache in a folder of the caller's choice.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: Some(dir.into()),
            told: Arc::default(),
        }
    }

    /// The cache in a user's folder of caches. A relative path would be another folder wherever
    /// the program starts, so it counts as none.
    fn below(base: Option<PathBuf>) -> Self {
        let base = base.filter(|base| base.is_absolute());
        Self {
            dir: base.map(|base| base.join("spoor").join("aot")),
            told: Arc::default(),
        }
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
        self.load_from(engine, &Wasm::File(wasm), sha256, progress)
    }

    /// As [`Cache::load`], of a module that is in memory; `name` is what it is called to the person who waits.
    pub fn load_bytes(
        &self,
        engine: &Engine,
        name: &str,
        bytes: &[u8],
        progress: &dyn Fn(Progress),
    ) -> Result<Module, Error> {
        let sha256 = hex(&Sha256::digest(bytes));
        self.load_from(engine, &Wasm::Bytes { name, bytes }, &sha256, progress)
    }

    fn load_from(
        &self,
        engine: &Engine,
        wasm: &Wasm<'_>,
        sha256: &str,
        progress: &dyn Fn(Progress),
    ) -> Result<Module, Error> {
        let name = wasm.name();
        let dir = match self.prepare() {
            Ok(dir) => dir,
            Err(reason) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    let name = name.clone();
                    progress(Progress::NotKept { name, reason });
                }
                progress(Progress::Compiling { name });
                return wasm.compile(engine, sha256);
            }
        };
        let entry = Entry::new(dir, sha256, engine);
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
        let mut file = File::open(path).map_err(asset_error(path))?;
        let unreadable = || Error::file("cannot read", path);
        let seen = Identity::of(&file).map_err(unreadable())?;
        let mut hasher = DefaultHasher::new();
        path.canonicalize().map_err(unreadable())?.hash(&mut hasher);
        // Without the folder there is no note, and the file is hashed again.
        let folder = self.prepare().ok();
        let note = folder.map(|dir| dir.join(format!("{:016x}.sha256", hasher.finish())));
        let known = note.as_deref().and_then(Note::read);
        if let Some(known) = known.filter(|n| n.seen == seen) {
            return Ok(known.sha256);
        }
        let sha256 = hash_file(&mut file).map_err(unreadable())?;
        if let Some(note) = note {
            // Only a shortcut.
            let _ = Note {
                sha256: sha256.clone(),
                seen,
            }
            .write(&note);
        }
        Ok(sha256)
    }

    /// The folder, made if it is not there, and the user's alone. Otherwise the reason why it
    /// cannot be used, with what to do.
    fn prepare(&self) -> Result<&Path, String> {
        let dir = self.dir.as_deref().ok_or(
            "there is no folder for it; set HOME or XDG_CACHE_HOME to an absolute path of your own",
        )?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .and_then(|()| make_private(dir))
            .map_err(|reason| format!("{}: {reason}", dir.display()))?;
        Ok(dir)
    }
}

/// Makes sure that the folder is the user's alone and that nobody else can put another in its
/// place.
fn make_private(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        check_parent(parent)?;
    }
    let meta = fs::symlink_metadata(dir)?;
    if !meta.is_dir() {
        return refused("it is not a folder but a link or a file; remove it");
    }
    if meta.uid() != user() {
        return refused("it belongs to another user; set XDG_CACHE_HOME to a folder of your own");
    }
    // What others may have put there is not looked at.
    if meta.mode() & 0o022 != 0 {
        return refused("others can write to it; remove it, and it is made anew");
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The folder around the cache, and a link in its place, may be the system's or the user's. All
/// may write to it only where nobody can rename what others have there, as in `/tmp`.
fn check_parent(parent: &Path) -> io::Result<()> {
    let ours = |meta: &fs::Metadata| meta.uid() == user() || meta.uid() == 0;
    let meta = fs::metadata(parent)?;
    if !ours(&meta) || !ours(&fs::symlink_metadata(parent)?) {
        return refused(
            "the folder around it belongs to another user; set XDG_CACHE_HOME to one of your own",
        );
    }
    if meta.mode() & 0o1002 == 0o0002 {
        return refused("everyone can write to the folder around it; take that right away");
    }
    Ok(())
}

fn refused(reason: &str) -> io::Result<()> {
    Err(io::Error::other(reason))
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
        wasm: &Wasm<'_>,
        sha256: &str,
        progress: &dyn Fn(Progress),
    ) -> Result<Module, Error> {
        progress(Progress::Compiling { name: wasm.name() });
        let module = wasm.compile(engine, sha256)?;
        let kept = module
            .serialize()
            .map_err(io::Error::other)
            .and_then(|bytes| self.keep(&bytes));
        if let Err(reason) = kept {
            progress(Progress::NotKept {
                name: wasm.name(),
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

/// Where a module's bytes are.
enum Wasm<'a> {
    File(&'a Path),
    Bytes { name: &'a str, bytes: &'a [u8] },
}

impl Wasm<'_> {
    fn name(&self) -> String {
        match self {
            Wasm::File(path) => file_name(path),
            Wasm::Bytes { name, .. } => (*name).to_owned(),
        }
    }

    fn compile(&self, engine: &Engine, sha256: &str) -> Result<Module, Error> {
        let module = match self {
            Wasm::File(path) => Module::from_binary(engine, &read_checked(path, sha256)?),
            Wasm::Bytes { bytes, .. } => Module::from_binary(engine, bytes),
        };
        module.map_err(|e| Error::Module {
            name: self.name(),
            reason: format!("{e:#}"),
        })
    }
}

fn read_checked(wasm: &Path, sha256: &str) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(wasm).map_err(asset_error(wasm))?;
    let found = hex(&Sha256::digest(&bytes));
    if found.eq_ignore_ascii_case(sha256) {
        return Ok(bytes);
    }
    Err(Error::Checksum {
        path: wasm.to_owned(),
        expected: sha256.to_owned(),
        found,
    })
}

/// What an asset that cannot be read is told as: one that is not there needs set-up.
fn asset_error(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| match source.kind() {
        io::ErrorKind::NotFound => Error::MissingAsset {
            path: path.to_owned(),
        },
        _ => Error::file("cannot read", path)(source),
    }
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
mod tests;
