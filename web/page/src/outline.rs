//! The outline: the headings of a notebook beside it, each leading to its cell.

use std::rc::Rc;

use spoor_model::outline::Outline;
use spoor_model::{CellKey, Document, Mode};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, MouseEvent};

use crate::dom::{self, button, el};
use crate::notebook::{Focus, Screen};

/// Headings deeper than this below the highest are left out.
const DEPTH: u8 = 3;

/// The panel.
pub struct OutlinePanel {
    root: HtmlElement,
    list: HtmlElement,
}

impl OutlinePanel {
    /// An empty panel.
    pub fn empty() -> Self {
        let list = el("ul").build();
        let root = el("nav")
            .attr("id", "outline")
            .attr("aria-label", "Outline")
            .child(&list)
            .build();
        Self { root, list }
    }

    /// The element.
    pub fn root(&self) -> &HtmlElement {
        &self.root
    }

    /// Has the entries lead to a screen's cells.
    pub fn wire(&self, screen: &Rc<Screen>) {
        screen.on(&self.list, "click", |screen, event: MouseEvent| {
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let entry = target.and_then(|target| target.closest("[data-cell]").ok().flatten());
            let key = entry.and_then(|entry| entry.get_attribute("data-cell")?.parse().ok());
            if let Some(key) = key {
                screen.go_to(CellKey(key));
            }
        });
    }

    /// Shows the panel, or not.
    pub fn show(&self, shown: bool) {
        dom::flag(&self.root, "data-closed", !shown);
    }

    /// Draws a notebook's headings.
    pub fn draw(&self, outline: &Outline, document: &Document) {
        let top = outline
            .entries(document)
            .map(|entry| entry.heading.level)
            .min();
        let top = top.unwrap_or(1);
        dom::clear(&self.list);
        let entries = outline.entries(document);
        let entries = entries.filter(|entry| entry.heading.level < top + DEPTH);
        let mut count = 0;
        for entry in entries {
            let depth = entry.heading.level - top;
            let link = button(&entry.heading.text)
                .class("entry")
                .attr("data-depth", &depth.to_string())
                .attr("data-cell", &entry.key.0.to_string());
            dom::append(&self.list, el("li").child(&link));
            count += 1;
        }
        dom::flag(&self.root, "data-empty", count < 2);
    }

    /// Marks the heading that a cell is under.
    pub fn mark(&self, outline: &Outline, document: &Document, active: CellKey) {
        let under = if outline.level(active).is_some() {
            Some(active)
        } else {
            outline.parent(document, active)
        };
        let under = under.map(|key| key.0.to_string());
        let entries = self.list.query_selector_all(".entry");
        let Ok(entries) = entries else {
            return;
        };
        for nth in 0..entries.length() {
            let entry = entries
                .item(nth)
                .and_then(|entry| entry.dyn_into::<Element>().ok());
            let Some(entry) = entry else {
                continue;
            };
            if entry.get_attribute("data-cell") == under {
                dom::set(&entry, "aria-current", "location");
            } else {
                let _ = entry.remove_attribute("aria-current");
            }
        }
    }
}

impl Screen {
    /// Shows a cell at the top of the window and selects it.
    pub fn go_to(self: &Rc<Self>, key: CellKey) {
        self.draw_rest();
        let mut changes = self.state.borrow_mut().reveal(key);
        changes.extend(self.state.borrow_mut().select(key, Mode::Command));
        self.patch(changes, Focus::Follow);
        if let Some(view) = self.view(key) {
            view.root.scroll_into_view();
        }
    }
}
