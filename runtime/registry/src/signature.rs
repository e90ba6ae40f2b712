//! Signatures: the module's last section, Ed25519 over every byte before it.
//!
//! The section is accepted only in the one form that [`sign`] writes, so that the bytes outside the signature cannot be
//! changed and still verify.

use spoor_plugin_abi::{PUBLIC_KEY_LENGTH, SIGNATURE_SECTION, SIGNATURE_SECTION_LENGTH};

use crate::keys::{PublicKey, public_key, sign_bytes, verifies};

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

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words} (at byte {offset})")]
pub struct BadSignature {
    /// Where in the module.
    pub offset: usize,
    /// What is wrong.
    pub words: String,
}

/// Signs a module: the bytes with the section appended. Fails on what is no module or signed already.
pub fn sign(module: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>, SigningError> {
    if !module.starts_with(b"\0asm\x01\0\0\0") {
        return Err(SigningError::NotAModule);
    }
    if is_signed(module) {
        return Err(SigningError::Signed);
    }
    let mut signed = module.to_vec();
    signed.extend_from_slice(&head());
    signed.extend_from_slice(&public_key(secret).0);
    signed.extend_from_slice(&sign_bytes(secret, module));
    Ok(signed)
}

/// The key whose signature the section at `start` holds. What follows the section makes it bad.
///
/// # Errors
/// The section is malformed, not the last, or not the key's over the bytes before it.
pub fn verify(module: &[u8], start: usize) -> Result<PublicKey, BadSignature> {
    let (signed, section) = module.split_at(start.min(module.len()));
    let content = section
        .strip_prefix(&head()[..])
        .filter(|content| content.len() == SIGNATURE_SECTION_LENGTH)
        .ok_or_else(|| {
            let words = format!("the section has to hold {SIGNATURE_SECTION_LENGTH} bytes and be written in the shortest form");
            bad(start, words)
        })?;
    let (key, signature) = content.split_at(PUBLIC_KEY_LENGTH);
    let place = start + head().len();
    let cut_short = || bad(place, "the key or the signature is cut short");
    let key = PublicKey(key.try_into().map_err(|_| cut_short())?);
    let signature = signature.try_into().map_err(|_| cut_short())?;
    if verifies(&key, signed, &signature) {
        return Ok(key);
    }
    Err(bad(
        place,
        "the signature is not the key's over these bytes: they were changed, or it is forged",
    ))
}

fn bad(offset: usize, words: impl Into<String>) -> BadSignature {
    BadSignature {
        offset,
        words: words.into(),
    }
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
