//! The notebook kernel: a state machine without I/O, and its WebAssembly entry.
//!
//! A driver gives [`Kernel::step`] one [`spoor_protocol::Event`] at a time and carries out the
//! effects that come back: it publishes Jupyter messages, runs the Python guest, reads files. The
//! kernel asks nothing of its surroundings but WASI's clock and randomness.
//!
//! Where to look
//! - `kernel`: the state machine; `session`, `stale`: the session's state; `catalogue`: the data.
//! - `cell`: a cell's language and options; `job`: a query in slices; `fetching`: one that a provider runs; `bundle`: a
//!   result's MIME bundle; `page`: its rows for the page; `plugins`: what plugins there are, and their calls.
//! - `python`: the guest's upcalls; `language`: completion and inspection of KQL; `output`: messages.
//! - `wasm`: the exports of `kernel.wasm`, and nothing else; `memcmp`: what its C library does slowly.
//!
//! Invariants
//! - No event makes it panic, and no guest can name a size that it allocates.
//! - The same events with the same clock and randomness give the same effects, byte for byte.
//! - Exactly one reply for each request, and exactly one `UpcallReply` for each upcall.

mod bundle;
mod catalogue;
mod cell;
mod diagnosis;
mod fetching;
mod job;
mod kernel;
mod language;
#[cfg(target_arch = "wasm32")]
mod memcmp;
mod output;
mod page;
mod plugins;
mod python;
mod request;
mod running;
mod session;
mod stale;
mod values;
#[cfg(target_arch = "wasm32")]
mod wasm;
mod workspaces;

pub use kernel::Kernel;
pub use python::PYTHON_TURN;

#[cfg(test)]
mod tests;
