//! The plugins that the page's site offers.

use spoor_notebook::names;
use spoor_registry::{SignedIndex, Version};

/// The newest version of each plugin of the site's registry, by name. The page itself comes from the same place, so its
/// word is as good as the page's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers(Vec<(String, Version)>);

impl Offers {
    /// Those that an index lists.
    ///
    /// # Errors
    /// It is no index.
    pub fn read(index: &[u8]) -> Result<Self, String> {
        if index == b"[]" {
            return Ok(Self::default());
        }
        let signed = SignedIndex::read(index).map_err(|error| error.to_string())?;
        let names = signed.index.plugins.keys();
        let newest = names.filter_map(|name| {
            let version = signed.index.resolve(name, None).ok()?;
            Some((name.clone(), version.clone()))
        });
        Ok(Self(newest.collect()))
    }

    /// All, by name.
    pub fn all(&self) -> &[(String, Version)] {
        &self.0
    }

    /// Those of whose functions a cell's text has the name.
    pub fn named<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a (String, Version)> {
        self.0.iter().filter(move |(_, version)| {
            let functions = version.functions.iter();
            functions.into_iter().any(|f| names(source, &f.name))
        })
    }
}

#[cfg(test)]
mod tests {
    use spoor_registry::Index;

    use super::super::words::tests::label;
    use super::*;

    #[test]
    fn what_a_cell_names_is_found() -> Result<(), String> {
        let mut index = Index::new();
        let entry = index.plugins.entry("x".into()).or_default();
        entry.versions.push(Version::of(&label(&[], None)));
        let bytes = SignedIndex::write(&index, &[1; 32]).map_err(|error| error.to_string())?;
        let offers = Offers::read(&bytes)?;
        assert_eq!(offers.named("T | evaluate f(A)").count(), 1);
        assert_eq!(offers.named("T | evaluate g(A)").count(), 0);
        assert_eq!(Offers::read(b"[]")?, Offers::default());
        assert!(Offers::read(b"{}").is_err());
        Ok(())
    }
}
