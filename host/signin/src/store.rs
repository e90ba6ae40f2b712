//! Where accounts are kept: one encrypted file, `accounts.sealed`, in a folder of the user's own (`$XDG_DATA_HOME/spoor/accounts`).
//!
//! The file is encrypted with XChaCha20-Poly1305. Its key is in the system's keyring where there is one (Secret Service, macOS's
//! Keychain, Windows' Credential Manager), else in a second file beside it, `accounts.key`. Tokens themselves are not put into keyrings:
//! Windows' takes 2,560 bytes, Entra's tokens have more, and no keyring has a transaction for two processes that renew at once.
//!
//! What that protects against. With the key in the keyring, a copy of the disk, a backup or another user's eyes give nothing, and
//! what runs as the user while the keyring is locked gets nothing either; while it is unlocked, most keyrings give
//! the key to whatever runs as the user. With the key in a file, the two files together are as good as the tokens: mode 0600 keeps
//! other users out, and the encryption only helps where one file is lost without the other, as in a search of the disk for
//! tokens, a backup that leaves `*.key` out, or a report that somebody attaches the wrong file to. It does not protect against
//! root, nor against programs that run as the user.
//!
//! Writes replace the file at once, under a lock that other processes respect; readers see the old file or the new one. Whoever
//! renews an account's tokens takes a *turn* ([`Store::turn`]), so that a refresh token which is good for one use is used once.

mod key;
pub(crate) mod record;
mod sealed;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

pub use key::KeyPlace;
use record::Vault;

use crate::error::StoreError;

/// More than ten thousand accounts have.
const MOST_BYTES: u64 = 64 << 20;

/// The kept accounts of one user.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    keys: KeyPlace,
}

impl Store {
    /// The user's own: below `$XDG_DATA_HOME/spoor`, else `~/.local/share/spoor`, with the key in the system's keyring where
    /// there is one.
    pub fn open() -> Result<Self, StoreError> {
        let base = absolute("XDG_DATA_HOME")
            .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
            .filter(|base| base.is_absolute())
            .ok_or(StoreError::NoFolder)?;
        Self::open_in(&base.join("spoor/accounts"), KeyPlace::Best)
    }

    /// Another folder, which is made if it is not there. `keys` says where the key of a new file goes; a file that is there says
    /// itself where its key is.
    pub fn open_in(folder: &Path, keys: KeyPlace) -> Result<Self, StoreError> {
        make_folder(folder)?;
        check_mode(folder, 0o700)?;
        Ok(Store {
            folder: folder.to_owned(),
            keys,
        })
    }

    /// What is kept. Nothing is, if there is no file.
    pub(crate) fn read(&self) -> Result<Vault, StoreError> {
        let Some(bytes) = self.bytes()? else {
            return Ok(Vault::default());
        };
        let path = self.file();
        let place = sealed::place(&bytes)
            .ok_or_else(|| corrupt(&path, "it is no file of Spoor's accounts"))?;
        let key = place
            .load(&self.folder)?
            .ok_or_else(|| StoreError::KeyGone {
                path: path.clone(),
                place: place.describe(&self.folder),
            })?;
        let text = sealed::open(&bytes, &key).ok_or_else(|| {
            corrupt(
                &path,
                "it was changed or damaged, or encrypted with another key",
            )
        })?;
        serde_json::from_slice(&text).map_err(|_| corrupt(&path, "a newer or older Spoor wrote it"))
    }

    /// Reads, lets `change` change, and writes, while no other process does.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Vault) -> T) -> Result<T, StoreError> {
        let _lock = self.lock("accounts.lock")?;
        let mut vault = self.read()?;
        let done = change(&mut vault);
        self.write(&vault)?;
        Ok(done)
    }

    /// Waits until nobody else renews the account, and keeps others waiting until the answer is dropped.
    pub(crate) fn turn(&self, account: &str) -> Result<File, StoreError> {
        self.lock(&format!("{account}.lock"))
    }

    fn write(&self, vault: &Vault) -> Result<(), StoreError> {
        let path = self.file();
        let place = match self.bytes()?.as_deref().map(sealed::place) {
            Some(Some(place)) => place,
            _ => self.keys.place(&self.folder),
        };
        let (place, key) = place.load_or_make(&self.folder)?;
        let text = vault.to_json();
        let bytes = sealed::seal(place, &key, &text)?;
        replace(&self.folder, &path, &bytes)
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        read_private(&self.file())
    }

    fn file(&self) -> PathBuf {
        self.folder.join("accounts.sealed")
    }

    /// The lock is the system's: it ends with the process, however that ends.
    fn lock(&self, name: &str) -> Result<File, StoreError> {
        let path = self.folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        let file = options
            .open(&path)
            .map_err(StoreError::file("cannot open", &path))?;
        file.lock()
            .map_err(StoreError::file("cannot lock", &path))?;
        Ok(file)
    }
}

/// A folder that a variable names, if it is absolute: elsewhere it would depend on where the command is run.
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable)?);
    path.is_absolute().then_some(path)
}

fn corrupt(path: &Path, why: &'static str) -> StoreError {
    StoreError::Corrupt {
        path: path.to_owned(),
        why,
    }
}

/// A file's bytes if it is there, and nobody else can read it.
fn read_private(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file("cannot read", path)(error)),
    };
    check_mode(path, 0o600)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(StoreError::file("cannot read", path))?;
    Ok(Some(bytes))
}

/// Puts a file in place of another at once: a reader sees either, and a crash leaves either.
fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = || StoreError::file("cannot write", path);
    // The mode of a temporary file is 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    file.persist(path).map_err(|error| failed()(error.error))?;
    if cfg!(unix) {
        // Not every file system can; the file itself is whole in any case.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(StoreError::file("cannot make", parent))?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::file("cannot make", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

#[cfg(unix)]
pub(crate) fn check_mode(path: &Path, wanted: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let data = std::fs::metadata(path).map_err(StoreError::file("cannot read", path))?;
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(StoreError::Open {
        path: path.to_owned(),
        mode,
        wanted,
    })
}

/// Elsewhere a user's folders are the user's by inheritance.
#[cfg(not(unix))]
pub(crate) fn check_mode(_: &Path, _: u32) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests;
