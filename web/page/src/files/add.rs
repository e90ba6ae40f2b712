//! Choosing files, and adding what was chosen or dropped: with progress, and a way to stop.

use std::rc::Rc;

use spoor_names::{is_data, table_name};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Event, FileList, HtmlElement, HtmlInputElement, MouseEvent};

use super::folder::Given;
use super::links::Target;
use super::notebooks::opener;
use super::{Inner, Item, Question, ask_text, ask_yes, download, export, import, is_plugin};
use crate::dom::{self, button, el};
use crate::storage::{Cancel, StoreError, bytes, same_name};
use crate::toast;

/// What the browser's dialog is to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Notebooks.
    Notebooks,
    /// A folder with notebooks and data in it.
    Folder,
    /// Notebooks, and data of any name.
    Any,
}

/// The ways to import notebooks.
pub fn import_items(inner: &Rc<Inner>) -> Vec<Item> {
    vec![
        item(inner, "From files…", |inner| {
            choose(inner, Choice::Notebooks);
        }),
        item(inner, "From a folder…", |inner| {
            choose(inner, Choice::Folder);
        }),
        item(inner, "From a link…", from_link),
    ]
}

/// The ways to add data.
pub fn data_items(inner: &Rc<Inner>) -> Vec<Item> {
    vec![
        item(inner, "From files…", |inner| choose(inner, Choice::Any)),
        item(inner, "From a link…", data_from_link),
    ]
}

fn item(inner: &Rc<Inner>, label: &'static str, act: fn(&Rc<Inner>)) -> Item {
    let weak = Rc::downgrade(inner);
    let act = move || {
        if let Some(inner) = weak.upgrade() {
            act(&inner);
        }
    };
    (label, Rc::new(act))
}

/// Opens the browser's dialog.
pub fn choose(inner: &Rc<Inner>, choice: Choice) {
    let field = el("input").attr("type", "file").flag("multiple", true);
    let input: HtmlInputElement = field.cast();
    match choice {
        Choice::Notebooks => dom::set(&input, "accept", ".ipynb"),
        Choice::Folder => dom::flag(&input, "webkitdirectory", true),
        Choice::Any => {}
    }
    let (inner, chosen) = (inner.clone(), input.clone());
    dom::on(&input, "change", move |_: Event| {
        let given = given(chosen.files(), choice == Choice::Folder);
        let inner = inner.clone();
        spawn_local(async move { take(&inner, given, choice == Choice::Any).await });
    });
    input.click();
}

fn given(files: Option<FileList>, in_folder: bool) -> Vec<Given> {
    let length = files.as_ref().map_or(0, FileList::length);
    let file = |at| files.as_ref().and_then(|files| files.get(at));
    let files = (0..length).filter_map(file);
    files.map(|file| Given { file, in_folder }).collect()
}

/// Adds files: notebooks and data by their names. With `any_name` a file of another name is data
/// too; without, it is named, or in a folder left alone.
pub async fn take(inner: &Rc<Inner>, given: Vec<Given>, any_name: bool) {
    let mut imported = Vec::new();
    for Given { file, in_folder } in given {
        let name = file.name();
        let known =
            is_data(&name) || is_plugin(&name) || name.to_ascii_lowercase().ends_with(".txt");
        if name.to_ascii_lowercase().ends_with(".ipynb") {
            match notebook(inner, &file).await {
                Ok(entry) => imported.push(entry),
                Err(error) => inner.fail(&error),
            }
        } else if any_name || known {
            data(inner, &name, &file).await;
        } else if !in_folder {
            inner.fail(&format!(
                "{name} is neither a notebook (.ipynb) nor a plugin (.wasm) nor data that Spoor reads (CSV, JSON, Parquet, Arrow; gzip, zstd, zip). If it is data under another name, add it with “Add”"
            ));
        }
    }
    match imported.as_slice() {
        [] => {}
        [one] => toast::show(
            &format!("Imported {}", one.name),
            Some(opener(inner, &one.id)),
        ),
        many => toast::show(&format!("Imported {} notebooks", many.len()), None),
    }
}

async fn notebook(
    inner: &Inner,
    file: &web_sys::File,
) -> Result<crate::storage::Entry, import::ImportError> {
    let found = import::from_file(file).await?;
    import::keep(&inner.store, &found).await
}

/// Adds a data file, and asks before it takes the place of another.
async fn data(inner: &Rc<Inner>, name: &str, blob: &Blob) {
    let replace = match clash(inner, name).await {
        Ok(None) => false,
        Ok(Some(other)) if same_name(&other, name) => {
            let text = format!("There is already a file {other}. Its table is read anew.");
            if !ask_yes("Replace the data file?", &text, "Replace").await {
                return;
            }
            true
        }
        Ok(Some(other)) => {
            let table = table_name(name);
            return inner.fail(&format!(
                "{name} would be the table {table}, which {other} is already: rename the file, or delete the other"
            ));
        }
        Err(error) => return inner.fail(&error),
    };
    let (progress, cancel) = progress_row(inner, name, blob.size());
    let told = progress.clone();
    let added = inner
        .store
        .add_file(name, blob, replace, move |done| told.show(done), &cancel)
        .await;
    progress.row.remove();
    match added {
        Ok(_) => {}
        Err(StoreError::Cancelled) => toast::show(&format!("Stopped adding {name}"), None),
        Err(error) => inner.fail(&format!("{name} was not added: {error}")),
    }
}

