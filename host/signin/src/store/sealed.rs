//! The encrypted file: a line that says what it is and where its key is, a nonce, and the ciphertext. The line is authenticated
//! with the rest.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key::{Key, Place};
use crate::error::StoreError;

/// Bytes of a nonce: so many that random ones do not meet.
const NONCE: usize = 24;

const IN_KEYRING: &[u8] = b"spoor accounts 1, key in keyring\n";
const IN_FILE: &[u8] = b"spoor accounts 1, key in file\n";

fn header(place: Place) -> &'static [u8] {
    match place {
        Place::Keyring => IN_KEYRING,
        Place::File => IN_FILE,
    }
}

/// Where the key of a file is; `None` if it is no file of this kind.
pub(super) fn place(bytes: &[u8]) -> Option<Place> {
    let places = [Place::Keyring, Place::File];
    places
        .into_iter()
        .find(|place| bytes.starts_with(header(*place)))
}

/// Encrypts `text`.
pub(super) fn seal(place: Place, key: &Key, text: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| StoreError::Random(error.to_string()))?;
    let aad = header(place);
    let payload = Payload { msg: text, aad };
    let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
    // It fails for texts of 256 GiB alone.
    let sealed = sealed.map_err(|_| StoreError::Random("the accounts are too many".to_owned()))?;
    Ok([aad, &nonce, &sealed].concat())
}

/// Decrypts a file; `None` if it is not what was written.
pub(super) fn open(bytes: &[u8], key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let aad = header(place(bytes)?);
    let (nonce, msg) = bytes.get(aad.len()..)?.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg, aad };
    let text = cipher(key).decrypt(&XNonce::from(*nonce), payload);
    text.ok().map(Zeroizing::new)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    let key: &[u8; super::key::LENGTH] = key;
    XChaCha20Poly1305::new(key.into())
}
