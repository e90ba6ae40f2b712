//! The gallery: hunts to read at once, or to copy and make one's own.
//!
//! Mounted by the app as its first screen. What a notebook says of itself comes from the site's
//! `gallery/index.json`; searching and filtering are `spoor-model`'s.

mod card;
mod save;

use std::cell::RefCell;
use std::rc::Rc;

use gloo_net::http::Request;
use spoor_model::gallery::{Entry, Filter, facet, is_technique, search, technique_name};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, MouseEvent};

use crate::dom::{self, button, el};
use crate::storage::Store;
use crate::words::counted;

/// Where the gallery is, relative to the page.
const FOLDER: &str = "gallery/";

/// The chips of a group that are shown before “More”.
const CHIPS: usize = 10;

/// What the gallery asks of the app.
pub struct Callbacks {
    /// Opens the user's notebook of this id.
    pub open: Box<dyn Fn(&str)>,
}

/// The gallery. Its elements are the parent's.
pub struct Gallery {
    _inner: Rc<Inner>,
}

struct Inner {
    /// None where the browser keeps nothing: copies cannot be saved then.
    store: Option<Store>,
    callbacks: Callbacks,
    entries: RefCell<Vec<Entry>>,
    filter: RefCell<Filter>,
    chips: HtmlElement,
    count: HtmlElement,
    cards: HtmlElement,
}

/// Puts the gallery into `parent` and loads its index.
pub fn mount(parent: &Element, store: Option<&Store>, callbacks: Callbacks) -> Gallery {
    let inner = Rc::new(Inner {
        store: store.cloned(),
        callbacks,
        entries: RefCell::default(),
        filter: RefCell::default(),
        chips: el("div").class("chips").build(),
        count: el("p").class("found").attr("role", "status").build(),
        cards: el("ul")
            .class("cards")
            .attr("aria-label", "Notebooks")
            .build(),
    });
    let lead = "Open one to read it with its results, or save a copy and make it yours.";
    let screen = el("div")
        .class("gallery-screen")
        .child(el("h1").text("Hunts to start from"))
        .child(el("p").class("lead").text(lead))
        .child(search_field(&inner))
        .child(&inner.chips)
        .child(&inner.count)
        .child(&inner.cards);
    dom::append(parent, screen);
    let loading = inner.clone();
    spawn_local(async move {
        match index().await {
            Ok(entries) => {
                loading.entries.replace(entries);
                loading.show_chips(false);
                loading.show_cards();
            }
            Err(reason) => loading.count.set_text_content(Some(&reason)),
        }
    });
    Gallery { _inner: inner }
}

