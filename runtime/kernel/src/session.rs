//! What a session knows apart from its data: counts, kept results, displays, stale marks.
//!
//! A plain data structure with operations. It publishes nothing and asks nothing of a driver;
//! [`crate::Kernel`] does.

use std::collections::{BTreeMap, BTreeSet};

use crate::stale::{Marks, Name};
use crate::values::Values;

/// The state of a session that `Restart` throws away.
#[derive(Debug, Default)]
pub(crate) struct Session {
    count: u64,
    /// Kept results that Python has not been given yet, in the order of their keeping.
    unbound: Vec<String>,
    /// The displays on show, each with the cell (or else the request) whose output it is in.
    displays: BTreeMap<String, String>,
    marks: Marks,
    /// Python's values that KQL cells may use.
    pub values: Values,
    /// Python is loaded, and has ended a turn.
    pub has_python: bool,
}

impl Session {
    /// The count of the last cell that was counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Counts one more cell.
    pub(crate) fn count_cell(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Notes that a result is kept by `name`, and that Python is to get it if `for_python`.
    pub(crate) fn keep(&mut self, name: &str, for_python: bool) {
        self.unbound.retain(|n| n != name);
        if for_python {
            self.unbound.push(name.to_string());
        }
    }

    /// The kept results that Python has yet to get; they count as handed over.
    pub(crate) fn take_unbound(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unbound)
    }

    /// Takes back a handing-over that a rollback undid.
    pub(crate) fn give_back_unbound(&mut self, names: Vec<String>) {
        let later = std::mem::replace(&mut self.unbound, names);
        self.unbound.retain(|name| !later.contains(name));
        self.unbound.extend(later);
    }

    /// A cell is about to run: its old output, with the displays in it, goes.
    pub(crate) fn clear_displays_of(&mut self, owner: &str) {
        self.displays.retain(|_, of| of != owner);
    }

    /// Notes a display with an id.
    pub(crate) fn show_display(&mut self, id: &str, owner: &str) {
        self.displays.insert(id.to_string(), owner.to_string());
    }

    /// Whether a display with this id is on show.
    pub(crate) fn has_display(&self, id: &str) -> bool {
        self.displays.contains_key(id)
    }

    /// Notes what a run of a cell read and wrote.
    pub(crate) fn ran(&mut self, cell: &str, names: &Names) {
        self.marks.ran(cell, &names.reads, &names.writes);
    }

    /// Notes that a table's data is other than it was; whether a cell may have become stale by it.
    pub(crate) fn replaced(&mut self, table: &str) -> bool {
        self.marks.replaced(table)
    }

    /// The cells that show what is no longer so.
    pub(crate) fn stale(&self) -> Vec<String> {
        self.marks.stale()
    }
}

/// The names that one run of a cell reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub reads: BTreeSet<Name>,
    pub writes: BTreeSet<Name>,
}

impl Names {
    /// The run reads these tables.
    pub(crate) fn read_tables(&mut self, tables: impl IntoIterator<Item = String>) {
        // What the cell itself has made is not from elsewhere.
        let names = tables
            .into_iter()
            .map(Name::Table)
            .filter(|name| !self.writes.contains(name));
        self.reads.extend(names);
    }

    /// The run reads these variables of Python's.
    pub(crate) fn read_variables(&mut self, names: impl IntoIterator<Item = String>) {
        self.reads.extend(names.into_iter().map(Name::Python));
    }

    /// The run writes this table, and the Python variable of the same name if `python`.
    pub(crate) fn write(&mut self, table: &str, python: bool) {
        self.writes.insert(Name::Table(table.into()));
        if python {
            self.writes.insert(Name::Python(table.into()));
        }
    }
}
