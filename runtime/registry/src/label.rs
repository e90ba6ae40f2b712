//! What a module says of itself, before anybody has looked into it.

use spoor_plugin_abi::{MANIFEST_SECTION, Manifest, SIGNATURE_SECTION};
use wasmparser::{Parser, Payload};

use crate::identity::Identity;
use crate::keys::PublicKey;
use crate::signature::{BadSignature, verify};

/// What a module says of itself, and whose signature it bears. It is no admission: the gate may refuse the module yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The SHA-256 of the bytes.
    pub identity: Identity,
    /// Bytes of the module.
    pub size: usize,
    /// What the module says of itself.
    pub manifest: Manifest,
    /// Whose signature it bears; `None` when it is not signed.
    pub publisher: Option<PublicKey>,
}

/// Why there is nothing to be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The bytes are no module.
    #[error("it is no WebAssembly module: {0}")]
    NotAModule(String),
    /// A module without a manifest.
    #[error("it is a WebAssembly module, and no plugin: it has no section spoor.manifest")]
    NotAPlugin,
    /// The manifest does not read.
    #[error("its manifest does not read: {0}")]
    Manifest(String),
    /// The signature is not good.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

impl Label {
    /// Reads the label of a module.
    ///
    /// # Errors
    /// There is none, or its signature is not good.
    pub fn read(bytes: &[u8]) -> Result<Self, LabelError> {
        let (mut manifest, mut signature, mut end) = (None, None, 8);
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| LabelError::NotAModule(error.to_string()))?;
            let start = end;
            if let Some((_, range)) = payload.as_section() {
                end = range.end;
            }
            let Payload::CustomSection(section) = payload else {
                continue;
            };
            if section.name() == MANIFEST_SECTION {
                let read = Manifest::parse(section.data());
                manifest = Some(read.map_err(|error| LabelError::Manifest(error.to_string()))?);
            } else if section.name() == SIGNATURE_SECTION {
                signature = Some(start);
            }
        }
        let publisher = signature.map(|start| verify(bytes, start)).transpose()?;
        Ok(Label {
            identity: Identity::of(bytes),
            size: bytes.len(),
            manifest: manifest.ok_or(LabelError::NotAPlugin)?,
            publisher,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::keys::public_key;
    use crate::signature::sign;

    const MANIFEST: &str = r#"{"abi":1,"name":"x","version":"1.0.0","licence":"MIT","summary":"X","functions":[
        {"name":"f","summary":"F","input":"none","output":{"rows":"free","columns":[{"name":"V","type":"long"}]}}]}"#;

    /// A module of one custom section.
    fn module(name: &str, data: &str) -> Vec<u8> {
        let size = 1 + name.len() + data.len();
        let mut bytes = b"\0asm\x01\0\0\0\0".to_vec();
        bytes.extend([
            (size & 0x7f) as u8 | 0x80,
            (size >> 7) as u8,
            name.len() as u8,
        ]);
        bytes.extend(name.bytes().chain(data.bytes()));
        bytes
    }

    #[test]
    fn what_a_module_says_reads() {
        let plain = module(MANIFEST_SECTION, MANIFEST);
        let label = Label::read(&plain);
        let signed = sign(&plain, &[7; 32]).unwrap();
        let read = Label::read(&signed);
        match (label, read) {
            (Ok(plain), Ok(signed)) => {
                assert_eq!((plain.manifest.name.as_str(), plain.publisher), ("x", None));
                assert_eq!(signed.publisher, Some(public_key(&[7; 32])));
                assert_ne!(plain.identity, signed.identity);
            }
            other => panic!("{other:?}"),
        }
        let mut forged = signed;
        forged[20] ^= 1;
        assert!(Label::read(&forged).is_err());
    }

    #[test]
    fn what_is_no_plugin_is_told() {
        assert!(matches!(
            Label::read(b"PK\x03\x04"),
            Err(LabelError::NotAModule(_))
        ));
        assert_eq!(Label::read(b"\0asm\x01\0\0\0"), Err(LabelError::NotAPlugin));
        assert!(matches!(
            Label::read(&module(MANIFEST_SECTION, "{")),
            Err(LabelError::Manifest(_))
        ));
    }
}
