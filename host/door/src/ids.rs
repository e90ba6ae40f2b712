//! Unguessable names for sessions and attempts to sign in. The server keeps their hashes alone: whoever reads its memory cannot
//! pass for anybody.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Random bytes of a name: 256 bits.
const BYTES: usize = 32;

/// A name, for the one cookie that carries it.
pub(crate) struct Id(String);

/// What is kept of a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hash([u8; 32]);

impl Id {
    /// A new one.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> Hash {
        Hash::of(&self.0)
    }
}

impl Hash {
    /// Of what a browser brings.
    pub(crate) fn of(id: &str) -> Self {
        Self(Sha256::digest(id).into())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_256_bits_and_no_two_are_alike() {
        let (one, two) = (Id::new().unwrap(), Id::new().unwrap());
        assert_ne!(one.expose(), two.expose());
        assert_eq!(URL_SAFE_NO_PAD.decode(one.expose()).unwrap().len(), 32);
        assert!(one.hash() == Hash::of(one.expose()) && one.hash() != two.hash());
        assert_eq!(format!("{one:?}"), "Id(..)");
    }
}
