//! The plugins that a notebook pins: `metadata.spoor.plugins`, by name.
//!
//! A pin says which module the notebook was run with. It is a wish and no permission: whoever opens the notebook decides
//! whether that module runs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::Notebook;

/// One pinned plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginPin {
    /// Its version, for people.
    pub version: String,
    /// The SHA-256 of the module, in hexadecimal.
    pub sha256: String,
}

/// Whether a cell's text has a call's words: KQL's `evaluate`, or Python's `spoor.plugins`.
pub fn may_call(source: &str) -> bool {
    source.contains("evaluate") || source.contains("plugins")
}

/// Whether a cell's text has a function's name. In a notebook of which a cell has a call's words, that is taken for a call: one that
/// is none costs the loading of a plugin. Names that are made at run time are not found.
pub fn names(source: &str, function: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    source.split(|c| !is_word(c)).any(|word| word == function)
}

impl Notebook {
    /// Whether its cells may call a plugin's function; see [`names`].
    pub fn mentions(&self, function: &str) -> bool {
        let code = || self.cells.iter().filter(|cell| cell.is_code());
        code().any(|cell| may_call(&cell.source))
            && code().any(|cell| names(&cell.source, function))
    }

    /// The pins, by the plugins' names; entries that are none are passed over.
    pub fn plugin_pins(&self) -> BTreeMap<String, PluginPin> {
        let pins = self
            .metadata
            .get("spoor")
            .and_then(|spoor| spoor.get("plugins"));
        let pins = pins.and_then(Value::as_object);
        let read = |(name, pin): (&String, &Value)| {
            let text = |key: &str| Some(pin.get(key)?.as_str()?.to_owned());
            let sha256 = text("sha256")?;
            let version = text("version").unwrap_or_default();
            Some((name.clone(), PluginPin { version, sha256 }))
        };
        pins.into_iter().flatten().filter_map(read).collect()
    }

    /// Pins a plugin, in place of another module of that name.
    pub fn pin_plugin(&mut self, name: &str, pin: &PluginPin) {
        let spoor = self.metadata.entry("spoor").or_insert_with(|| json!({}));
        let Some(spoor) = spoor.as_object_mut() else {
            // Somebody else's idea of what is there is left alone.
            return;
        };
        let pins = spoor.entry("plugins").or_insert_with(|| json!({}));
        if let Some(pins) = pins.as_object_mut() {
            let value = json!({ "version": pin.version, "sha256": pin.sha256 });
            pins.insert(name.to_owned(), value);
        }
    }

    /// Takes a pin away, and what held it if that is empty then.
    pub fn unpin_plugin(&mut self, name: &str) {
        let Some(spoor) = self
            .metadata
            .get_mut("spoor")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        if let Some(pins) = spoor.get_mut("plugins").and_then(Value::as_object_mut) {
            pins.remove(name);
            if pins.is_empty() {
                spoor.remove("plugins");
            }
        }
        if spoor.is_empty() {
            self.metadata.remove("spoor");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::Cell;

    fn pin(sha256: &str) -> PluginPin {
        PluginPin {
            version: "1.0.0".into(),
            sha256: sha256.into(),
        }
    }

    #[test]
    fn pins_are_kept_beside_what_else_is_there() {
        let mut notebook = Notebook::new();
        assert!(notebook.plugin_pins().is_empty());
        notebook.metadata = serde_json::from_str(r#"{"spoor": {"title": "Hunt"}}"#).unwrap();
        notebook.pin_plugin("beacons", &pin("aa"));
        notebook.pin_plugin("beacons", &pin("bb"));
        assert_eq!(
            notebook.plugin_pins(),
            BTreeMap::from([("beacons".into(), pin("bb"))])
        );
        assert_eq!(notebook.metadata["spoor"]["title"], "Hunt");
        notebook.unpin_plugin("beacons");
        assert_eq!(notebook.metadata["spoor"], json!({"title": "Hunt"}));
    }

    #[test]
    fn calls_are_found_by_their_words() {
        let mut notebook = Notebook::new();
        let mut mentions = |sources: &[&str]| {
            notebook.cells = sources.iter().map(|text| Cell::code(*text)).collect();
            notebook.mentions("beacons")
        };
        assert!(mentions(&["T | evaluate beacons(At)"]));
        assert!(mentions(&[
            "from spoor import plugins as p",
            "p.beacons(frame)"
        ]));
        assert!(!mentions(&["T | where beacons == 1"]));
        assert!(!mentions(&["T | evaluate beacons_of(At)"]));
    }

    #[test]
    fn what_is_no_pin_is_passed_over() {
        let mut notebook = Notebook::new();
        for odd in [
            r#"{"spoor": 3}"#,
            r#"{"spoor": {"plugins": [1]}}"#,
            r#"{"spoor": {"plugins": {"a": {"sha256": 1}}}}"#,
        ] {
            notebook.metadata = serde_json::from_str(odd).unwrap();
            assert!(notebook.plugin_pins().is_empty());
        }
        notebook.metadata = serde_json::from_str(r#"{"spoor": 3}"#).unwrap();
        notebook.pin_plugin("beacons", &pin("aa"));
        assert_eq!(notebook.metadata["spoor"], 3);
    }
}
