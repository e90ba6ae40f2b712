//! The user's files: notebooks and data, in a panel beside the notebook.
//!
//! Mounted by the app, which opens notebooks and asks its kernel what is in a table. What happens
//! here or in another tab is shown at once, since the panel listens to the storage.

mod add;
mod ask;
mod data;
mod drop;
mod export;
mod folder;
mod import;
mod links;
mod menu;
mod notebooks;
mod place;
mod plugins;
mod sources;
mod tables;
mod versions;
mod words;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use spoor_messages::Source;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, MouseEvent};

pub use add::Choice;
pub use ask::{
    Question, choice as ask_choice, choice_of as ask_of, text as ask_text, told as tell,
    yes as ask_yes,
};
pub use export::{ExportError, Form, copy, download, formed, link};
pub use import::{Found, ImportError, from_fragment, from_link, keep, proper_name, read};
pub use menu::{Item, grouped as grouped_menu, menu};
pub use notebooks::{empty as empty_notebook, free_name, when};
pub use place::keep_as;
pub use sources::{Sources, is_plugin};

use crate::dom::{self, button, el};
use crate::plugins::Plugins;
use crate::storage::{Changed, DataFile, Entry, Listening, Store, StoreError, bytes};

/// What a table holds, for its preview.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The columns: names and Kusto's types.
    pub columns: Vec<(String, String)>,
    /// How many rows there are.
    pub rows: Option<u64>,
    /// The first rows as text.
    pub first: Vec<Vec<String>>,
}

/// How long a list waits for a menu in it to be closed, in milliseconds.
const MENU_OPEN: i32 = 500;

/// A preview that is on its way, or why there is none.
pub type Describing = Pin<Box<dyn Future<Output = Result<Preview, String>>>>;

/// A save that is on its way.
pub type Settling = Pin<Box<dyn Future<Output = ()>>>;

/// Puts a text where the cursor is; whether there is such a place.
pub type Insert = Box<dyn Fn(&str) -> bool>;

/// What the panel asks of the app.
pub struct Callbacks {
    /// Opens the notebook of this id.
    pub open: Box<dyn Fn(&str)>,
    /// The id of the notebook that is open.
    pub current: Box<dyn Fn() -> Option<String>>,
    /// Saves what the open notebook has and is not saved yet, so that a copy has it too.
    pub settle: Box<dyn Fn() -> Settling>,
    /// Says what a table holds, by asking the kernel.
    pub describe: Box<dyn Fn(&str) -> Describing>,
    /// What is known of plugins.
    pub plugins: Rc<Plugins>,
    /// What to show until it is known what a table holds.
    pub waiting: Box<dyn Fn() -> &'static str>,
    /// Writes a table's name where the user writes, if there is such a place; whether it did.
    pub insert: Option<Insert>,
    /// There is something to see in the panel, which may be closed.
    pub reveal: Box<dyn Fn()>,
}

/// The panel. Dropping it ends its listening; its elements are the parent's.
pub struct Files {
    inner: Rc<Inner>,
    _listening: Listening,
}

struct Inner {
    store: Store,
    callbacks: Callbacks,
    problem: HtmlElement,
    notebooks: HtmlElement,
    removed: HtmlElement,
    adding: HtmlElement,
    data: HtmlElement,
    plugins: HtmlElement,
    offered: tables::Offered,
    space: HtmlElement,
    refreshing: Cell<bool>,
    stale: Cell<bool>,
    shown: RefCell<Shown>,
}

/// What the panel shows.
#[derive(Default, PartialEq)]
struct Shown {
    notebooks: Vec<Entry>,
    removed: Vec<Entry>,
    files: Vec<DataFile>,
}

/// Puts the panel into `parent`. Files may be dropped anywhere on the page.
pub fn mount(parent: &Element, store: &Store, callbacks: Callbacks) -> Files {
    let list = |class: &str, label: &str| el("ul").class(class).attr("aria-label", label).build();
    let inner = Rc::new(Inner {
        store: store.clone(),
        callbacks,
        problem: el("div").class("problem").attr("role", "alert").build(),
        notebooks: list("file-list", "Notebooks"),
        removed: el("details").class("removed").flag("hidden", true).build(),
        adding: list("file-list adding", "Being added"),
        data: list("file-list", "Data"),
        plugins: list("file-list", "Plugins"),
        offered: tables::Offered::default(),
        space: el("p").class("space").build(),
        refreshing: Cell::new(false),
        stale: Cell::new(false),
        shown: RefCell::default(),
    });
    dom::append(parent, panel(&inner));
    drop::listen(&inner);
    let weak = Rc::downgrade(&inner);
    let _listening = store.listen(move |changed| {
        let about = matches!(
            changed,
            Changed::Notebooks | Changed::Saved { .. } | Changed::Files
        );
        if let Some(inner) = weak.upgrade().filter(|_| about) {
            inner.refresh();
        }
    });
    let weak = Rc::downgrade(&inner);
    inner.callbacks.plugins.listen(move || {
        if let Some(inner) = weak.upgrade() {
            inner.show_plugins();
        }
    });
    inner.refresh();
    Files { inner, _listening }
}

