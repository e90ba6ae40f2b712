//! A notebook of the user's own on the screen: saved as it changes, and by one tab at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_model::Document;
use spoor_model::gallery::copy_name;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::save::show_address;
use super::{App, Fetched};
use crate::dom::{self, button, el};
use crate::files::ask_choice;
use crate::notebook::Screen;
use crate::storage::{
    Access, Changed, Editing, Entry, Listening, News, SaveState, Store, StoreError,
};

/// What can be done about what is told: a button's label, and what it does.
type Act<'a> = (&'a str, fn(&Rc<Own>));

/// The notebook's place in the storage.
pub struct Own {
    app: Rc<App>,
    store: Store,
    editing: RefCell<Option<Editing>>,
    /// What the storage has of it beside its text.
    entry: RefCell<Entry>,
    listening: RefCell<Option<Listening>>,
    screen: RefCell<Weak<Screen>>,
    /// The model's revision that the storage was last told of.
    revision: Cell<u64>,
    notice: HtmlElement,
}

/// Opens a notebook of the storage: what is to be shown, and the way to save it. It is trusted as the
/// storage says.
pub async fn open(app: &Rc<App>, id: &str) -> Fetched<(Rc<Own>, Document)> {
    let told = |error: StoreError| crate::files::sentence(&error.to_string());
    let store = app.store().await.map_err(told)?;
    let entry = store.entry(id).await.map_err(told)?;
    let (own, text) = Own::edit(app, &store, entry).await.map_err(told)?;
    let entry = own.entry();
    let document = Document::from_json(text.as_bytes(), super::seed()).map_err(|error| {
        format!(
            "{} does not read: {error}. An older version of it may: see Versions under Files.",
            entry.name
        )
    })?;
    Ok((own, document.with_trust(entry.trusted)))
}

impl Own {
    /// Claims a notebook; with its text.
    async fn edit(
        app: &Rc<App>,
        store: &Store,
        entry: Entry,
    ) -> Result<(Rc<Self>, String), StoreError> {
        let id = entry.id.clone();
        let own = Rc::new(Self {
            app: app.clone(),
            store: store.clone(),
            editing: RefCell::default(),
            entry: RefCell::new(entry),
            listening: RefCell::default(),
            screen: RefCell::default(),
            revision: Cell::new(0),
            notice: el("div").class("notice").attr("role", "status").build(),
        });
        let (reading, hearing) = (Rc::downgrade(&own), Rc::downgrade(&own));
        let text = move || reading.upgrade().map(|own| own.text()).unwrap_or_default();
        let hear = move |news| {
            if let Some(own) = hearing.upgrade() {
                own.hear(news);
            }
            // What was saved elsewhere is offered, and shown by reading the page anew.
            false
        };
        let (editing, entry, text) = Editing::open(store, &id, text, hear).await?;
        own.editing.replace(Some(editing));
        own.entry.replace(entry);
        Ok((own, text))
    }

    /// Goes on with a screen's notebook as one of the user's own, which was just made of what the
    /// screen had at this revision.
    pub async fn adopt(
        screen: &Rc<Screen>,
        store: &Store,
        entry: &Entry,
        revision: u64,
    ) -> Result<(), StoreError> {
        let (own, _) = Self::edit(&screen.app, store, entry.clone()).await?;
        screen.keep(own.clone(), revision);
        own.changed(screen.state.borrow().revision());
        screen.change(|state| state.saved(revision));
        screen.take_name(&own.entry().name);
        show_address(&entry.id);
        Ok(())
    }

    /// Goes on with another notebook, which was just made of what the screen had at this revision.
    pub async fn go_on(self: &Rc<Self>, entry: &Entry, revision: u64) -> Result<(), StoreError> {
        let editing = self.editing.borrow().clone();
        self.entry.replace(entry.clone());
        self.revision.set(revision);
        dom::clear(&self.notice);
        if let Some(editing) = editing {
            editing.go_on(entry).await?;
        }
        if let Some(screen) = self.screen.borrow().upgrade() {
            self.changed(screen.state.borrow().revision());
            screen.take_name(&entry.name);
            screen.with_beside(super::Beside::refresh);
        }
        show_address(&entry.id);
        Ok(())
    }