/// The file whose table has the name that this one's would have.
async fn clash(inner: &Inner, name: &str) -> Result<Option<String>, StoreError> {
    let files = inner.store.files().await?;
    let named = files.iter().find(|file| same_name(&file.name, name));
    let is_table = |file: &str| !is_plugin(file) && !is_plugin(name);
    let tabled = files
        .iter()
        .find(|file| is_table(&file.name) && table_name(&file.name) == table_name(name));
    Ok(named.or(tabled).map(|file| file.name.clone()))
}

/// A row that shows how far something is.
#[derive(Clone)]
struct Progress {
    row: HtmlElement,
    bar: HtmlElement,
    words: HtmlElement,
    total: f64,
}

impl Progress {
    fn show(&self, done: f64) {
        dom::set(&self.bar, "value", &done.to_string());
        let text = format!("{} of {}", bytes(done), bytes(self.total));
        self.words.set_text_content(Some(&text));
    }
}

fn progress_row(inner: &Inner, what: &str, total: f64) -> (Progress, Cancel) {
    let cancel = Cancel::default();
    let stopping = cancel.clone();
    let label = format!("Stop: {what}");
    let stop = button("Stop")
        .attr("aria-label", &label)
        .on("click", move |_: MouseEvent| {
            stopping.cancel();
        });
    let bar = el("progress")
        .attr("max", &total.max(1.0).to_string())
        .attr("aria-label", what);
    let progress = Progress {
        row: el("li").class("file").build(),
        bar: bar.build(),
        words: el("span").class("file-meta").build(),
        total,
    };
    let name = el("span").class("file-name").text(what).build();
    for part in [&name, &stop, &progress.bar, &progress.words] {
        dom::append(&progress.row, part);
    }
    progress.show(0.0);
    dom::append(&inner.adding, &progress.row);
    (inner.callbacks.reveal)();
    (progress, cancel)
}

/// Imports the notebook that an address leads to, or the data.
pub fn from_link(inner: &Rc<Inner>) {
    inner.run(|inner| async move {
        let question = Question {
            title: "Import from a link",
            label: "The address of a notebook, of its page on GitHub or GitLab, of a gist, or a link of Spoor's",
            value: "",
            act: "Import",
        };
        let Some(link) = ask_text(question, address).await else {
            return Ok(());
        };
        if let Some(target) = import::data_at(&link) {
            return fetched(&inner, &target).await;
        }
        let found = import::from_link(&link).await?;
        let entry = import::keep(&inner.store, &found).await?;
        (inner.callbacks.open)(&entry.id);
        Ok::<_, import::ImportError>(())
    });
}

/// Adds the data that an address leads to.
fn data_from_link(inner: &Rc<Inner>) {
    inner.run(|inner| async move {
        let question = Question {
            title: "Add data from a link",
            label: "The address of a file: CSV, JSON, Parquet or Arrow, plain or as gzip, zstd or zip",
            value: "",
            act: "Add",
        };
        match ask_text(question, address).await {
            Some(link) => fetched(&inner, &import::any_data_at(&link)?).await,
            None => Ok(()),
        }
    });
}

/// Fetches a data file, with a row that says so, and adds it.
async fn fetched(inner: &Rc<Inner>, target: &Target) -> Result<(), import::ImportError> {
    let (progress, cancel) = progress_row(inner, &target.name, 0.0);
    let told = progress.clone();
    let shown = move |done: f64, total: f64| {
        dom::set(&told.bar, "max", &total.max(done).max(1.0).to_string());
        Progress {
            total: total.max(done),
            ..told.clone()
        }
        .show(done);
    };
    let blob = import::blob(target, shown, &cancel).await;
    progress.row.remove();
    match blob {
        Err(import::ImportError::Store(StoreError::Cancelled)) => {
            toast::show(&format!("Stopped adding {}", target.name), None);
        }
        blob => data(inner, &target.name, &blob?).await,
    }
    Ok(())
}

fn address(typed: &str) -> Result<String, String> {
    match typed.trim() {
        "" => Err("Paste the address.".to_owned()),
        typed => Ok(typed.to_owned()),
    }
}

/// Puts everything into one archive, and that among the browser's downloads.
pub fn export_all(inner: &Rc<Inner>) {
    inner.run(|inner| async move {
        let (progress, cancel) = progress_row(&inner, "Everything, as a zip", 0.0);
        let told = progress.clone();
        let shown = move |done: f64, total: f64| {
            dom::set(&told.bar, "max", &total.max(1.0).to_string());
            Progress {
                total,
                ..told.clone()
            }
            .show(done);
        };
        (inner.callbacks.settle)().await;
        let archive = export::archive(&inner.store, shown, &cancel).await;
        progress.row.remove();
        let date: String = js_sys::Date::new_0().to_iso_string().into();
        let day = date.get(..10).unwrap_or("today");
        download(&format!("spoor-{day}.zip"), &archive?)?;
        Ok::<_, export::ExportError>(())
    });
}
