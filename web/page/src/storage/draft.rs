//! What was typed just before the page went away.
//!
//! A page that is being closed is not waited for: a transaction of IndexedDB that has not ended then
//! is undone. A draft goes to the browser's local storage, which takes a few megabytes at once and
//! is asked for nothing else; a larger one is tried in IndexedDB. When the store is next opened the
//! draft becomes the notebook's newest version; if something else was saved in between, it becomes
//! a notebook of its own.

use super::notebooks::{text, write};
use super::record::{Draft, Entry, same_name};
use super::{Changed, DRAFTS, NOTEBOOKS, Store, StoreError, TEXTS, new_id, now};
use crate::dom;

impl Store {
    /// Puts what a notebook holds aside, at once, for a page that may be gone in a moment.
    /// Whether it is there already: else it may be lost with the page.
    pub fn keep_draft(&self, id: &str, base: u32, text: &str) -> Result<bool, StoreError> {
        let draft = Draft {
            id: id.to_owned(),
            base,
            text: text.to_owned(),
            served: None,
        };
        self.put_aside(&draft)
    }

    /// As [`Store::keep_draft`], for a notebook that a server keeps and that was `version` when it was read.
    pub fn keep_served(&self, id: &str, version: &str, text: &str) -> Result<bool, StoreError> {
        let draft = Draft {
            id: id.to_owned(),
            base: 0,
            text: text.to_owned(),
            served: Some(version.to_owned()),
        };
        self.put_aside(&draft)
    }

    /// As [`Store::keep_served`], for a notebook that is kept nowhere else, and by a page that goes on: nothing waits for it.
    pub async fn keep_elsewhere(&self, id: &str, text: &str) -> Result<(), StoreError> {
        let draft = Draft {
            id: id.to_owned(),
            base: 0,
            text: text.to_owned(),
            served: Some(String::new()),
        };
        let transaction = self.database().write(&[DRAFTS])?;
        transaction.put(DRAFTS, id, &draft)?;
        transaction.commit().await?;
        // An older one would be taken for it.
        forget_draft(id);
        Ok(())
    }

    fn put_aside(&self, draft: &Draft) -> Result<bool, StoreError> {
        if keep_locally(draft).is_some() {
            return Ok(true);
        }
        // An older one would take this one's place.
        forget_draft(&draft.id);
        let mut transaction = self.database().write(&[DRAFTS])?;
        transaction.put(DRAFTS, &draft.id, draft)?;
        transaction.send();
        Ok(false)
    }

    /// What was put aside of a notebook that a server keeps: the version that it was typed on, and the text.
    pub async fn served_draft(&self, id: &str) -> Result<Option<(String, String)>, StoreError> {
        let local = local_drafts().into_iter().find(|draft| draft.id == id);
        let draft = match local {
            Some(draft) => Some(draft),
            None => self.database().read(&[DRAFTS])?.get(DRAFTS, id).await?,
        };
        let draft = draft.filter(|draft: &Draft| draft.served.is_some());
        Ok(draft.map(|draft| (draft.served.unwrap_or_default(), draft.text)))
    }

    /// What was put aside of a notebook that a server keeps is saved.
    pub async fn forget_served(&self, id: &str) -> Result<(), StoreError> {
        forget_draft(id);
        let transaction = self.database().write(&[DRAFTS])?;
        transaction.delete(DRAFTS, id)?;
        transaction.commit().await
    }

    /// Makes versions of the drafts that are there.
    pub(super) async fn take_up_drafts(&self) -> Result<(), StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS, DRAFTS])?;
        let mut local = local_drafts();
        // What a server keeps is taken up when it is opened, and compared with what is there.
        local.retain(|draft| draft.served.is_none());
        let mut drafts: Vec<Draft> = transaction.all(DRAFTS).await?;
        drafts.retain(|draft| draft.served.is_none());
        drafts.extend(local.iter().cloned());
        let all: Vec<Entry> = transaction.all(NOTEBOOKS).await?;
        let some = !drafts.is_empty();
        for draft in drafts {
            transaction.delete(DRAFTS, &draft.id)?;
            let Some(entry) = all.iter().find(|entry| entry.id == draft.id) else {
                continue;
            };
            let kept = text(&transaction, &entry.id, entry.version()).await;
            if kept.is_ok_and(|kept| kept == draft.text) {
                continue;
            }
            let mut entry = match entry.version() == draft.base {
                true => entry.clone(),
                false => recovered(entry, &all)?,
            };
            write(&transaction, &mut entry, &draft.text)?;
        }
        transaction.commit().await?;
        for draft in &local {
            forget_draft(&draft.id);
        }
        if some {
            self.tell(&Changed::Notebooks);
        }
        Ok(())
    }
}

/// Where drafts are in the local storage: each under its notebook's id.
const PREFIX: &str = "spoor:draft:";

fn local() -> Option<web_sys::Storage> {
    dom::window().local_storage().ok().flatten()
}

/// Puts a draft into the local storage; none if it is too large for that.
fn keep_locally(draft: &Draft) -> Option<()> {
    let text = serde_json::to_string(draft).ok()?;
    local()?
        .set_item(&format!("{PREFIX}{}", draft.id), &text)
        .ok()
}

fn local_drafts() -> Vec<Draft> {
    let Some(storage) = local() else {
        return Vec::new();
    };
    let length = storage.length().unwrap_or(0);
    let keys = (0..length).filter_map(|at| storage.key(at).ok().flatten());
    let texts = keys
        .filter(|key| key.starts_with(PREFIX))
        .filter_map(|key| storage.get_item(&key).ok().flatten());
    texts
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect()
}

/// What it held is saved.
pub(super) fn forget_draft(id: &str) {
    if let Some(storage) = local() {
        let _ = storage.remove_item(&format!("{PREFIX}{id}"));
    }
}

/// A notebook beside one that has gone on without the draft.
fn recovered(entry: &Entry, all: &[Entry]) -> Result<Entry, StoreError> {
    let stem = entry.name.strip_suffix(".ipynb").unwrap_or(&entry.name);
    let names = (1_u32..).map(|number| match number {
        1 => format!("{stem} (recovered).ipynb"),
        _ => format!("{stem} (recovered {number}).ipynb"),
    });
    let free = |name: &String| !all.iter().any(|other| same_name(&other.name, name));
    Ok(Entry {
        id: new_id()?,
        name: { names }.find(free).unwrap_or_else(|| entry.name.clone()),
        created: now(),
        versions: Vec::new(),
        removed: None,
        // The draft may be of what was there before the user trusted what is there now.
        trusted: entry.trusted && entry.origin.is_none(),
        ..entry.clone()
    })
}
