//! The user's notebooks in the panel, and what can be done with each.

use std::rc::Rc;

use spoor_model::Document;
use spoor_model::gallery::{copy_name, notebook_name};
use web_sys::{HtmlElement, MouseEvent};

use super::{Form, Inner, Item, Question, ask_text, copy, download, export, formed, link, menu};
use super::{ask_yes, versions, words};
use crate::dom::{self, button, el};
use crate::storage::{Entry, StoreError, bytes, same_name};
use crate::toast;

/// A notebook's row.
pub fn row(inner: &Rc<Inner>, entry: &Entry) -> HtmlElement {
    let current = (inner.callbacks.current)().as_ref() == Some(&entry.id);
    let (opening, id) = (Rc::downgrade(inner), entry.id.clone());
    let mut open =
        button(stem(&entry.name))
            .class("file-name")
            .on("click", move |_: MouseEvent| {
                if let Some(inner) = opening.upgrade() {
                    (inner.callbacks.open)(&id);
                }
            });
    if current {
        open = open.attr("aria-current", "true");
    }
    let label = format!("{}: more", stem(&entry.name));
    el("li")
        .class("file")
        .attr("data-key", &entry.id)
        .child(open)
        .child(menu("⋯", &label, items(inner, entry)))
        .child(el("span").class("file-meta").text(&about(entry)))
        .build()
}

fn about(entry: &Entry) -> String {
    let untrusted = if entry.trusted { "" } else { " · not trusted" };
    format!(
        "{} · {}{untrusted}",
        when(entry.modified()),
        bytes(entry.bytes())
    )
}

/// A time in words, or its date.
pub fn when(time: f64) -> String {
    let date = js_sys::Date::new(&time.into());
    words::ago(js_sys::Date::now(), time).unwrap_or_else(|| {
        date.to_locale_date_string("default", &js_sys::Object::new())
            .into()
    })
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".ipynb").unwrap_or(name)
}

fn items(inner: &Rc<Inner>, entry: &Entry) -> Vec<Item> {
    let item = |label: &'static str, act: fn(&Rc<Inner>, Entry)| -> Item {
        let (weak, entry) = (Rc::downgrade(inner), entry.clone());
        let act = move || {
            if let Some(inner) = weak.upgrade() {
                act(&inner, entry.clone());
            }
        };
        (label, Rc::new(act))
    };
    vec![
        item("Rename…", rename),
        item("Duplicate", duplicate),
        item("Versions…", versions::show),
        item("Download .ipynb", |inner, entry| {
            export_as(inner, entry, Form::Notebook)
        }),
        item("Download .html", |inner, entry| {
            export_as(inner, entry, Form::Page)
        }),
        item("Download .py", |inner, entry| {
            export_as(inner, entry, Form::Script)
        }),
        item("Copy link", copy_link),
        item("Delete", delete),
    ]
}

/// Makes an empty notebook and opens it.
pub fn new(inner: &Rc<Inner>) {
    inner.run(|inner| async move {
        let name = copy_name("Untitled.ipynb", &names(&inner).await?);
        let entry = inner.store.create(&name, &empty(), None).await?;
        (inner.callbacks.open)(&entry.id);
        Ok::<_, StoreError>(())
    });
}

/// The file of a notebook of one KQL cell.
pub fn empty() -> String {
    let seed = (js_sys::Math::random() * 2f64.powi(53)) as u64;
    let mut notebook = Document::new(seed).notebook().clone();
    for cell in &mut notebook.cells {
        "%%kql\n".clone_into(&mut cell.source);
    }
    String::from_utf8_lossy(&notebook.to_vec()).into_owned()
}

/// The names that are taken.
pub async fn names(inner: &Inner) -> Result<Vec<String>, StoreError> {
    let all = inner.store.notebooks().await?;
    Ok(all.into_iter().map(|entry| entry.name).collect())
}

/// Asks for another name.
pub fn rename(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        let taken = names(&inner).await?;
        let own = entry.name.clone();
        let question = Question {
            title: "Rename the notebook",
            label: "Name",
            value: &entry.name,
            act: "Rename",
        };
        let check = move |typed: &str| free_name(typed, &taken, Some(&own));
        if let Some(name) = ask_text(question, check).await {
            inner.store.rename(&entry.id, &name).await?;
        }
        Ok::<_, StoreError>(())
    });
}

