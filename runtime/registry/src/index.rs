//! A registry's index: which plugins there are, in which versions, with the hash of each, and the registry's signature.
//!
//! The file is JSON, `{"signature":{"key":...,"signature":...},"index":{...}}`, and the signature is over the bytes of the
//! index as they stand. So that nothing has to be made canonical, what stands around them is allowed in one form only.

use std::collections::BTreeMap;

use semver::VersionReq;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::keys::{PublicKey, public_key, sign_bytes, verifies};
use crate::label::Label;

/// The index's name in a registry.
pub const INDEX_FILE: &str = "index.json";

/// The longest index, in bytes.
pub const MAX_INDEX: u64 = 64 << 20;

/// The form that this code reads and writes.
const FORM: u32 = 1;

/// What is signed begins with this, so that no signature of a module is one of an index.
const CONTEXT: &[u8] = b"spoor plugin index 1\n";

/// Why an index does not do: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(String);

fn wrong(message: impl Into<String>) -> IndexError {
    IndexError(message.into())
}

/// Whether a registry's file is one of its own: plain names joined by `/`, which mean the same in a folder and in an address,
/// and none of which leads out of it.
pub fn is_inside(file: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    file.split('/')
        .all(|name| !name.is_empty() && !name.starts_with('.') && name.chars().all(plain))
}

/// The plugins of a registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The form: 1.
    pub form: u32,
    /// Grows with each publication, by the clock where that is ahead: an index with a lower number than one that was seen is an old
    /// one.
    pub serial: u64,
    /// The plugins, by name.
    pub plugins: BTreeMap<String, Entry>,
}

/// A plugin of a registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its versions, in the order in which they were published.
    pub versions: Vec<Version>,
}

/// A version of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The version, by semver.
    pub version: String,
    /// The module's SHA-256.
    pub sha256: String,
    /// Bytes of the module.
    pub size: u64,
    /// Where the module is, from the index: names joined by `/`.
    pub file: String,
    /// The key that signed the module; none where it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// The licence, as SPDX has it.
    pub licence: String,
    /// What it does, in one line.
    pub summary: String,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Its functions: of each the name, what it does, and what more there is to say.
    pub functions: Vec<Documented>,
    /// Not to be taken any more, unless it is asked for exactly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

/// A function in an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Documented {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

impl Version {
    /// The version of a module.
    pub fn of(label: &Label) -> Self {
        let manifest = &label.manifest;
        let functions = manifest.functions.iter().map(|function| Documented {
            name: function.name.clone(),
            summary: function.summary.clone(),
            docs: function.docs.clone(),
        });
        let capabilities = manifest.capabilities.iter();
        Version {
            version: manifest.version.clone(),
            sha256: label.identity.to_string(),
            size: label.size as u64,
            file: format!("{0}/{0}-{1}.wasm", manifest.name, manifest.version),
            publisher: label.publisher.map(|key| key.to_string()),
            licence: manifest.licence.clone(),
            summary: manifest.summary.clone(),
            capabilities: capabilities.map(|c| c.name().to_owned()).collect(),
            functions: functions.collect(),
            withdrawn: false,
        }
    }

    /// The label of a module that a registry lists under this name: it is this version by its hash, and by what it says of itself.
    ///
    /// # Errors
    /// It is another, or no plugin.
    pub fn vouches(&self, name: &str, module: &[u8]) -> Result<Label, IndexError> {
        let found = Identity::of(module).to_string();
        if found != self.sha256 {
            return Err(wrong(format!(
                "{} is not what the registry's index vouches for: its SHA-256 is {found}, not {}",
                self.file, self.sha256
            )));
        }
        let label = Label::read(module).map_err(|e| wrong(format!("{}: {e}", self.file)))?;
        let manifest = &label.manifest;
        let publisher = label.publisher.map(|key| key.to_string());
        if manifest.name == name
            && manifest.version == self.version
            && manifest.licence == self.licence
            && publisher == self.publisher
        {
            return Ok(label);
        }
        Err(wrong(format!(
            "the registry lists {name} {} ({}), and the module says it is {} {} ({}) or is signed by another",
            self.version, self.licence, manifest.name, manifest.version, manifest.licence
        )))
    }

