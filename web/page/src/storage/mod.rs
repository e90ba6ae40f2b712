//! What the browser keeps for the user: notebooks with their versions, data files, settings.
//!
//! IndexedDB holds the notebooks' text and the journal of everything; large data files are in the
//! origin's private file system (OPFS), or in IndexedDB where that is missing. Whatever moment a
//! tab is killed at, the storage is as it was before or after an operation, never in between: a
//! transaction does all or nothing, and a file is seen only when its journal says that it is whole.
//! What an unfinished operation left is collected when the store is opened.
//!
//! Two tabs may have the same notebook: [`Lease`] says which of them may edit, and a save names the
//! version that it was made on, so that nothing is overwritten unseen.

mod autosave;
mod changes;
mod draft;
mod editing;
mod error;
mod files;
mod hook;
mod idb;
mod keeper;
mod lease;
mod locks;
mod notebooks;
mod opfs;
mod record;
mod settings;
mod shelf;
mod space;

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

pub use autosave::{Autosave, Do, SaveState};
pub use changes::{Changed, Listening};
pub use editing::{Editing, News};
pub use error::{StoreError, bytes, text_of};
pub use files::{Cancel, DataFile};
pub use keeper::Keeper;
pub use lease::{Access, Lease, Told};
pub use record::{Entry, Version, same_name};
pub use shelf::{Answer, Copy, Head, Opened, Shelf, Words};
pub use space::Space;

use changes::Changes;
use idb::Database;

/// The stores of the database.
const NOTEBOOKS: &str = "notebooks";
const TEXTS: &str = "texts";
const DRAFTS: &str = "drafts";
const FILES: &str = "files";
const BLOBS: &str = "blobs";
const SETTINGS: &str = "settings";
const STORES: &[&str] = &[NOTEBOOKS, TEXTS, DRAFTS, FILES, BLOBS, SETTINGS];

/// The database's version: raised when a store is added.
const VERSION: u32 = 1;

/// The storage. Cloning it gives the same one.
#[derive(Clone)]
pub struct Store(Rc<Inner>);

struct Inner {
    database: Database,
    /// None where the browser has no OPFS that can be written from a page.
    opfs: Option<opfs::Folder>,
    changes: Changes,
}

impl Store {
    /// Opens the storage, and collects what was left of unfinished work.
    ///
    /// # Errors
    /// Where the browser has no storage for the page, as in some private windows.
    pub async fn open() -> Result<Self, StoreError> {
        let store = Self(Rc::new(Inner {
            database: Database::open("spoor", VERSION, STORES).await?,
            opfs: opfs::Folder::open("data").await,
            changes: Changes::new(),
        }));
        store.take_up_drafts().await?;
        // What cannot be collected now is the next time; nothing waits for it.
        let collecting = store.clone();
        spawn_local(async move {
            let _ = collecting.collect_files().await;
            let _ = collecting.collect_removed().await;
        });
        Ok(store)
    }

    /// Calls `heard` with each change that this tab or another makes, until what is given back is
    /// dropped.
    pub fn listen(&self, heard: impl Fn(&Changed) + 'static) -> Listening {
        self.0.changes.listen(heard)
    }

    /// Tells the other tabs, and not this one.
    pub fn tell_others(&self, changed: &Changed) {
        self.0.changes.tell_others(changed);
    }

    fn database(&self) -> &Database {
        &self.0.database
    }

    fn tell(&self, changed: &Changed) {
        self.0.changes.tell(changed);
    }
}

/// Milliseconds since 1970.
fn now() -> f64 {
    js_sys::Date::now()
}

/// An id that no other thing has.
fn new_id() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 16];
    let crypto = crate::dom::window().crypto()?;
    crypto.get_random_values_with_u8_array(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