/// A name as it was typed, if a notebook can have it and none has but `own`.
pub fn free_name(typed: &str, taken: &[String], own: Option<&str>) -> Result<String, String> {
    let name = notebook_name(typed).map_err(|error| super::sentence(&error.to_string()))?;
    let other = taken
        .iter()
        .find(|other| same_name(other, &name) && Some(other.as_str()) != own);
    match other {
        Some(other) => Err(format!("There is already a notebook named {other}.")),
        None => Ok(name),
    }
}

fn duplicate(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        let name = copy_name(&entry.name, &names(&inner).await?);
        (inner.callbacks.settle)().await;
        let copy = inner.store.duplicate(&entry.id, &name).await?;
        toast::show(
            &format!("Copied to {}", stem(&copy.name)),
            Some(opener(&inner, &copy.id)),
        );
        Ok::<_, StoreError>(())
    });
}

/// A message's button that opens a notebook.
pub fn opener(inner: &Rc<Inner>, id: &str) -> toast::Action {
    let (inner, id) = (inner.clone(), id.to_owned());
    ("Open", Box::new(move || (inner.callbacks.open)(&id)))
}

fn delete(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        inner.store.remove(&entry.id).await?;
        let (undoing, text) = (inner.clone(), format!("Deleted {}", stem(&entry.name)));
        let undo = move || bring_back(&undoing, entry);
        toast::show(&text, Some(("Undo", Box::new(undo))));
        Ok::<_, StoreError>(())
    });
}

fn bring_back(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        let name = copy_name(&entry.name, &names(&inner).await?);
        inner.store.bring_back(&entry.id, &name).await
    });
}

fn erase(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        let text = format!(
            "{} and all its versions will be gone for good.",
            stem(&entry.name)
        );
        if ask_yes("Delete for good?", &text, "Delete for good").await {
            inner.store.erase(&entry.id).await?;
        }
        Ok::<_, StoreError>(())
    });
}

fn export_as(inner: &Rc<Inner>, entry: Entry, form: Form) {
    inner.run(|inner| async move {
        (inner.callbacks.settle)().await;
        let (_, text) = inner.store.read(&entry.id).await?;
        let (name, text) = formed(&entry.name, &text, form)?;
        let kind = match form {
            Form::Notebook => "application/x-ipynb+json",
            Form::Page => "text/html;charset=utf-8",
            Form::Script => "text/x-python;charset=utf-8",
        };
        download(&name, &export::blob(&text, kind)?)?;
        Ok::<_, export::ExportError>(())
    });
}

fn copy_link(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        (inner.callbacks.settle)().await;
        let (_, text) = inner.store.read(&entry.id).await?;
        copy(&link(&text)?).await?;
        toast::show(
            "The link is in the clipboard: the whole notebook is in it",
            None,
        );
        Ok::<_, export::ExportError>(())
    });
}

/// Deleted notebooks, folded away.
pub fn show_removed(inner: &Rc<Inner>, removed: &[Entry]) {
    dom::clear(&inner.removed);
    inner.removed.set_hidden(removed.is_empty());
    let title = format!("Recently deleted ({})", removed.len());
    dom::append(&inner.removed, el("summary").text(&title));
    let rows = removed.iter().map(|entry| removed_row(inner, entry));
    dom::append(&inner.removed, el("ul").class("file-list").children(rows));
}

fn removed_row(inner: &Rc<Inner>, entry: &Entry) -> HtmlElement {
    let name = stem(&entry.name);
    let act = |text: &str, act: fn(&Rc<Inner>, Entry)| {
        let entry = entry.clone();
        inner.button(text, &format!("{text}: {name}"), move |inner| {
            act(inner, entry.clone())
        })
    };
    el("li")
        .class("file")
        .child(el("span").class("file-name").text(name))
        .child(act("Restore", bring_back))
        .child(act("Delete for good", erase))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_if_no_other_notebook_has_it() {
        let taken = ["a.ipynb".to_owned(), "b.ipynb".to_owned()];
        assert_eq!(free_name(" c ", &taken, None), Ok("c.ipynb".into()));
        assert_eq!(
            free_name("A", &taken, Some("a.ipynb")),
            Ok("A.ipynb".into())
        );
        assert!(free_name("B", &taken, Some("a.ipynb")).is_err());
        assert!(free_name("  ", &taken, None).is_err());
    }
}
