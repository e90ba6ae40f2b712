//! The spoor command's library: the wasmtime driver of the kernel and of the Python guest, the
//! session around them, and what `run`, `render`, `query`, `serve` and `replay` do.
//!
//! `main.rs` and the tests call it. The kernel's logic is not here (it is in `kernel.wasm`), nor
//! is anything that a browser's driver would also need (that is in `spoor-protocol`).

pub mod ambient;
pub mod aot;
pub mod assets;
pub mod cli;
pub mod engine;
pub mod error;
pub mod export;
pub mod kernel;
pub mod native;
mod parts;
pub mod plugins;
pub mod python;
pub mod recorded;
pub mod recording;
pub mod remote;
pub mod replay;
pub mod run;
pub mod save;
pub mod serve;
pub mod session;
pub mod sources;
mod stored;

pub use error::Error;
