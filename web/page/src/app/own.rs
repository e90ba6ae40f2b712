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
use crate::server::Folder;
use crate::storage::{
    Access, Changed, Editing, Entry, Head, Listening, News, Opened, SaveState, Shelf, Store,
    StoreError,
};

/// What can be done about what is told: a button's label, and what it does.
type Act<'a> = (&'a str, fn(&Rc<Own>));

/// The notebook's place: in the browser's storage, or in the folder of a server.
pub struct Own {
    app: Rc<App>,
    store: Store,
    shelf: Rc<dyn Shelf>,
    editing: RefCell<Option<Editing>>,
    /// Which notebook it is.
    head: RefCell<Head>,
    /// What the storage has of it beside its text, if it is kept there.
    entry: RefCell<Option<Entry>>,
    listening: RefCell<Option<Listening>>,
    screen: RefCell<Weak<Screen>>,
    /// The model's revision that the place was last told of.
    revision: Cell<u64>,
    /// Whether what was opened is not saved yet.
    unsaved: Cell<bool>,
    notice: HtmlElement,
    /// Why the last save failed, while that is told.
    failure: RefCell<Option<String>>,
}

/// Opens a notebook of the storage: what is to be shown, and the way to save it. It is trusted as the
/// storage says.
pub async fn open(app: &Rc<App>, id: &str) -> Fetched<(Rc<Own>, Document)> {
    let store = app.store().await.map_err(told)?;
    let shelf = Rc::new(store.clone());
    open_on(app, &store, shelf, id).await
}

/// Opens a notebook of the folder of `spoor serve`, by its path.
pub async fn open_served(app: &Rc<App>, path: &str) -> Fetched<(Rc<Own>, Document)> {
    let (_, client) = super::fetch::site().await?;
    let client = client.ok_or_else(|| {
        format!("{path} is a notebook of a computer's folder, and this page is not served from there: start `spoor serve --notebooks DIR` and open the address that it prints.")
    })?;
    let store = app.store().await.map_err(told)?;
    let shelf = Rc::new(Folder::new(client, &store));
    open_on(app, &store, shelf, path).await
}

async fn open_on(
    app: &Rc<App>,
    store: &Store,
    shelf: Rc<dyn Shelf>,
    id: &str,
) -> Fetched<(Rc<Own>, Document)> {
    let (own, opened) = Own::edit(app, store, shelf, id).await.map_err(told)?;
    let document = Document::from_json(opened.text.as_bytes(), super::seed());
    let document = document.map_err(|error| {
        let (name, advice) = (own.name(), own.shelf.words().unreadable);
        format!("{name} does not read: {error}. {advice}")
    })?;
    own.unsaved.set(opened.unsaved);
    if let Some(note) = opened.note {
        app.shell.say(&note);
    }
    let trusted = own.entry().is_some_and(|entry| entry.trusted);
    Ok((own, document.with_trust(trusted)))
}

fn told(error: StoreError) -> String {
    crate::files::sentence(&error.to_string())
}

