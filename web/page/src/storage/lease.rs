//! Which tab may edit a notebook.
//!
//! The first that opens it does. A second is told and reads; it may take over, and the first is
//! then told, saves, and reads. When the editing tab goes away the reading one may edit.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::spawn_local;

use super::locks::{Ask, Held};
use super::{Changed, Listening, Store, StoreError, locks};
use crate::dom;

/// How long a tab that edits has to save before another takes over, in milliseconds.
const PATIENCE: i32 = 3000;

/// What a tab may do with a notebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Edit it: no other tab does.
    Edit,
    /// Read it: another tab edits it.
    Read,
}

/// What a tab is told of its notebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Another tab wants to edit. Save, then call [`Lease::give`].
    Wanted,
    /// Another tab edits now: this one may only read.
    Lost,
    /// The tab that edited has gone, or given way: this one may edit. Read the notebook again first
    /// if its version has changed.
    Gained,
}

/// A tab's claim to a notebook. Dropping it ends the claim.
pub struct Lease(Rc<Inner>);

struct Inner {
    store: Store,
    id: String,
    told: Box<dyn Fn(Told)>,
    held: RefCell<Option<Held>>,
    /// Another tab has saved at our request.
    given: Cell<bool>,
    listening: RefCell<Option<Listening>>,
}

impl Store {
    /// Claims a notebook for this tab. `told` is called when what the tab may do changes.
    pub async fn lease(
        &self,
        id: &str,
        told: impl Fn(Told) + 'static,
    ) -> Result<Lease, StoreError> {
        let inner = Rc::new(Inner {
            store: self.clone(),
            id: id.to_owned(),
            told: Box::new(told),
            held: RefCell::default(),
            given: Cell::new(false),
            listening: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        let listening = self.listen(move |changed| {
            if let Some(inner) = weak.upgrade() {
                inner.hear(changed);
            }
        });
        inner.listening.replace(Some(listening));
        match locks::request(&inner.lock(), Ask::IfFree).await? {
            Some(held) => inner.hold(held),
            None => inner.wait(),
        }
        Ok(Lease(inner))
    }
}

impl Lease {
    /// What this tab may do.
    pub fn access(&self) -> Access {
        match self.0.held.borrow().is_some() {
            true => Access::Edit,
            false => Access::Read,
        }
    }

    /// Takes over from the tab that edits, which is given a moment to save. Read the notebook
    /// again before editing it.
    pub fn taking(&self) -> impl Future<Output = Result<(), StoreError>> + use<> {
        take_over(self.0.clone())
    }

    /// Tells the tab that wants to edit that everything is saved.
    pub fn give(&self) {
        let id = self.0.id.clone();
        self.0.store.0.changes.tell_others(&Changed::Given { id });
    }
}

async fn take_over(inner: Rc<Inner>) -> Result<(), StoreError> {
    inner.given.set(false);
    let id = inner.id.clone();
    inner.store.0.changes.tell_others(&Changed::Wanted { id });
    let mut waited = 0;
    while !inner.given.get() && waited < PATIENCE {
        dom::sleep(50).await;
        waited += 50;
    }
    if let Some(held) = locks::request(&inner.lock(), Ask::Steal).await? {
        inner.hold(held);
    }
    Ok(())
}

impl Inner {
    fn lock(&self) -> String {
        format!("spoor:notebook:{}", self.id)
    }

    fn hear(&self, changed: &Changed) {
        match changed {
            Changed::Wanted { id } if *id == self.id && self.held.borrow().is_some() => {
                (self.told)(Told::Wanted);
            }
            Changed::Given { id } if *id == self.id => self.given.set(true),
            _ => {}
        }
    }

    fn hold(self: &Rc<Self>, mut held: Held) {
        let weak = Rc::downgrade(self);
        held.when_lost(move || {
            if let Some(inner) = weak.upgrade() {
                inner.held.take();
                inner.wait();
                (inner.told)(Told::Lost);
            }
        });
        self.held.replace(Some(held));
    }

    fn gain(self: &Rc<Self>, held: Held) {
        // It may have been taken over since.
        if self.held.borrow().is_none() {
            self.hold(held);
            (self.told)(Told::Gained);
        }
    }

    /// Waits for the editing tab to go.
    fn wait(self: &Rc<Self>) {
        let weak: Weak<Self> = Rc::downgrade(self);
        let lock = self.lock();
        spawn_local(async move {
            let Ok(Some(held)) = locks::request(&lock, Ask::Wait).await else {
                return;
            };
            // If the claim has ended meanwhile the lock is dropped here.
            if let Some(inner) = weak.upgrade() {
                inner.gain(held);
            }
        });
    }
}
