//! The data files in the panel: each a table, with what it holds.

use std::rc::Rc;

use spoor_names::table_name;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::{Inner, Item, Preview, ask_yes, copy, download, export, menu, words};
use crate::dom::{self, button, el};
use crate::storage::{DataFile, StoreError, bytes};
use crate::toast;

/// A data file's row. Its name opens the preview.
pub fn row(inner: &Rc<Inner>, file: &DataFile) -> HtmlElement {
    let table = table_name(&file.name);
    let preview = el("div").class("preview").build();
    preview.set_hidden(true);
    let open = button(&table)
        .class("file-name mono")
        .attr("aria-expanded", "false")
        .build();
    let (weak, shown, opener, name) = (
        Rc::downgrade(inner),
        preview.clone(),
        open.clone(),
        table.clone(),
    );
    dom::on(&open, "click", move |_: MouseEvent| {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let opening = shown.hidden();
        shown.set_hidden(!opening);
        dom::set(
            &opener,
            "aria-expanded",
            if opening { "true" } else { "false" },
        );
        if opening {
            describe(&inner, &name, &shown);
        }
    });
    let about = format!(
        "{} · {} · {}",
        file.name,
        words::format(&file.name),
        bytes(file.bytes)
    );
    el("li")
        .class("file")
        .attr("data-key", &format!("data:{}", file.name))
        .child(&open)
        .child(menu("⋯", &format!("{table}: more"), items(inner, file)))
        .child(el("span").class("file-meta").text(&about))
        .child(&preview)
        .build()
}

fn items(inner: &Rc<Inner>, file: &DataFile) -> Vec<Item> {
    let item = |label: &'static str, act: fn(&Rc<Inner>, String)| -> Item {
        let (weak, name) = (Rc::downgrade(inner), file.name.clone());
        let act = move || {
            if let Some(inner) = weak.upgrade() {
                act(&inner, name.clone());
            }
        };
        (label, Rc::new(act))
    };
    vec![
        item("Copy the table's name", copy_name),
        item("Download", save),
        item("Delete…", delete),
    ]
}

fn copy_name(inner: &Rc<Inner>, name: String) {
    inner.run(|_| async move {
        let table = table_name(&name);
        copy(&table).await?;
        toast::show(&format!("{table} is in the clipboard"), None);
        Ok::<_, export::ExportError>(())
    });
}

fn save(inner: &Rc<Inner>, name: String) {
    inner.run(|inner| async move {
        let bytes = inner.store.file(&name).await?;
        download(&name, &bytes)
    });
}

fn delete(inner: &Rc<Inner>, name: String) {
    inner.run(|inner| async move {
        let text = format!(
            "{name} will be gone from this browser. Notebooks that ask for its table will not run."
        );
        if ask_yes("Delete the data file?", &text, "Delete").await {
            inner.store.remove_file(&name).await?;
        }
        Ok::<_, StoreError>(())
    });
}

/// Asks the app what the table holds, and shows it.
fn describe(inner: &Rc<Inner>, table: &str, place: &HtmlElement) {
    dom::clear(place);
    dom::append(
        place,
        el("p")
            .class("hint")
            .attr("role", "status")
            .text("Reading…"),
    );
    let (describing, place, table) = (
        (inner.callbacks.describe)(table),
        place.clone(),
        table.to_owned(),
    );
    spawn_local(async move {
        let answer = describing.await;
        dom::clear(&place);
        match answer {
            Ok(preview) => show(&preview, &table, &place),
            Err(error) => dom::append(&place, el("p").class("error").text(&error)),
        }
    });
}

fn show(preview: &Preview, table: &str, place: &HtmlElement) {
    let columns = preview.columns.len();
    let about = match preview.rows {
        Some(rows) => format!("{rows} rows, {columns} columns"),
        None => format!("{columns} columns"),
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
