//! Write a Spoor plugin as plain Rust functions.
//!
//! ```
//! use spoor_plugin::{Input, Output, function};
//!
//! #[derive(Input)]
//! struct Text<'a> {
//!     /// The text to look at.
//!     text: &'a str,
//! }
//!
//! #[derive(Output)]
//! struct Length {
//!     /// Characters of the text.
//!     length: i64,
//! }
//!
//! /// How long text is.
//! ///
//! /// In characters, not in bytes.
//! #[function]
//! fn text_length(row: Text<'_>, #[option(default = 0)] add: i64) -> Length {
//!     Length {
//!         length: row.text.chars().count() as i64 + add,
//!     }
//! }
//!
//! spoor_plugin::plugin! {
//!     name: "lengths",
//!     version: "0.1.0",
//!     licence: "Apache-2.0",
//!     summary: "How long things are",
//!     functions: [text_length],
//! }
//! # fn main() {}
//! ```
//!
//! A struct with [`Input`](derive@Input) is a row of the input: its fields are the function's column parameters, and
//! their types say which columns fit. `Option<T>` takes nulls; a row with a null in another field is passed over (its
//! answer is null where each row has one). A struct with [`Output`](derive@Output) is a row of the answer: the columns
//! are its fields' names in PascalCase, or what `#[output(name = "...")]` says.
//!
//! What a function takes and returns decides the rest of the manifest:
//!
//! | takes | returns | input | rows |
//! | --- | --- | --- | --- |
//! | `row: T` | `O` | batches | same |
//! | `row: T` | `Option<O>`, `Vec<O>` | batches | indexed |
//! | `row: T, out: &mut Sink<'_, O>` | nothing, `Result<(), E>` | batches | indexed |
//! | `rows: Rows<'_, T>` | `Vec<O>` | whole | free |
//! | `rows: Rows<'_, T>` | `Vec<At<O>>` | whole | indexed |
//! | `rows: Rows<'_, T>` | `Same<O>` | whole | same |
//! | options alone | `Vec<O>` | none | free |
//!
//! Any of the returned types may be in a `Result` whose error prints: its message is the call's. Parameters with
//! `#[option]` or `#[option(default = ...)]` are options; their doc comments, the function's and the fields' are the
//! manifest's. The crate compiles to WebAssembly as a `cdylib` for `wasm32-unknown-unknown`, and natively for tests.

// So that the macros' paths hold in this crate's own tests.
extern crate self as spoor_plugin;

pub mod call;
pub mod column;
pub mod describe;
mod error;
#[cfg(target_family = "wasm")]
pub mod guest;
mod host;
mod ipc;
pub mod row;
pub mod value;

pub use describe::Plugin;
pub use error::Error;
pub use host::{log, progress, time};
pub use row::{At, Rows, Same, Sink};
pub use row::{Input, Output};
pub use spoor_plugin_abi as abi;
pub use spoor_plugin_macro::{Input, Output, function, plugin};
pub use value::{Datetime, Decimal, Json, Timespan};
