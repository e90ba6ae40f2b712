//! Notebooks: their text by versions, their names, and the way back.

use wasm_bindgen::JsValue;

use super::draft::forget_draft;
use super::idb::Transaction;
use super::record::{Entry, same_name};
use super::{Changed, DRAFTS, NOTEBOOKS, Store, StoreError, TEXTS, Version, new_id, now};

/// How long deleted notebooks can be brought back, in milliseconds.
const REMOVED_FOR: f64 = 30.0 * 86_400e3;

impl Store {
    /// The notebooks, the last saved first.
    pub async fn notebooks(&self) -> Result<Vec<Entry>, StoreError> {
        self.entries(|entry| entry.removed.is_none()).await
    }

    /// Deleted notebooks that can be brought back.
    pub async fn removed(&self) -> Result<Vec<Entry>, StoreError> {
        self.entries(|entry| entry.removed.is_some()).await
    }

    async fn entries(&self, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, StoreError> {
        let transaction = self.database().read(&[NOTEBOOKS])?;
        let mut all: Vec<Entry> = transaction.all(NOTEBOOKS).await?;
        all.retain(wanted);
        all.sort_by(|a, b| b.modified().total_cmp(&a.modified()));
        Ok(all)
    }

    /// What is kept of a notebook beside its text.
    pub async fn entry(&self, id: &str) -> Result<Entry, StoreError> {
        entry(&self.database().read(&[NOTEBOOKS])?, id).await
    }

    /// A notebook and its text.
    pub async fn read(&self, id: &str) -> Result<(Entry, String), StoreError> {
        let transaction = self.database().read(&[NOTEBOOKS, TEXTS])?;
        let entry = entry(&transaction, id).await?;
        let text = text(&transaction, id, entry.version()).await?;
        Ok((entry, text))
    }

    /// The text of a version of a notebook.
    pub async fn read_version(&self, id: &str, number: u32) -> Result<String, StoreError> {
        text(&self.database().read(&[TEXTS])?, id, number).await
    }

    /// Makes a notebook under a name that is not taken. `origin` says where it came from; one from
    /// elsewhere is not trusted.
    pub async fn create(
        &self,
        name: &str,
        text: &str,
        origin: Option<&str>,
    ) -> Result<Entry, StoreError> {
        self.create_as(name, text, origin, origin.is_none()).await
    }

    /// As [`Store::create`], for what the user trusts wherever it came from, or does not.
    pub async fn create_as(
        &self,
        name: &str,
        text: &str,
        origin: Option<&str>,
        trusted: bool,
    ) -> Result<Entry, StoreError> {
        let mut entry = Entry {
            id: new_id()?,
            name: name.to_owned(),
            created: now(),
            versions: Vec::new(),
            origin: origin.map(str::to_owned),
            trusted,
            removed: None,
        };
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS])?;
        let all: Vec<Entry> = transaction.all(NOTEBOOKS).await?;
        free(&all, name, &entry.id)?;
        write(&transaction, &mut entry, text)?;
        transaction.commit().await?;
        self.tell(&Changed::Notebooks);
        self.ask_to_persist();
        Ok(entry)
    }

    /// Saves a notebook that was version `base` when it was read. Its new version's number.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody saved since; nothing is then changed.
    pub async fn save(&self, id: &str, base: u32, text: &str) -> Result<u32, StoreError> {
        let saved = self.put_version(id, base, text, |_| {}).await;
        saved.map(|entry| entry.version())
    }

    /// Puts what is another notebook in the place of one that was version `base`, which stays among its
    /// versions. Trust is the new one's.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub async fn overwrite(
        &self,
        id: &str,
        base: u32,
        text: &str,
        origin: Option<&str>,
        trusted: bool,
    ) -> Result<Entry, StoreError> {
        self.put_version(id, base, text, |entry| {
            entry.trusted = trusted;
            if let Some(origin) = origin {
                entry.origin = Some(origin.to_owned());
            }
        })
        .await
    }

    async fn put_version(
        &self,
        id: &str,
        base: u32,
        text: &str,
        change: impl FnOnce(&mut Entry),
    ) -> Result<Entry, StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS, DRAFTS])?;
        let mut entry = entry(&transaction, id).await?;
        let latest = entry.version();
        if latest != base {
            return Err(StoreError::Conflict { latest });
        }
        change(&mut entry);
        let version = write(&transaction, &mut entry, text)?;
        transaction.delete(DRAFTS, id)?;
        transaction.commit().await?;
        forget_draft(id);
        let id = id.to_owned();
        self.tell(&Changed::Saved { id, version });
        Ok(entry)
    }

    /// Gives a notebook another name.
    pub async fn rename(&self, id: &str, name: &str) -> Result<(), StoreError> {
        self.change(id, |entry, all| {
            free(all, name, id)?;
            entry.name = name.to_owned();
            Ok(())
        })
        .await
    }

    /// Keeps that the user trusts what a notebook's outputs do, as it was at version `seen`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it was saved since: nobody has seen that.
    pub async fn trust(&self, id: &str, seen: u32) -> Result<(), StoreError> {
        self.change(id, |entry, _| {
            let latest = entry.version();
            if latest != seen {
                return Err(StoreError::Conflict { latest });
            }
            entry.trusted = true;
            Ok(())
        })
        .await
    }

    /// A copy of a notebook as it is now, as trusted as that is.
    pub async fn duplicate(&self, id: &str, name: &str) -> Result<Entry, StoreError> {
        let (original, text) = self.read(id).await?;
        let origin = original.origin.as_deref();
        self.create_as(name, &text, origin, original.trusted).await
    }

    /// Deletes a notebook. For a month it can be brought back.
    pub async fn remove(&self, id: &str) -> Result<(), StoreError> {
        self.change(id, |entry, _| {
            entry.removed = Some(now());
            Ok(())
        })
        .await
    }

    /// Brings a deleted notebook back under `name`.
    pub async fn bring_back(&self, id: &str, name: &str) -> Result<(), StoreError> {
        self.change(id, |entry, all| {
            free(all, name, id)?;
            entry.name = name.to_owned();
            entry.removed = None;
            Ok(())
        })
        .await
    }

    /// Deletes a notebook with its versions, for good.
    pub async fn erase(&self, id: &str) -> Result<(), StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS, DRAFTS])?;
        erase(&transaction, &entry(&transaction, id).await?)?;
        transaction.commit().await?;
        self.tell(&Changed::Notebooks);
        Ok(())
    }

    /// The versions of a notebook that are kept, the newest first.
    pub async fn versions(&self, id: &str) -> Result<Vec<Version>, StoreError> {
        let entry = entry(&self.database().read(&[NOTEBOOKS])?, id).await?;
        Ok(entry.versions.iter().rev().copied().collect())
    }

    /// Makes a former version the newest one. What it was until now is kept as a version. Of a notebook
    /// that has something from elsewhere the former version may be just that: it is not trusted.
    pub async fn restore(&self, id: &str, number: u32) -> Result<u32, StoreError> {
        let transaction = self.database().read(&[NOTEBOOKS, TEXTS])?;
        let base = entry(&transaction, id).await?.version();
        let text = text(&transaction, id, number).await?;
        let restored = self.put_version(id, base, &text, |entry| {
            entry.trusted &= entry.origin.is_none();
        });
        restored.await.map(|entry| entry.version())
    }

    /// Erases what was deleted long ago.
    pub(super) async fn collect_removed(&self) -> Result<(), StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS, TEXTS, DRAFTS])?;
        let all: Vec<Entry> = transaction.all(NOTEBOOKS).await?;
        let old = |entry: &&Entry| entry.removed.is_some_and(|at| now() - at > REMOVED_FOR);
        for entry in all.iter().filter(old) {
            erase(&transaction, entry)?;
        }
        transaction.commit().await
    }

    async fn change(
        &self,
        id: &str,
        change: impl FnOnce(&mut Entry, &[Entry]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let transaction = self.database().write(&[NOTEBOOKS])?;
        let all: Vec<Entry> = transaction.all(NOTEBOOKS).await?;
        let found = all.iter().find(|entry| entry.id == id);
        let mut entry = found.cloned().ok_or_else(missing)?;
        change(&mut entry, &all)?;
        transaction.put(NOTEBOOKS, id, &entry)?;
        transaction.commit().await?;
        self.tell(&Changed::Notebooks);
        Ok(())
    }
}

