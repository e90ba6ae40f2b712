//! Text that must not be shown: tokens, client secrets, keys.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::store::check_mode;

/// The most bytes that a secret read from a file may have. Secrets of Entra have forty characters.
const MOST_BYTES: u64 = 64 << 10;

/// A token or another secret. It is erased from memory when it is dropped, and no formatting shows it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller keeps no copy.
    pub fn new(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }

    /// Reads a secret to the end of `source`: text in UTF-8, without the line end that editors put behind it.
    pub fn read(source: impl Read) -> std::io::Result<Self> {
        let invalid = |why| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        let mut text = Zeroizing::new(String::new());
        source.take(MOST_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MOST_BYTES {
            return Err(invalid("it is too long for a secret"));
        }
        let kept = text.trim_end_matches(['\r', '\n']);
        if kept.is_empty() || kept.contains(['\r', '\n']) {
            return Err(invalid("a secret is one line of text"));
        }
        Ok(Self::new(kept.to_owned()))
    }

    /// Reads a secret from a file that its user alone can read.
    ///
    /// # Errors
    /// When others could read it, it cannot be read, or is not one line of text.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        check_mode(path, 0o600)?;
        let file = std::fs::File::open(path).map_err(StoreError::file("cannot read", path))?;
        Self::read(file).map_err(StoreError::file("cannot read the secret in", path))
    }

    /// The text, for the one request that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret on its way into the encrypted file or out of it. Only the store's records have one, so that nothing else can be
/// serialised by mistake.
#[derive(Clone, Debug)]
pub(crate) struct Kept(pub(crate) Secret);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Kept(Secret::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_shown() {
        let secret = Secret::new("canary".to_owned());
        assert_eq!(
            format!("{secret:?} {:?}", Kept(secret.clone())),
            "Secret(..) Kept(Secret(..))"
        );
        assert_eq!(secret.expose(), "canary");
    }

    #[test]
    fn one_line_is_read() {
        assert_eq!(Secret::read(&b"s3cret\r\n"[..]).unwrap().expose(), "s3cret");
        for wrong in [&b""[..], b"\n", b"a\nb\n", b"\xff"] {
            assert!(Secret::read(wrong).is_err());
        }
        assert!(Secret::read(std::io::repeat(b'a')).is_err());
    }
}
