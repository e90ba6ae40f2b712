//! A server's folder of notebooks as a place where one is kept while it is open.
//!
//! A save names the version that it was made on, so nothing is overwritten unseen. What cannot be saved is put
//! aside in this browser, and taken up when the notebook is next opened.

use std::cell::{Cell, RefCell};

use futures::future::FutureExt;
use spoor_model::gallery::copy_name;

use super::{Client, Expected, split};
use crate::storage::{Answer, Changed, Copy, Head, Opened, Shelf, Store, StoreError, Words};

/// The folder.
pub struct Folder {
    client: Client,
    /// Where texts are put aside, and by which the tabs speak.
    store: Store,
    /// The texts of the last saves of which nobody knows whether they were done.
    sent: RefCell<Vec<String>>,
    /// Whether something was put aside that is not known to be saved.
    aside: Cell<bool>,
}

/// How many texts are kept of which nobody knows whether they were saved.
const MOST_SENT: usize = 4;

const WORDS: Words = Words {
    unreadable: "Look at the file on the computer.",
    newer: "This notebook was saved elsewhere, by another tab.",
    conflict: "This notebook's file was changed or removed on the computer after it was opened here. Nothing is overwritten: keep yours as a notebook of its own, or leave yours and see what was saved.",
};

impl Folder {
    /// The folder of a server.
    pub fn new(client: Client, store: &Store) -> Self {
        Self {
            client,
            store: store.clone(),
            sent: RefCell::default(),
            aside: Cell::new(false),
        }
    }

    async fn read(&self, path: &str) -> Result<(Head, String), StoreError> {
        let (text, version) = self.client.read(path).await?;
        Ok((head(path, version), text))
    }

    /// The notebook, or what was put aside of it.
    async fn open(&self, path: &str) -> Result<Opened, StoreError> {
        let claim = self.claim(path);
        let draft = self.store.served_draft(&claim).await.unwrap_or_default();
        let read = self.read(path).await;
        let ((base, typed), read) = match (draft, read) {
            (Some(draft), read) => (draft, read),
            (None, read) => return read.map(|(head, text)| opened(head, text)),
        };
        match read {
            Ok((head, text)) if text == typed => {
                self.store.forget_served(&claim).await?;
                Ok(opened(head, text))
            }
            Ok((head, text)) if head.version != base => {
                let note = self.recover(path, &typed).await?;
                self.store.forget_served(&claim).await?;
                let note = Some(note);
                Ok(Opened {
                    note,
                    ..opened(head, text)
                })
            }
            // The server has not seen it, or does not answer: this is the newest.
            Ok(_) | Err(StoreError::Away(_)) => {
                self.aside.set(true);
                Ok(Opened {
                    unsaved: true,
                    ..opened(head(path, base), typed)
                })
            }
            // The file is gone: what was typed goes where it can be found.
            Err(StoreError::Refused(reason)) => {
                let note = self.recover(path, &typed).await?;
                self.store.forget_served(&claim).await?;
                Err(StoreError::Refused(format!("{reason}. {note}")))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a notebook of the browser's own of what the file has gone on without. What is told of it.
    async fn recover(&self, path: &str, typed: &str) -> Result<String, StoreError> {
        let names = self.store.notebooks().await?.into_iter();
        let names: Vec<String> = names.map(|one| one.name).collect();
        let stem = split(path).1.trim_end_matches(".ipynb");
        let name = copy_name(&format!("{stem} (recovered).ipynb"), &names);
        // Others may have written the file: it is from elsewhere, and not trusted.
        self.store.create(&name, typed, Some(path)).await?;
        Ok(format!(
            "What was typed here and could not be saved is in this browser, as {name}: the file has been changed or removed since."
        ))
    }

    async fn save(&self, path: &str, base: &str, text: &str) -> Result<String, StoreError> {
        let saved = match self.client.save(path, Expected::Version(base), text).await {
            Err(StoreError::Elsewhere) => self.settle(path, text).await,
            saved => saved,
        };
        match &saved {
            Ok(_) => self.saved(path).await,
            Err(StoreError::Away(_)) => {
                self.note_sent(text);
                // It is in this tab all the same.
                let _ = self.keep_draft(path, base, text);
            }
            Err(_) => {}
        }
        saved
    }

    /// What the file has may be what an earlier save wrote whose answer was lost on its way.
    async fn settle(&self, path: &str, text: &str) -> Result<String, StoreError> {
        let (there, version) = match self.client.read(path).await {
            Ok(read) => read,
            Err(error @ StoreError::Away(_)) => return Err(error),
            Err(_) => return Err(StoreError::Elsewhere),
        };
        if there == text {
            return Ok(version);
        }
        let ours = self.sent.borrow().contains(&there);
        match ours {
            true => {
                let expected = Expected::Version(&version);
                self.client.save(path, expected, text).await
            }
            false => Err(StoreError::Elsewhere),
        }
    }

    fn note_sent(&self, text: &str) {
        let mut sent = self.sent.borrow_mut();
        if sent.iter().any(|one| one == text) {
            return;
        }
        if sent.len() == MOST_SENT {
            // The first is kept: it is the likeliest to have arrived.
            sent.pop();
        }
        sent.push(text.to_owned());
    }

    async fn saved(&self, path: &str) {
        let claim = self.claim(path);
        self.sent.take();
        if self.aside.take() {
            // One that stays is what was saved, and goes when the notebook is next opened.
            let _ = self.store.forget_served(&claim).await;
        }
        let version = 0;
        let id = claim;
        self.store.tell_others(&Changed::Saved { id, version });
    }

    async fn copy(&self, path: &str, text: &str) -> Result<Head, StoreError> {
        let (folder, name) = split(path);
        let all = self.client.notebooks().await?;
        let beside = all.iter().map(|one| split(&one.path));
        let names: Vec<&str> = beside
            .filter(|(other, _)| *other == folder)
            .map(|(_, name)| name)
            .collect();
        let path = format!("{folder}{}", copy_name(name, &names));
        let version = self.client.save(&path, Expected::Nothing, text).await?;
        Ok(head(&path, version))
    }
}

impl Shelf for Folder {
    fn read<'a>(&'a self, id: &'a str) -> Answer<'a, (Head, String)> {
        Self::read(self, id).boxed_local()
    }

    fn open<'a>(&'a self, id: &'a str) -> Answer<'a, Opened> {
        Self::open(self, id).boxed_local()
    }

    fn save<'a>(&'a self, id: &'a str, base: &'a str, text: &'a str) -> Answer<'a, String> {
        Self::save(self, id, base, text).boxed_local()
    }

    fn keep_draft(&self, id: &str, base: &str, text: &str) -> Result<bool, StoreError> {
        self.aside.set(true);
        self.store.keep_served(&self.claim(id), base, text)
    }

    fn copy<'a>(&'a self, id: &'a str, _name: &'a str, copy: &'a Copy) -> Answer<'a, Head> {
        Self::copy(self, id, &copy.text).boxed_local()
    }

    fn claim(&self, id: &str) -> String {
        format!("served:{id}")
    }

    fn address(&self, id: &str) -> String {
        address(id)
    }

    fn words(&self) -> &'static Words {
        &WORDS
    }
}

/// The page's address that shows a notebook of the folder.
pub fn address(path: &str) -> String {
    format!("./?server={}", js_sys::encode_uri_component(path))
}

fn head(path: &str, version: String) -> Head {
    Head {
        id: path.to_owned(),
        name: split(path).1.to_owned(),
        version,
    }
}

fn opened(head: Head, text: String) -> Opened {
    Opened {
        head,
        text,
        unsaved: false,
        note: None,
    }
}
