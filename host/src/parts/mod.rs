//! Divides a module's code for the browser, which loads what is needed first.
//!
//! A browser's time to load goes by the byte, and most of what the interpreter and the kernel have is
//! needed seldom. [`divide`] gives the same functions as several modules over one memory and one table:
//! part 0 is what everything begins with, and each further part is loaded when one of its functions is
//! first called. The host compiles the module whole.
//!
//! How it holds together:
//! - Part 0 has a *stub* for each function of another part that is called from outside of its part,
//!   that is exported, or that has a slot in the table. The stub sees to it that the part is there,
//!   by the import `spoor.load(part: i32)`, and calls the function by its slot.
//! - A part that is instantiated puts its functions into their slots. Until then the stubs are there,
//!   so that a pointer to a function works before and after.
//! - A part imports from part 0 the memory, the table, the globals, the tags and the functions that
//!   it calls. Whoever instantiates it hands it part 0's exports as the module [`PART_0`].
//! - Data, if there is any, is part 0's, which puts it into the memory as the whole module would.
//! - Nothing else changes: linear memory is the whole state of a guest before and after, and slots
//!   keep their numbers. The table is longer by a slot for each stub without one, and by a slot for
//!   each part that is null until the part is there.

mod assign;
mod read;
mod write;

pub use assign::{Assign, Marker};

use read::Whole;
pub use read::constant;

/// What parts import part 0's exports from.
pub const PART_0: &str = "part0";
/// The import of part 0 that loads another: `(part: i32)`.
pub const LOAD: (&str, &str) = ("spoor", "load");

/// What the parts' memory is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// As the whole module's.
    AsItIs,
    /// Shared and with a maximum, which changes nothing for the code: another thread of a page can write
    /// into it while the guest runs, which is how a loop is interrupted. Such a module has no data.
    Shared,
}

/// Divides `module` into `parts` modules, each function in the part that `assign` says. The error says
/// what about the module was not as expected.
pub fn divide(
    module: &[u8],
    assign: &Assign<'_>,
    parts: usize,
    memory: Memory,
) -> Result<Vec<Vec<u8>>, String> {
    let whole = Whole::read(module)?;
    if memory == Memory::Shared && !whole.data.is_empty() {
        return Err("it has data".into());
    }
    let part_of = assign.parts(&whole, parts)?;
    let plan = write::Plan::new(&whole, &part_of, parts, memory)?;
    (0..parts).map(|part| plan.module(part)).collect()
}

#[cfg(test)]
mod tests;
