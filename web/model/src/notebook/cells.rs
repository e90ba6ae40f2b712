//! Inserting, deleting, copying, moving, merging and splitting cells.

use spoor_notebook::{Cell, CellKind, Object};

use super::history::Op;
use super::{Change, Effect, Mode, NotebookState, Selection};
use crate::command::Command;
use crate::document::{CellKey, Kind, recast, split_kql};
use crate::text::byte_offset;

impl NotebookState {
    pub(super) fn dispatch_cells(&mut self, command: Command, changes: &mut Vec<Change>) -> bool {
        let (first, last) = self.selected_range();
        match command {
            Command::InsertAbove => self.insert_empty(first, changes),
            Command::InsertBelow => self.insert_empty(last + 1, changes),
            Command::Delete => self.delete(changes),
            Command::Cut => {
                self.copy();
                self.delete(changes);
            }
            Command::Copy => self.copy(),
            Command::PasteAbove => self.paste(first, changes),
            Command::PasteBelow => self.paste(last + 1, changes),
            Command::Duplicate => {
                let cells = self.cells(first, last);
                self.insert_cells(last + 1, cells, changes);
            }
            Command::Undo => self.undo(changes),
            Command::Redo => self.redo(changes),
            Command::Merge if first == last => self.merge(first, first + 1, changes),
            Command::Merge => self.merge(first, last, changes),
            Command::MergeAbove if first > 0 => self.merge(first - 1, last, changes),
            Command::MergeAbove => {}
            Command::MergeBelow => self.merge(first, last + 1, changes),
            Command::MoveUp => self.move_up(first, last, changes),
            Command::MoveDown => self.move_down(first, last, changes),
            Command::Split => changes.push(Change::Effect(Effect::SplitAtCursor(self.active()))),
            _ => return false,
        }
        true
    }

    /// Splits a cell at offsets of its editor (UTF-16 units, line ends as one): each piece after the
    /// first becomes a cell of its own, below. The last piece keeps the outputs, as in JupyterLab.
    pub fn split(&mut self, key: CellKey, offsets: &[usize]) -> Vec<Change> {
        self.operation(|state, changes| {
            let Some(index) = state.document.index_of(key) else {
                return;
            };
            let mut pieces = pieces(state.document.source(key), offsets);
            if pieces.len() < 2 || state.document.is_read_only(key) {
                return;
            }
            if state.document.is_kql(key) {
                for piece in &mut pieces[1..] {
                    *piece = recast(piece, Kind::Kql);
                }
            }
            state.split_into(index, key, pieces, changes);
        })
    }

    /// The new cells come before the one that is there, which so keeps its key, id and outputs.
    fn split_into(
        &mut self,
        index: usize,
        key: CellKey,
        mut pieces: Vec<String>,
        changes: &mut Vec<Change>,
    ) {
        let Some(text) = pieces.pop() else {
            return;
        };
        let Some(model) = self.document.cell(key).map(without_results) else {
            return;
        };
        let mut ops = Vec::new();
        for (at, source) in pieces.into_iter().enumerate() {
            let cell = Cell {
                source,
                ..model.clone()
            };
            ops.push(self.insert_op(index + at, cell));
        }
        ops.push(Op::Source { key, text });
        self.perform(ops, changes);
        self.selection = Selection::of(key);
    }

    fn insert_empty(&mut self, index: usize, changes: &mut Vec<Change>) {
        self.insert_cells(index, vec![self.new_cell()], changes);
        self.mode = Mode::Command;
    }

    /// An empty cell, which goes on with the active one's language.
    pub(super) fn new_cell(&self) -> Cell {
        match self.document.kind(self.active()) {
            Kind::Kql => Cell::code(recast("", Kind::Kql)),
            _ => Cell::code(""),
        }
    }

    /// Inserts cells and selects them.
    pub(super) fn insert_cells(
        &mut self,
        index: usize,
        cells: Vec<Cell>,
        changes: &mut Vec<Change>,
    ) {
        let ops: Vec<Op> = cells
            .into_iter()
            .enumerate()
            .map(|(at, cell)| self.insert_op(index + at, cell))
            .collect();
        let count = ops.len();
        self.perform(ops, changes);
        let keys = self.document.keys().get(index..index + count);
        if let Some([anchor, .., active] | [anchor @ active]) = keys {
            self.selection = Selection {
                anchor: *anchor,
                active: *active,
            };
        }
    }

    fn insert_op(&mut self, index: usize, cell: Cell) -> Op {
        Op::Insert {
            index,
            key: self.document.new_key(),
            cell: Box::new(cell),
        }
    }

    fn cells(&self, first: usize, last: usize) -> Vec<Cell> {
        self.document.notebook().cells[first..=last].to_vec()
    }

    fn copy(&mut self) {
        let (first, last) = self.selected_range();
        self.clipboard = self.cells(first, last);
    }

    fn paste(&mut self, index: usize, changes: &mut Vec<Change>) {
        let cells = self.clipboard.clone();
        self.insert_cells(index, cells, changes);
        self.mode = Mode::Command;
    }

