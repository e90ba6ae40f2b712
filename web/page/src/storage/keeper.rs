//! Saves an open notebook as [`Autosave`] says: timers, and the events by which a page is left.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventTarget};

use super::{Autosave, Do, SaveState, Shelf, StoreError, now};
use crate::dom;

/// Keeps a notebook saved for as long as it lives.
pub struct Keeper {
    inner: Rc<Inner>,
    _leaving: Vec<Leaving>,
}

struct Inner {
    shelf: Rc<dyn Shelf>,
    id: RefCell<String>,
    /// The version that the next save is made on.
    base: RefCell<String>,
    autosave: RefCell<Autosave>,
    /// Whether this tab may save at all.
    enabled: Cell<bool>,
    text: Box<dyn Fn() -> String>,
    shown: Box<dyn Fn(&SaveState)>,
}

impl Keeper {
    /// Keeps the notebook `id` on `shelf`, once [`Keeper::reset`] has said which version was read. `text` gives its file as it
    /// is at the moment; `shown` is called when the state changes that the user sees.
    pub fn new(
        shelf: Rc<dyn Shelf>,
        id: &str,
        text: impl Fn() -> String + 'static,
        shown: impl Fn(&SaveState) + 'static,
    ) -> Self {
        let inner = Rc::new(Inner {
            shelf,
            id: RefCell::new(id.to_owned()),
            base: RefCell::default(),
            autosave: RefCell::default(),
            enabled: Cell::new(true),
            text: Box::new(text),
            shown: Box::new(shown),
        });
        let _leaving = leaving(&inner);
        Self { inner, _leaving }
    }

    /// Something has changed.
    pub fn edited(&self) {
        if self.inner.enabled.get() {
            self.inner.act(|autosave| autosave.edited(now()));
        } else {
            self.inner.autosave.borrow_mut().noted();
        }
    }

    /// Saves at once what is not saved.
    pub fn flush(&self) {
        self.inner.act(|autosave| autosave.flush(now()));
    }

    /// Saves at once, and resolves when everything is saved or cannot be.
    pub async fn settle(&self) -> SaveState {
        self.flush();
        loop {
            match self.state() {
                SaveState::Saving | SaveState::Unsaved if self.inner.enabled.get() => {
                    dom::sleep(10).await;
                }
                state => return state,
            }
        }
    }

    /// What the user is shown.
    pub fn state(&self) -> SaveState {
        self.inner.autosave.borrow().state()
    }

    /// The version that is kept.
    pub fn version(&self) -> String {
        self.inner.base.borrow().clone()
    }

    /// Goes on with another text, which is saved: version `base` of notebook `id`. For a notebook
    /// that was read again, or saved under another name.
    pub fn reset(&self, id: &str, base: &str) {
        self.inner.id.replace(id.to_owned());
        self.inner.base.replace(base.to_owned());
        self.inner.autosave.replace(Autosave::default());
        (self.inner.shown)(&SaveState::Saved);
    }

    /// Whether this tab saves: not while another edits the notebook.
    pub fn enable(&self, enabled: bool) {
        self.inner.enabled.set(enabled);
        if enabled {
            self.flush();
        }
    }
}

impl Inner {
    fn act(self: &Rc<Self>, act: impl FnOnce(&mut Autosave) -> Do) {
        let (before, todo, after) = {
            let mut autosave = self.autosave.borrow_mut();
            let before = autosave.state();
            let todo = match self.enabled.get() {
                true => act(&mut autosave),
                false => Do::Nothing,
            };
            (before, todo, autosave.state())
        };
        match todo {
            Do::Nothing => {}
            Do::Wait(ms) => self.wake_after(ms),
            Do::Save => self.save(),
        }
        if before != after {
            (self.shown)(&after);
        }
    }

    fn wake_after(self: &Rc<Self>, ms: f64) {
        let weak = Rc::downgrade(self);
        dom::after(ms.ceil() as i32, move || {
            if let Some(inner) = weak.upgrade() {
                inner.act(|autosave| autosave.tick(now()));
            }
        });
    }

    fn save(self: &Rc<Self>) {
        let text = (self.text)();
        let (inner, id, base) = (
            self.clone(),
            self.id.borrow().clone(),
            self.base.borrow().clone(),
        );
        spawn_local(async move {
            let saved = inner.shelf.save(&id, &base, &text).await;
            // The notebook may be another by now.
            if *inner.id.borrow() != id || *inner.base.borrow() != base {
                return;
            }
            let ended = saved.map(|version| {
                inner.base.replace(version);
            });
            if inner.enabled.get() {
                inner.act(|autosave| autosave.ended(ended, now()));
            } else {
                inner.autosave.borrow_mut().ended_apart(ended.is_ok());
                let all = inner.autosave.borrow().is_saved();
                if all {
                    (inner.shown)(&SaveState::Saved);
                }
            }
        });
    }

    /// The page may be gone before a save is done. Whether nothing would be lost then.
    fn put_aside(&self) -> Result<bool, StoreError> {
        if self.autosave.borrow().is_saved() || !self.enabled.get() {
            return Ok(true);
        }
        let (id, base) = (self.id.borrow(), self.base.borrow());
        self.shelf.keep_draft(&id, &base, &(self.text)())
    }
}

/// A listener at the window or the document that ends with the keeper.
struct Leaving {
    target: EventTarget,
    event: &'static str,
    heard: Closure<dyn FnMut(Event)>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let heard = self.heard.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, heard);
    }
}

fn leaving(inner: &Rc<Inner>) -> Vec<Leaving> {
    let window: EventTarget = dom::window().into();
    let document: EventTarget = dom::document().into();
    vec![
        listen(inner, &window, "blur", |inner, _| {
            inner.act(|a| a.leave(now()))
        }),
        listen(inner, &document, "visibilitychange", |inner, _| {
            inner.act(|autosave| autosave.leave(now()));
        }),
        listen(inner, &window, "pagehide", |inner, _| {
            // Where it fails the save may still be done.
            let _ = inner.put_aside();
            inner.act(|autosave| autosave.leave(now()));
        }),
        listen(inner, &window, "beforeunload", |inner, event| {
            // A navigation leaves time for a save; closing the tab does not.
            inner.act(|autosave| autosave.leave(now()));
            // A question is asked only where leaving would lose something.
            let failed = matches!(inner.autosave.borrow().state(), SaveState::Failed(_));
            if failed || !inner.put_aside().unwrap_or(false) {
                event.prevent_default();
            }
        }),
    ]
}

fn listen(
    inner: &Rc<Inner>,
    target: &EventTarget,
    event: &'static str,
    then: impl Fn(&Rc<Inner>, &Event) + 'static,
) -> Leaving {
    let weak: Weak<Inner> = Rc::downgrade(inner);
    let heard = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Some(inner) = weak.upgrade() {
            then(&inner, &event);
        }
    });
    let _ = target.add_event_listener_with_callback(event, heard.as_ref().unchecked_ref());
    Leaving {
        target: target.clone(),
        event,
        heard,
    }
}
