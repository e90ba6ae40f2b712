//! The plugins that a user took: the modules in a folder, and a file that pins each by its hash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use spoor_gate::{Admitted, Identity, Policy, PublicKey, admit};

use spoor_registry::{INDEX_FILE, Index, Known, MAX_INDEX, SignedIndex, Untrusted};

use super::place::Place;
use super::wrong;
use crate::error::Error;
use crate::save::write_atomically;

/// The file of pins.
const PINS: &str = "plugins.json";

/// A plugin that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// Its version.
    pub version: String,
    /// The SHA-256 of the one module that may bear its name.
    pub sha256: String,
    /// Whose signature it bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Where it came from.
    pub from: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pins {
    #[serde(default)]
    plugins: BTreeMap<String, Pinned>,
    #[serde(default)]
    registries: BTreeMap<String, Known>,
}

/// A folder of plugins that were taken.
#[derive(Clone, Debug)]
pub struct Installed {
    folder: PathBuf,
    pins: Pins,
}

impl Installed {
    /// The user's folder: `$XDG_DATA_HOME/spoor/plugins`, else `~/.local/share/spoor/plugins`.
    ///
    /// # Errors
    /// The user has no home.
    pub fn folder_of_user() -> Result<PathBuf, Error> {
        std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
            .filter(|base| base.is_absolute())
            .map(|base| base.join("spoor").join("plugins"))
            .ok_or_else(|| {
                wrong("there is no folder for plugins: name one with --dir, or set HOME")
            })
    }

