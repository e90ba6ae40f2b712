//! Putting a module into a registry that is a folder.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use spoor_gate::{Admitted, Policy, PublicKey, admit};

use spoor_registry::{INDEX_FILE, Index, MAX_INDEX, SignedIndex, Version};

use super::place::Place;
use super::wrong;
use crate::error::Error;
use crate::plugins::keys::Secret;
use crate::save::write_atomically;

/// What was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The plugin's name.
    pub name: String,
    /// What the index says of it now.
    pub version: Version,
    /// The registry's key.
    pub key: PublicKey,
    /// Whether the index is new.
    pub is_first: bool,
}

/// Puts a module into the registry in `folder`, and its version into the index, which `secret` signs. The module is admitted
/// first; a version that is there stays as it is. Nobody else may publish there meanwhile.
///
/// # Errors
/// The module is refused, the version is taken by another, the index is another key's, or a file cannot be written.
pub fn publish(module: &[u8], folder: &Path, secret: &Secret) -> Result<Published, Error> {
    let admitted = admit(module, &Policy::default()).map_err(|e| wrong(e.to_string()))?;
    fs::create_dir_all(folder).map_err(Error::file("cannot make the registry", folder))?;
    let (mut index, is_first) = current(folder, secret)?;
    let version = enter(&mut index, &admitted)?;
    let file = folder.join(&version.file);
    if let Some(around) = file.parent() {
        fs::create_dir_all(around).map_err(Error::file("cannot make the folder", around))?;
    }
    // The module first: an index never names a file that is not there.
    write_atomically(&file, module)?;
    let bytes = secret.sign_index(&index)?;
    write_atomically(&folder.join(INDEX_FILE), &bytes)?;
    Ok(Published {
        name: admitted.manifest.name,
        version,
        key: secret.public(),
        is_first,
    })
}

fn current(folder: &Path, secret: &Secret) -> Result<(Index, bool), Error> {
    if !folder.join(INDEX_FILE).exists() {
        return Ok((Index::new(), true));
    }
    let bytes = Place::Folder(folder.to_owned()).read(INDEX_FILE, MAX_INDEX)?;
    let signed = SignedIndex::read(&bytes).map_err(|e| wrong(e.to_string()))?;
    if signed.key != secret.public() {
        return Err(wrong(format!(
            "the registry in {} is signed by the key {}, and this is {}: publish with the registry's own key",
            folder.display(),
            signed.key,
            secret.public()
        )));
    }
    Ok((signed.index, false))
}

fn enter(index: &mut Index, module: &Admitted<'_>) -> Result<Version, Error> {
    let manifest = &module.manifest;
    let version = Version::of(&module.label());
    let entry = index.plugins.entry(manifest.name.clone()).or_default();
    let taken = entry
        .versions
        .iter()
        .find(|other| other.version == version.version);
    match taken {
        Some(other) if other.sha256 == version.sha256 => {}
        Some(other) => {
            return Err(wrong(format!(
                "the registry has another {} {} (SHA-256 {}): a published version stays, so give this one a new number",
                manifest.name, version.version, other.sha256
            )));
        }
        None => entry.versions.push(version.clone()),
    }
    index.serial = now().max(index.serial + 1);
    Ok(version)
}

/// Seconds since 1970: a registry that is made anew goes on from the one before.
fn now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}
