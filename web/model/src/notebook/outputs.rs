//! What running puts into cells: outputs and counts, and taking them away again.

use serde::Deserialize;
use serde_json::Value;
use spoor_notebook::{Cell, NotebookError, Output, PluginPin};

use super::history::Op;
use super::{Change, NotebookState};
use crate::document::CellKey;

/// The worker's message that a cell's outputs have changed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OutputsMessage {
    /// The cell's id, or the request's where it has none.
    pub cell: String,
    /// The first output that changed; those before are as they were. Past the end if only the count
    /// changed.
    pub from: usize,
    /// The outputs from there on, as nbformat 4 has them.
    pub outputs: Vec<Value>,
    /// The cell's execution count.
    pub execution_count: Option<i64>,
}

impl NotebookState {
    /// Puts a message's outputs into its cell. A message for a cell that is gone changes nothing.
    ///
    /// # Errors
    /// Where an output is not one of nbformat's; the cell then stays as it was.
    pub fn apply_outputs(&mut self, message: OutputsMessage) -> Result<Vec<Change>, NotebookError> {
        let outputs = message.outputs.into_iter().map(Output::from_value);
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let Some(key) = self.document.key_of_id(&message.cell) else {
            return Ok(Vec::new());
        };
        Ok(self.operation(|state, changes| {
            state.put_outputs(key, message.from, outputs, changes);
            state.set_count(key, message.execution_count, changes);
        }))
    }

    /// Adds text to the end of a stream. What is no stream any more, or gone, stays as it is.
    pub fn append_stream(&mut self, cell: &str, output: usize, text: &str) -> Vec<Change> {
        let Some(key) = self.document.key_of_id(cell) else {
            return Vec::new();
        };
        self.operation(|state, changes| {
            let outputs = state.document.cell_mut(key).and_then(Cell::outputs_mut);
            let stream = outputs.and_then(|outputs| outputs.get_mut(output));
            if let Some(Output::Stream { text: there, .. }) = stream {
                there.push_str(text);
                state.touch();
                changes.push(Change::OutputsSet { key, from: output });
            }
        })
    }

    /// Pins plugins that a cell has called.
    pub fn pin_plugins(&mut self, pins: &[(String, PluginPin)]) -> Vec<Change> {
        self.operation(|state, _| {
            if state.document.pin_plugins(pins) {
                state.touch();
            }
        })
    }

    fn put_outputs(
        &mut self,
        key: CellKey,
        from: usize,
        outputs: Vec<Output>,
        changes: &mut Vec<Change>,
    ) {
        let there = self.document.outputs(key).len();
        let from = from.min(there);
        if from == there && outputs.is_empty() {
            return;
        }
        if self.document.set_outputs(key, from, outputs) {
            self.touch();
            changes.push(Change::OutputsSet { key, from });
        }
    }

    /// Sets the count of a cell, which is none while it runs.
    pub(crate) fn set_count(
        &mut self,
        key: CellKey,
        count: Option<i64>,
        changes: &mut Vec<Change>,
    ) {
        let Some(cell) = self.document.cell_mut(key) else {
            return;
        };
        if cell.is_code() && cell.execution_count() != count {
            cell.set_execution_count(count);
            self.touch();
            changes.push(Change::CountSet { key });
        }
    }

    pub(super) fn clear_outputs(&mut self, keys: Vec<CellKey>, changes: &mut Vec<Change>) {
        let shown = |key: &CellKey| {
            let count = self.document.execution_count(*key);
            count.is_some() || !self.document.outputs(*key).is_empty()
        };
        let clear = |key| Op::Outputs {
            key,
            outputs: Vec::new(),
            count: None,
        };
        let ops = keys.into_iter().filter(shown).map(clear).collect();
        self.perform(ops, changes);
    }
}
