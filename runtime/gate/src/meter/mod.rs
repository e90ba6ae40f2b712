//! Rewriting: a module that counts its own instructions and its own stack, keeps within its memory, and computes the same
//! bits everywhere.
//!
//! Browsers cannot meter WebAssembly, so the module does it: what is counted is part of the bytes, and the figure is the
//! same on every engine. Fuel lies in an exported global between calls and in a local within a function, where the engine
//! keeps it in a register:
//!
//! - One unit an instruction, taken for a run of instructions when it is entered; [`plan`] finds the runs, and says what is
//!   taken for instructions that a branch then passes by. `block`, `loop`, `else`, `end` and `nop` are free. A function's
//!   entry takes one more and a quarter for each local. Bulk operations take one for each 8 bytes, and an imported call
//!   takes 100.
//! - Whether fuel is left is asked at each function's entry, at its exit unless it is short, at each loop's head, each bulk
//!   operation, and each run after the first few thousand units of a function. So a call stops within [`plan::UNASKED`]
//!   units and one run of the limit, and a host that sees less than none left reports the limit.
//! - The local goes back to the global before each call, return, and `unreachable`. After another trap the figure is the
//!   one of the last such point: deterministic, and off by the runs that the function was in.
//! - A call that is not a leaf takes its frame's bytes (`Admitted::frames`) from a budget and gives them back.
//! - A float operation's result that is not a number becomes the canonical one, where its bits can be seen.
//!
//! The rewritten module exports what the ABI knows and the two globals, and nothing else; other custom sections go.

mod emit;
mod float;
mod function;
mod plan;
mod sections;

use wasmparser::BinaryReader;

use crate::admit::Admitted;
use crate::refusal::{Refusal, Rule};

/// The export of the fuel global, `i64`, mutable: the host sets it to the limit before a call's first export is called,
/// and reads what is left after.
pub const FUEL_EXPORT: &str = "spoor.fuel";

/// The export of the reason global, `i32`: after a trap, what [`Reason::from_global`](crate::Reason::from_global) takes.
pub const REASON_EXPORT: &str = "spoor.reason";

/// The stack that a call may use where nobody says otherwise, in bytes as the gate counts them. An engine's frames can be
/// twice as large; every engine gives more than four times as much.
pub const DEFAULT_STACK: u32 = 256 << 10;

/// The most fuel that a call can be given.
pub const MAX_FUEL: u64 = 1 << 60;

/// What is written into a module when it is metered. Fuel is not: the host sets it before each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The most memory, in bytes; rounded down to pages of 64 KiB.
    pub memory: u64,
    /// The most stack, in bytes as the gate counts them.
    pub stack: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory: spoor_plugin_abi::DEFAULT_MEMORY,
            stack: DEFAULT_STACK,
        }
    }
}

impl Limits {
    /// The memory in pages, no more than a 32-bit memory has.
    pub(crate) fn pages(&self) -> u64 {
        (self.memory / 65_536).min(65_536)
    }
}

/// A module that meters itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// The module.
    pub bytes: Vec<u8>,
}

/// Rewrites an admitted module. Fails with the rule [`Memory`](Rule::Memory) when the module wants more memory from the
/// start than the limit.
pub fn meter(module: &Admitted<'_>, limits: &Limits) -> Result<Metered, Refusal> {
    let sections = sections::Sections::read(module.bytes)?;
    let bytes = sections.rewrite(module, limits)?;
    Ok(Metered { bytes })
}

/// The fuel that a call used: `limit` less what the fuel global holds after it, and never more than `limit`.
pub const fn fuel_used(limit: u64, left: i64) -> u64 {
    if left <= 0 {
        limit
    } else {
        limit.saturating_sub(left as u64)
    }
}

/// The refusal for what cannot happen to a module that was admitted.
pub(crate) fn broken(error: wasmparser::Error) -> Refusal {
    Refusal::new(Rule::Malformed, error.offset(), error.message())
}

pub(crate) fn reader(bytes: &[u8], range: std::ops::Range<usize>) -> BinaryReader<'_> {
    BinaryReader::new(bytes.get(range.clone()).unwrap_or_default(), range.start)
}
