//! The data files in the panel: each a table.

use std::rc::Rc;

use spoor_names::table_name;
use web_sys::HtmlElement;

use super::{Inner, Item, ask_yes, download, is_plugin, menu, tables, words};
use crate::dom::el;
use crate::storage::{DataFile, StoreError, bytes};

/// A data file's row.
pub fn row(inner: &Rc<Inner>, file: &DataFile) -> HtmlElement {
    if is_plugin(&file.name) {
        return plugin_row(inner, file);
    }
    let table = table_name(&file.name);
    let about = format!(
        "{} · {} · {}",
        file.name,
        words::format(&file.name),
        bytes(file.bytes)
    );
    let key = format!("data:{}", file.name);
    let more = menu("⋯", &format!("{table}: more"), items(inner, file));
    tables::row(inner, &table, &key, &about, Some(more))
}

/// A plugin's row: what it is and what it offers.
fn plugin_row(inner: &Rc<Inner>, file: &DataFile) -> HtmlElement {
    let about = format!(
        "{} · {}",
        (inner.callbacks.plugin)(&file.name),
        bytes(file.bytes)
    );
    let mut items = items(inner, file);
    // It is no table.
    items.remove(0);
    let more = menu("⋯", &format!("{}: more", file.name), items);
    el("li")
        .class("file")
        .attr("data-key", &format!("data:{}", file.name))
        .child(el("span").class("file-name mono").text(&file.name))
        .child(el("span").class("file-tools").child(more))
        .child(el("span").class("file-meta").text(&about))
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
        item("Copy the table's name", |inner, name| {
            tables::copy_name(inner, table_name(&name));
        }),
        item("Download", save),
        item("Delete…", delete),
    ]
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
            "{name} will be gone from this browser. Notebooks that ask for {} will not run.",
            if is_plugin(&name) {
                "its functions"
            } else {
                "its table"
            }
        );
        if ask_yes("Delete the data file?", &text, "Delete").await {
            inner.store.remove_file(&name).await?;
        }
        Ok::<_, StoreError>(())
    });
}
