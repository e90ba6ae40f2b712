//! Results in the browser: Arrow tables in a worker of their own, which answers for rows, sorts, filters, statistics,
//! exports, timelines and process trees, so that the page stays quick at a million rows.
//!
//! [`Results`] is the whole of it, without a browser: [`Results::ask`] takes a request of
//! [`spoor_messages::results`], [`Results::work`] does some milliseconds of what is left to do. `worker` is the
//! thin entry of the WebAssembly module; `js/results.mjs` carries the messages.
//!
//! Where to look
//! - `data`: a result's rows; `view`: which of them in which order, from `filter` and `order`, with `sorter` and `ranking`;
//! - `stats`, `export`, `timeline`, `tree`: what is made of a view's rows;
//! - `results`: the queue of what is asked.
//!
//! Invariants
//! - Nothing runs for longer than a slice: every pass over rows asks every some thousand rows whether its time is over.
//! - Every request is answered exactly once.
//! - No request makes it panic, and no stream that is cut short; memory that is asked for grows with the rows that are
//!   there. Streams are the kernel's own: one that lies may end the worker, which costs its tables and nothing else.

mod data;
mod error;
mod export;
mod filter;
mod order;
mod ranking;
mod results;
mod sorter;
mod stats;
mod timeline;
mod tree;
mod view;
#[cfg(target_arch = "wasm32")]
mod worker;

pub use error::ResultsError;
pub use results::{Outgoing, Results};

/// Rows that are worked on between two looks at the clock.
const STRIDE: usize = 1 << 13;

/// Says whether a slice's time is over.
type Over<'a> = &'a mut dyn FnMut() -> bool;