    /// Opens a folder, which need not be there yet.
    ///
    /// # Errors
    /// Its file of pins cannot be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let path = folder.join(PINS);
        let pins = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
                wrong(format!(
                    "{} does not read: {e}. Mend it, or remove it and add the plugins again",
                    path.display()
                ))
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Pins::default(),
            Err(e) => return Err(Error::file("cannot read", path)(e)),
        };
        Ok(Installed { folder, pins })
    }

    /// The plugins, by name.
    pub fn plugins(&self) -> &BTreeMap<String, Pinned> {
        &self.pins.plugins
    }

    /// The module of a plugin, whose hash is the pinned one.
    ///
    /// # Errors
    /// There is no such plugin, or its file is not the one that was pinned.
    pub fn module(&self, name: &str) -> Result<Vec<u8>, Error> {
        let pin = self
            .pins
            .plugins
            .get(name)
            .ok_or_else(|| self.unknown(name))?;
        let path = self.path(&pin.sha256)?;
        let bytes = fs::read(&path).map_err(Error::file("cannot read the plugin", &path))?;
        let found = Identity::of(&bytes).to_string();
        if found == pin.sha256 {
            return Ok(bytes);
        }
        Err(wrong(format!(
            "{} is not the {name} that was added: its SHA-256 is {found}. Remove it and add it again",
            path.display()
        )))
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.pins.plugins.keys().map(String::as_str).collect();
        let known = match known.is_empty() {
            true => "there are none".into(),
            false => format!("there are {}", known.join(", ")),
        };
        wrong(format!("no plugin '{name}' was added: {known}"))
    }

    /// A registry's index, verified. The first time its key has to be given; then it is the one that was given.
    ///
    /// # Errors
    /// It cannot be had, its signature is not good, its key is unknown or another, it is older than one seen before, or what is
    /// known of it cannot be written.
    pub fn index(&mut self, place: &Place, key: Option<PublicKey>) -> Result<Index, Error> {
        let bytes = place.read(INDEX_FILE, MAX_INDEX)?;
        let signed = SignedIndex::read(&bytes).map_err(|e| wrong(e.to_string()))?;
        let known = self.pins.registries.get(&place.to_string());
        let known = Known::see(known, key, &signed).map_err(|why| untrusted(place, why))?;
        self.pins.registries.insert(place.to_string(), known);
        // Whatever comes of what is taken from it: an older one is not believed any more.
        self.save()?;
        Ok(signed.index)
    }

    /// Takes a plugin from a registry: the newest version that the requirement allows, verified by the index's hash, by the
    /// gate, and against the index's word. Pins it.
    ///
    /// # Errors
    /// See [`Installed::index`], [`Index::resolve`] and [`Installed::add`].
    pub fn add_from(
        &mut self,
        place: &Place,
        key: Option<PublicKey>,
        name: &str,
        requirement: Option<&VersionReq>,
        is_new_publisher: bool,
    ) -> Result<Pinned, Error> {
        let index = self.index(place, key)?;
        let version = index
            .resolve(name, requirement)
            .map_err(|e| wrong(e.to_string()))?;
        let bytes = place.read(&version.file, spoor_plugin_abi::MAX_MODULE as u64)?;
        let vouched = version.vouches(name, &bytes);
        vouched.map_err(|e| wrong(format!("{place}: {e}")))?;
        let admitted = admit(&bytes, &Policy::default()).map_err(|e| wrong(e.to_string()))?;
        self.add(&admitted, &place.to_string(), is_new_publisher)
    }

    /// Takes an admitted module, and pins it under its name. A later version has to be signed by the publisher of the one
    /// before, unless `is_new_publisher` says that the change is known.
    ///
    /// # Errors
    /// It is another publisher's, or a file cannot be written.
    pub fn add(
        &mut self,
        module: &Admitted<'_>,
        from: &str,
        is_new_publisher: bool,
    ) -> Result<Pinned, Error> {
        let name = &module.manifest.name;
        let pin = Pinned {
            version: module.manifest.version.clone(),
            sha256: module.identity.to_string(),
            publisher: module.publisher.map(|key| key.to_string()),
            from: from.to_owned(),
        };
        let before = self.pins.plugins.get(name);
        if let Some(before) = before.filter(|b| b.publisher != pin.publisher && !is_new_publisher) {
            let key = |key: &Option<String>| key.clone().unwrap_or("nobody".into());
            return Err(wrong(format!(
                "{name} {} is signed by {}, and {} was by {}. If that change is known, say --new-publisher",
                pin.version,
                key(&pin.publisher),
                before.version,
                key(&before.publisher)
            )));
        }
        fs::create_dir_all(&self.folder)
            .map_err(Error::file("cannot make the folder", &self.folder))?;
        write_atomically(&self.path(&pin.sha256)?, module.bytes)?;
        let old = self.pins.plugins.insert(name.clone(), pin.clone());
        self.save()?;
        self.drop_file(old)?;
        Ok(pin)
    }

    /// Forgets a plugin.
    ///
    /// # Errors
    /// There is no such plugin, or its file stays.
    pub fn remove(&mut self, name: &str) -> Result<Pinned, Error> {
        let pin = self
            .pins
            .plugins
            .remove(name)
            .ok_or_else(|| self.unknown(name))?;
        self.save()?;
        self.drop_file(Some(pin.clone()))?;
        Ok(pin)
    }

    /// Writes the pins.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.folder)
            .map_err(Error::file("cannot make the folder", &self.folder))?;
        let json = serde_json::to_vec_pretty(&self.pins).map_err(|e| wrong(e.to_string()))?;
        write_atomically(&self.folder.join(PINS), &json)
    }

    /// Removes the file of what is pinned no more.
    fn drop_file(&self, old: Option<Pinned>) -> Result<(), Error> {
        let Some(old) = old else { return Ok(()) };
        if self
            .pins
            .plugins
            .values()
            .any(|pin| pin.sha256 == old.sha256)
        {
            return Ok(());
        }
        let path = self.path(&old.sha256)?;
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("cannot remove", path)(e))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, sha256: &str) -> Result<PathBuf, Error> {
        // The file of pins may have been edited.
        let identity: Identity = sha256
            .parse()
            .map_err(|_| wrong(format!("'{sha256}' in {PINS} is no SHA-256")))?;
        Ok(self
            .folder
            .join(Path::new(&identity.to_string()).with_extension("wasm")))
    }
}

/// An index that is not believed, and what its reader can do.
fn untrusted(place: &Place, why: Untrusted) -> Error {
    wrong(match why {
        Untrusted::NotTheGiven { signed } => format!(
            "the registry {place} is signed by the key {signed}, and not by the one that was given"
        ),
        Untrusted::Unknown { signed } => format!(
            "the registry {place} is signed by the key {signed}, which is not known here. If that is the key that its \
             owner made known, say so once with --key {signed}"
        ),
        Untrusted::Changed { signed, before } => format!(
            "the registry {place} is signed by the key {signed}, and was signed by {before} before. If its owner made \
             that change known, say so with --key {signed}"
        ),
        Untrusted::Older { serial, seen } => format!(
            "the registry {place} shows an index older than one seen before ({serial} after {seen}): somebody may be \
             hiding what was published since"
        ),
    })
}