    /// Begins to save what changes on a screen, whose notebook the storage has as it was at this
    /// revision.
    pub fn attach(self: &Rc<Self>, screen: &Rc<Screen>, revision: u64) {
        self.revision.set(revision);
        self.screen.replace(Rc::downgrade(screen));
        dom::append(&self.app.shell.messages(), &self.notice);
        let weak = Rc::downgrade(self);
        let listening = self.store.listen(move |changed| {
            if let Some(own) = weak.upgrade().filter(|_| *changed == Changed::Notebooks) {
                spawn_local(async move { own.follow().await });
            }
        });
        self.listening.replace(Some(listening));
        self.show_access();
    }

    /// What the storage has of the notebook beside its text.
    pub fn entry(&self) -> Entry {
        self.entry.borrow().clone()
    }

    /// Whether this tab may save.
    pub fn may_save(&self) -> bool {
        let editing = self.editing.borrow();
        editing
            .as_ref()
            .is_some_and(|editing| editing.access() == Access::Edit)
    }

    /// Saves what is not saved, and waits for that.
    pub async fn settle(&self) {
        let editing = self.editing.borrow().clone();
        if let Some(editing) = editing {
            editing.save().await;
        }
    }

    /// Keeps that the user trusts what is on the screen.
    pub fn trust(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            let editing = own.editing.borrow().clone();
            let trusted = match editing {
                Some(editing) => editing.trust().await,
                None => Ok(()),
            };
            match trusted {
                Ok(()) => own.entry.borrow_mut().trusted = true,
                // What another tab saved meanwhile is not what was looked at.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => own.say(&error),
            }
        });
    }

    /// Takes in that the notebook has another name, or was deleted.
    async fn follow(self: &Rc<Self>) {
        let id = self.entry().id;
        let Ok(entry) = self.store.entry(&id).await else {
            return;
        };
        let before = self.entry.replace(entry.clone());
        if before.id != entry.id {
            // It goes on with another meanwhile.
            self.entry.replace(before);
            return;
        }
        if before.name != entry.name
            && let Some(screen) = self.screen.borrow().upgrade()
        {
            screen.take_name(&entry.name);
        }
        match (before.removed, entry.removed) {
            (None, Some(_)) => self.tell(
                "This notebook was deleted. It can be restored for a month, here or under Files.",
                &[("Restore", |own| own.bring_back())],
            ),
            (Some(_), None) => self.show_access(),
            _ => {}
        }
    }

    fn bring_back(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            let Entry { id, name, .. } = own.entry();
            if let Err(error) = own.restored(&id, &name).await {
                own.say(&error);
            }
        });
    }

    async fn restored(&self, id: &str, name: &str) -> Result<(), StoreError> {
        let names = self.names().await?;
        self.store.bring_back(id, &copy_name(name, &names)).await
    }

    async fn names(&self) -> Result<Vec<String>, StoreError> {
        let all = self.store.notebooks().await?;
        Ok(all.into_iter().map(|entry| entry.name).collect())
    }

    fn say(&self, error: &StoreError) {
        let text = crate::files::sentence(&error.to_string());
        self.app.shell.say(&text);
    }

    /// The screen has changed.
    pub fn changed(&self, revision: u64) {
        if self.revision.replace(revision) != revision
            && let Some(editing) = self.editing.borrow().as_ref()
        {
            editing.edited();
        }
    }

    /// Saves at once.
    pub fn save(&self) {
        let editing = self.editing.borrow().clone();
        spawn_local(async move {
            if let Some(editing) = editing {
                let _ = editing.save().await;
            }
        });
    }

    fn text(&self) -> String {
        let screen = self.screen.borrow().upgrade();
        let json = screen.map(|screen| screen.state.borrow().document().to_json());
        json.map(|json| String::from_utf8_lossy(&json).into_owned())
            .unwrap_or_default()
    }

    fn hear(self: &Rc<Self>, news: News) {
        match news {
            News::Save(state) => self.show_saved(&state),
            News::Access(_) => self.show_access(),
            News::Text(..) => self.show_newer(),
        }
    }

    fn show_saved(self: &Rc<Self>, state: &SaveState) {
        let text = match state {
            SaveState::Saved => "saved",
            SaveState::Unsaved => "edited",
            SaveState::Saving => "saving",
            SaveState::Failed(_) => "not saved",
        };
        self.app.shell.set_saved(text);
        match state {
            SaveState::Saved => self.mark_saved(),
            SaveState::Failed(StoreError::Conflict { .. }) => {
                let own = self.clone();
                spawn_local(async move { own.settle_conflict().await });
            }
            SaveState::Failed(error) => {
                self.tell(
                    &crate::files::sentence(&error.to_string()),
                    &[("Try again", |own| own.save())],
                );
            }
            _ => {}
        }
    }

    fn mark_saved(&self) {
        if let Some(screen) = self.screen.borrow().upgrade() {
            let revision = self.revision.get();
            screen.change(|state| state.saved(revision));
        }
    }

    fn show_access(self: &Rc<Self>) {
        let access = self.editing.borrow().as_ref().map(Editing::access);
        match access {
            Some(Access::Read) => self.tell(
                "Another tab edits this notebook. What you change here is not saved.",
                &[
                    ("Edit a copy", |own| own.copy()),
                    ("Take over", |own| own.take_over()),
                ],
            ),
            _ => dom::clear(&self.notice),
        }
    }

    fn show_newer(self: &Rc<Self>) {
        self.tell(
            "This notebook was saved elsewhere, by another tab or by going back to a version.",
            &[
                ("Show what was saved", |_| reload()),
                ("Keep this as a copy", |own| own.copy()),
            ],
        );
    }

    fn tell(self: &Rc<Self>, text: &str, acts: &[Act<'_>]) {
        dom::clear(&self.notice);
        dom::append(&self.notice, el("span").text(text));
        for (label, act) in acts {
            let (weak, act) = (Rc::downgrade(self), *act);
            dom::append(
                &self.notice,
                button(label).on("click", move |_: MouseEvent| {
                    if let Some(own) = weak.upgrade() {
                        act(&own);
                    }
                }),
            );
        }
    }

    fn take_over(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            let editing = own.editing.borrow().clone();
            if let Some(editing) = editing
                && let Err(error) = editing.take_over().await
            {
                own.say(&error);
            }
        });
    }

    /// Goes on with a notebook of its own that has what is on the screen.
    fn copy(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            if let Err(error) = own.save_copy().await {
                own.say(&error);
            }
        });
    }

    async fn save_copy(self: &Rc<Self>) -> Result<(), StoreError> {
        let name = copy_name(&self.entry().name, &self.names().await?);
        let Some(screen) = self.screen.borrow().upgrade() else {
            return Ok(());
        };
        let revision = screen.state.borrow().revision();
        let copy = screen.copy();
        let origin = copy.origin.as_deref();
        let made = self
            .store
            .create_as(&name, &copy.text, origin, copy.trusted);
        self.go_on(&made.await?, revision).await
    }

    async fn settle_conflict(self: &Rc<Self>) {
        let text = "Another tab saved this notebook after it was opened here. Nothing is overwritten: keep yours as a notebook of its own, or leave yours and see what was saved.";
        let acts = ["Keep mine as a copy", "See what was saved"];
        match ask_choice("Saved elsewhere", text, &acts).await {
            Some(0) => self.copy(),
            Some(_) => reload(),
            None => self.show_newer(),
        }
    }
}

fn reload() {
    let _ = dom::window().location().reload();
}
