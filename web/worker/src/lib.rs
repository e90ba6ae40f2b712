//! The browser driver: a dedicated worker that runs the kernel, and a second one for Python.
//!
//! `js/worker.mjs` starts it and carries its messages to and from the page (see `spoor_messages`).
//! The driver loads `kernel.wasm` and, once Python is wanted, the Python guest; gives the kernel
//! its events; and carries out its effects. It keeps no notebook and shows nothing: that is the
//! page's part. What a cell means is the kernel's.
//!
//! Python has a thread of its own ([`python`]), a second worker with the same script, so that a loop
//! in it keeps nothing else waiting, and so that it can be ended. The guest waits for its host's
//! answers by being suspended (JSPI), or by blocking on memory that the threads share, where the page
//! is cross-origin isolated. Where the browser has neither, the guest runs in the kernel's thread
//! (`session/here.rs`), which blocks instead; what cannot be waited for so is refused.
//!
//! A plugin's call runs in a further worker with a script of its own (`js/plugin.mjs`), which has nothing but the call and
//! can be ended in the midst of it (`session/plugins.rs`).

mod answers;
mod bindings;
mod budget;
mod error;
mod guest;
mod inbox;
mod kernel;
mod load;
mod outputs;
mod pages;
pub mod python;
mod session;
pub mod wire;

use wasm_bindgen::prelude::*;

/// Starts a session. `post(text, buffers)` sends a message to the page: JSON, and an array of
/// `Uint8Array`. Returns the function to call with the JSON of each message from the page.
#[wasm_bindgen]
pub fn start(post: js_sys::Function) -> js_sys::Function {
    session::start(post)
}

/// Starts Python's thread; see [`python::start`].
#[wasm_bindgen(js_name = startPython)]
pub fn start_python(post: js_sys::Function) -> js_sys::Function {
    python::start(post)
}
