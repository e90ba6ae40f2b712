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
mod sources;
mod versions;
mod words;

use std::cell::Cell;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, MouseEvent};

pub use ask::{Question, choice as ask_choice, text as ask_text, told as tell, yes as ask_yes};
pub use export::{ExportError, Form, copy, download, formed, link};
pub use import::{Found, ImportError, from_fragment, from_link, keep, read};
pub use menu::{Item, menu};
pub use notebooks::{empty as empty_notebook, free_name, when};
pub use sources::Sources;

use crate::dom::{self, button, el};
use crate::storage::{Changed, DataFile, Entry, Listening, Store, StoreError, bytes};

/// What a table holds, for its preview.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The columns: names and Kusto's types.
    pub columns: Vec<(String, String)>,
    /// How many rows there are.
    pub rows: Option<f64>,
    /// The first rows as text.
    pub first: Vec<Vec<String>>,
}

/// A preview that is on its way, or why there is none.
pub type Describing = Pin<Box<dyn Future<Output = Result<Preview, String>>>>;

/// A save that is on its way.
pub type Settling = Pin<Box<dyn Future<Output = ()>>>;

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
    space: HtmlElement,
    refreshing: Cell<bool>,
    stale: Cell<bool>,
}

/// What the panel shows.
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
        removed: el("details").class("removed").build(),
        adding: list("file-list adding", "Being added"),
        data: list("file-list", "Data"),
        space: el("p").class("space").build(),
        refreshing: Cell::new(false),
        stale: Cell::new(false),
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
    inner.refresh();
    Files { inner, _listening }
}

impl Files {
    /// Shows anew what is there, as when another notebook is open.
    pub fn refresh(&self) {
        self.inner.refresh();
    }

    /// Opens the browser's dialog to choose data files.
    pub fn choose_data(&self) {
        add::choose(&self.inner, add::Choice::Data);
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
    let data = inner.button("Add", "Add data files", |inner| {
        add::choose(inner, add::Choice::Data);
    });
    let everything = inner.button(
        "Export everything (.zip)",
        "Export everything (.zip)",
        add::export_all,
    );
    let hint =
        "CSV, JSON, Parquet or Arrow; gzip, zstd and zip too. Drop files anywhere on the page.";
    let notebooks = section("Notebooks", vec![new, import]);
    let files = section("Data", vec![data]);
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
                    Ok(shown) => inner.show(&shown),
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

    fn show(self: &Rc<Self>, shown: &Shown) {
        let rows = shown
            .notebooks
            .iter()
            .map(|entry| notebooks::row(self, entry));
        fill(
            &self.notebooks,
            rows,
            "No notebook yet: begin one, import one, or copy one of the gallery.",
        );
        notebooks::show_removed(self, &shown.removed);
        let rows = shown.files.iter().map(|file| data::row(self, file));
        fill(&self.data, rows, "No data yet.");
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

/// With a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let stop = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    first
        .into_iter()
        .flatten()
        .chain(letters)
        .collect::<String>()
        + stop
}
