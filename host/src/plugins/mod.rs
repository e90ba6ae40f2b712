//! Plugins on the host: from a file that nobody vouches for to tables.
//!
//! The command line calls this, and whoever runs plugins in a session. [`Runner`] admits a module through `spoor-gate`,
//! meters it and compiles it; [`Plugin::call`] runs one call in a store of its own; [`evaluate()`] makes calls of a table and a
//! table of their answers. What a plugin may do is the gate's to say, and nothing here trusts one: not its manifest's wishes
//! for limits, not its answers. [`check`] is what a reviewer runs, [`registry`] is files of plugins and what of them is pinned.

mod call;
pub mod check;
mod control;
pub mod engine;
mod evaluate;
pub mod keys;
mod native;
pub mod project;
pub mod registry;
mod runner;

pub use call::{Called, Outcome};
pub use control::{Clock, Control, Heard};
pub use evaluate::{Ask, Evaluated, evaluate};
pub use native::{Callable, Offered};
pub use runner::{Plugin, Ready, Runner};
pub use spoor_plugins::{
    Failure, Limits, Trapped, Wish, abi_type, complete, kusto_type, parse_option,
};

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Failure::Engine(error.to_string())
    }
}

#[cfg(test)]
mod tests;
