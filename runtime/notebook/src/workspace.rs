//! The workspace that a notebook's queries go to where they name none: `metadata.spoor.workspace`.

use serde_json::{Value, json};

use crate::model::{Notebook, Object};

/// The longest name that is taken for one.
const MOST: usize = 200;

/// The workspace that a notebook's metadata names; none where there is none, or something else.
pub fn workspace_in(metadata: &Object) -> Option<&str> {
    let name = metadata.get("spoor")?.get("workspace")?.as_str()?;
    (!name.is_empty() && name.len() <= MOST).then_some(name)
}

/// Names another workspace in a notebook's metadata, or none. What else is there stays; a `spoor` that is no object gives way.
pub fn name_workspace(metadata: &mut Object, name: Option<&str>) {
    let spoor = metadata.entry("spoor").or_insert_with(|| json!({}));
    if !spoor.is_object() {
        *spoor = json!({});
    }
    let Some(fields) = spoor.as_object_mut() else {
        return;
    };
    match name {
        Some(name) => drop(fields.insert("workspace".into(), Value::from(name))),
        None => drop(fields.remove("workspace")),
    }
    if fields.is_empty() {
        metadata.remove("spoor");
    }
}

impl Notebook {
    /// [`workspace_in`] its metadata.
    pub fn workspace(&self) -> Option<&str> {
        workspace_in(&self.metadata)
    }

    /// [`name_workspace`] in its metadata.
    pub fn set_workspace(&mut self, name: &str) {
        name_workspace(&mut self.metadata, Some(name));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_named_and_taken_back_and_the_rest_stays() {
        let mut metadata = Object::new();
        name_workspace(&mut metadata, Some("soc"));
        assert_eq!(workspace_in(&metadata), Some("soc"));
        name_workspace(&mut metadata, None);
        assert!(metadata.is_empty());
        metadata.insert("spoor".into(), json!({ "recorded": "x" }));
        name_workspace(&mut metadata, Some("lab"));
        name_workspace(&mut metadata, None);
        assert_eq!(
            Value::from(metadata),
            json!({ "spoor": { "recorded": "x" } })
        );
    }

    #[test]
    fn what_is_no_name_is_none() {
        for value in [json!(""), json!(7), json!("x".repeat(201)), json!(null)] {
            let mut metadata = Object::new();
            metadata.insert("spoor".into(), json!({ "workspace": value }));
            assert_eq!(workspace_in(&metadata), None);
        }
    }
}
