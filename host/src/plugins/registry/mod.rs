//! A registry is files: a folder, on this machine or behind any static server, with modules and a signed index of them.
//!
//! [`publish()`] puts a module there, [`Place`] reads from there, and [`Installed`] is what a user took from registries and
//! pinned; [`Shipped`] is what comes with Spoor. What comes from a registry is believed as far as its key vouches for it, and the gate looks at each module anyway.

mod installed;
mod place;
mod publish;
mod shipped;

pub use installed::{Installed, Pinned};
pub use place::Place;
pub use publish::{Published, publish};
pub use shipped::Shipped;
pub use spoor_registry::{Entry, INDEX_FILE, Index, Known, SignedIndex, Version};

use crate::error::Error;

/// An error of a registry's, which is of its data.
fn wrong(message: impl Into<String>) -> Error {
    Error::Data(message.into())
}
