//! A notebook of the user's own on the screen: saved as it changes, and by one tab at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_model::Document;
use spoor_model::gallery::copy_name;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::{App, Fetched};
use crate::dom::{self, button, el};
use crate::files::ask_choice;
use crate::notebook::Screen;
use crate::storage::{Access, Editing, Entry, News, SaveState, Store, StoreError};

/// What can be done about what is told: a button's label, and what it does.
type Act<'a> = (&'a str, fn(&Rc<Own>));

/// The notebook's place in the storage.
pub struct Own {
    app: Rc<App>,
    store: Store,
    editing: RefCell<Option<Editing>>,
    screen: RefCell<Weak<Screen>>,
    /// The model's revision that the storage was last told of.
    revision: Cell<u64>,
    notice: HtmlElement,
}

/// Opens a notebook of the storage: what is to be shown, and the way to save it.
pub async fn open(app: &Rc<App>, id: &str) -> Fetched<(Rc<Own>, Entry, Document)> {
    let told = |error: StoreError| crate::files::sentence(&error.to_string());
    let store = Store::open().await.map_err(told)?;
    store.expose();
    let own = Rc::new(Own {
        app: app.clone(),
        store: store.clone(),
        editing: RefCell::default(),
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
    let opened = Editing::open(&store, id, text, hear).await;
    let (editing, entry, text) = opened.map_err(told)?;
    let document = Document::from_json(text.as_bytes(), super::seed()).map_err(|error| {
        format!(
            "{} does not read: {error}. An older version of it may: see Versions under Files.",
            entry.name
        )
    })?;
    own.editing.replace(Some(editing));
    Ok((own, entry, document))
}

impl Own {
    /// Begins to save what changes on a screen.
    pub fn attach(self: &Rc<Self>, screen: &Rc<Screen>) {
        self.revision.set(screen.state.borrow().revision());
        self.screen.replace(Rc::downgrade(screen));
        dom::append(&self.app.shell.messages(), &self.notice);
        self.show_access();
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
        let names = self.store.notebooks().await?;
        let names: Vec<String> = names.into_iter().map(|entry| entry.name).collect();
        let screen = self.screen.borrow().upgrade();
        let name = screen
            .map(|screen| screen.name.borrow().clone())
            .unwrap_or_default();
        let editing = self.editing.borrow().clone();
        if let Some(editing) = editing {
            let entry = editing
                .save_as(&copy_name(&name, &names), &self.text())
                .await?;
            super::go_to(&entry.id);
        }
        Ok(())
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
