//! What the kernel and its driver tell each other of a plugin's call.

use serde::{Deserialize, Serialize};

/// What one call may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLimits {
    /// Instructions, as the module counts them.
    pub fuel: u64,
    /// Linear memory, in bytes.
    pub memory: u64,
    /// The answer, in bytes.
    pub output: u64,
    /// Time, in milliseconds.
    pub wall_ms: u64,
}

/// What the user says of the limits of a plugin's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginWish {
    /// Instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Linear memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The answer, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}

/// How a call of a plugin ended. Nothing that the plugin wrote has been looked at but for where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PluginOutcome {
    /// It returned: the buffer holds its answer.
    Answered {
        /// Fuel used.
        fuel: u64,
    },
    /// It returned an error message, which the buffer holds.
    Said,
    /// What it returned points outside of its memory, or is too large.
    Misplaced {
        /// What is wrong, in a sentence.
        message: String,
    },
    /// It trapped.
    Trapped {
        /// The gate's name of the kind: `fuel`, `deadline`, `stack`, `memory` ...
        trap: String,
        /// The memory that it had, in bytes.
        memory: u64,
        /// What it left to be said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// The driver could not run it.
    Failed {
        /// Why.
        message: String,
    },
}
