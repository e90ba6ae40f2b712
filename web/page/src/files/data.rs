//! The data files in the panel: each a table.

use std::rc::Rc;

use spoor_names::table_name;
use web_sys::HtmlElement;

use super::{Inner, Item, ask_yes, download, is_plugin, menu, tables, words};
use crate::storage::{DataFile, StoreError, bytes};

/// A data file's row.
pub fn row(inner: &Rc<Inner>, file: &DataFile) -> HtmlElement {
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

fn items(inner: &Rc<Inner>, file: &DataFile) -> Vec<Item> {
    let copy = item(inner, file, |inner, name| {
        tables::copy_name(inner, table_name(&name));
    });
    let mut items = vec![("Copy the table's name", copy)];
    items.extend(file_items(inner, file));
    items
}

/// What can be done with any file.
pub fn file_items(inner: &Rc<Inner>, file: &DataFile) -> Vec<Item> {
    vec![
        ("Download", item(inner, file, save)),
        ("Delete…", item(inner, file, delete)),
    ]
}

fn item(inner: &Rc<Inner>, file: &DataFile, act: fn(&Rc<Inner>, String)) -> Rc<dyn Fn()> {
    let (weak, name) = (Rc::downgrade(inner), file.name.clone());
    Rc::new(move || {
        if let Some(inner) = weak.upgrade() {
            act(&inner, name.clone());
        }
    })
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
        let title = if is_plugin(&name) {
            "Delete the plugin?"
        } else {
            "Delete the data file?"
        };
        if ask_yes(title, &text, "Delete").await {
            inner.store.remove_file(&name).await?;
        }
        Ok::<_, StoreError>(())
    });
}
