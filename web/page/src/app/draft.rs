//! What is typed into a notebook from elsewhere, which is in nobody's files: kept aside, so that it outlives the tab, and offered when
//! the notebook is next opened.

use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement, MouseEvent};

use super::route::Place;
use super::{App, address_of, leave_for};
use crate::dom::{self, button, el};
use crate::files::{Found, keep, proper_name, sentence};
use crate::notebook::Screen;
use crate::storage::{Store, StoreError};
use crate::toast;

/// How long after a change it is kept, in milliseconds.
const SOON: i32 = 1_500;

/// The draft of a screen's notebook.
pub struct Aside {
    id: String,
    store: Store,
    /// What the cells said when the notebook was opened, as [`said`] has it.
    opened: u64,
    /// The revision that is kept, or that need not be.
    kept: Cell<u64>,
    /// Whether it is about to be kept.
    waiting: Cell<bool>,
    /// What was typed at another time, until the user has said what becomes of it.
    offered: RefCell<Option<String>>,
    notice: HtmlElement,
}

/// Keeps what is typed into a screen's notebook from now on, where that came from elsewhere.
pub fn follow(screen: &Rc<Screen>, place: &Place) {
    let Some(id) = id_of(place) else {
        return;
    };
    let (screen, app, opened) = (screen.clone(), screen.app.clone(), said(screen));
    spawn_local(async move {
        // Where the browser keeps nothing the user is asked before the page goes.
        let Ok(store) = app.store().await else {
            return;
        };
        let offered = store.served_draft(&id).await.ok().flatten();
        let offered = offered.map(|(_, text)| text);
        let aside = Rc::new(Aside {
            id,
            store,
            opened,
            kept: Cell::new(0),
            waiting: Cell::new(false),
            offered: RefCell::new(offered.filter(|text| *text != screen.copy().text)),
            notice: el("div").class("notice").attr("role", "status").build(),
        });
        if screen.own().is_none() {
            aside.begin(&screen, &app);
        }
    });
}

/// Under which id a notebook's draft is kept; none where its changes are saved by themselves.
fn id_of(place: &Place) -> Option<String> {
    match place {
        Place::Url(url) => Some(format!("from:{url}")),
        Place::Link(text) => Some(format!("from:#{text}")),
        Place::Own(_) | Place::Served(_) => None,
    }
}

impl Aside {
    fn begin(self: &Rc<Self>, screen: &Rc<Screen>, app: &App) {
        screen.put_aside(self);
        if self.offered.borrow().is_some() {
            self.offer(screen);
            dom::append(&app.shell.messages(), &self.notice);
        }
        // A page that goes is not waited for.
        let leaving = self.clone();
        screen.on(&dom::window(), "pagehide", move |screen, _: Event| {
            let is_typed = leaving.is_behind(screen) && said(screen) != leaving.opened;
            if is_typed && leaving.offered.borrow().is_none() {
                let _ = leaving
                    .store
                    .keep_served(&leaving.id, "", &screen.copy().text);
            }
        });
        self.changed(screen);
    }

    /// Whether the screen has something that is kept nowhere.
    fn is_behind(&self, screen: &Screen) -> bool {
        let state = screen.state.borrow();
        screen.own().is_none() && state.is_dirty() && state.revision() != self.kept.get()
    }

    /// Something may have changed.
    pub fn changed(self: &Rc<Self>, screen: &Rc<Screen>) {
        if !self.is_behind(screen) || self.waiting.replace(true) {
            return;
        }
        let own = self.clone();
        screen.after(SOON, move |screen| {
            let screen = screen.clone();
            spawn_local(async move {
                own.waiting.set(false);
                if own.is_behind(&screen) {
                    own.keep(&screen).await;
                }
            });
        });
    }

    async fn keep(self: &Rc<Self>, screen: &Rc<Screen>) {
        let revision = screen.state.borrow().revision();
        // What a run gave is no work of the user's: it can be run again.
        if said(screen) == self.opened {
            return self.kept.set(revision);
        }
        let text = screen.copy().text;
        let kept = match self.recover(screen).await {
            Ok(()) => self.store.keep_elsewhere(&self.id, &text).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(()) => {
                self.kept.set(revision);
                screen.app.shell.set_saved("kept as a draft");
                // What was typed meanwhile.
                self.changed(screen);
            }
            Err(error) => {
                let why = sentence(&error.to_string());
                screen.app.shell.say(&format!(
                    "What you type is not kept. {why} To keep it, export it as .ipynb."
                ));
            }
        }
    }

    /// What was typed at another time becomes a notebook of its own before anything takes its place.
    async fn recover(&self, screen: &Screen) -> Result<(), StoreError> {
        let Some(text) = self.offered.take() else {
            return Ok(());
        };
        self.notice.remove();
        let found = found(screen, &text);
        match keep(&self.store, &found).await {
            Ok(entry) => toast::show(
                &format!("What you typed here before is now {}", entry.name),
                None,
            ),
            Err(error) => {
                self.offered.replace(Some(text));
                return Err(StoreError::Failed(error.to_string()));
            }
        }
        Ok(())
    }

    /// The notebook is kept among the user's own from now on.
    pub fn end(self: Rc<Self>, screen: &Rc<Screen>) {
        let screen = screen.clone();
        spawn_local(async move {
            // What cannot be recovered stays, and is offered again.
            if self.recover(&screen).await.is_ok() {
                let _ = self.store.forget_served(&self.id).await;
            }
        });
    }

    fn offer(self: &Rc<Self>, screen: &Rc<Screen>) {
        let text = "You changed this notebook here before, and did not save it.";
        dom::append(&self.notice, el("span").text(text));
        let (own, shown) = (self.clone(), screen.clone());
        let go_on = move |_: MouseEvent| own.go_on(&shown);
        dom::append(&self.notice, button("Go on with that").on("click", go_on));
        let own = self.clone();
        let discard = move |_: MouseEvent| own.discard();
        dom::append(&self.notice, button("Discard it").on("click", discard));
    }

    /// Makes a notebook of what was typed before, and opens it.
    fn go_on(self: &Rc<Self>, screen: &Rc<Screen>) {
        let Some(text) = self.offered.borrow().clone() else {
            return;
        };
        let (own, screen) = (self.clone(), screen.clone());
        spawn_local(async move {
            match keep(&own.store, &found(&screen, &text)).await {
                Ok(entry) => {
                    own.offered.take();
                    let _ = own.store.forget_served(&own.id).await;
                    leave_for(&screen, &address_of(&entry.id));
                }
                Err(error) => screen.app.shell.say(&sentence(&error.to_string())),
            }
        });
    }

    fn discard(self: &Rc<Self>) {
        self.offered.take();
        self.notice.remove();
        let own = self.clone();
        spawn_local(async move {
            let _ = own.store.forget_served(&own.id).await;
        });
    }
}

/// A number for the cells' kinds and texts, to tell while the page is open whether anything was typed.
fn said(screen: &Screen) -> u64 {
    let state = screen.state.borrow();
    let document = state.document();
    let mut hasher = DefaultHasher::new();
    for key in document.keys() {
        document.kind(*key).hash(&mut hasher);
        document.source(*key).hash(&mut hasher);
    }
    hasher.finish()
}

fn found(screen: &Screen, text: &str) -> Found {
    Found {
        name: proper_name(&screen.name.borrow()),
        text: text.to_owned(),
        origin: screen.origin().unwrap_or_default(),
    }
}