impl Files {
    /// Shows anew what is there, as when another notebook is open.
    pub fn refresh(&self) {
        self.inner.refresh();
    }

    /// Opens the browser's dialog to choose files to add.
    pub fn choose(&self, choice: Choice) {
        add::choose(&self.inner, choice);
    }

    /// Asks for an address and imports what it leads to.
    pub fn import_link(&self) {
        add::from_link(&self.inner);
    }

    /// Makes an empty notebook and opens it.
    pub fn new_notebook(&self) {
        notebooks::new(&self.inner);
    }

    /// Asks for another name for a notebook.
    pub fn rename(&self, entry: Entry) {
        notebooks::rename(&self.inner, entry);
    }

    /// Shows the versions of a notebook.
    pub fn versions(&self, entry: Entry) {
        versions::show(&self.inner, entry);
    }

    /// Has the browser download everything in one archive.
    pub fn export_all(&self) {
        add::export_all(&self.inner);
    }

    /// Shows the tables that the site offers beside the user's own.
    pub fn offer(&self, sources: &[Source]) {
        self.inner.offered.set(&self.inner, sources);
    }
}

fn panel(inner: &Rc<Inner>) -> HtmlElement {
    let section = |title: &str, actions: Vec<HtmlElement>| {
        let head = el("div")
            .class("files-head")
            .child(el("h2").text(title))
            .children(actions);
        el("section").attr("aria-label", title).child(head)
    };
    let new = inner.button("New", "New notebook", notebooks::new);
    let import = menu("Import", "Import notebooks", add::import_items(inner));
    let data = menu("Add", "Add data files", add::data_items(inner));
    let everything = inner.button(
        "Export everything (.zip)",
        "Export everything (.zip)",
        add::export_all,
    );
    let hint =
        "CSV, JSON, Parquet or Arrow; gzip, zstd and zip too. Drop files anywhere on the page.";
    let notebooks = section("Notebooks", vec![new, import]);
    let files = section("Data", vec![data]);
    let more = menu("Add", "Add plugins", plugins::add_items(inner));
    let plugins = section("Plugins", vec![more]);
    let offered = section("From this site", Vec::new());
    let offered = offered.child(inner.offered.list()).build();
    inner.offered.stand_in(&offered);
    el("div")
        .class("files")
        .child(&inner.problem)
        .child(notebooks.child(&inner.notebooks).child(&inner.removed))
        .child(
            files
                .child(&inner.adding)
                .child(&inner.data)
                .child(el("p").class("hint").text(hint)),
        )
        .child(offered)
        .child(plugins.child(&inner.plugins))
        .child(
            el("div")
                .class("files-foot")
                .child(&inner.space)
                .child(&everything),
        )
        .build()
}

