//! The columns' names: sorting by a click, widths by a pull, and the way to a column's panel.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_messages::results::View;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, MouseEvent, PointerEvent};

use super::context::Context;
use super::grid::{Grid, with};
use super::panel;
use super::selection::Selection;
use crate::dom::{self, el};

/// The narrowest column, and the widest that is chosen by what is in it, in pixels.
const NARROWEST: f64 = 48.0;
const WIDEST: f64 = 420.0;
/// Pixels of a character, and around a text and its header's buttons.
const CHARACTER: f64 = 7.6;
const AROUND: f64 = 22.0;
const BUTTONS: f64 = 44.0;

pub(super) struct Header {
    pub element: HtmlElement,
    cells: Vec<HtmlElement>,
    widths: RefCell<Vec<f64>>,
    /// The column whose edge is being pulled, from where, and how wide it was.
    pull: Cell<Option<(usize, f64, f64)>>,
    name: String,
}

impl Header {
    pub(super) fn new(context: &Context, name: &str) -> Self {
        let row = el("div")
            .class("grid-row grid-head")
            .attr("role", "row")
            .attr("aria-rowindex", "1")
            .build();
        let columns = context.columns();
        let cells: Vec<HtmlElement> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cell = el("div")
                    .attr("role", "columnheader")
                    .attr("aria-colindex", &(at + 1).to_string())
                    .attr("id", &format!("{name}-head-{at}"))
                    .attr("title", &format!("{}: {}", column.name, column.ty))
                    .child(el("span").class("grid-name").text(&column.name))
                    .child(el("span").class("grid-sort").attr("aria-hidden", "true"))
                    .child(opener(&column.name))
                    .child(el("span").class("grid-edge").attr("aria-hidden", "true"))
                    .build();
                dom::append(&row, &cell);
                cell
            })
            .collect();
        let widths = columns.iter().map(|column| {
            let name = column.name.chars().count() as f64 * CHARACTER + AROUND + BUTTONS;
            let values = f64::from(column.width) * CHARACTER + AROUND;
            name.max(values).clamp(NARROWEST, WIDEST)
        });
        Self {
            element: el("div")
                .class("grid-top")
                .attr("role", "rowgroup")
                .child(row)
                .build(),
            cells,
            widths: RefCell::new(widths.collect()),
            pull: Cell::new(None),
            name: name.to_owned(),
        }
    }

    /// The id of a column's header cell.
    pub(super) fn id(&self, column: u32) -> String {
        format!("{}-head-{column}", self.name)
    }

    /// A column's header cell.
    pub(super) fn cell(&self, column: u32) -> Option<&HtmlElement> {
        self.cells.get(column as usize)
    }

    pub(super) fn is_dragging(&self) -> bool {
        self.pull.get().is_some()
    }

    pub(super) fn listen(&self, grid: &Weak<Grid>) {
        self.hear(grid, "click", |grid, event: MouseEvent| {
            let Some((column, part)) = grid.header.part(&event) else {
                return;
            };
            match part.as_str() {
                "grid-open" => panel::open(grid, column),
                "grid-edge" => {}
                _ => grid.context.sort(column, event.shift_key()),
            }
        });
        self.hear(grid, "pointerdown", |grid, event: PointerEvent| {
            grid.header.begin_pull(&event);
        });
        self.hear(grid, "pointermove", |grid, event: PointerEvent| {
            if grid.header.pull_on(&event) {
                grid.widths_changed();
            }
        });
        for end in ["pointerup", "pointercancel"] {
            self.hear(grid, end, |grid, _: PointerEvent| {
                grid.header.pull.set(None)
            });
        }
    }

    fn hear<E>(&self, grid: &Weak<Grid>, event: &str, heard: impl Fn(&Rc<Grid>, E) + 'static)
    where
        E: wasm_bindgen::convert::FromWasmAbi + 'static,
    {
        let grid = grid.clone();
        dom::on(&self.element, event, move |event: E| {
            with(&grid, |grid| heard(grid, event));
        });
    }

    /// The column that an event happened in, and the class of the part of its header.
    fn part(&self, event: &MouseEvent) -> Option<(u32, String)> {
        let target: Element = event.target()?.dyn_into().ok()?;
        let cell = target.closest("[role=columnheader]").ok()??;
        let column = cell.get_attribute("aria-colindex")?.parse::<u32>().ok()?;
        Some((column.checked_sub(1)?, target.class_name()))
    }

    fn begin_pull(&self, event: &PointerEvent) {
        let Some((column, part)) = self.part(event) else {
            return;
        };
        let column = column as usize;
        let width = self.widths.borrow().get(column).copied();
        let (true, Some(width)) = (part == "grid-edge", width) else {
            return;
        };
        event.prevent_default();
        let _ = self.element.set_pointer_capture(event.pointer_id());
        self.pull
            .set(Some((column, f64::from(event.client_x()), width)));
    }

    fn pull_on(&self, event: &PointerEvent) -> bool {
        let Some((column, from, width)) = self.pull.get() else {
            return false;
        };
        let pulled = width + f64::from(event.client_x()) - from;
        self.set_width(column as u32, pulled);
        true
    }

    /// Sets a column's width, in pixels.
    pub(super) fn set_width(&self, column: u32, width: f64) {
        if let Some(slot) = self.widths.borrow_mut().get_mut(column as usize) {
            *slot = width.max(NARROWEST);
        }
    }

    /// A column's width, in pixels.
    pub(super) fn width(&self, column: u32) -> f64 {
        let widths = self.widths.borrow();
        widths.get(column as usize).copied().unwrap_or(NARROWEST)
    }

    /// Tells the style sheet how wide the columns are.
    pub(super) fn apply_widths(&self, root: &HtmlElement) {
        let widths = self.widths.borrow();
        let columns: Vec<String> = widths.iter().map(|width| format!("{width}px")).collect();
        let all: f64 = widths.iter().sum();
        let style = root.style();
        let _ = style.set_property("--columns", &columns.join(" "));
        let _ = style.set_property("--columns-width", &format!("{all}px"));
    }

    /// Where a column begins and ends, in pixels.
    pub(super) fn extent(&self, column: u32) -> (i32, i32) {
        let widths = self.widths.borrow();
        let before: f64 = widths.iter().take(column as usize).sum();
        let width = widths.get(column as usize).copied().unwrap_or(0.0);
        (before as i32, (before + width) as i32)
    }

    /// Shows which columns are sorted by and which are filtered.
    pub(super) fn show_view(&self, view: &View) {
        for (at, cell) in self.cells.iter().enumerate() {
            let column = at as u32;
            let nth = view.sorts.iter().position(|sort| sort.column == column);
            let ascending = nth
                .and_then(|nth| view.sorts.get(nth))
                .map(|sort| sort.ascending);
            let (order, arrow) = match ascending {
                Some(true) => ("ascending", "↑"),
                Some(false) => ("descending", "↓"),
                None => ("none", ""),
            };
            dom::set(cell, "aria-sort", order);
            let nth = nth
                .filter(|_| view.sorts.len() > 1)
                .map(|nth| (nth + 1).to_string());
            let mark = format!("{arrow}{}", nth.unwrap_or_default());
            if let Ok(Some(sort)) = cell.query_selector(".grid-sort") {
                sort.set_text_content(Some(&mark));
            }
            let filtered = view.filters.iter().any(|filter| filter.column == column);
            dom::flag(cell, "data-filtered", filtered);
        }
    }

    pub(super) fn mark(&self, selection: &Selection) {
        for (column, cell) in self.cells.iter().enumerate() {
            let active = selection.active.row.is_none() && selection.active.column == column as u32;
            dom::flag(cell, "data-active", active);
        }
    }
}

/// The button that opens a column's panel. The keyboard has Alt+Down for it.
fn opener(name: &str) -> HtmlElement {
    dom::button("⋮")
        .class("grid-open")
        .attr("tabindex", "-1")
        .attr("aria-label", &format!("Filter and figures of {name}"))
        .build()
}
