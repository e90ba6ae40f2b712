//! A result of KQL as a table that stays quick at a million rows, as a timeline and as a process tree.
//!
//! The rows are in a worker ([`ResultsClient`]); here are only those in view. Nothing waits: until an answer is there
//! the table shows what it had, or room for what comes, and says that it is busy.
//!
//! Where to look
//! - `context`: the view that is shown, and who is told when it changes; `bar`: what stands above the table;
//! - `grid`: rows and cells; `header`: their columns' names; `panel`: a column's filter and figures;
//! - `actions`: copying and saving; `timeline`, `processes`: the other two views;
//! - `scroll`, `cache`, `selection`: what of it needs no browser.

mod actions;
mod bar;
mod cache;
mod client;
mod context;
mod grid;
mod header;
mod panel;
mod processes;
mod scroll;
mod selection;
mod timeline;

use std::rc::Rc;

use web_sys::{Element, HtmlElement, KeyboardEvent};

pub use client::{ResultInfo, ResultsClient};
pub use grid::KEYS as TABLE_KEYS;
pub use processes::KEYS as PROCESS_KEYS;
pub use timeline::KEYS as TIMELINE_KEYS;

use context::Context;

use crate::dom::{self, el};

/// A result on the page. Dropping it takes it off the page and frees its rows in the worker.
pub struct TableView {
    root: HtmlElement,
    context: Rc<Context>,
    /// Listeners hold it weakly.
    _grid: Rc<grid::Grid>,
}

impl Drop for TableView {
    fn drop(&mut self) {
        self.root.remove();
        self.context.show_other(None);
        self.context.close();
    }
}

/// Shows a result at the end of `parent`.
pub fn mount(parent: &Element, info: ResultInfo) -> TableView {
    let root = el("section")
        .class("result")
        .attr("aria-label", "Result")
        .on("keydown", |event: KeyboardEvent| {
            // Letters are commands to the notebook; who is in a table means none of them.
            let control = event.ctrl_key() || event.meta_key();
            if !control && event.key() != "Escape" {
                event.stop_propagation();
            }
        })
        .build();
    let context = Context::new(info);
    let (grid, shown) = (
        grid::Grid::new(&context),
        el("div").class("result-body").build(),
    );
    dom::append(&shown, grid.element());
    dom::append(&root, bar::bar(&context, &grid, &shown));
    dom::append(&root, &shown);
    dom::append(&root, &context.status);
    dom::append(parent, &root);
    grid.attached();
    TableView {
        root,
        context,
        _grid: grid,
    }
}
