//! Where the recorded answers of a notebook's workspaces are: `metadata.spoor.recorded`, a folder beside the notebook.

use serde_json::{Value, json};

use crate::model::{Notebook, Object};

/// The folder that a notebook's metadata names, as a path relative to the notebook's own that leads neither up nor elsewhere;
/// none where there is none, or where it is written otherwise.
pub fn recorded_in(metadata: &Object) -> Option<&str> {
    let folder = metadata.get("spoor")?.get("recorded")?.as_str()?;
    let is_plain = |part: &str| {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    folder.split('/').all(is_plain).then_some(folder)
}

impl Notebook {
    /// [`recorded_in`] its metadata.
    pub fn recorded(&self) -> Option<&str> {
        recorded_in(&self.metadata)
    }

    /// Says where they are. A folder that [`Notebook::recorded`] would not give is not written.
    pub fn set_recorded(&mut self, folder: &str) {
        let before = self.metadata.clone();
        let spoor = self.metadata.entry("spoor").or_insert_with(|| json!({}));
        if let Some(spoor) = spoor.as_object_mut() {
            spoor.insert("recorded".into(), Value::from(folder));
        }
        if self.recorded() != Some(folder) {
            self.metadata = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_beside_the_notebook_is_kept_and_no_other() {
        let mut notebook = Notebook::new();
        assert_eq!(notebook.recorded(), None);
        for folder in ["hunt.recorded", "answers/June 3"] {
            notebook.set_recorded(folder);
            assert_eq!(notebook.recorded(), Some(folder));
        }
        for folder in [
            "",
            "..",
            "a/../b",
            "/etc",
            "//host/a",
            "https://host",
            "a\\b",
            "a/",
            "a%2f",
            "a?b",
        ] {
            notebook.set_recorded(folder);
            assert_eq!(notebook.recorded(), Some("answers/June 3"), "{folder}");
            notebook.metadata["spoor"]["recorded"] = folder.into();
            assert_eq!(notebook.recorded(), None, "{folder}");
            notebook.set_recorded("answers/June 3");
        }
    }
}
