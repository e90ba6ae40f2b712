//! Ed25519 keys of publishers and registries.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use spoor_plugin_abi::{PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH};

use crate::identity::{NotHex, read_hex, write_hex};

/// A publisher's or a registry's Ed25519 public key; printed and read as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; PUBLIC_KEY_LENGTH]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl FromStr for PublicKey {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        read_hex(text).map(PublicKey)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The public key of a secret key's 32 bytes.
pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    PublicKey(SigningKey::from_bytes(secret).verifying_key().to_bytes())
}

/// The signature of bytes by a secret key's 32 bytes.
pub fn sign_bytes(secret: &[u8; 32], bytes: &[u8]) -> [u8; SIGNATURE_LENGTH] {
    SigningKey::from_bytes(secret).sign(bytes).to_bytes()
}

/// Whether a signature is the key's over these bytes. A key that is none verifies nothing.
pub fn verifies(key: &PublicKey, bytes: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> bool {
    VerifyingKey::from_bytes(&key.0).is_ok_and(|key| {
        key.verify_strict(bytes, &Signature::from_bytes(signature))
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_its_bytes() {
        let signature = sign_bytes(&[3; 32], b"one");
        let key = public_key(&[3; 32]);
        assert!(verifies(&key, b"one", &signature));
        assert!(!verifies(&key, b"two", &signature));
        assert!(!verifies(&public_key(&[4; 32]), b"one", &signature));
    }
}
