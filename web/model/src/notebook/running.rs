//! Which cells a command runs. Markdown is rendered at once; code is for the queue.

use super::{Change, Effect, Mode, NotebookState, Selection};
use crate::command::Command;
use crate::document::{CellKey, Kind};

impl NotebookState {
    pub(super) fn dispatch_run(&mut self, command: Command, changes: &mut Vec<Change>) -> bool {
        let (first, last) = self.selected_range();
        match command {
            Command::RunStay => {
                self.run(first..last + 1, changes);
                self.mode = Mode::Command;
            }
            Command::RunSelectBelow => self.run_and_advance(changes),
            Command::RunInsertBelow => {
                self.run(first..last + 1, changes);
                self.insert_to_edit(last + 1, changes);
            }
            Command::RunAll => self.run(0..self.document.len(), changes),
            Command::RunAbove => self.run(0..first, changes),
            Command::RunBelow => self.run(first..self.document.len(), changes),
            Command::RunStale => changes.push(Change::Effect(Effect::RunStale)),
            Command::RestartRunAll => {
                let keys = self.render_and_collect(0..self.document.len(), changes);
                changes.push(Change::Effect(Effect::RestartThenRun(keys)));
            }
            Command::ClearOutputs => self.clear_outputs(self.selected().to_vec(), changes),
            Command::ClearAllOutputs => {
                self.clear_outputs(self.document.keys().to_vec(), changes);
            }
            Command::RestartClear => {
                self.clear_outputs(self.document.keys().to_vec(), changes);
                changes.push(Change::Effect(Effect::Page(Command::Restart)));
            }
            _ => return false,
        }
        true
    }

    /// JupyterLab's Shift+Enter: goes on to the cell below, or makes one at the end and edits it.
    fn run_and_advance(&mut self, changes: &mut Vec<Change>) {
        let (first, last) = self.selected_range();
        self.run(first..last + 1, changes);
        let next = self.document.key_at(last).and_then(|key| self.below(key));
        match next {
            Some(next) => {
                self.selection = Selection::of(next);
                self.mode = Mode::Command;
            }
            None => self.insert_to_edit(self.document.len(), changes),
        }
    }

    fn insert_to_edit(&mut self, index: usize, changes: &mut Vec<Change>) {
        self.insert_cells(index, vec![self.new_cell()], changes);
        self.mode = Mode::Edit;
    }

    fn run(&mut self, range: std::ops::Range<usize>, changes: &mut Vec<Change>) {
        let keys = self.render_and_collect(range, changes);
        if !keys.is_empty() {
            changes.push(Change::Effect(Effect::Run(keys)));
        }
    }

    /// Renders the Markdown cells of a range; gives its code cells.
    fn render_and_collect(
        &mut self,
        range: std::ops::Range<usize>,
        changes: &mut Vec<Change>,
    ) -> Vec<CellKey> {
        let mut code = Vec::new();
        let keys = self.document.keys()[range].to_vec();
        for key in keys {
            match self.document.kind(key) {
                Kind::Markdown => self.set_rendered(key, true, changes),
                kind if kind.is_code() => code.push(key),
                _ => {}
            }
        }
        code
    }
}