impl Inner {
    fn button(
        self: &Rc<Self>,
        text: &str,
        label: &str,
        act: impl Fn(&Rc<Self>) + 'static,
    ) -> HtmlElement {
        let weak = Rc::downgrade(self);
        let heard = move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                act(&inner);
            }
        };
        button(text)
            .attr("title", label)
            .attr("aria-label", label)
            .on("click", heard)
            .build()
    }

    /// Reads the storage and shows it; once more if something changes meanwhile.
    fn refresh(self: &Rc<Self>) {
        self.stale.set(true);
        if self.refreshing.replace(true) {
            return;
        }
        let inner = self.clone();
        spawn_local(async move {
            while inner.stale.replace(false) {
                match inner.read().await {
                    Ok(shown) => inner.show(shown),
                    Err(error) => inner.fail(&error),
                }
                inner.show_space().await;
            }
            inner.refreshing.set(false);
        });
    }

    async fn read(&self) -> Result<Shown, StoreError> {
        Ok(Shown {
            notebooks: self.store.notebooks().await?,
            removed: self.store.removed().await?,
            files: self.store.files().await?,
        })
    }

    /// Draws what is not as it was. What is open stays open: a preview, and a menu, which is waited for.
    fn show(self: &Rc<Self>, shown: Shown) {
        if self.has_open_menu() {
            let weak = Rc::downgrade(self);
            return dom::after(MENU_OPEN, move || {
                if let Some(inner) = weak.upgrade() {
                    inner.refresh();
                }
            });
        }
        let before = self.shown.borrow();
        if shown.files != before.files || self.data.child_element_count() == 0 {
            let files = shown.files.iter().filter(|file| !is_plugin(&file.name));
            let rows = files.map(|file| data::row(self, file));
            fill(&self.data, rows, "No data yet.");
        }
        drop(before);
        let rows = shown
            .notebooks
            .iter()
            .map(|entry| notebooks::row(self, entry));
        fill(
            &self.notebooks,
            rows,
            "No notebook yet: begin one, import one, or copy one of the gallery.",
        );
        if shown.removed != self.shown.borrow().removed {
            notebooks::show_removed(self, &shown.removed);
        }
        self.offered.refresh(&shown.files);
        self.shown.replace(shown);
        self.show_plugins();
    }

    /// Draws the plugins, of which more is known than the storage has.
    fn show_plugins(self: &Rc<Self>) {
        let files = self.shown.borrow().files.clone();
        let files: Vec<DataFile> = files
            .into_iter()
            .filter(|file| is_plugin(&file.name))
            .collect();
        plugins::list(self, &self.plugins, &files);
    }

    fn has_open_menu(&self) -> bool {
        [&self.notebooks, &self.data].iter().any(|list| {
            let open = list.query_selector(".menu:not([hidden])");
            open.is_ok_and(|open| open.is_some())
        })
    }

    async fn show_space(&self) {
        let text = match self.store.estimate().await {
            Some(space) => format!("{} used, {} left", bytes(space.used), bytes(space.free())),
            None => String::new(),
        };
        self.space.set_text_content(Some(&text));
    }

    /// Shows what went wrong until it is closed or something else goes wrong.
    fn fail(&self, error: &impl Display) {
        let problem = self.problem.clone();
        let close = button("Close")
            .class("plain")
            .on("click", move |_: MouseEvent| {
                dom::clear(&problem);
            });
        dom::clear(&self.problem);
        let text = sentence(&error.to_string());
        dom::append(&self.problem, el("p").text(&text));
        dom::append(&self.problem, &close);
        (self.callbacks.reveal)();
    }

    /// Does something with the storage, and shows it if it fails.
    fn run<F, E>(self: &Rc<Self>, act: impl FnOnce(Rc<Self>) -> F)
    where
        F: Future<Output = Result<(), E>> + 'static,
        E: Display + 'static,
    {
        let (inner, acting) = (self.clone(), act(self.clone()));
        spawn_local(async move {
            if let Err(error) = acting.await {
                inner.fail(&error);
            }
        });
    }
}

/// Puts rows into a list, or says that there are none. The focus stays with its row.
fn fill(list: &HtmlElement, rows: impl Iterator<Item = HtmlElement>, none: &str) {
    let focused = focused_row(list);
    dom::clear(list);
    for row in rows {
        let key = row.get_attribute("data-key");
        dom::append(list, &row);
        if key.is_some() && key == focused {
            focus_first_button(&row);
        }
    }
    if list.child_element_count() == 0 {
        dom::append(list, el("li").class("none").text(none));
    }
}

fn focused_row(list: &HtmlElement) -> Option<String> {
    let active = dom::document().active_element()?;
    let row = active.closest("[data-key]").ok()??;
    list.contains(Some(&row))
        .then(|| row.get_attribute("data-key"))?
}

fn focus_first_button(row: &HtmlElement) {
    let first = row.query_selector("button").ok().flatten();
    if let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok()) {
        let _ = first.focus();
    }
}

/// With a capital and a full stop. A file's name at the beginning stays as it is.
pub fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word.contains('.') && !word.ends_with('.') {
        return format!("{text}{}", stop_of(text));
    }
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(letters)
        .collect::<String>()
        + stop_of(text)
}

fn stop_of(text: &str) -> &'static str {
    if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_a_capital_and_names_stay_as_they_are() {
        assert_eq!(sentence("no such file"), "No such file.");
        assert_eq!(sentence("really?"), "Really?");
        assert_eq!(
            sentence("hosts.csv is full. Empty it"),
            "hosts.csv is full. Empty it."
        );
        assert_eq!(sentence(""), ".");
    }
}
