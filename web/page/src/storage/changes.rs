//! Telling this tab and the others what has changed in the storage.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::dom;

/// What has changed, or is asked of the other tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Changed {
    /// The list of notebooks, or one's name.
    Notebooks,
    /// A notebook has a new version.
    Saved {
        /// The notebook.
        id: String,
        /// The version's number.
        version: u32,
    },
    /// The list of data files.
    Files,
    /// The settings.
    Settings,
    /// A tab wants to edit a notebook that another edits.
    Wanted {
        /// The notebook.
        id: String,
    },
    /// The tab that edited a notebook has saved it and lets go.
    Given {
        /// The notebook.
        id: String,
    },
}

type Heard = Box<dyn Fn(&Changed)>;

/// Who listens, and the way to the other tabs.
pub(super) struct Changes {
    channel: Option<BroadcastChannel>,
    listeners: Rc<Listeners>,
}

#[derive(Default)]
struct Listeners {
    next: Cell<u64>,
    all: RefCell<Vec<(u64, Rc<Heard>)>>,
}

/// A listener; dropping it ends the listening.
pub struct Listening {
    number: u64,
    listeners: Weak<Listeners>,
}

impl Changes {
    pub(super) fn new() -> Self {
        let listeners = Rc::new(Listeners::default());
        let channel = BroadcastChannel::new("spoor:storage").ok();
        if let Some(channel) = &channel {
            let told = Rc::downgrade(&listeners);
            dom::on(
                channel.unchecked_ref(),
                "message",
                move |event: MessageEvent| {
                    let changed = serde_wasm_bindgen::from_value(event.data());
                    if let (Some(told), Ok(changed)) = (told.upgrade(), changed) {
                        told.tell(&changed);
                    }
                },
            );
        }
        Self { channel, listeners }
    }

    pub(super) fn listen(&self, heard: impl Fn(&Changed) + 'static) -> Listening {
        let number = self.listeners.next.get();
        self.listeners.next.set(number + 1);
        let heard: Heard = Box::new(heard);
        self.listeners
            .all
            .borrow_mut()
            .push((number, Rc::new(heard)));
        Listening {
            number,
            listeners: Rc::downgrade(&self.listeners),
        }
    }

    /// Tells this tab's listeners and the other tabs.
    pub(super) fn tell(&self, changed: &Changed) {
        self.tell_others(changed);
        self.listeners.tell(changed);
    }

    /// Tells the other tabs.
    pub(super) fn tell_others(&self, changed: &Changed) {
        let message = serde_wasm_bindgen::to_value(changed);
        if let (Some(channel), Ok(message)) = (&self.channel, message) {
            // It fails only for a channel that is closed.
            let _ = channel.post_message(&message);
        }
    }
}

impl Listeners {
    fn tell(&self, changed: &Changed) {
        // A listener may listen anew, or stop.
        let all: Vec<Rc<Heard>> = self
            .all
            .borrow()
            .iter()
            .map(|(_, one)| one.clone())
            .collect();
        for heard in all {
            heard(changed);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            listeners
                .all
                .borrow_mut()
                .retain(|(number, _)| *number != self.number);
        }
    }
}