    fn semver(&self) -> Option<semver::Version> {
        semver::Version::parse(&self.version).ok()
    }
}

impl Index {
    /// An index of nothing.
    pub fn new() -> Self {
        Index {
            form: FORM,
            serial: 0,
            plugins: BTreeMap::new(),
        }
    }

    /// The newest version of a plugin that a requirement allows; `None` allows the newest that is no pre-release.
    ///
    /// # Errors
    /// No such plugin, or none such version, with those that there are.
    pub fn resolve(
        &self,
        name: &str,
        requirement: Option<&VersionReq>,
    ) -> Result<&Version, IndexError> {
        let entry = self.plugins.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.plugins.keys().map(String::as_str).collect();
            wrong(format!(
                "the registry has no plugin '{name}': it has {}",
                some(&known)
            ))
        })?;
        let any = VersionReq::STAR;
        let requirement = requirement.unwrap_or(&any);
        let exact = is_exact(requirement);
        let fitting = entry.versions.iter().filter(|version| {
            (exact || !version.withdrawn)
                && version
                    .semver()
                    .is_some_and(|version| requirement.matches(&version))
        });
        fitting
            .max_by_key(|version| version.semver())
            .ok_or_else(|| {
                let known: Vec<&str> = entry
                    .versions
                    .iter()
                    .filter(|version| !version.withdrawn)
                    .map(|version| version.version.as_str())
                    .collect();
                wrong(format!(
                    "the registry has no version of {name} that {requirement} allows: it has {}",
                    some(&known)
                ))
            })
    }
}

/// Whether a requirement names one version, all its numbers told.
fn is_exact(requirement: &VersionReq) -> bool {
    match requirement.comparators.as_slice() {
        [one] => one.op == semver::Op::Exact && one.minor.is_some() && one.patch.is_some(),
        _ => false,
    }
}

impl Default for Index {
    fn default() -> Self {
        Index::new()
    }
}

fn some(names: &[&str]) -> String {
    match names {
        [] => "none".into(),
        _ if names.len() > 20 => {
            format!("{} and {} more", names[..20].join(", "), names.len() - 20)
        }
        _ => names.join(", "),
    }
}

/// An index and whose signature it bears. Made by [`SignedIndex::read`] alone, which verifies it.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIndex {
    /// The registry's key.
    pub key: PublicKey,
    /// What it vouches for.
    pub index: Index,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    signature: Seal,
}

#[derive(Serialize, Deserialize)]
struct Seal {
    key: String,
    signature: String,
}

impl Seal {
    /// What stands in the file before the index.
    fn head(&self) -> Result<String, IndexError> {
        let seal = serde_json::to_string(self).map_err(|e| wrong(e.to_string()))?;
        Ok(format!("{{\"signature\":{seal},\"index\":"))
    }
}

const TAIL: &str = "}\n";

impl SignedIndex {
    /// The file of an index that a secret key's 32 bytes sign.
    ///
    /// # Errors
    /// There is none.
    pub fn write(index: &Index, secret: &[u8; 32]) -> Result<Vec<u8>, IndexError> {
        let body = serde_json::to_string_pretty(index).map_err(|e| wrong(e.to_string()))?;
        let signature = sign_bytes(secret, &[CONTEXT, body.as_bytes()].concat());
        let seal = Seal {
            key: public_key(secret).to_string(),
            signature: signature.iter().map(|b| format!("{b:02x}")).collect(),
        };
        Ok(format!("{}{body}{TAIL}", seal.head()?).into_bytes())
    }