/// What the site's gallery holds.
pub async fn index() -> Result<Vec<Entry>, String> {
    let url = format!("{FOLDER}index.json");
    let failed = |reason: String| {
        format!(
            "The gallery could not be loaded ({reason}). Your own notebooks are under Files; reload the page to try again."
        )
    };
    let answer = Request::get(&url)
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !answer.ok() {
        return Err(failed(format!("the server answered {}", answer.status())));
    }
    let text = answer
        .text()
        .await
        .map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

fn search_field(inner: &Rc<Inner>) -> HtmlElement {
    let weak = Rc::downgrade(inner);
    let field = el("input")
        .attr("type", "search")
        .attr("id", "gallery-search")
        .attr("placeholder", "A technique, a table, a product…");
    let input: HtmlInputElement = field.cast();
    let field = field.on("input", move |_: Event| {
        if let Some(inner) = weak.upgrade() {
            inner.filter.borrow_mut().text = input.value();
            inner.show_cards();
        }
    });
    let label = el("label")
        .class("unseen")
        .attr("for", "gallery-search")
        .text("Search the gallery");
    el("div")
        .class("search")
        .attr("role", "search")
        .child(label)
        .child(field)
        .build()
}

/// A list of the filter that chips set.
#[derive(Clone, Copy, PartialEq)]
enum Chosen {
    Tags,
    Sources,
}

impl Chosen {
    fn of(self, filter: &mut Filter) -> &mut Vec<String> {
        match self {
            Self::Tags => &mut filter.tags,
            Self::Sources => &mut filter.data_sources,
        }
    }
}

impl Inner {
    /// Shows the data sources, tags and techniques to filter by; all of them with `all`.
    fn show_chips(self: &Rc<Self>, all: bool) {
        let entries = self.entries.borrow();
        let tags = facet(&entries, |entry| &entry.tags);
        let sources = facet(&entries, |entry| &entry.data_sources);
        let (techniques, words): (Vec<_>, Vec<_>) =
            tags.into_iter().partition(|(tag, _)| is_technique(tag));
        dom::clear(&self.chips);
        for (label, chosen, values) in [
            ("Data from", Chosen::Sources, sources),
            ("About", Chosen::Tags, words),
            ("Techniques", Chosen::Tags, techniques),
        ] {
            if !values.is_empty() {
                dom::append(&self.chips, self.group(label, chosen, &values, all));
            }
        }
    }

    fn group(
        self: &Rc<Self>,
        label: &'static str,
        chosen: Chosen,
        values: &[(String, usize)],
        all: bool,
    ) -> HtmlElement {
        let shown = if all { values.len() } else { CHIPS };
        let chips = values.iter().take(shown);
        let chips = chips.map(|(value, count)| self.chip(chosen, value, *count));
        let list = el("div").class("chip-list").children(chips).build();
        if shown < values.len() {
            dom::append(&list, self.more(label, values.len() - shown));
        }
        el("div")
            .class("chip-group")
            .attr("role", "group")
            .attr("aria-label", label)
            .child(
                el("span")
                    .class("chip-label")
                    .attr("aria-hidden", "true")
                    .text(label),
            )
            .child(list)
            .build()
    }

    /// The button that shows the rest of the chips, and leads to those of its group.
    fn more(self: &Rc<Self>, label: &'static str, left: usize) -> HtmlElement {
        let weak = Rc::downgrade(self);
        let more = button(&format!("{left} more")).class("plain");
        let more = more.on("click", move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                inner.show_chips(true);
                let first = format!("[aria-label=\"{label}\"] button");
                focus(inner.chips.query_selector(&first).ok().flatten());
            }
        });
        more.build()
    }

    fn chip(self: &Rc<Self>, chosen: Chosen, value: &str, count: usize) -> HtmlElement {
        let on = chosen
            .of(&mut self.filter.borrow_mut())
            .iter()
            .any(|one| one == value);
        let chip = button(value)
            .class("chip")
            .attr("aria-pressed", if on { "true" } else { "false" })
            .attr("title", &about(value, count))
            .build();
        let (weak, pressed, value) = (Rc::downgrade(self), chip.clone(), value.to_owned());
        dom::on(&chip, "click", move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                let on = inner.toggle(chosen, &value);
                dom::set(&pressed, "aria-pressed", if on { "true" } else { "false" });
                inner.show_cards();
            }
        });
        chip
    }

    /// Adds a value to the filter, or takes it out; whether it is in.
    fn toggle(&self, chosen: Chosen, value: &str) -> bool {
        let mut filter = self.filter.borrow_mut();
        let list = chosen.of(&mut filter);
        match list.iter().position(|one| one == value) {
            Some(at) => {
                list.remove(at);
                false
            }
            None => {
                list.push(value.to_owned());
                true
            }
        }
    }

    /// Shows the notebooks that fit.
    fn show_cards(self: &Rc<Self>) {
        let entries = self.entries.borrow();
        let found = search(&entries, &self.filter.borrow());
        dom::clear(&self.cards);
        for entry in &found {
            dom::append(&self.cards, card::card(self, entry));
        }
        let count = match (found.len(), entries.len()) {
            (0, _) => "No notebook fits. Take a word or a filter away.".to_owned(),
            (found, all) if found == all => format!("{all} notebooks"),
            (found, all) => format!("{found} of {all} notebooks"),
        };
        self.count.set_text_content(Some(&count));
    }
}

/// What there is to say of a chip: what a technique is called, and how many notebooks have it.
fn about(value: &str, count: usize) -> String {
    let count = counted(count as u64, "notebook");
    match technique_name(value) {
        Some(name) => format!("{name}: {count}"),
        None => count,
    }
}

fn focus(element: Option<Element>) {
    use wasm_bindgen::JsCast;
    if let Some(element) = element.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// The page's address that shows a notebook of the gallery.
pub fn address(file: &str) -> String {
    let file = String::from(js_sys::encode_uri_component(file));
    format!("?nb={FOLDER}{file}")
}
