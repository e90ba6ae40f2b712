//! The notebook's page.
//!
//! What a notebook is and what its commands do is `spoor-model`'s, without a browser; here it is
//! shown with web-sys, without a framework: the model says what has changed, and only that is
//! changed in the document. Nothing here blocks: kernels, Python and results live in workers.

pub mod dialog;
pub mod dom;
pub mod files;
pub mod gallery;
pub mod icon;
pub mod kernel;
pub mod storage;
pub mod toast;

use wasm_bindgen::prelude::*;

/// Called by wasm-bindgen when the module is there.
#[wasm_bindgen(start)]
pub fn start() {
    wasm_bindgen_futures::spawn_local(begin());
}

/// Shows the gallery and the user's files.
async fn begin() {
    let store = storage::Store::open().await;
    let Some(main) = dom::by_id("main") else {
        return;
    };
    let open = |id: &str| {
        let _ = dom::window().location().set_hash(&format!("file={id}"));
    };
    let store = match store {
        Ok(store) => {
            store.expose();
            let callbacks = files::Callbacks {
                open: Box::new(open),
                current: Box::new(|| None),
                settle: Box::new(|| Box::pin(async {})),
                describe: Box::new(|_| Box::pin(async { Err("No kernel runs yet.".to_owned()) })),
            };
            let side = dom::el("aside")
                .class("side")
                .attr("aria-label", "Files")
                .build();
            dom::append(&main, &side);
            std::mem::forget(files::mount(&side, &store, callbacks));
            Some(store)
        }
        Err(error) => {
            files::tell("Nothing can be kept", &error.to_string());
            None
        }
    };
    let callbacks = gallery::Callbacks {
        open: Box::new(open),
    };
    std::mem::forget(gallery::mount(&main, store.as_ref(), callbacks));
}
