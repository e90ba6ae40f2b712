//! Plugins on the host: from a file that nobody vouches for to tables.
//!
//! The command line calls this, and whoever runs plugins in a session. [`Runner`] admits a module through `spoor-gate`,
//! meters it and compiles it; [`Plugin::call`] runs one call in a store of its own; [`evaluate()`] makes calls of a table and a
//! table of their answers. What a plugin may do is the gate's to say, and nothing here trusts one: not its manifest's wishes
//! for limits, not its answers. [`check`] is what a reviewer runs, [`registry`] is files of plugins and what of them is pinned.

mod call;
pub mod check;
mod control;
mod convert;
mod engine;
mod evaluate;
mod failure;
pub mod keys;
mod limits;
mod options;
pub mod project;
pub mod registry;
mod runner;

pub use call::Outcome;
pub use control::{Clock, Control, Heard};
pub use convert::{abi_type, kusto_type};
pub use evaluate::{Ask, Evaluated, evaluate};
pub use failure::{Failure, Trapped};
pub use limits::{Limits, Wish};
pub use options::{complete, parse_option};
pub use runner::{Plugin, Runner};

#[cfg(test)]
mod tests;
