//! The browser driver: a dedicated worker that runs the kernel and the Python guest.
//!
//! `js/worker.mjs` starts it and carries its messages to and from the page (see `spoor_messages`).
//! The driver loads `kernel.wasm` and, once Python is wanted, the Python guest; gives the kernel
//! its events; and carries out its effects. It keeps no notebook and shows nothing: that is the
//! page's part. What a cell means is the kernel's.
//!
//! The guest's call to its host (`host.call`) is answered from inside the call where the kernel
//! answers at once. Where the answer has to wait (for a slice of a query, for typed input, for
//! data on its way) the guest is suspended by JSPI, and the worker stays able to take messages;
//! without JSPI the worker blocks instead, and what cannot be waited for so is refused.

mod bindings;
mod error;
mod guest;
mod inbox;
mod kernel;
mod load;
mod outputs;
mod pages;
mod session;

use wasm_bindgen::prelude::*;

/// Starts a session. `post(text, buffers)` sends a message to the page: JSON, and an array of
/// `Uint8Array`. Returns the function to call with the JSON of each message from the page.
#[wasm_bindgen]
pub fn start(post: js_sys::Function) -> js_sys::Function {
    session::start(post)
}
