//! A notebook being worked on: its cells, what is selected, the mode, the clipboard, and undo.
//!
//! The page gives it commands and what is typed, and patches itself by the changes that come back.
//! Running is `run::Queue`'s; this only says which cells a command means.

mod cells;
mod change;
mod collapse;
mod convert;
mod history;
mod outputs;
mod running;
mod selection;

use std::collections::HashSet;

use serde_json::Value;
use spoor_notebook::Cell;

pub use change::{Change, Effect};
use history::{History, Op};
pub use outputs::OutputsMessage;
pub use selection::{Mode, Selection};

use crate::command::Command;
use crate::document::{CellKey, Document, Kind};
use crate::outline::Outline;

/// A notebook being worked on. There is always a cell, and always an active one.
#[derive(Debug, Clone)]
pub struct NotebookState {
    document: Document,
    selection: Selection,
    mode: Mode,
    clipboard: Vec<Cell>,
    history: History,
    outline: Outline,
    /// Cells under collapsed headings.
    hidden: HashSet<CellKey>,
    /// Markdown cells that show their source.
    unrendered: HashSet<CellKey>,
    /// Counts changes of what is saved.
    revision: u64,
    saved: u64,
}

/// What is told at the end of an operation if it is no longer so.
struct Before {
    selection: Selection,
    mode: Mode,
    dirty: bool,
}

impl NotebookState {
    /// Opens a document: the first cell is active, in command mode. A document without cells gets
    /// an empty one.
    pub fn new(mut document: Document) -> Self {
        if document.is_empty() {
            document.insert(0, Cell::code(""));
        }
        let first = document.keys()[0];
        let outline = Outline::new(&document);
        let mut state = Self {
            hidden: outline.hidden(&document),
            document,
            selection: Selection::of(first),
            mode: Mode::Command,
            clipboard: Vec::new(),
            history: History::default(),
            outline,
            unrendered: HashSet::new(),
            revision: 0,
            saved: 0,
        };
        state.unrender_empty();
        state
    }

