//! Saving the notebook on the screen under a name, and going on with that in place: the session,
//! its variables and the outputs stay.

use std::cell::Cell;
use std::rc::Rc;

use spoor_model::Command;
use spoor_model::gallery::copy_name;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::Own;
use crate::dom;
use crate::files::{keep_as, proper_name, sentence};
use crate::notebook::Screen;
use crate::storage::{Copy, Head, StoreError};
use crate::toast;

/// Asks for a name, and goes on with the notebook under it.
pub fn save_as(screen: &Rc<Screen>, title: &'static str) {
    let screen = screen.clone();
    spawn_local(async move {
        if let Err(error) = saved(&screen, title).await {
            let reason = sentence(&error.to_string());
            let shell = &screen.app.shell;
            shell.say(&format!(
                "The notebook was not saved. {reason} To keep it, export it as .ipynb."
            ));
        }
    });
}

async fn saved(screen: &Rc<Screen>, title: &str) -> Result<(), StoreError> {
    let store = match screen.app.store().await {
        Ok(store) => store,
        Err(_) => return downloaded(screen),
    };
    screen.settle().await;
    let names = store.notebooks().await?;
    let names: Vec<String> = names.into_iter().map(|entry| entry.name).collect();
    let proposed = copy_name(&proper_name(&screen.name.borrow()), &names);
    let revision = Cell::new(0);
    let kept = keep_as(&store, title, &proposed, || {
        revision.set(screen.state.borrow().revision());
        screen.copy()
    });
    let Some(entry) = kept.await? else {
        return Ok(());
    };
    let own = screen.own().filter(|own| own.entry().is_some());
    match own {
        Some(own) => own.go_on(&Head::from(&entry), revision.get()).await?,
        None => Own::adopt(screen, &store, &entry, revision.get()).await?,
    }
    let stem = entry.name.strip_suffix(".ipynb").unwrap_or(&entry.name);
    toast::show(&format!("Saved as {stem}"), None);
    Ok(())
}

/// Where the browser keeps nothing, a file among its downloads is what there is.
fn downloaded(screen: &Rc<Screen>) -> Result<(), StoreError> {
    let revision = screen.state.borrow().revision();
    screen.dispatch(Command::ExportNotebook);
    screen.change(|state| state.saved(revision));
    toast::show(
        "This browser keeps nothing for the page: the notebook was downloaded.",
        None,
    );
    Ok(())
}

/// Shows another address as this page's, without reading the page anew.
pub fn show_address(address: &str) {
    if let Ok(history) = dom::window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

impl Screen {
    /// What is on the screen, to be kept.
    pub fn copy(&self) -> Copy {
        let state = self.state.borrow();
        let document = state.document();
        Copy {
            text: String::from_utf8_lossy(&document.to_json()).into_owned(),
            origin: self.origin(),
            trusted: document.is_all_trusted(),
        }
    }
}
