//! The plugins that come with Spoor: a registry among the assets, whose word is as good as the program's own.

use spoor_registry::{INDEX_FILE, Index, MAX_INDEX, SignedIndex, Version};

use super::place::Place;
use super::wrong;
use crate::assets::Assets;
use crate::error::Error;

/// The plugins that come with Spoor.
#[derive(Clone, Debug)]
pub struct Shipped {
    place: Place,
    index: Index,
}

impl Shipped {
    /// Those among the assets; none where there is no folder of them.
    ///
    /// # Errors
    /// The folder's index does not read.
    pub fn find(assets: &Assets) -> Result<Option<Self>, Error> {
        let folder = assets.plugins();
        if !folder.join(INDEX_FILE).is_file() {
            return Ok(None);
        }
        let place = Place::Folder(folder);
        let bytes = place.read(INDEX_FILE, MAX_INDEX)?;
        let signed = SignedIndex::read(&bytes).map_err(|e| wrong(format!("{place}: {e}")))?;
        Ok(Some(Self {
            place,
            index: signed.index,
        }))
    }

    /// Each plugin, by its name, in its newest version.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Version)> {
        let names = self.index.plugins.keys();
        names.filter_map(|name| Some((name.as_str(), self.index.resolve(name, None).ok()?)))
    }

    /// The newest version of a plugin.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.index.resolve(name, None).ok()
    }

    /// The module of a plugin, which is the one that the index lists.
    ///
    /// # Errors
    /// There is none of this name, or the file is another.
    pub fn module(&self, name: &str) -> Result<Vec<u8>, Error> {
        let version = self.index.resolve(name, None);
        let version = version.map_err(|e| wrong(e.to_string()))?;
        let bytes = self
            .place
            .read(&version.file, spoor_plugin_abi::MAX_MODULE as u64)?;
        let vouched = version.vouches(name, &bytes);
        vouched.map_err(|e| wrong(format!("{}: {e}", self.place)))?;
        Ok(bytes)
    }
}
