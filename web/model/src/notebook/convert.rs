//! Changing what cells are.

use spoor_notebook::{Cell, CellKind};

use super::history::Op;
use super::{Change, Mode, NotebookState};
use crate::command::Command;
use crate::document::{CellKey, Kind, recast};
use crate::outline::as_heading;

impl NotebookState {
    pub(super) fn dispatch_kind(&mut self, command: Command, changes: &mut Vec<Change>) -> bool {
        match command {
            Command::ToCode => self.convert(Kind::Code, None, changes),
            Command::ToKql => self.convert(Kind::Kql, None, changes),
            Command::ToMarkdown => self.convert(Kind::Markdown, None, changes),
            Command::ToRaw => self.convert(Kind::Raw, None, changes),
            other => match other.heading_level() {
                Some(level) => self.convert(Kind::Markdown, Some(level), changes),
                None => return false,
            },
        }
        true
    }

    /// Changes one cell, as a menu of its own does; its outputs go unless it stays code.
    pub fn set_kind(&mut self, key: CellKey, kind: Kind) -> Vec<Change> {
        self.operation(|state, changes| {
            let ops = state.convert_ops(key, kind, None);
            state.perform(ops, changes);
            state.show_source(key, kind, changes);
        })
    }

    fn convert(&mut self, kind: Kind, level: Option<u8>, changes: &mut Vec<Change>) {
        let keys = self.selected().to_vec();
        let ops = keys
            .iter()
            .flat_map(|key| self.convert_ops(*key, kind, level));
        let ops = ops.collect();
        self.perform(ops, changes);
        for key in keys {
            self.show_source(key, kind, changes);
        }
        self.mode = Mode::Command;
    }

    fn show_source(&mut self, key: CellKey, kind: Kind, changes: &mut Vec<Change>) {
        let changed = |change: &Change| matches!(change, Change::KindChanged { key: k, .. } | Change::SourceSet { key: k } if *k == key);
        if kind == Kind::Markdown && changes.iter().any(changed) {
            self.set_rendered(key, false, changes);
        }
    }

    fn convert_ops(&self, key: CellKey, kind: Kind, level: Option<u8>) -> Vec<Op> {
        let Some(cell) = self.document.cell(key) else {
            return Vec::new();
        };
        if self.document.is_read_only(key) || kind == Kind::Other {
            return Vec::new();
        }
        let mut ops = Vec::new();
        let mut text = recast(&cell.source, kind);
        if let Some(level) = level {
            text = as_heading(&text, level);
        }
        if text != cell.source {
            ops.push(Op::Source { key, text });
        }
        if !is_of(cell, kind) {
            ops.push(Op::Kind {
                key,
                kind: empty(kind),
                // nbformat has no attached files for code.
                attachments: cell.attachments.clone().filter(|_| !kind.is_code()),
            });
        }
        ops
    }
}

/// Whether nbformat's type of a cell is that of the kind.
fn is_of(cell: &Cell, kind: Kind) -> bool {
    match kind {
        Kind::Code | Kind::Kql => cell.is_code(),
        Kind::Markdown => cell.kind == CellKind::Markdown,
        Kind::Raw => cell.kind == CellKind::Raw,
        Kind::Other => false,
    }
}

fn empty(kind: Kind) -> CellKind {
    match kind {
        Kind::Markdown => CellKind::Markdown,
        Kind::Raw => CellKind::Raw,
        _ => CellKind::Code {
            execution_count: None,
            outputs: Vec::new(),
        },
    }
}
