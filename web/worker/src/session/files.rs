//! The sources' files as Python sees them: read only, in a folder of their own.

use serde_json::{Value, json};
use spoor_messages::Source;

use super::Session;
use super::guest::Place;
use crate::error::Error;
use crate::wire::ToPython;

/// Where the guest sees the files.
const DATA: &str = "/data";

impl Session {
    /// Shows Python what has become of the sources' files while it was being made of those `known` then.
    pub(super) fn catch_up(&self, known: &[String]) -> Result<(), Error> {
        let sources = self.opened()?.sources.borrow().clone();
        let gone = |file: &&String| sources.iter().all(|source| source.file != **file);
        for file in known.iter().filter(gone) {
            self.hide_file(file);
        }
        for source in &sources {
            self.show_file(source);
        }
        Ok(())
    }

    /// The names of the sources' files.
    pub(super) fn files(&self) -> Result<Vec<String>, Error> {
        let sources = self.opened()?.sources.borrow();
        Ok(sources.iter().map(|source| source.file.clone()).collect())
    }

    /// Shows Python a new source's file.
    pub(super) fn show_file(&self, source: &Source) {
        let file = file_of(source);
        match &*self.python.place.borrow() {
            Some(Place::Thread(thread)) => {
                let path = DATA.into();
                // JSON can always be sent.
                let _ = thread.say(&ToPython::AddFile { path, file }, &[], &[]);
            }
            Some(Place::Here(here)) => here.add_file(DATA, &file),
            None => {}
        }
    }

    /// Takes a file away from Python.
    pub(super) fn hide_file(&self, name: &str) {
        match &*self.python.place.borrow() {
            Some(Place::Thread(thread)) => {
                let (path, name) = (DATA.into(), name.into());
                // JSON can always be sent.
                let _ = thread.say(&ToPython::RemoveFile { path, name }, &[], &[]);
            }
            Some(Place::Here(here)) => here.remove_file(DATA, name),
            None => {}
        }
    }
}

/// The guest's folders, and beside them `/data` with the sources' files.
pub(super) fn with_data(mut mounts: Value, sources: &[Source]) -> Value {
    let files: Vec<Value> = sources.iter().map(file_of).collect();
    if let Some(mounts) = mounts.as_array_mut() {
        mounts.push(json!({ "path": DATA, "files": files }));
    }
    mounts
}

/// A source's file, as `makeWasi` in `js/wasi.mjs` takes those with URLs of their own.
fn file_of(source: &Source) -> Value {
    json!([source.file, source.bytes, source.url])
}
