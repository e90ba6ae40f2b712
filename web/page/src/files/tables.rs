//! A table in the panel: its name, what it holds, and the tables that the site offers.

use std::cell::RefCell;
use std::rc::Rc;

use spoor_messages::Source;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::{Inner, Preview, copy, export, words};
use crate::dom::{self, button, el};
use crate::storage::{DataFile, bytes};
use crate::toast;
use crate::words::counted;

/// A row whose name opens the preview. `more` is the menu, where there is one.
pub fn row(
    inner: &Rc<Inner>,
    table: &str,
    key: &str,
    about: &str,
    more: Option<HtmlElement>,
) -> HtmlElement {
    let preview = el("div").class("preview").build();
    preview.set_hidden(true);
    let open = button(table)
        .class("file-name mono")
        .attr("aria-expanded", "false")
        .build();
    let (weak, shown, opener, name) = (
        Rc::downgrade(inner),
        preview.clone(),
        open.clone(),
        table.to_owned(),
    );
    dom::on(&open, "click", move |_: MouseEvent| {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let opening = shown.hidden();
        shown.set_hidden(!opening);
        let expanded = if opening { "true" } else { "false" };
        dom::set(&opener, "aria-expanded", expanded);
        if opening {
            describe(&inner, &name, &shown);
        }
    });
    let name = table.to_owned();
    let use_name = inner.callbacks.insert.as_ref().map(|_| {
        inner.button("Insert", &format!("Insert {table}"), move |inner| {
            insert(inner, &name);
        })
    });
    let tools: Vec<HtmlElement> = [use_name, more].into_iter().flatten().collect();
    el("li")
        .class("file")
        .attr("data-key", key)
        .child(&open)
        .child(el("span").class("file-tools").children(tools))
        .child(el("span").class("file-meta").text(about))
        .child(&preview)
        .build()
}

/// Writes the table's name where the user writes; where that is nowhere, into the clipboard.
fn insert(inner: &Rc<Inner>, table: &str) {
    let inserted = inner.callbacks.insert.as_ref();
    if !inserted.is_some_and(|insert| insert(table)) {
        copy_name(inner, table.to_owned());
    }
}

/// Puts a table's name into the clipboard.
pub fn copy_name(inner: &Rc<Inner>, table: String) {
    inner.run(|_| async move {
        copy(&table).await?;
        toast::show(&format!("{table} is in the clipboard"), None);
        Ok::<_, export::ExportError>(())
    });
}

/// Asks the app what the table holds, and shows it.
fn describe(inner: &Rc<Inner>, table: &str, place: &HtmlElement) {
    dom::clear(place);
    let waiting = el("p").class("hint").attr("role", "status");
    dom::append(place, waiting.text((inner.callbacks.waiting)()));
    let (describing, place, table) = (
        (inner.callbacks.describe)(table),
        place.clone(),
        table.to_owned(),
    );
    spawn_local(async move {
        let answer = describing.await;
        dom::clear(&place);
        match answer {
            Ok(preview) => {
                show(&preview, &table, &place);
                bring_up(&place);
            }
            Err(error) => dom::append(&place, el("p").class("wrong").text(&error)),
        }
    });
}

/// Scrolls what holds the panel, and nothing else, until the end of `place` is seen.
fn bring_up(place: &HtmlElement) {
    let panel = place.closest(".files").ok().flatten();
    if let Some(holder) = panel.and_then(|panel| panel.parent_element()) {
        let end = |element: &web_sys::Element| element.get_bounding_client_rect().bottom();
        let below = end(place) - end(&holder);
        if below > 0.0 {
            holder.set_scroll_top(holder.scroll_top() + below.ceil() as i32);
        }
    }
}

fn show(preview: &Preview, table: &str, place: &HtmlElement) {
    let columns = counted(preview.columns.len() as u64, "column");
    let about = match preview.rows {
        Some(rows) => format!("{}, {columns}", counted(rows, "row")),
        None => columns,
    };
    dom::append(place, el("p").class("hint").text(&about));
    let head = preview.columns.iter().map(|(name, kind)| {
        el("th")
            .attr("scope", "col")
            .child(el("b").text(name))
            .child(el("span").text(kind))
    });
    let rows = preview
        .first
        .iter()
        .map(|row| el("tr").children(row.iter().map(|value| el("td").text(value))));
    let label = format!("The first rows of {table}");
    let grid = el("table")
        .child(el("thead").child(el("tr").children(head)))
        .child(el("tbody").children(rows));
    let frame = el("div")
        .class("scroll")
        .attr("tabindex", "0")
        .attr("role", "region");
    dom::append(place, frame.attr("aria-label", &label).child(grid));
}

/// The tables that the site offers: read only, and hidden by a file of the user's of the same name.
#[derive(Default)]
pub struct Offered {
    sources: RefCell<Vec<(Source, HtmlElement)>>,
    list: RefCell<Option<HtmlElement>>,
    section: RefCell<Option<HtmlElement>>,
}

impl Offered {
    /// Where the tables are listed.
    pub fn list(&self) -> HtmlElement {
        let list = el("ul")
            .class("file-list")
            .attr("aria-label", "From this site");
        self.list
            .borrow_mut()
            .get_or_insert_with(|| list.build())
            .clone()
    }

    /// What is shown while there are any.
    pub fn stand_in(&self, section: &HtmlElement) {
        section.set_hidden(true);
        self.section.replace(Some(section.clone()));
    }

    /// Lists the tables.
    pub fn set(&self, inner: &Rc<Inner>, sources: &[Source]) {
        let list = self.list();
        dom::clear(&list);
        let rows = sources.iter().map(|source| {
            let about = format!("{} · {}", words::format(&source.file), bytes(source.bytes));
            let key = format!("site:{}", source.name);
            let row = row(inner, &source.name, &key, &about, None);
            dom::append(&list, &row);
            (source.clone(), row)
        });
        self.sources.replace(rows.collect());
        self.refresh(&inner.shown.borrow().files);
    }

    /// Hides what the user's files take the place of.
    pub fn refresh(&self, files: &[DataFile]) {
        let mut any = false;
        for (source, row) in &*self.sources.borrow() {
            let hidden = files
                .iter()
                .any(|file| spoor_names::table_name(&file.name) == source.name);
            row.set_hidden(hidden);
            any |= !hidden;
        }
        if let Some(section) = &*self.section.borrow() {
            section.set_hidden(!any);
        }
    }
}
