//! Which cells are selected, which one is active, and moving about.

use super::{Change, NotebookState};
use crate::command::Command;
use crate::document::{CellKey, Kind};

/// Whether keys are commands or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Keys are commands.
    Command,
    /// Keys go to the active cell's editor.
    Edit,
}

/// A run of cells: from where the selection was begun to the active cell, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where it was begun.
    pub anchor: CellKey,
    /// The cell that commands and the editor mean.
    pub active: CellKey,
}

impl Selection {
    /// One cell.
    pub fn of(key: CellKey) -> Self {
        Self {
            anchor: key,
            active: key,
        }
    }

    /// Whether it is one cell.
    pub fn is_single(self) -> bool {
        self.anchor == self.active
    }
}

impl NotebookState {
    /// The active cell.
    pub fn active(&self) -> CellKey {
        self.selection.active
    }

    /// The selected cells, from the top.
    pub fn selected(&self) -> &[CellKey] {
        let (first, last) = self.selected_range();
        &self.document.keys()[first..=last]
    }

    /// Selects one cell, as a click on it does; in `mode`.
    pub fn select(&mut self, key: CellKey, mode: Mode) -> Vec<Change> {
        self.operation(|state, changes| {
            if state.document.index_of(key).is_none() {
                return;
            }
            state.selection = Selection::of(key);
            match mode {
                Mode::Command => state.mode = Mode::Command,
                Mode::Edit => state.enter_edit(changes),
            }
        })
    }

    /// Extends the selection to a cell, as a click with Shift does.
    pub fn select_to(&mut self, key: CellKey) -> Vec<Change> {
        self.operation(|state, _| {
            if state.document.index_of(key).is_some() {
                state.selection.active = key;
                state.mode = Mode::Command;
            }
        })
    }

    pub(super) fn dispatch_selection(
        &mut self,
        command: Command,
        changes: &mut Vec<Change>,
    ) -> bool {
        match command {
            Command::SelectAbove => self.go(self.above(self.active()), false),
            Command::SelectBelow => self.go(self.below(self.active()), false),
            Command::SelectFirst => self.go(self.first(), false),
            Command::SelectLast => self.go(self.last(), false),
            Command::ExtendAbove => self.go(self.above(self.active()), true),
            Command::ExtendBelow => self.go(self.below(self.active()), true),
            Command::ExtendFirst => self.go(self.first(), true),
            Command::ExtendLast => self.go(self.last(), true),
            Command::SelectAll => self.select_all(),
            Command::EnterEdit => self.enter_edit(changes),
            Command::LeaveEdit => self.mode = Mode::Command,
            _ => return false,
        }
        true
    }

    /// The indices of the first and the last selected cell.
    pub(super) fn selected_range(&self) -> (usize, usize) {
        let of = |key| self.document.index_of(key).unwrap_or(0);
        let (anchor, active) = (of(self.selection.anchor), of(self.selection.active));
        (anchor.min(active), anchor.max(active))
    }

    fn go(&mut self, to: Option<CellKey>, extend: bool) {
        let Some(to) = to else {
            return;
        };
        self.selection.active = to;
        if extend {
            self.mode = Mode::Command;
        } else {
            self.selection.anchor = to;
        }
    }

    fn select_all(&mut self) {
        let (Some(first), Some(last)) = (self.document.key_at(0), self.document.keys().last())
        else {
            return;
        };
        self.selection = Selection {
            anchor: first,
            active: *last,
        };
        self.mode = Mode::Command;
    }

    /// Edit mode, with the source of a Markdown cell in place of its text, unless the file forbids
    /// editing the cell.
    pub(super) fn enter_edit(&mut self, changes: &mut Vec<Change>) {
        let key = self.active();
        self.selection.anchor = key;
        if self.document.is_read_only(key) {
            self.mode = Mode::Command;
            return;
        }
        self.mode = Mode::Edit;
        if self.document.kind(key) == Kind::Markdown {
            self.set_rendered(key, false, changes);
        }
    }

    pub(super) fn set_rendered(&mut self, key: CellKey, rendered: bool, changes: &mut Vec<Change>) {
        let changed = if rendered {
            self.unrendered.remove(&key)
        } else {
            self.unrendered.insert(key)
        };
        if changed {
            changes.push(Change::RenderedChanged { key, rendered });
        }
    }

    /// The nearest cell above that is in sight.
    pub(super) fn above(&self, key: CellKey) -> Option<CellKey> {
        let index = self.document.index_of(key)?;
        let above = self.document.keys()[..index].iter().rev();
        above.copied().find(|key| !self.is_hidden(*key))
    }

    /// The nearest cell below that is in sight.
    pub(super) fn below(&self, key: CellKey) -> Option<CellKey> {
        let index = self.document.index_of(key)?;
        let below = self.document.keys()[index + 1..].iter();
        below.copied().find(|key| !self.is_hidden(*key))
    }

    fn first(&self) -> Option<CellKey> {
        let mut keys = self.document.keys().iter().copied();
        keys.find(|key| !self.is_hidden(*key))
    }

    fn last(&self) -> Option<CellKey> {
        let keys = self.document.keys().iter().rev().copied();
        keys.into_iter().find(|key| !self.is_hidden(*key))
    }

    /// Selects what is there: an active cell that is gone gives way to the first, one that is hidden
    /// to the cell above whose heading hides it.
    pub(super) fn repair_selection(&mut self) {
        let there = |key| self.document.index_of(key).is_some();
        if !there(self.selection.active) {
            let first = self.document.keys()[0];
            self.selection.active = first;
        }
        if self.is_hidden(self.selection.active)
            && let Some(above) = self.above(self.selection.active)
        {
            self.selection = Selection::of(above);
            self.mode = Mode::Command;
        }
        if self.document.index_of(self.selection.anchor).is_none() {
            self.selection.anchor = self.selection.active;
        }
    }
}
