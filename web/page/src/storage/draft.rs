//! What was typed just before the page went away.
//!
//! A page that is being closed is not waited for: a save, which first reads what is there, may not
//! get to its end. A draft is one write without a question. When the store is next opened the
//! draft becomes the notebook's newest version; if something else was saved in between, it becomes
//! a notebook of its own.

use super::notebooks::{text, write};
use super::record::{Draft, Entry, same_name};
use super::{Changed, DRAFTS, NOTEBOOKS, Store, StoreError, TEXTS, new_id, now};

impl Store {
    /// Puts what a notebook holds aside, at once, for a page that may be gone in a moment.
    pub fn keep_draft(&self, id: &str, base: u32, text: &str) -> Result<(), StoreError> {
        let mut transaction = self.database().write(&[DRAFTS])?;
        let draft = Draft {
            id: id.to_owned(),
            base,
            text: text.to_owned(),
        };
        transaction.put(DRAFTS, id, &draft)?;
        transaction.send();
        Ok(())
    }

    /// Makes versions of the drafts that are there.
    pub(super) async fn take_up_drafts(&self) -> Result<(), StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS, DRAFTS])?;
        let drafts: Vec<Draft> = transaction.all(DRAFTS).await?;
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
        if some {
            self.tell(&Changed::Notebooks);
        }
        Ok(())
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
        ..entry.clone()
    })
}
