//! The outputs of the cells that ran, assembled from the kernel's messages as the host assembles
//! them (`spoor_notebook::OutputArea`), and what of them the page has not been sent yet.

use std::collections::BTreeSet;

use js_sys::Date;
use serde_json::{Map, Value, json};
use spoor_notebook::{Bundle, Cell, Change, Notebook, Output, OutputArea};

use spoor_messages::FromWorker;

/// Text of a stream, in bytes, from which on its growth is sent only now and then: each time the
/// whole of it is sent.
const LONG: usize = 32 << 10;
/// Milliseconds between two sendings of a long stream.
const PAUSE: f64 = 100.0;

/// The cells' outputs.
pub struct Outputs {
    notebook: Notebook,
    /// The cells' names, by their index in the notebook.
    names: Vec<String>,
    area: Option<OutputArea>,
    /// Cells with unsent changes, and from which output on.
    unsent: BTreeSet<(usize, usize)>,
    sent_at: f64,
}

impl Outputs {
    /// None yet.
    pub fn new() -> Self {
        let (notebook, names, unsent) = (Notebook::new(), Vec::new(), BTreeSet::new());
        Self {
            notebook,
            names,
            area: None,
            unsent,
            sent_at: 0.0,
        }
    }

    /// The cell `name` begins to run: its old outputs go.
    pub fn start(&mut self, name: &str) {
        let index = self
            .names
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.names.push(name.to_string());
                self.notebook.cells.push(Cell::code(""));
                self.names.len() - 1
            });
        self.area = Some(OutputArea::start(&mut self.notebook, index));
        self.unsent.insert((index, 0));
    }

    /// Takes in a message of the iopub channel; gives what the page is to be sent now.
    pub fn message(&mut self, msg_type: &str, content: &Map<String, Value>) -> Vec<FromWorker> {
        let Some(area) = &mut self.area else {
            return Vec::new();
        };
        let cell = area.cell();
        let mut later = false;
        let from = match area.message(&mut self.notebook, msg_type, content.clone()) {
            Change::None => return Vec::new(),
            Change::Count => usize::MAX,
            Change::Cleared | Change::Added { cleared: true, .. } => 0,
            Change::Added { output, .. } => output,
            Change::Appended { output } => {
                later = self.is_long(cell, output) && Date::now() - self.sent_at < PAUSE;
                output
            }
            Change::Updated(updated) => {
                self.unsent.extend(updated);
                return self.flush();
            }
        };
        self.unsent.insert((cell, from));
        if later { Vec::new() } else { self.flush() }
    }

    /// What the page has not been sent.
    pub fn flush(&mut self) -> Vec<FromWorker> {
        let mut last = None;
        let mut messages = Vec::new();
        // The set is in order: the first entry of a cell has the first output that changed.
        for (cell, from) in std::mem::take(&mut self.unsent) {
            if last.replace(cell) != Some(cell) {
                messages.extend(self.since(cell, from));
            }
        }
        if !messages.is_empty() {
            self.sent_at = Date::now();
        }
        messages
    }

    fn since(&self, index: usize, from: usize) -> Option<FromWorker> {
        let (cell, name) = (self.notebook.cells.get(index)?, self.names.get(index)?);
        let from = from.min(cell.outputs().len());
        let outputs = cell.outputs().iter().skip(from).map(nbformat).collect();
        Some(FromWorker::Outputs {
            cell: name.clone(),
            from,
            outputs,
            execution_count: cell.execution_count(),
        })
    }

    fn is_long(&self, cell: usize, output: usize) -> bool {
        let output = self
            .notebook
            .cells
            .get(cell)
            .and_then(|cell| cell.outputs().get(output));
        matches!(output, Some(Output::Stream { text, .. }) if text.len() > LONG)
    }
}

/// An output as nbformat 4 has it, text in one piece.
fn nbformat(output: &Output) -> Value {
    match output {
        Output::Stream { name, text, .. } => {
            json!({ "output_type": "stream", "name": name, "text": text })
        }
        Output::DisplayData(Bundle { data, metadata, .. }) => {
            json!({ "output_type": "display_data", "data": data, "metadata": metadata })
        }
        Output::ExecuteResult {
            execution_count,
            bundle: Bundle { data, metadata, .. },
        } => json!({
            "output_type": "execute_result", "execution_count": execution_count, "data": data, "metadata": metadata,
        }),
        Output::Error {
            ename,
            evalue,
            traceback,
            ..
        } => {
            json!({ "output_type": "error", "ename": ename, "evalue": evalue, "traceback": traceback })
        }
        Output::Other(object) => Value::Object(object.clone()),
    }
}
