//! Undo and redo of cell operations. What is typed belongs to the editors' own undo.
//!
//! A step holds the operations that take it back. Doing them yields those that bring it again, with
//! the cells as they then are, so that text typed meanwhile is not lost on the way.

use spoor_notebook::{Cell, CellKind, Object, Output};

use super::{Change, NotebookState, Selection};
use crate::document::{CellKey, Document, Kind};

/// How many steps are kept.
const DEPTH: usize = 200;

/// One thing done to the document.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Insert {
        index: usize,
        key: CellKey,
        cell: Box<Cell>,
    },
    Remove {
        key: CellKey,
    },
    Move {
        key: CellKey,
        to: usize,
    },
    Source {
        key: CellKey,
        text: String,
    },
    /// nbformat's type, with what only that type has.
    Kind {
        key: CellKey,
        kind: CellKind,
        attachments: Option<Object>,
    },
    Outputs {
        key: CellKey,
        outputs: Vec<Output>,
        count: Option<i64>,
    },
    /// Attached files, where only they change.
    Attachments {
        key: CellKey,
        files: Option<Object>,
    },
}

#[derive(Debug, Clone)]
struct Step {
    /// In the order in which to do them.
    ops: Vec<Op>,
    /// What was selected on the side that the step leads to.
    selection: Selection,
}

/// The steps that can be taken back, and those that can be brought again.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    undo: Vec<Step>,
    redo: Vec<Step>,
}

impl Op {
    /// Does it; gives what takes it back. `None` if its cell is gone.
    pub(crate) fn perform(self, document: &mut Document, changes: &mut Vec<Change>) -> Option<Op> {
        match self {
            Self::Insert { index, key, cell } => {
                document.insert_as(key, index, *cell);
                changes.push(Change::CellInserted { key, index });
                Some(Self::Remove { key })
            }
            Self::Remove { key } => {
                let (index, cell) = document.remove(key)?;
                changes.push(Change::CellRemoved { key });
                Some(Self::Insert {
                    index,
                    key,
                    cell: Box::new(cell),
                })
            }
            Self::Move { key, to } => {
                let from = document.move_to(key, to)?;
                changes.push(Change::CellMoved { key, index: to });
                Some(Self::Move { key, to: from })
            }
            Self::Source { key, text } => {
                let before = document.kind(key);
                let text = std::mem::replace(&mut document.cell_mut(key)?.source, text);
                changes.push(Change::SourceSet { key });
                note_kind(document, key, before, changes);
                Some(Self::Source { key, text })
            }
            Self::Kind {
                key,
                kind,
                attachments,
            } => {
                let cell = document.cell_mut(key)?;
                let kind = std::mem::replace(&mut cell.kind, kind);
                let attachments = std::mem::replace(&mut cell.attachments, attachments);
                let now = document.kind(key);
                changes.push(Change::KindChanged { key, kind: now });
                Some(Self::Kind {
                    key,
                    kind,
                    attachments,
                })
            }
            Self::Outputs {
                key,
                outputs,
                count,
            } => {
                let cell = document.cell_mut(key)?;
                let old_count = cell.execution_count();
                let outputs = std::mem::replace(cell.outputs_mut()?, outputs);
                cell.set_execution_count(count);
                changes.push(Change::OutputsSet { key, from: 0 });
                changes.push(Change::CountSet { key });
                Some(Self::Outputs {
                    key,
                    outputs,
                    count: old_count,
                })
            }
            Self::Attachments { key, files } => {
                let cell = document.cell_mut(key)?;
                let files = std::mem::replace(&mut cell.attachments, files);
                Some(Self::Attachments { key, files })
            }
        }
    }
}

/// Tells of a change of kind that came with a change of text.
pub(crate) fn note_kind(
    document: &Document,
    key: CellKey,
    before: Kind,
    changes: &mut Vec<Change>,
) {
    let kind = document.kind(key);
    if kind != before {
        changes.push(Change::KindChanged { key, kind });
    }
}

impl History {
    fn push(stack: &mut Vec<Step>, step: Step) {
        if stack.len() == DEPTH {
            stack.remove(0);
        }
        stack.push(step);
    }
}

impl NotebookState {
    /// Does operations as one step of the history. The selection to come back to is the one before.
    pub(crate) fn perform(&mut self, ops: Vec<Op>, changes: &mut Vec<Change>) {
        let selection = self.selection;
        let ops = self.perform_all(ops, changes);
        if ops.is_empty() {
            return;
        }
        self.keep_in_sight(changes);
        History::push(&mut self.history.undo, Step { ops, selection });
        self.history.redo.clear();
    }

    /// Does operations; gives those that take them back, last first.
    fn perform_all(&mut self, ops: Vec<Op>, changes: &mut Vec<Change>) -> Vec<Op> {
        let mut inverse: Vec<Op> = ops
            .into_iter()
            .filter_map(|op| op.perform(&mut self.document, changes))
            .collect();
        if !inverse.is_empty() {
            self.touch();
        }
        inverse.reverse();
        inverse
    }

    pub(crate) fn undo(&mut self, changes: &mut Vec<Change>) {
        if let Some(step) = self.history.undo.pop() {
            let back = self.replay(step, changes);
            History::push(&mut self.history.redo, back);
        }
    }

    pub(crate) fn redo(&mut self, changes: &mut Vec<Change>) {
        if let Some(step) = self.history.redo.pop() {
            let back = self.replay(step, changes);
            History::push(&mut self.history.undo, back);
        }
    }

    fn replay(&mut self, step: Step, changes: &mut Vec<Change>) -> Step {
        let selection = self.selection;
        let ops = self.perform_all(step.ops, changes);
        self.selection = step.selection;
        self.show_active(changes);
        Step { ops, selection }
    }

    /// Expands the headings that hide the active cell, so that what came back is seen.
    fn show_active(&mut self, changes: &mut Vec<Change>) {
        self.read_headings(changes);
        let active = self.active();
        if self.outline.hidden(&self.document).contains(&active) {
            self.expand_above(active, changes);
        }
    }

    /// Whether a cell operation can be taken back.
    pub fn can_undo(&self) -> bool {
        !self.history.undo.is_empty()
    }

    /// Whether a cell operation that was taken back can be brought again.
    pub fn can_redo(&self) -> bool {
        !self.history.redo.is_empty()
    }
}
