//! Where an open notebook is kept: in the browser's storage, or by a server. [`super::Editing`] and
//! [`super::Keeper`] save in either, and know no more of it than this.

use futures::future::{FutureExt, LocalBoxFuture};
use spoor_model::gallery::copy_name;

use super::{Entry, Store, StoreError};

/// A place for notebooks. A version is whatever names one there.
pub trait Shelf {
    /// A notebook as it is now.
    fn read<'a>(&'a self, id: &'a str) -> Answer<'a, (Head, String)>;

    /// A notebook that is to be edited, with what was typed in it before and could not be saved.
    fn open<'a>(&'a self, id: &'a str) -> Answer<'a, Opened> {
        async move {
            let (head, text) = self.read(id).await?;
            Ok(Opened {
                head,
                text,
                unsaved: false,
                note: None,
            })
        }
        .boxed_local()
    }

    /// Saves a notebook that was `base` when it was read. Its new version.
    fn save<'a>(&'a self, id: &'a str, base: &'a str, text: &'a str) -> Answer<'a, String>;

    /// Puts what a notebook holds aside, at once, for a page that may be gone in a moment. Whether it is there
    /// already: else it may be lost with the page.
    fn keep_draft(&self, id: &str, base: &str, text: &str) -> Result<bool, StoreError>;

    /// Keeps something beside a notebook, as one of its own by that name or one like it.
    fn copy<'a>(&'a self, id: &'a str, name: &'a str, copy: &'a Copy) -> Answer<'a, Head>;

    /// What the browser's storage has of a notebook beside its text, if this is that.
    fn entry<'a>(&'a self, _id: &'a str) -> Answer<'a, Option<Entry>> {
        async { Ok(None) }.boxed_local()
    }

    /// Keeps that the user trusts a notebook as it was when it was saved as that version, where trust is kept.
    fn trust<'a>(&'a self, _id: &'a str, _seen: &'a str) -> Answer<'a, ()> {
        async { Ok(()) }.boxed_local()
    }

    /// The name by which tabs tell each other of a notebook.
    fn claim(&self, id: &str) -> String;

    /// The page's address that shows a notebook.
    fn address(&self, id: &str) -> String;

    /// What is said of notebooks here.
    fn words(&self) -> &'static Words;
}

/// What a shelf is asked for.
pub type Answer<'a, T> = LocalBoxFuture<'a, Result<T, StoreError>>;

/// What is to be kept as a notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its file.
    pub text: String,
    /// Where it came from, if from elsewhere.
    pub origin: Option<String>,
    /// Whether the user trusts all that is in it.
    pub trusted: bool,
}

/// Which notebook it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Its id, which no other has.
    pub id: String,
    /// Its file's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A notebook that is to be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Which it is.
    pub head: Head,
    /// Its text.
    pub text: String,
    /// Whether the text is not saved yet.
    pub unsaved: bool,
    /// What there is to say about it.
    pub note: Option<String>,
}

/// What is said of notebooks on a shelf.
#[derive(Debug)]
pub struct Words {
    /// What to do with one that cannot be read.
    pub unreadable: &'static str,
    /// That one was saved elsewhere, and what is shown here is older.
    pub newer: &'static str,
    /// That one was saved elsewhere, and what was typed here cannot be.
    pub conflict: &'static str,
}

const WORDS: Words = Words {
    unreadable: "An older version of it may: see Versions under Files.",
    newer: "This notebook was saved elsewhere, by another tab or by going back to a version.",
    conflict: "Another tab saved this notebook after it was opened here. Nothing is overwritten: keep yours as a notebook of its own, or leave yours and see what was saved.",
};

impl Shelf for Store {
    fn read<'a>(&'a self, id: &'a str) -> Answer<'a, (Head, String)> {
        async move {
            let (entry, text) = Store::read(self, id).await?;
            Ok((Head::from(&entry), text))
        }
        .boxed_local()
    }

    fn save<'a>(&'a self, id: &'a str, base: &'a str, text: &'a str) -> Answer<'a, String> {
        async move {
            let version = Store::save(self, id, number(base), text).await?;
            Ok(version.to_string())
        }
        .boxed_local()
    }

    fn keep_draft(&self, id: &str, base: &str, text: &str) -> Result<bool, StoreError> {
        Store::keep_draft(self, id, number(base), text)
    }

    fn copy<'a>(&'a self, _id: &'a str, name: &'a str, copy: &'a Copy) -> Answer<'a, Head> {
        async move {
            let all = self.notebooks().await?.into_iter();
            let names: Vec<String> = all.map(|one| one.name).collect();
            let (name, origin) = (copy_name(name, &names), copy.origin.as_deref());
            let entry = self.create_as(&name, &copy.text, origin, copy.trusted);
            Ok(Head::from(&entry.await?))
        }
        .boxed_local()
    }

    fn entry<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Entry>> {
        async move { Store::entry(self, id).await.map(Some) }.boxed_local()
    }

    fn trust<'a>(&'a self, id: &'a str, seen: &'a str) -> Answer<'a, ()> {
        Store::trust(self, id, number(seen)).boxed_local()
    }

    fn claim(&self, id: &str) -> String {
        id.to_owned()
    }

    fn address(&self, id: &str) -> String {
        format!("./?file={id}")
    }

    fn words(&self) -> &'static Words {
        &WORDS
    }
}

impl From<&Entry> for Head {
    fn from(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            name: entry.name.clone(),
            version: entry.version().to_string(),
        }
    }
}

/// A version's number in the storage, which begins with 1.
fn number(version: &str) -> u32 {
    version.parse().unwrap_or(0)
}