    /// Empty Markdown cells show their source: there is nothing to read.
    fn unrender_empty(&mut self) {
        let document = &self.document;
        let empty = document.keys().iter().copied().filter(|key| {
            document.kind(*key) == Kind::Markdown && document.source(*key).trim().is_empty()
        });
        self.unrendered = empty.collect();
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What is selected.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The headings.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// Whether a cell is out of sight under a collapsed heading.
    pub fn is_hidden(&self, key: CellKey) -> bool {
        self.hidden.contains(&key)
    }

    /// Whether a Markdown cell shows its text to read rather than its source.
    pub fn is_rendered(&self, key: CellKey) -> bool {
        !self.unrendered.contains(&key)
    }

    /// Whether there are cells to paste.
    pub fn can_paste(&self) -> bool {
        !self.clipboard.is_empty()
    }

    /// A number that grows with each change of what is saved. Take it before writing the file and
    /// give it to [`NotebookState::saved`] after.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there is something to save.
    pub fn is_dirty(&self) -> bool {
        self.revision != self.saved
    }

    /// The file holds what there was at this revision.
    pub fn saved(&mut self, revision: u64) -> Vec<Change> {
        self.operation(|state, _| state.saved = revision)
    }

    /// Carries out a command.
    pub fn apply(&mut self, command: Command) -> Vec<Change> {
        self.operation(|state, changes| state.dispatch(command, changes))
    }

    /// Takes the text of a cell from its editor. Not a step of the history: the editor has its own.
    pub fn edit_source(&mut self, key: CellKey, text: &str) -> Vec<Change> {
        self.operation(|state, changes| {
            let before = state.document.kind(key);
            let Some(cell) = state.document.cell_mut(key) else {
                return;
            };
            if cell.source == text {
                return;
            }
            text.clone_into(&mut cell.source);
            state.touch();
            history::note_kind(&state.document, key, before, changes);
            if before == Kind::Markdown {
                state.headings_changed(key, changes);
            }
        })
    }

    /// Sets the texts of cells as one step of the history, as replacing does.
    pub fn replace_sources(&mut self, texts: Vec<(CellKey, String)>) -> Vec<Change> {
        self.operation(|state, changes| {
            let ops = texts
                .into_iter()
                .map(|(key, text)| Op::Source { key, text });
            state.perform(ops.collect(), changes);
        })
    }

    /// Sets or removes a key of the notebook's metadata.
    pub fn set_metadata(&mut self, name: &str, value: Option<Value>) -> Vec<Change> {
        self.operation(|state, changes| {
            let metadata = state.document.metadata_mut();
            let old = match value {
                Some(value) => metadata.insert(name.to_owned(), value),
                None => metadata.shift_remove(name),
            };
            if old.as_ref() != state.document.metadata().get(name) {
                state.touch();
                changes.push(Change::MetadataChanged);
            }
        })
    }

    /// The user trusts the notebook's saved outputs, or no longer does.
    pub fn set_trusted(&mut self, trusted: bool) -> Vec<Change> {
        self.operation(|state, changes| {
            if state.document.is_trusted() != trusted {
                state.document.set_trusted(trusted);
                changes.push(Change::MetadataChanged);
            }
        })
    }

    fn dispatch(&mut self, command: Command, changes: &mut Vec<Change>) {
        if self.dispatch_cells(command, changes)
            || self.dispatch_kind(command, changes)
            || self.dispatch_selection(command, changes)
            || self.dispatch_run(command, changes)
            || self.dispatch_view(command, changes)
        {
            return;
        }
        changes.push(Change::Effect(Effect::Page(command)));
    }

    /// Runs `work`, then tells of what else is no longer as it was.
    fn operation(&mut self, work: impl FnOnce(&mut Self, &mut Vec<Change>)) -> Vec<Change> {
        let before = Before {
            selection: self.selection,
            mode: self.mode,
            dirty: self.is_dirty(),
        };
        let mut changes = Vec::new();
        work(self, &mut changes);
        self.keep_up(&mut changes);
        self.tell(&before, &mut changes);
        changes
    }

    /// Brings the outline and what is hidden up to the cells that changed.
    fn keep_up(&mut self, changes: &mut Vec<Change>) {
        let moved = self.read_headings(changes);
        let renamed = |change: &Change| matches!(change, Change::HeadingsChanged { .. });
        if moved || changes.iter().any(renamed) {
            self.hide(changes);
        }
    }

    /// Brings the outline up to the cells that changed; whether cells came, went, or were hidden.
    fn read_headings(&mut self, changes: &mut Vec<Change>) -> bool {
        let mut moved = false;
        for change in changes.clone() {
            match change {
                Change::CellRemoved { key } => {
                    moved = true;
                    self.outline.remove(key);
                    self.hidden.remove(&key);
                }
                Change::CellInserted { key, .. } => {
                    moved = true;
                    self.outline.update(&self.document, key);
                }
                Change::SourceSet { key } | Change::KindChanged { key, .. } => {
                    self.headings_changed(key, changes);
                }
                Change::CellMoved { .. } | Change::CollapsedChanged { .. } => moved = true,
                _ => {}
            }
        }
        moved
    }

    /// Expands the headings that would hide cells that are new or were in sight: what an operation
    /// makes, moves or leaves behind is to be seen.
    fn keep_in_sight(&mut self, changes: &mut Vec<Change>) {
        self.read_headings(changes);
        loop {
            let hidden = self.outline.hidden(&self.document);
            let lost = |key: &&CellKey| hidden.contains(key) && !self.hidden.contains(key);
            let Some(lost) = self.document.keys().iter().find(lost).copied() else {
                return;
            };
            let before = changes.len();
            self.expand_above(lost, changes);
            if changes.len() == before {
                return;
            }
        }
    }

    fn headings_changed(&mut self, key: CellKey, changes: &mut Vec<Change>) {
        let change = Change::HeadingsChanged { key };
        if self.outline.update(&self.document, key) && !changes.contains(&change) {
            changes.push(change);
        }
    }

    /// Tells of cells that came under a collapsed heading or out of it.
    fn hide(&mut self, changes: &mut Vec<Change>) {
        let hidden = self.outline.hidden(&self.document);
        for key in self.document.keys() {
            let now = hidden.contains(key);
            if now != self.hidden.contains(key) {
                changes.push(Change::HiddenChanged {
                    key: *key,
                    hidden: now,
                });
            }
        }
        self.hidden = hidden;
    }

    fn tell(&mut self, before: &Before, changes: &mut Vec<Change>) {
        self.repair_selection();
        if self.selection != before.selection {
            changes.push(Change::SelectionChanged);
        }
        if self.mode != before.mode {
            changes.push(Change::ModeChanged(self.mode));
        }
        if self.is_dirty() != before.dirty {
            changes.push(Change::DirtyChanged(self.is_dirty()));
        }
    }

    /// Something that is saved has changed.
    fn touch(&mut self) {
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests;
