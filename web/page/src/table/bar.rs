//! What stands above a table: the views to choose from, a search, and copying and saving.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use spoor_messages::results::ExportFormat;
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent};

use super::context::Context;
use super::grid::{Grid, with};
use super::{actions, processes, timeline};
use crate::dom::{self, el};

/// Milliseconds without a key after which a search begins.
const PAUSE: i32 = 180;

/// The bar of a table in `shown`, in whose place the other views are put.
pub(super) fn bar(context: &Rc<Context>, grid: &Rc<Grid>, shown: &HtmlElement) -> HtmlElement {
    let weak = Rc::downgrade(grid);
    let bar = el("div")
        .class("result-bar")
        .attr("role", "toolbar")
        .attr("aria-label", "Result");
    bar.child(views(context, &weak, shown))
        .child(search(context))
        .child(clear(context))
        .child(el("span").class("grow"))
        .child(exports(&weak))
        .build()
}

/// One of the ways to show a result.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Table,
    Timeline,
    Processes,
}

/// The choice between the views, where there is one.
fn views(context: &Rc<Context>, grid: &Weak<Grid>, shown: &HtmlElement) -> HtmlElement {
    let info = &context.info.info;
    let mut kinds = vec![(Kind::Table, "Table")];
    if info.timeline.is_some() {
        kinds.push((Kind::Timeline, "Timeline"));
    }
    if info.processes {
        kinds.push((Kind::Processes, "Process tree"));
    }
    let list = el("div")
        .class("result-views")
        .attr("role", "group")
        .attr("aria-label", "View as");
    if kinds.len() == 1 {
        return list.build();
    }
    let buttons: Vec<HtmlElement> = kinds
        .iter()
        .map(|(kind, label)| {
            let pressed = if *kind == Kind::Table {
                "true"
            } else {
                "false"
            };
            dom::button(label).attr("aria-pressed", pressed).build()
        })
        .collect();
    for (at, (kind, _)) in kinds.iter().enumerate() {
        let (grid, context, shown) = (grid.clone(), Rc::downgrade(context), shown.clone());
        let (all, kind) = (buttons.clone(), *kind);
        dom::on(&buttons[at], "click", move |_: Event| {
            for (other, button) in all.iter().enumerate() {
                dom::set(
                    button,
                    "aria-pressed",
                    if other == at { "true" } else { "false" },
                );
            }
            with(&grid, |grid| grid.element().set_hidden(kind != Kind::Table));
            if let Some(context) = context.upgrade() {
                put(&context, &shown, kind);
            }
        });
    }
    list.children(buttons).build()
}

/// Puts another view beside the table, which is hidden meanwhile.
fn put(context: &Rc<Context>, shown: &HtmlElement, kind: Kind) {
    if let Ok(Some(other)) = shown.query_selector(":scope > .result-other") {
        other.remove();
    }
    let other = el("div").class("result-other");
    dom::append(shown, &*other);
    context.show_other(match kind {
        Kind::Table => None,
        Kind::Timeline => timeline::mount(context, &other),
        Kind::Processes => Some(processes::mount(context, &other)),
    });
}

/// The field that searches all columns.
fn search(context: &Rc<Context>) -> HtmlElement {
    let field = el("input")
        .attr("type", "search")
        .attr("placeholder", "Search rows")
        .attr("aria-label", "Search in all columns")
        .attr("spellcheck", "false");
    let input: HtmlInputElement = field.cast();
    let keys = Rc::new(Cell::new(0_u32));
    let weak = Rc::downgrade(context);
    field
        .on("input", {
            move |_: Event| {
                let (weak, keys, input) = (weak.clone(), keys.clone(), input.clone());
                let key = keys.get() + 1;
                keys.set(key);
                dom::after(PAUSE, move || {
                    if let (Some(context), true) = (weak.upgrade(), keys.get() == key) {
                        context.change(|view| view.search = input.value());
                    }
                });
            }
        })
        // The notebook's own keys are not for a field.
        .on("keydown", |event: KeyboardEvent| event.stop_propagation())
        .build()
}

/// The button that takes filters, orders and the search away; there while there are any.
fn clear(context: &Rc<Context>) -> HtmlElement {
    let weak = Rc::downgrade(context);
    let button = dom::button("Show all rows")
        .on("click", move |_: Event| {
            if let Some(context) = weak.upgrade() {
                context.change(|view| *view = Default::default());
            }
        })
        .build();
    button.set_hidden(true);
    let (weak, shown) = (Rc::downgrade(context), button.clone());
    context.on_change(move || {
        if let Some(context) = weak.upgrade() {
            shown.set_hidden(context.view() == Default::default());
        }
        true
    });
    button
}

/// The choice of a format, and what to do with it.
fn exports(grid: &Weak<Grid>) -> HtmlElement {
    let options = ExportFormat::ALL
        .iter()
        .enumerate()
        .map(|(at, (_, name, _))| el("option").attr("value", &at.to_string()).text(name));
    let choice = el("select").attr("aria-label", "Format").children(options);
    let select: HtmlSelectElement = choice.cast();
    let chosen = move || {
        let at = usize::try_from(select.selected_index()).unwrap_or(0);
        ExportFormat::ALL[at.min(ExportFormat::ALL.len() - 1)]
    };
    let (copied, saved) = (grid.clone(), grid.clone());
    let copies = chosen.clone();
    let copy = dom::button("Copy")
        .attr("title", "Copy the selected cells, or all rows of the view")
        .on("click", move |_: Event| {
            with(&copied, |grid| actions::copy(grid, copies().0));
        });
    let save = dom::button("Save")
        .attr("title", "Save all rows of the view as a file")
        .on("click", move |_: Event| {
            let (format, _, ending) = chosen();
            with(&saved, |grid| actions::save(&grid.context, format, ending));
        });
    el("div")
        .class("result-export")
        .child(choice)
        .child(copy)
        .child(save)
        .build()
}