/// Refuses a name that another notebook has.
fn free(all: &[Entry], name: &str, id: &str) -> Result<(), StoreError> {
    let taken =
        |entry: &&Entry| entry.removed.is_none() && entry.id != id && same_name(&entry.name, name);
    match all.iter().find(taken) {
        Some(other) => Err(StoreError::NameTaken(other.name.clone())),
        None => Ok(()),
    }
}

/// Puts a notebook's new version into a transaction; its number.
pub(super) fn write(
    transaction: &Transaction,
    entry: &mut Entry,
    text: &str,
) -> Result<u32, StoreError> {
    let (version, gone) = entry.add(text.len() as f64, now());
    transaction.put_value(TEXTS, &key(&entry.id, version), &JsValue::from_str(text))?;
    for number in gone {
        transaction.delete(TEXTS, &key(&entry.id, number))?;
    }
    transaction.put(NOTEBOOKS, &entry.id, entry)?;
    Ok(version)
}

fn erase(transaction: &Transaction, entry: &Entry) -> Result<(), StoreError> {
    for version in &entry.versions {
        transaction.delete(TEXTS, &key(&entry.id, version.number))?;
    }
    transaction.delete(DRAFTS, &entry.id)?;
    transaction.delete(NOTEBOOKS, &entry.id)
}

async fn entry(transaction: &Transaction, id: &str) -> Result<Entry, StoreError> {
    transaction.get(NOTEBOOKS, id).await?.ok_or_else(missing)
}

pub(super) async fn text(
    transaction: &Transaction,
    id: &str,
    number: u32,
) -> Result<String, StoreError> {
    let text = transaction.get_value(TEXTS, &key(id, number)).await?;
    let gone = || StoreError::Missing(format!("version {number} of the notebook"));
    text.as_string().ok_or_else(gone)
}

fn missing() -> StoreError {
    StoreError::Missing("the notebook".into())
}

fn key(id: &str, version: u32) -> String {
    format!("{id}/{version}")
}
