//! Plugins in the page: those that the site offers, files of the user's, and those that are taken from registries.
//!
//! What the user said of them is kept in the browser (`Remembered` in `spoor-model`). A file runs once its user has let it; what
//! the site offers comes from where the page comes from, and runs when a cell calls it. The kernel admits and meters
//! each anyway, and a plugin gets no capability that it was not granted.

mod ask;
mod offered;
mod own;
mod registry;
mod screen;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::lock::Mutex;
use serde_json::{Map, Value};
use spoor_model::plugins::{Offers, Remembered};
use spoor_notebook::PluginPin;

pub use own::Row;
pub use registry::add_from;

use crate::dom;
use crate::files::Sources;
use crate::session::Session;
use crate::storage::Listening;

/// Where what the user said is kept.
const KEY: &str = "spoor.plugins";

/// The longest module that is taken, in bytes.
const MAX_MODULE: usize = 16 << 20;

/// What the page knows of plugins.
#[derive(Default)]
pub struct Plugins {
    said: RefCell<Remembered>,
    /// The site's, once they are known.
    offers: RefCell<Offers>,
    /// Those of the site's that the session was given, by name.
    given: RefCell<BTreeMap<String, Standing>>,
    /// The user's files, by their names.
    files: RefCell<BTreeMap<String, own::OwnFile>>,
    sources: RefCell<Option<Sources>>,
    session: RefCell<Option<Rc<Session>>>,
    listening: RefCell<Option<Listening>>,
    /// Who is told when there is something new to say of one.
    heard: RefCell<Option<Box<dyn Fn()>>>,
    /// Held while the storage is read or a question is asked, so that there is one of each at a time.
    turn: Mutex<()>,
}

/// How a plugin stands with the session.
#[derive(Clone, Debug, PartialEq)]
enum Standing {
    /// The user has not let it run.
    Waits,
    /// It may run: the session has not answered for it, if there is one.
    Allowed,
    /// Queries can call it.
    Here,
    /// It cannot be used: why.
    Refused(String),
    /// Another file has a plugin of this name.
    Doubled(String),
}

impl Plugins {
    /// With what the user said at other times.
    pub fn new() -> Rc<Self> {
        let plugins = Rc::new(Self::default());
        plugins.recall();
        plugins
    }

    /// Reads what the user has said, here or in another tab.
    fn recall(&self) {
        let kept = storage().and_then(|storage| storage.get_item(KEY).ok()?);
        if let Some(kept) = kept {
            self.said.replace(Remembered::from_json(&kept));
        }
    }

    /// Calls `heard` whenever there is something new to say of a plugin, in the place of whom was told before.
    pub fn listen(&self, heard: impl Fn() + 'static) {
        self.heard.replace(Some(Box::new(heard)));
    }

    fn tell(&self) {
        if let Some(heard) = &*self.heard.borrow() {
            heard();
        }
    }

    /// Takes in and keeps what the user says.
    fn say(&self, change: impl FnOnce(&mut Remembered)) {
        change(&mut self.said.borrow_mut());
        if let Some(storage) = storage() {
            // A browser that keeps nothing asks again at the next visit.
            let _ = storage.set_item(KEY, &self.said.borrow().to_json());
        }
    }

    /// Gives a session what may run, now and whenever more does.
    pub fn attach(self: &Rc<Self>, session: &Rc<Session>) {
        self.session.replace(Some(session.clone()));
        let weak = Rc::downgrade(self);
        session.before(move |source| {
            if let Some(plugins) = weak.upgrade() {
                plugins.mentioned(source);
            }
        });
        self.consider_all();
    }

    /// Those of a notebook's pins that queries cannot call as they are.
    pub fn missing(&self, pins: &BTreeMap<String, PluginPin>) -> Vec<String> {
        let (files, offers) = (self.files.borrow(), self.offers.borrow());
        let here = |pin: &PluginPin| {
            let own = files
                .values()
                .filter(|file| file.standing == Standing::Here);
            let own = own.filter_map(|file| file.label.as_ref().ok());
            let site = offers.all().iter();
            own.map(|label| label.identity.to_string())
                .chain(site.map(|(_, version)| version.sha256.clone()))
                .any(|sha256| sha256 == pin.sha256)
        };
        let missing = pins.iter().filter(|(_, pin)| !here(pin));
        missing
            .map(|(name, pin)| format!("{name} {}", pin.version))
            .collect()
    }
}

/// What the kernel says of a plugin that it was given.
fn standing(reply: &Map<String, Value>) -> Standing {
    let text = |key: &str| reply.get(key).and_then(Value::as_str);
    if text("status") == Some("ok") {
        return Standing::Here;
    }
    let why = text("evalue").unwrap_or("the kernel gave no answer");
    Standing::Refused(why.to_owned())
}

fn storage() -> Option<web_sys::Storage> {
    dom::window().local_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replies_read_whatever_they_are() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        assert_eq!(standing(&object(json!({"status": "ok"}))), Standing::Here);
        let no = object(json!({"status": "error", "evalue": "no"}));
        assert_eq!(standing(&no), Standing::Refused("no".into()));
        assert!(matches!(standing(&Map::new()), Standing::Refused(_)));
    }
}
