//! The key of the encrypted file, and the two places where it can be.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{read_private, replace};
use crate::error::StoreError;

/// Bytes of a key.
pub(super) const LENGTH: usize = 32;

/// A key, erased when it is dropped.
pub(super) type Key = Zeroizing<[u8; LENGTH]>;

/// Where the key of a new file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// Into the system's keyring where there is one, else into a file.
    Best,
    /// Into a file.
    File,
}

impl KeyPlace {
    pub(super) fn place(self, folder: &Path) -> Place {
        match self {
            KeyPlace::Best if !key_file(folder).exists() => Place::Keyring,
            _ => Place::File,
        }
    }
}

/// Where the key of a file is; the file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Keyring,
    File,
}

impl Place {
    pub(super) fn describe(self, folder: &Path) -> String {
        match self {
            Place::Keyring => "the system's keyring".to_owned(),
            Place::File => key_file(folder).display().to_string(),
        }
    }

    /// The key, if there is one.
    pub(super) fn load(self, folder: &Path) -> Result<Option<Key>, StoreError> {
        match self {
            Place::Keyring => match entry(folder)?.get_secret() {
                Ok(bytes) => Ok(key(Zeroizing::new(bytes))),
                Err(keyring::Error::NoEntry) => Ok(None),
                Err(error) => Err(unavailable(&error)),
            },
            Place::File => {
                let path = key_file(folder);
                let Some(text) = read_private(&path)?.map(Zeroizing::new) else {
                    return Ok(None);
                };
                let bytes = STANDARD.decode(text.trim_ascii_end()).map(Zeroizing::new);
                let why = "it holds no key";
                let found = bytes.ok().and_then(key);
                found.map(Some).ok_or(StoreError::Corrupt { path, why })
            }
        }
    }

    /// The key, or a new one; and where it is, as a keyring that does not work is as good as none when the first account is kept.
    pub(super) fn load_or_make(self, folder: &Path) -> Result<(Place, Key), StoreError> {
        match self.load(folder) {
            Ok(Some(key)) => return Ok((self, key)),
            Err(StoreError::Keyring(_)) if !folder.join("accounts.sealed").exists() => {
                return Place::File.load_or_make(folder);
            }
            Err(error) => return Err(error),
            Ok(None) => {}
        }
        let mut key = Key::default();
        getrandom::fill(key.as_mut_slice())
            .map_err(|error| StoreError::Random(error.to_string()))?;
        match self.save(folder, &key) {
            Err(StoreError::Keyring(_)) => Place::File.load_or_make(folder),
            saved => saved.map(|()| (self, key)),
        }
    }

    fn save(self, folder: &Path, key: &Key) -> Result<(), StoreError> {
        match self {
            Place::Keyring => entry(folder)?
                .set_secret(key.as_slice())
                .map_err(|error| unavailable(&error)),
            Place::File => {
                let text = Zeroizing::new(STANDARD.encode(key.as_slice()) + "\n");
                replace(folder, &key_file(folder), text.as_bytes())
            }
        }
    }
}

fn key(bytes: Zeroizing<Vec<u8>>) -> Option<Key> {
    let mut key = Key::default();
    (bytes.len() == LENGTH).then(|| key.copy_from_slice(&bytes))?;
    Some(key)
}

fn key_file(folder: &Path) -> PathBuf {
    folder.join("accounts.key")
}

/// One for each folder, so that two users' or two tests' do not meet.
fn entry(folder: &Path) -> Result<keyring::Entry, StoreError> {
    let user = format!("accounts in {}", folder.display());
    keyring::Entry::new("spoor", &user).map_err(|error| unavailable(&error))
}

fn unavailable(error: &keyring::Error) -> StoreError {
    StoreError::Keyring(error.to_string())
}