    /// Deletes the selected cells but those that the file locks. The last cell of all gives way to
    /// an empty one.
    fn delete(&mut self, changes: &mut Vec<Change>) {
        let (first, last) = self.selected_range();
        let doomed: Vec<CellKey> = self.document.keys()[first..=last]
            .iter()
            .copied()
            .filter(|key| !self.document.is_locked(*key))
            .collect();
        if doomed.is_empty() {
            return;
        }
        let mut ops: Vec<Op> = doomed.iter().map(|key| Op::Remove { key: *key }).collect();
        if doomed.len() == self.document.len() {
            ops.push(self.insert_op(0, self.new_cell()));
        }
        self.perform(ops, changes);
        let next = first.min(self.document.len() - 1);
        self.selection = Selection::of(self.document.keys()[next]);
        self.mode = Mode::Command;
    }

    /// Moves the selected cells above the cell in sight that is before them, with what that hides.
    fn move_up(&mut self, first: usize, last: usize, changes: &mut Vec<Change>) {
        let above = self.document.key_at(first).and_then(|key| self.above(key));
        let Some(above) = above.and_then(|key| self.document.index_of(key)) else {
            return;
        };
        self.shift(above..first, self.last_hidden(last), changes);
    }

    /// Moves the selected cells below the cell in sight that is behind them, with what that hides.
    fn move_down(&mut self, first: usize, last: usize, changes: &mut Vec<Change>) {
        let next = self.last_hidden(last) + 1;
        if next < self.document.len() {
            self.shift(next..self.last_hidden(next) + 1, first, changes);
        }
    }

    /// The last of the cells that a collapsed heading at `index` hides; `index` where there is none.
    fn last_hidden(&self, index: usize) -> usize {
        let after = self.document.keys().iter().skip(index + 1);
        index + after.take_while(|key| self.is_hidden(**key)).count()
    }

    /// Moves the selected cells past their neighbours by moving those to the other side: as a rule
    /// one cell moves, however many are selected.
    fn shift(&mut self, neighbours: std::ops::Range<usize>, to: usize, changes: &mut Vec<Change>) {
        let down = to < neighbours.start;
        let keys = self.document.keys()[neighbours].iter().enumerate();
        let ops = keys.map(|(nth, key)| Op::Move {
            key: *key,
            to: if down { to + nth } else { to },
        });
        let ops = ops.collect();
        self.perform(ops, changes);
    }

    /// Merges cells into the active one, or into the nearest if that is not among them: its kind
    /// stays, its outputs go, for no such cell was run.
    fn merge(&mut self, first: usize, last: usize, changes: &mut Vec<Change>) {
        if last >= self.document.len() || first == last {
            return;
        }
        let keys = self.document.keys()[first..=last].to_vec();
        let fixed =
            |key: &CellKey| self.document.is_locked(*key) || self.document.is_read_only(*key);
        if keys.iter().any(fixed) {
            return;
        }
        let into = self.active();
        let mut ops = vec![Op::Source {
            key: into,
            text: self.merged_source(&keys, into),
        }];
        ops.extend(self.merged_rest(&keys, into));
        let others = keys.iter().filter(|key| **key != into);
        ops.extend(others.map(|key| Op::Remove { key: *key }));
        self.perform(ops, changes);
        self.selection = Selection::of(into);
        if self.document.kind(into) == Kind::Markdown {
            self.set_rendered(into, false, changes);
        }
    }

    /// The sources, a blank line between each two. A KQL cell keeps one `%%kql`, at its top.
    fn merged_source(&self, keys: &[CellKey], into: CellKey) -> String {
        let kql = self.document.is_kql(into);
        let sources = keys.iter().map(|key| {
            let source = self.document.source(*key);
            match split_kql(source) {
                Some((_, query)) if kql => query,
                _ => source,
            }
        });
        let joined = sources.collect::<Vec<_>>().join("\n\n");
        match split_kql(self.document.source(into)) {
            Some((header, _)) => format!("{}\n{joined}", header.trim()),
            None => joined,
        }
    }

    /// What else of the merged cell changes: its outputs go, attached files come together.
    fn merged_rest(&self, keys: &[CellKey], into: CellKey) -> Option<Op> {
        let cell = self.document.cell(into)?;
        if cell.is_code() {
            return Some(Op::Outputs {
                key: into,
                outputs: Vec::new(),
                count: None,
            });
        }
        let mut files = Object::new();
        let all = keys
            .iter()
            .filter_map(|key| self.document.cell(*key)?.attachments.clone());
        files.extend(all.flatten());
        (!files.is_empty()).then_some(Op::Attachments {
            key: into,
            files: Some(files),
        })
    }
}

/// A cell like this one, without what running it gave.
fn without_results(cell: &Cell) -> Cell {
    let mut cell = cell.clone();
    cell.id = None;
    if let CellKind::Code {
        execution_count,
        outputs,
    } = &mut cell.kind
    {
        *execution_count = None;
        outputs.clear();
    }
    cell
}

/// The text cut at the offsets; one line end at each cut goes with it.
fn pieces(source: &str, offsets: &[usize]) -> Vec<String> {
    let mut cuts: Vec<usize> = offsets.iter().map(|at| byte_offset(source, *at)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut pieces = Vec::new();
    let mut begin = 0;
    for cut in cuts {
        pieces.push(trim_line_ends(&source[begin..cut]));
        begin = cut;
    }
    pieces.push(trim_line_ends(&source[begin..]));
    pieces
}

/// Without empty lines at either end.
fn trim_line_ends(text: &str) -> String {
    text.trim_matches(['\n', '\r']).to_owned()
}
