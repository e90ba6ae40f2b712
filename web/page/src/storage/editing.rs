//! A notebook that is open in this tab: its claim and its saving together.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::spawn_local;

use super::{
    Access, Changed, Head, Keeper, Lease, Listening, Opened, SaveState, Shelf, Store, StoreError,
    Told,
};

/// What the page is to show of its open notebook.
#[derive(Debug, Clone)]
pub enum News {
    /// How far saving is.
    Save(SaveState),
    /// Whether this tab may edit has changed.
    Access(Access),
    /// Another tab has saved: this is what the notebook is now, to be shown in place of what is.
    Text(Head, String),
}

/// A notebook that is open in this tab. Dropping it lets another tab edit.
#[derive(Clone)]
pub struct Editing(Rc<Inner>);

struct Inner {
    store: Store,
    shelf: Rc<dyn Shelf>,
    keeper: Keeper,
    lease: RefCell<Option<Lease>>,
    listening: RefCell<Option<Listening>>,
    id: RefCell<String>,
    told: Rc<Teller>,
}

/// Who is told; whether a text is now shown in place of what was.
type Teller = dyn Fn(News) -> bool;

impl Editing {
    /// Opens a notebook on a shelf: to edit, or where another tab edits it to read. The tabs speak through `store`. `text` gives its file as
    /// the page has it, once the page has it; `told` what changes, and says of a [`News::Text`] whether it is shown now: saving then goes on from it,
    /// else the next save is refused as a conflict.
    pub async fn open(
        store: &Store,
        shelf: Rc<dyn Shelf>,
        id: &str,
        text: impl Fn() -> String + 'static,
        told: impl Fn(News) -> bool + 'static,
    ) -> Result<(Self, Opened), StoreError> {
        let told: Rc<Teller> = Rc::new(told);
        let shown = told.clone();
        let show = move |state: &SaveState| {
            shown(News::Save(state.clone()));
        };
        let editing = Self(Rc::new(Inner {
            store: store.clone(),
            keeper: Keeper::new(shelf.clone(), id, text, show),
            shelf,
            lease: RefCell::default(),
            listening: RefCell::default(),
            id: RefCell::new(id.to_owned()),
            told,
        }));
        editing.0.listen();
        editing.0.claim(id).await?;
        let opened = editing.0.shelf.open(id).await?;
        editing.0.keeper.reset(id, &opened.head.version);
        editing.0.keeper.enable(editing.access() == Access::Edit);
        Ok((editing, opened))
    }

    /// Something has changed.
    pub fn edited(&self) {
        self.0.keeper.edited();
    }

    /// Saves at once what is not saved, and resolves when it is or cannot be.
    pub async fn save(&self) -> SaveState {
        self.0.keeper.settle().await
    }

    /// How far saving is.
    pub fn state(&self) -> SaveState {
        self.0.keeper.state()
    }

    /// What this tab may do.
    pub fn access(&self) -> Access {
        let lease = self.0.lease.borrow();
        lease.as_ref().map_or(Access::Read, Lease::access)
    }

    /// Edits here, and no longer in the other tab; what that has saved is told.
    pub async fn take_over(&self) -> Result<(), StoreError> {
        let taking = self.0.lease.borrow().as_ref().map(Lease::taking);
        if let Some(taking) = taking {
            taking.await?;
        }
        self.0.gain().await
    }

    /// Keeps that the user trusts the notebook as the page has it, once that is saved.
    pub async fn trust(&self) -> Result<(), StoreError> {
        self.save().await;
        let id = self.0.id.borrow().clone();
        self.0.shelf.trust(&id, &self.0.keeper.version()).await
    }

    /// Goes on with another notebook of the shelf, which was just made of what the page has: "Edit a
    /// copy", and the way out of a conflict.
    pub async fn go_on(&self, head: &Head) -> Result<(), StoreError> {
        let inner = &self.0;
        inner.keeper.reset(&head.id, &head.version);
        // A claim is not made anew for what is claimed.
        if inner.id.replace(head.id.clone()) != head.id {
            inner.claim(&head.id).await?;
        }
        inner.keeper.enable(self.access() == Access::Edit);
        // What was typed since the text was taken is not in it.
        inner.keeper.edited();
        (inner.told)(News::Access(self.access()));
        Ok(())
    }
}

impl Inner {
    async fn claim(self: &Rc<Self>, id: &str) -> Result<(), StoreError> {
        let weak = Rc::downgrade(self);
        let claim = self.shelf.claim(id);
        let lease = self.store.lease(&claim, move |told| hear(&weak, told));
        let lease = lease.await?;
        self.lease.replace(Some(lease));
        Ok(())
    }

    /// Follows what is saved elsewhere, by another tab or by going back to a version.
    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let listening = self.store.listen(move |changed| {
            let Some(inner) = weak.upgrade() else {
                return;
            };
            let claim = inner.shelf.claim(&inner.id.borrow());
            if matches!(changed, Changed::Saved { id, .. } if *id == claim) {
                spawn_local(async move { inner.follow().await });
            }
        });
        self.listening.replace(Some(listening));
    }

    async fn follow(&self) {
        if let Err(error) = self.read_anew().await {
            (self.told)(News::Save(SaveState::Failed(error)));
        }
    }

    /// Shows what was saved elsewhere. What is typed here and not saved stays: saving it will be
    /// refused, and shown.
    async fn read_anew(&self) -> Result<(), StoreError> {
        let id = self.id.borrow().clone();
        let (head, text) = self.shelf.read(&id).await?;
        let idle = self.keeper.state() == SaveState::Saved;
        if idle && head.version != self.keeper.version() {
            let version = head.version.clone();
            if (self.told)(News::Text(head, text)) {
                self.keeper.reset(&id, &version);
            }
        }
        Ok(())
    }

    /// May edit now; what was saved elsewhere comes first.
    async fn gain(&self) -> Result<(), StoreError> {
        (self.told)(News::Access(Access::Edit));
        let read = self.read_anew().await;
        // Where it could not be read too: a save names the version that it was made on, and overwrites no other.
        self.keeper.enable(true);
        read
    }

    async fn give(&self) {
        self.keeper.settle().await;
        if let Some(lease) = self.lease.borrow().as_ref() {
            lease.give();
        }
    }
}

fn hear(inner: &Weak<Inner>, told: Told) {
    let Some(inner) = inner.upgrade() else {
        return;
    };
    match told {
        Told::Wanted => spawn_local(async move { inner.give().await }),
        Told::Lost => {
            inner.keeper.enable(false);
            (inner.told)(News::Access(Access::Read));
        }
        Told::Gained => spawn_local(async move {
            // What could not be read shows when something is saved, which overwrites nothing.
            let _ = inner.gain().await;
        }),
    }
}
