//! Why a plugin or a call of it came to nothing, in words for the person who called it.

use std::fmt;

use spoor_gate::answer::Fault;
use spoor_gate::{Refusal, Trap};
use spoor_plugin_abi::Type;

use crate::Limits;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The gate does not let the module in.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The module imports what was not granted.
    #[error("the plugin {plugin} needs {capabilities}, which it has not been granted")]
    NotGranted {
        /// Its name.
        plugin: String,
        /// What it needs: `log, time`.
        capabilities: String,
    },
    /// There is no such function.
    #[error("the plugin {plugin} has no function '{name}': it has {known}")]
    NoFunction {
        /// The plugin's name.
        plugin: String,
        /// What was called.
        name: String,
        /// What there is.
        known: String,
    },
    /// A column or an option is missing, unknown or of the wrong type.
    #[error("{0}")]
    Argument(String),
    /// The call trapped.
    #[error("{0}")]
    Trap(Trapped),
    /// The caller wants it no more.
    #[error("the call was cancelled")]
    Cancelled,
    /// The answer is not believed.
    #[error("{0}")]
    Answer(Fault),
    /// The plugin's own error message.
    #[error("the plugin says: {0}")]
    Said(String),
    /// The engine or Arrow failed.
    #[error("the plugin cannot be run: {0}")]
    Engine(String),
}

impl From<arrow::error::ArrowError> for Failure {
    fn from(error: arrow::error::ArrowError) -> Self {
        Failure::Engine(error.to_string())
    }
}

impl From<spoor_table::TableError> for Failure {
    fn from(error: spoor_table::TableError) -> Self {
        Failure::Engine(error.to_string())
    }
}

/// Types in words: `string or dynamic`.
pub fn type_names(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
    names.join(" or ")
}

/// How a call trapped, with the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trapped {
    /// The kind.
    pub trap: Trap,
    /// The call's limits.
    pub limits: Limits,
    /// The memory that it had, in bytes.
    pub memory: u64,
    /// What the plugin left to be said.
    pub words: Option<String>,
}

impl Trapped {
    /// Whether more memory may be what it wanted: it gave up with most of what it may have.
    fn wanted_memory(&self) -> bool {
        matches!(self.trap, Trap::Unreachable | Trap::Memory)
            && self.memory > self.limits.memory / 8 * 7
    }
}

impl fmt::Display for Trapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = &self.limits;
        match (self.trap, &self.words) {
            (Trap::Fuel, _) => write!(
                f,
                "the plugin ran out of fuel: it used the {} units that a call may. Give it fewer rows or more fuel",
                limits.fuel
            )?,
            (Trap::Deadline, _) => write!(
                f,
                "the plugin took too long: a call may take {:?}. Give it fewer rows or more time",
                limits.wall
            )?,
            (trap, Some(words)) => write!(f, "the plugin gave up ({}): {words}", trap.name())?,
            (trap, None) => write!(f, "{trap}")?,
        }
        if self.wanted_memory() {
            write!(
                f,
                ". It had {} MiB of memory, and may have {}: fewer rows or more memory may be what it wants",
                self.memory >> 20,
                limits.memory >> 20
            )?;
        }
        Ok(())
    }
}
