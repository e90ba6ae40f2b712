//! “Save a copy”: under a name of the user's choosing, never over another unasked.

use std::rc::Rc;

use gloo_net::http::Request;
use spoor_model::gallery::Entry;
use wasm_bindgen_futures::spawn_local;

use super::{FOLDER, Inner};
use crate::files::{self, keep_as, tell};
use crate::storage::Copy;
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
    let kept = keep_as(store, "Save a copy", &found.name, || Copy {
        text: found.text.clone(),
        origin: Some(origin.clone()),
        trusted: false,
    });
    let kept = kept.await.map_err(|error| error.to_string())?;
    Ok(kept.map(|entry| entry.id))
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
