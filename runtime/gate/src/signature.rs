//! Signatures: the module's last section, Ed25519 over every byte before it.
//!
//! The section is accepted only in the one form that [`sign`] writes, so that the bytes outside the signature cannot be
//! changed and still verify.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use spoor_plugin_abi::{
    PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, SIGNATURE_SECTION, SIGNATURE_SECTION_LENGTH,
};

use crate::identity::{NotHex, read_hex, write_hex};
use crate::refusal::{Refusal, Rule};

/// A publisher's Ed25519 public key; printed and read as 64 hexadecimal digits.
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

/// Why a module cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The bytes are not a WebAssembly module.
    #[error("not a WebAssembly module: sign what the toolchain wrote")]
    NotAModule,
    /// There is a signature already.
    #[error("the module is signed already: sign the unsigned one")]
    Signed,
}

/// The public key of a secret key's 32 bytes.
pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    PublicKey(SigningKey::from_bytes(secret).verifying_key().to_bytes())
}

/// Signs a module: the bytes with the section appended. Fails on what is no module or signed already.
pub fn sign(module: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>, SigningError> {
    if !module.starts_with(b"\0asm\x01\0\0\0") {
        return Err(SigningError::NotAModule);
    }
    if is_signed(module) {
        return Err(SigningError::Signed);
    }
    let key = SigningKey::from_bytes(secret);
    let mut signed = module.to_vec();
    signed.extend_from_slice(&head());
    signed.extend_from_slice(key.verifying_key().as_bytes());
    signed.extend_from_slice(&key.sign(module).to_bytes());
    Ok(signed)
}

/// The key whose signature the section at `start` holds. The caller has seen that the section has the signature's name
/// and nothing follows it.
pub(crate) fn verify(module: &[u8], start: usize) -> Result<PublicKey, Refusal> {
    let (signed, section) = module.split_at(start.min(module.len()));
    let content = section
        .strip_prefix(&head()[..])
        .filter(|content| content.len() == SIGNATURE_SECTION_LENGTH)
        .ok_or_else(|| {
            let words = format!("the section has to hold {SIGNATURE_SECTION_LENGTH} bytes and be written in the shortest form");
            Refusal::new(Rule::Signature, start, words)
        })?;
    let (key, signature) = content.split_at(PUBLIC_KEY_LENGTH);
    let place = start + head().len();
    let failed = |words: &str| Refusal::new(Rule::Signature, place, words);
    let key: [u8; PUBLIC_KEY_LENGTH] =
        key.try_into().map_err(|_| failed("the key is cut short"))?;
    let signature: [u8; SIGNATURE_LENGTH] = signature
        .try_into()
        .map_err(|_| failed("the signature is cut short"))?;
    let verifying =
        VerifyingKey::from_bytes(&key).map_err(|_| failed("the key is no Ed25519 key"))?;
    verifying
        .verify_strict(signed, &Signature::from_bytes(&signature))
        .map_err(|_| failed("the signature is not the key's over these bytes: they were changed, or it is forged"))?;
    Ok(PublicKey(key))
}

/// What the section begins with: its id, its size and its name.
fn head() -> Vec<u8> {
    let name = SIGNATURE_SECTION.as_bytes();
    let mut head = vec![
        0,
        (1 + name.len() + SIGNATURE_SECTION_LENGTH) as u8,
        name.len() as u8,
    ];
    head.extend_from_slice(name);
    head
}

fn is_signed(module: &[u8]) -> bool {
    module
        .len()
        .checked_sub(head().len() + SIGNATURE_SECTION_LENGTH)
        .is_some_and(|at| module[at..].starts_with(&head()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_signature_verifies_and_no_bit_can_change() {
        let signed = sign(MODULE, &[7; 32]).unwrap();
        assert_eq!(verify(&signed, MODULE.len()), Ok(public_key(&[7; 32])));
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            assert!(verify(&changed, MODULE.len()).is_err(), "byte {at}");
        }
        assert_eq!(sign(&signed, &[7; 32]), Err(SigningError::Signed));
        assert_eq!(sign(b"\0elf", &[7; 32]), Err(SigningError::NotAModule));
    }
}
