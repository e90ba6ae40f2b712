//! What can go wrong in the driver itself, as opposed to in a cell.

use wasm_bindgen::JsValue;

/// An error of the driver.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A download, a compilation or an instantiation failed.
    #[error("{what} could not be loaded: {why}. Reload the page to try again.")]
    Load {
        /// What was being loaded, as people call it.
        what: String,
        /// The browser's word for it.
        why: String,
    },
    /// The kernel trapped.
    #[error("the kernel stopped: {0}")]
    Kernel(String),
    /// The kernel and this driver do not understand each other.
    #[error("the kernel and the page do not fit: {0}. Reload the page without its cache.")]
    Protocol(String),
    /// A frame could not be read or written.
    #[error(transparent)]
    Frame(#[from] spoor_protocol::FrameError),
}

impl Error {
    /// A [`Error::Load`] of `what` for what JavaScript threw.
    pub fn load(what: &str, thrown: &JsValue) -> Self {
        Self::Load {
            what: what.to_string(),
            why: text_of(thrown),
        }
    }
}

/// What a thrown value says of itself: an `Error`'s name and message, or the value as text.
pub fn text_of(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => format!("{}: {}", error.name(), error.message()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}

use wasm_bindgen::JsCast;