impl Own {
    /// Claims a notebook; with its text.
    async fn edit(
        app: &Rc<App>,
        store: &Store,
        shelf: Rc<dyn Shelf>,
        id: &str,
    ) -> Result<(Rc<Self>, Opened), StoreError> {
        let own = Rc::new(Self {
            app: app.clone(),
            store: store.clone(),
            shelf: shelf.clone(),
            editing: RefCell::default(),
            head: RefCell::default(),
            entry: RefCell::default(),
            listening: RefCell::default(),
            screen: RefCell::default(),
            revision: Cell::new(0),
            unsaved: Cell::new(false),
            notice: el("div").class("notice").attr("role", "status").build(),
            failure: RefCell::default(),
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
        let (editing, opened) = Editing::open(store, shelf, id, text, hear).await?;
        own.editing.replace(Some(editing));
        own.take_head(opened.head.clone()).await?;
        Ok((own, opened))
    }

    /// Goes on with a screen's notebook as one of the user's own, which was just made of what the
    /// screen had at this revision.
    pub async fn adopt(
        screen: &Rc<Screen>,
        store: &Store,
        entry: &Entry,
        revision: u64,
    ) -> Result<(), StoreError> {
        let shelf = Rc::new(store.clone());
        let (own, _) = Self::edit(&screen.app, store, shelf, &entry.id).await?;
        if let Some(before) = screen.own() {
            before.notice.remove();
        }
        screen.keep(own.clone(), revision);
        own.changed(screen.state.borrow().revision());
        screen.change(|state| state.saved(revision));
        screen.take_name(&own.name());
        show_address(&own.shelf.address(&entry.id));
        Ok(())
    }

    /// Goes on with another notebook, which was just made of what the screen had at this revision.
    pub async fn go_on(self: &Rc<Self>, head: &Head, revision: u64) -> Result<(), StoreError> {
        let editing = self.editing.borrow().clone();
        self.take_head(head.clone()).await?;
        self.revision.set(revision);
        self.failure.take();
        dom::clear(&self.notice);
        if let Some(editing) = editing {
            editing.go_on(head).await?;
        }
        if let Some(screen) = self.screen.borrow().upgrade() {
            self.changed(screen.state.borrow().revision());
            screen.take_name(&head.name);
            screen.with_beside(super::Beside::refresh);
        }
        show_address(&self.shelf.address(&head.id));
        Ok(())
    }

    async fn take_head(&self, head: Head) -> Result<(), StoreError> {
        let entry = self.shelf.entry(&head.id).await?;
        self.entry.replace(entry);
        self.head.replace(head);
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
        if self.unsaved.take()
            && let Some(editing) = self.editing.borrow().as_ref()
        {
            editing.edited();
        }
    }

    /// What the storage has of the notebook beside its text, if it is kept there.
    pub fn entry(&self) -> Option<Entry> {
        self.entry.borrow().clone()
    }

    /// The name of the notebook's file.
    pub fn name(&self) -> String {
        self.head.borrow().name.clone()
    }

    /// Its path, where it is one of a server's folder.
    pub fn served(&self) -> Option<String> {
        let path = self.head.borrow().id.clone();
        self.entry.borrow().is_none().then_some(path)
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
                Ok(()) => {
                    if let Some(entry) = own.entry.borrow_mut().as_mut() {
                        entry.trusted = true;
                    }
                }
                // What another tab saved meanwhile is not what was looked at.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => own.say(error),
            }
        });
    }

    /// Takes in that the notebook has another name, or was deleted.
    async fn follow(self: &Rc<Self>) {
        let Some(before) = self.entry() else {
            return;
        };
        let Ok(entry) = self.store.entry(&before.id).await else {
            return;
        };
        if self.head.borrow().id != entry.id {
            // It goes on with another meanwhile.
            return;
        }
        self.entry.replace(Some(entry.clone()));
        self.head.replace(Head::from(&entry));
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
            let Head { id, name, .. } = own.head.borrow().clone();
            if let Err(error) = own.restored(&id, &name).await {
                own.say(error);
            }
        });
    }

    async fn restored(&self, id: &str, name: &str) -> Result<(), StoreError> {
        let all = self.store.notebooks().await?.into_iter();
        let names: Vec<String> = all.map(|entry| entry.name).collect();
        self.store.bring_back(id, &copy_name(name, &names)).await
    }

    fn say(&self, error: StoreError) {
        self.app.shell.say(&told(error));
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
            SaveState::Saved => {
                self.mark_saved();
                if self.failure.take().is_some() {
                    self.show_access();
                }
            }
            SaveState::Failed(StoreError::Conflict { .. } | StoreError::Elsewhere) => {
                let own = self.clone();
                spawn_local(async move { own.settle_conflict().await });
            }
            SaveState::Failed(error) => {
                let mut text = told(error.clone());
                if matches!(error, StoreError::Away(_)) {
                    text.push_str(" What you type is kept in this browser meanwhile, and saved once that is so.");
                }
                // A save that is tried again and again is told once.
                if self.failure.replace(Some(text.clone())).as_ref() != Some(&text) {
                    self.tell(&text, &[("Try again", |own| own.save())]);
                }
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
            self.shelf.words().newer,
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
                own.say(error);
            }
        });
    }

    /// Goes on with a notebook of its own that has what is on the screen.
    fn copy(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            if let Err(error) = own.save_copy().await {
                own.say(error);
            }
        });
    }

    async fn save_copy(self: &Rc<Self>) -> Result<(), StoreError> {
        let screen = self.screen.borrow().upgrade();
        let Some(screen) = screen else {
            return Ok(());
        };
        let revision = screen.state.borrow().revision();
        let Head { id, name, .. } = self.head.borrow().clone();
        let head = self.shelf.copy(&id, &name, &screen.copy()).await?;
        self.go_on(&head, revision).await
    }

    async fn settle_conflict(self: &Rc<Self>) {
        let text = self.shelf.words().conflict;
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