    /// Reads an index and verifies it: that the key it names signed it, which says nothing of whose the key is.
    ///
    /// # Errors
    /// It is no index, or its signature is not good.
    pub fn read(bytes: &[u8]) -> Result<Self, IndexError> {
        let no_index = |why: String| {
            wrong(format!(
                "the registry's {INDEX_FILE} is no index: {why}. Ask its owner to publish it again"
            ))
        };
        let envelope: Envelope =
            serde_json::from_slice(bytes).map_err(|e| no_index(e.to_string()))?;
        let seal = envelope.signature;
        let body = bytes
            .strip_prefix(seal.head()?.as_bytes())
            .and_then(|rest| rest.strip_suffix(TAIL.as_bytes()))
            .ok_or_else(|| no_index("it is not written as spoor writes it".into()))?;
        let key: PublicKey = seal
            .key
            .parse()
            .map_err(|_| no_index("its key is not 64 hexadecimal digits".into()))?;
        let signature = halves(&seal.signature)
            .ok_or_else(|| no_index("its signature is not 128 hexadecimal digits".into()))?;
        if !verifies(&key, &[CONTEXT, body].concat(), &signature) {
            return Err(no_index(format!(
                "the signature is not the key's ({key}): it was changed on the way, or is forged"
            )));
        }
        let index: Index = serde_json::from_slice(body).map_err(|e| no_index(e.to_string()))?;
        if index.form != FORM {
            return Err(no_index(format!(
                "it is of form {}, and this spoor reads {FORM}",
                index.form
            )));
        }
        Ok(SignedIndex { key, index })
    }
}

/// 64 bytes from their digits, by the reader of 32.
fn halves(digits: &str) -> Option<[u8; 64]> {
    let half = |text: Option<&str>| text?.parse::<PublicKey>().ok();
    let (first, second) = (half(digits.get(..64))?, half(digits.get(64..))?);
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&first.0);
    bytes[32..].copy_from_slice(&second.0);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn version(version: &str) -> Version {
        Version {
            version: version.into(),
            sha256: "00".repeat(32),
            size: 1,
            file: "x".into(),
            publisher: None,
            licence: "MIT".into(),
            summary: "X".into(),
            capabilities: vec![],
            functions: vec![],
            withdrawn: false,
        }
    }

    fn index() -> Index {
        let mut index = Index::new();
        let entry = index.plugins.entry("x".into()).or_default();
        entry.versions = ["0.9.0", "1.0.0", "1.2.0", "2.0.0-rc.1"]
            .map(version)
            .into();
        index
    }

    #[test]
    fn versions_resolve_by_semver() {
        let mut index = index();
        let found = |index: &Index, requirement: &str| {
            let requirement = VersionReq::parse(requirement).unwrap();
            let found = index.resolve("x", Some(&requirement));
            found.map(|v| v.version.clone()).map_err(|e| e.to_string())
        };
        assert_eq!(index.resolve("x", None).unwrap().version, "1.2.0");
        assert_eq!(found(&index, "1.0").unwrap(), "1.2.0");
        assert_eq!(found(&index, "=1.0.0").unwrap(), "1.0.0");
        assert_eq!(found(&index, "<1").unwrap(), "0.9.0");
        assert_eq!(found(&index, "=2.0.0-rc.1").unwrap(), "2.0.0-rc.1");
        assert!(found(&index, "3").unwrap_err().contains("1.2.0"));
        assert!(
            index
                .resolve("y", None)
                .unwrap_err()
                .to_string()
                .contains("it has x")
        );
        index.plugins.get_mut("x").unwrap().versions[2].withdrawn = true;
        assert_eq!(found(&index, "1").unwrap(), "1.0.0");
        assert_eq!(found(&index, "=1.2.0").unwrap(), "1.2.0");
        assert_eq!(found(&index, "=1").unwrap(), "1.0.0");
    }

    #[test]
    fn no_byte_of_an_index_can_change() {
        let bytes = SignedIndex::write(&index(), &[9; 32]).unwrap();
        let read = SignedIndex::read(&bytes).unwrap();
        assert_eq!((read.key, read.index), (public_key(&[9; 32]), index()));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(SignedIndex::read(&changed).is_err(), "byte {at}");
        }
        assert!(SignedIndex::read(b"").is_err());
        assert!(SignedIndex::read(&[&bytes[..], b"\n"].concat()).is_err());
    }

    #[test]
    fn files_stay_inside() {
        for good in ["index.json", "a/a-1.0.0+x.wasm"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a?b",
            ".hidden",
            "a/%2e",
        ] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
