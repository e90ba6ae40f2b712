//! “Save a copy”: under a name of the user's choosing, never over another unasked.

use std::rc::Rc;

use gloo_net::http::Request;
use spoor_model::gallery::{Entry, copy_name, notebook_name};
use wasm_bindgen_futures::spawn_local;

use super::{FOLDER, Inner};
use crate::files::{self, Question, ask_choice, ask_text, tell};
use crate::storage::{Store, StoreError, same_name};
use crate::toast;

/// Asks for a name and saves a copy under it.
pub fn copy(inner: &Rc<Inner>, entry: &Entry) {
    let (inner, entry) = (inner.clone(), entry.clone());
    spawn_local(async move {
        match saved(&inner, &entry).await {
            Ok(Some(id)) => done(&inner, &entry, &id),
            Ok(None) => {}
            Err(reason) => tell("The copy was not saved", &reason),
        }
    });
}

fn done(inner: &Rc<Inner>, entry: &Entry, id: &str) {
    let (inner, id) = (inner.clone(), id.to_owned());
    let open: Box<dyn FnOnce()> = Box::new(move || (inner.callbacks.open)(&id));
    toast::show(
        &format!("Saved a copy of {}", entry.title),
        Some(("Open", open)),
    );
}

/// The copy's id, None if the user gave up.
async fn saved(inner: &Inner, entry: &Entry) -> Result<Option<String>, String> {
    let Some(store) = &inner.store else {
        return Ok(None);
    };
    let origin = format!("{FOLDER}{}", entry.file);
    let text = fetched(&origin).await?;
    let found = files::read(&entry.title, &origin, text.as_bytes());
    let found = found.map_err(|error| error.to_string())?;
    let mut proposed = found.name.clone();
    loop {
        let Some(name) = ask_name(&proposed).await else {
            return Ok(None);
        };
        let place = place(store, &name)
            .await
            .map_err(|error| error.to_string())?;
        let kept = match place {
            Some(Place::New(name)) => store
                .create(&name, &found.text, Some(&origin))
                .await
                .map(|e| e.id),
            Some(Place::Over(id, version)) => {
                store.save(&id, version, &found.text).await.map(|_| id)
            }
            None => return Ok(None),
        };
        match kept {
            // Another tab took the name in between.
            Err(StoreError::NameTaken(_)) => proposed = name,
            other => return other.map(Some).map_err(|error| error.to_string()),
        }
    }
}

async fn fetched(url: &str) -> Result<String, String> {
    let failed = |reason: String| {
        format!("The notebook could not be fetched ({reason}). Try again when the server answers.")
    };
    let answer = Request::get(url)
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !answer.ok() {
        return Err(failed(format!("the server answered {}", answer.status())));
    }
    answer
        .text()
        .await
        .map_err(|error| failed(error.to_string()))
}

async fn ask_name(proposed: &str) -> Option<String> {
    let question = Question {
        title: "Save a copy",
        label: "Name of your copy",
        value: proposed,
        act: "Save",
    };
    ask_text(question, |typed| {
        notebook_name(typed).map_err(|error| error.to_string())
    })
    .await
}

/// Where a copy goes.
enum Place {
    /// A new notebook of this name.
    New(String),
    /// In place of the notebook of this id and version, which stays among its versions.
    Over(String, u32),
}

/// Where a copy of this name goes; asks where the name is taken.
async fn place(store: &Store, name: &str) -> Result<Option<Place>, StoreError> {
    let all = store.notebooks().await?;
    let Some(other) = all.iter().find(|other| same_name(&other.name, name)) else {
        return Ok(Some(Place::New(name.to_owned())));
    };
    let names: Vec<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
    let free = copy_name(name, &names);
    let text = format!(
        "You have a notebook named {}. What you overwrite stays among its versions.",
        other.name
    );
    let acts = [
        format!("Save as {free}"),
        format!("Overwrite {}", other.name),
    ];
    let chosen = ask_choice("The name is taken", &text, &[&acts[0], &acts[1]]).await;
    Ok(match chosen {
        Some(0) => Some(Place::New(free)),
        Some(_) => Some(Place::Over(other.id.clone(), other.version())),
        None => None,
    })
}
