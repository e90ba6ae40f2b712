//! The notebook page without the page: what is on it, what a user can do, and what then changes.
//!
//! Called by the page, which draws. Nothing here knows a browser, asks the time or draws a random
//! number: milliseconds and seeds come in. Every operation answers with [`Change`]s that name what to
//! patch, so that a key pressed in a long notebook costs what the key changes.
//!
//! - `document`: the cells of the file; `notebook`: the cells being worked on;
//! - `command`, `keys`, `palette`: what can be done, and how it is asked for;
//! - `run`: the queue and what became of each cell; `outline`, `find`: reading and searching;
//! - `gallery`, `settings`, `convert`: files, preferences, exports and links.

pub mod command;
pub mod convert;
pub mod document;
pub mod find;
pub mod gallery;
pub mod keys;
pub mod notebook;
pub mod outline;
pub mod palette;
pub mod plugins;
pub mod run;
pub mod settings;
pub mod text;

pub use command::{Category, Command};
pub use document::{CellKey, Document, Kind};
pub use notebook::{Change, Effect, Mode, NotebookState, Selection};
