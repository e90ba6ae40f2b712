//! A notebook of the user's own on the screen: saved as it changes, and by one tab at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_model::Document;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::{App, Fetched};
use crate::dom::{self, button, el};
use crate::files::ask_choice;
use crate::notebook::Screen;
use crate::server::Folder;
use crate::storage::{Access, Editing, News, SaveState, Shelf, Store, StoreError};

/// What can be done about what is told: a button's label, and what it does.
type Act<'a> = (&'a str, fn(&Rc<Own>));

/// The notebook's place: in the browser's storage, or in the folder of a server.
pub struct Own {
    app: Rc<App>,
    shelf: Rc<dyn Shelf>,
    editing: RefCell<Option<Editing>>,
    screen: RefCell<Weak<Screen>>,
    /// The model's revision that the place was last told of.
    revision: Cell<u64>,
    /// Whether what was opened is not saved yet.
    unsaved: Cell<bool>,
    notice: HtmlElement,
    /// Why the last save failed, while that is told.
    failure: RefCell<Option<String>>,
}

/// What is opened: the way to save it, the name of its file, and what is to be shown.
type Shown = (Rc<Own>, String, Document);

/// Opens a notebook of the storage.
pub async fn open(app: &Rc<App>, id: &str) -> Fetched<Shown> {
    let store = Store::open().await.map_err(told)?;
    let shelf = Rc::new(store.clone());
    open_on(app, &store, shelf, id).await
}

/// Opens a notebook of the folder of `spoor serve`, by its path.
pub async fn open_served(app: &Rc<App>, path: &str) -> Fetched<Shown> {
    let (_, client) = super::fetch::site().await?;
    let client = client.ok_or_else(|| {
        format!("{path} is a notebook of a computer's folder, and this page is not served from there: start `spoor serve --notebooks DIR` and open the address that it prints.")
    })?;
    let store = Store::open().await.map_err(told)?;
    let shelf = Rc::new(Folder::new(client, &store));
    open_on(app, &store, shelf, path).await
}

async fn open_on(app: &Rc<App>, store: &Store, shelf: Rc<dyn Shelf>, id: &str) -> Fetched<Shown> {
    store.expose();
    let own = Rc::new(Own {
        app: app.clone(),
        shelf: shelf.clone(),
        editing: RefCell::default(),
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
    let opened = Editing::open(store, shelf, id, text, hear).await;
    let (editing, opened) = opened.map_err(told)?;
    let name = opened.head.name;
    let document = Document::from_json(opened.text.as_bytes(), super::seed());
    let document = document.map_err(|error| {
        let advice = own.shelf.words().unreadable;
        format!("{name} does not read: {error}. {advice}")
    })?;
    own.unsaved.set(opened.unsaved);
    own.editing.replace(Some(editing));
    if let Some(note) = opened.note {
        app.shell.say(&note);
    }
    Ok((own, name, document))
}

fn told(error: StoreError) -> String {
    crate::files::sentence(&error.to_string())
}

impl Own {
    /// Begins to save what changes on a screen.
    pub fn attach(self: &Rc<Self>, screen: &Rc<Screen>) {
        self.revision.set(screen.state.borrow().revision());
        self.screen.replace(Rc::downgrade(screen));
        dom::append(&self.app.shell.messages(), &self.notice);
        self.show_access();
        if self.unsaved.take()
            && let Some(editing) = self.editing.borrow().as_ref()
        {
            editing.edited();
        }
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
            if let Some(Err(error)) = match editing {
                Some(editing) => Some(editing.take_over().await),
                None => None,
            } {
                own.app
                    .shell
                    .say(&crate::files::sentence(&error.to_string()));
            }
        });
    }

    /// Goes on with a notebook of its own that has what is on the screen.
    fn copy(self: &Rc<Self>) {
        let own = self.clone();
        spawn_local(async move {
            if let Err(error) = own.save_copy().await {
                own.app
                    .shell
                    .say(&crate::files::sentence(&error.to_string()));
            }
        });
    }

    async fn save_copy(&self) -> Result<(), StoreError> {
        let screen = self.screen.borrow().upgrade();
        let name = screen
            .map(|screen| screen.name.borrow().clone())
            .unwrap_or_default();
        let editing = self.editing.borrow().clone();
        if let Some(editing) = editing {
            let head = editing.save_as(&name, &self.text()).await?;
            let address = self.shelf.address(&head.id);
            let _ = dom::window().location().set_href(&address);
        }
        Ok(())
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
