//! The notebook's page.
//!
//! What a notebook is and what its commands do is `spoor-model`'s, without a browser; here it is
//! shown with web-sys, without a framework: the model says what has changed, and only that is
//! changed in the document. Nothing here blocks: kernels, Python and results live in workers.

pub mod app;
pub mod chart;
pub mod dialog;
pub mod dom;
pub mod editor;
pub mod files;
pub mod find;
pub mod gallery;
pub mod help;
pub mod icon;
pub mod kernel;
pub mod marks;
pub mod notebook;
pub mod outline;
pub mod output;
pub mod palette;
pub mod picker;
pub mod plugins;
pub mod probe;
pub mod scroller;
pub mod server;
pub mod session;
pub mod settings;
pub mod signin;
pub mod storage;
pub mod table;
pub mod toast;
pub mod words;
pub mod workspaces;

use wasm_bindgen::prelude::*;

/// Called by wasm-bindgen when the module is there.
#[wasm_bindgen(start)]
pub fn start() {
    app::start();
}
