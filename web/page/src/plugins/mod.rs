//! Plugins in the page: those that the site offers, files of the user's, and those that are taken from registries.
//!
//! What the user said of them is kept in the browser (`Remembered` in `spoor-model`). A file runs once its user has let it; what
//! the site offers comes from where the page comes from, and is there once a cell names it. The kernel admits and meters
//! each anyway, and a plugin gets no capability that it was not granted.

mod ask;
mod offered;
mod own;
mod registry;
mod screen;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::lock::Mutex;
use serde_json::{Map, Value};
use spoor_model::plugins::{Offers, Remembered};
use spoor_notebook::PluginPin;

pub use own::Row;
pub use registry::add_from;

use web_sys::StorageEvent;

use crate::dom;
use crate::files::Sources;
use crate::session::Session;
use crate::storage::Listening;

/// Where what the user said is kept.
const KEY: &str = "spoor.plugins";

/// Gives the texts of a notebook's code cells.
type Texts = Box<dyn Fn() -> Vec<String>>;

/// What the page knows of plugins.
#[derive(Default)]
pub struct Plugins {
    said: RefCell<Remembered>,
    /// The site's, once they are known.
    offers: RefCell<Offers>,
    /// Those of the site's that the session was given, by name.
    given: RefCell<BTreeMap<String, Standing>>,
    /// Whether a cell has had a call's words.
    calls: Cell<bool>,
    /// The texts of the notebook's code cells.
    texts: RefCell<Option<Texts>>,
    /// Who is told when queries can call one more plugin.
    arrived: RefCell<Option<Box<dyn Fn()>>>,
    /// What the browser kept when it was last read or written.
    kept: RefCell<Option<String>>,
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
        let weak = Rc::downgrade(&plugins);
        dom::on(&dom::window(), "storage", move |event: StorageEvent| {
            let plugins = weak.upgrade();
            // Without a key all is gone.
            let is_ours = event.key().is_none_or(|key| key == KEY);
            if let Some(plugins) = plugins.filter(|_| is_ours) {
                plugins.recall();
                plugins.consider_all();
                plugins.tell();
            }
        });
        plugins
    }

    /// Reads what the user has said, here or in another tab.
    fn recall(&self) {
        let Some(storage) = storage() else {
            return;
        };
        let kept = storage.get_item(KEY).ok().flatten();
        // A browser that did not take what was said here has nothing newer.
        if *self.kept.borrow() != kept {
            let said = Remembered::from_json(kept.as_deref().unwrap_or_default());
            self.said.replace(said);
            self.kept.replace(kept);
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

    fn tell_of_arrival(&self) {
        if let Some(arrived) = &*self.arrived.borrow() {
            arrived();
        }
        self.tell();
    }

    /// Takes in and keeps what the user says, beside what was said in other tabs.
    fn say(&self, change: impl FnOnce(&mut Remembered)) {
        self.recall();
        change(&mut self.said.borrow_mut());
        let text = self.said.borrow().to_json();
        // A browser that keeps nothing asks again at the next visit.
        if storage().is_some_and(|storage| storage.set_item(KEY, &text).is_ok()) {
            self.kept.replace(Some(text));
        }
    }

    /// Gives a session what may run, now and whenever more does. `texts` are those of the notebook's code cells; `arrived` is
    /// called when queries can call one more plugin.
    pub fn attach(
        self: &Rc<Self>,
        session: &Rc<Session>,
        texts: impl Fn() -> Vec<String> + 'static,
        arrived: impl Fn() + 'static,
    ) {
        self.texts.replace(Some(Box::new(texts)));
        self.arrived.replace(Some(Box::new(arrived)));
        self.session.replace(Some(session.clone()));
        let weak = Rc::downgrade(self);
        session.before(move |source, runs| {
            if let Some(plugins) = weak.upgrade() {
                plugins.mentioned(source, runs);
            }
        });
        self.consider_all();
    }

    /// Takes a plugin away from the session; the site's of that name is given again when it is called again.
    fn withdraw(&self, plugin: &str) {
        self.given.borrow_mut().remove(plugin);
        if let Some(session) = &*self.session.borrow() {
            session.remove_plugin(plugin);
        }
    }

    /// Those of a notebook's pins that are not here.
    pub fn missing(&self, pins: &BTreeMap<String, PluginPin>) -> Vec<String> {
        let (files, offers) = (self.files.borrow(), self.offers.borrow());
        let own = files.values().filter_map(|file| file.label.as_ref().ok());
        let own: Vec<String> = own.map(|label| label.identity.to_string()).collect();
        let here = |pin: &PluginPin| {
            let mut site = offers.all().iter();
            own.contains(&pin.sha256) || site.any(|(_, version)| version.sha256 == pin.sha256)
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
