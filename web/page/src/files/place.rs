//! Keeping a notebook under a name of the user's choosing, never over another unasked.

use spoor_model::gallery::{copy_name, notebook_name};

use super::{Question, ask_choice, ask_text, sentence};
use crate::storage::{Copy, Entry, Store, StoreError, same_name};

/// Where a notebook is to be kept.
enum Place {
    /// A new notebook of this name.
    New(String),
    /// In place of this one, which stays among its versions.
    Over(Entry),
}

/// Asks for a name and keeps what `copy` then gives under it. None if the user gave up.
pub async fn keep_as(
    store: &Store,
    title: &str,
    proposed: &str,
    copy: impl Fn() -> Copy,
) -> Result<Option<Entry>, StoreError> {
    let mut proposed = proposed.to_owned();
    loop {
        let Some(name) = ask_name(title, &proposed).await else {
            return Ok(None);
        };
        let Some(place) = place(store, &name).await? else {
            return Ok(None);
        };
        let Copy {
            text,
            origin,
            trusted,
        } = copy();
        let origin = origin.as_deref();
        let kept = match &place {
            Place::New(name) => store.create_as(name, &text, origin, trusted).await,
            Place::Over(entry) => {
                let base = entry.version();
                store
                    .overwrite(&entry.id, base, &text, origin, trusted)
                    .await
            }
        };
        match kept {
            // Another tab took the name in between, or saved what was to be overwritten.
            Err(StoreError::NameTaken(_) | StoreError::Conflict { .. }) => proposed = name,
            other => return other.map(Some),
        }
    }
}

async fn ask_name(title: &str, proposed: &str) -> Option<String> {
    let question = Question {
        title,
        label: "Name",
        value: proposed,
        act: "Save",
    };
    ask_text(question, |typed| {
        notebook_name(typed).map_err(|error| sentence(&error.to_string()))
    })
    .await
}

/// Where a notebook of this name goes; asks where the name is taken.
async fn place(store: &Store, name: &str) -> Result<Option<Place>, StoreError> {
    let all = store.notebooks().await?;
    let Some(other) = all.iter().find(|other| same_name(&other.name, name)) else {
        return Ok(Some(Place::New(name.to_owned())));
    };
    let names: Vec<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
    let free = copy_name(name, &names);
    let text = format!(
        "You have a notebook named {}. What you overwrite stays among its versions.",
        other.name
    );
    let acts = [
        format!("Save as {free}"),
        format!("Overwrite {}", other.name),
    ];
    let chosen = ask_choice("The name is taken", &text, &[&acts[0], &acts[1]]).await;
    Ok(match chosen {
        Some(0) => Some(Place::New(free)),
        Some(_) => Some(Place::Over(other.clone())),
        None => None,
    })
}
