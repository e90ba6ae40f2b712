//! A publisher's secret key as a file, and what it signs. The secret is never printed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use spoor_registry::{Index, PublicKey, SignedIndex, public_key};

use crate::error::Error;

/// What a key's file begins with; 64 hexadecimal digits follow.
const MARK: &str = "spoor-plugin-secret-key-1:";

/// A publisher's secret key.
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new key, from the system's randomness.
    ///
    /// # Errors
    /// There is none.
    pub fn new() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::Data(format!("the system gave no random bytes for a key: {e}")))?;
        Ok(Secret(bytes))
    }

    /// Writes the key to a new file that its user alone can read.
    ///
    /// # Errors
    /// There is a file already, or none can be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::file("cannot write the key", path))?;
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        file.write_all(format!("{MARK}{digits}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(Error::file("cannot write the key", path))
    }

    /// Reads a key's file. One that others can read is refused, for they may have.
    ///
    /// # Errors
    /// It cannot be read, others can read it, or it is no key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::file("cannot read the key", path))?;
        let meta = file
            .metadata()
            .map_err(Error::file("cannot read the key", path))?;
        if meta.mode() & 0o077 != 0 {
            return Err(Error::Data(format!(
                "others can read the key {0}: take that right away with `chmod 600 {0}`, and make a new key if they may have",
                path.display()
            )));
        }
        let mut text = String::new();
        let read = Read::by_ref(&mut file).take(4096).read_to_string(&mut text);
        read.map_err(Error::file("cannot read the key", path))?;
        let key = text
            .trim()
            .strip_prefix(MARK)
            .and_then(|digits| digits.parse::<PublicKey>().ok());
        // Both kinds of key are 32 bytes in the same digits.
        key.map(|key| Secret(key.0)).ok_or_else(|| {
            Error::Data(format!(
                "{} is no key of spoor's: make one with `spoor plugin key new`",
                path.display()
            ))
        })
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        public_key(&self.0)
    }

    /// Signs a module: see [`spoor_gate::sign`].
    ///
    /// # Errors
    /// It is no module, or signed already.
    pub fn sign_module(&self, module: &[u8]) -> Result<Vec<u8>, spoor_gate::SigningError> {
        spoor_gate::sign(module, &self.0)
    }

    /// The file of a registry's index that the key signs.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn sign_index(&self, index: &Index) -> Result<Vec<u8>, Error> {
        SignedIndex::write(index, &self.0).map_err(|e| Error::Data(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_kept_from_others_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let secret = Secret::new().unwrap();
        secret.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(Secret::read(&path).unwrap().public(), secret.public());
        assert!(secret.save(&path).is_err());
        assert_eq!(format!("{secret:?}"), "Secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let told = Secret::read(&path).unwrap_err().to_string();
        assert!(told.contains("chmod 600"), "{told}");
    }

    #[test]
    fn what_is_no_key_is_told_without_its_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "spoor-plugin-secret-key-1:secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let told = Secret::read(&path).unwrap_err().to_string();
        assert!(
            told.contains("no key") && !told.contains("secret-key-1:"),
            "{told}"
        );
    }
}
