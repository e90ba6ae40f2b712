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

    /// The functions whose names may be typed at the end of this text, which is a cell's up to the cursor: each with what it does.
    /// Beside them how many characters of the name are there.
    pub fn completing(&self, before: &str) -> (usize, Vec<(&str, &str)>) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let head = before.trim_end_matches(is_word);
        let typed = &before[head.len()..];
        let follows = |word: &str| {
            let rest = head.trim_end().strip_suffix(word);
            rest.is_some_and(|rest| !rest.ends_with(is_word))
        };
        if !follows("evaluate") && !follows("spoor.plugins.") {
            return (0, Vec::new());
        }
        let functions = self.0.iter().flat_map(|(_, version)| &version.functions);
        let fitting = functions.filter(|function| function.name.starts_with(typed));
        let named = fitting.map(|function| (function.name.as_str(), function.summary.as_str()));
        (typed.len(), named.collect())
    }
}

#[cfg(test)]
mod tests {
    use spoor_registry::Index;

    use super::super::words::tests::label;
    use super::*;

    #[test]
    fn names_are_completed_where_a_call_is_typed() {
        let offers = Offers(vec![("x".into(), Version::of(&label(&[], None)))]);
        let names = |before: &str| -> Vec<String> {
            let (_, found) = offers.completing(before);
            found.into_iter().map(|(name, _)| name.to_owned()).collect()
        };
        assert_eq!(names("T | evaluate "), ["f"]);
        assert_eq!(names("x = spoor.plugins.f"), ["f"]);
        assert_eq!(offers.completing("T | evaluate f").0, 1);
        for before in [
            "T | evaluate g",
            "T | reevaluate ",
            "T | where f",
            "evaluatef",
            "",
        ] {
            assert_eq!(names(before), [""; 0], "{before}");
        }
    }

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
