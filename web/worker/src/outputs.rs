//! The outputs of the cells that ran, assembled from the kernel's messages as the host assembles
//! them (`spoor_notebook::OutputArea`), and what of them the page has not been sent yet.

use std::collections::BTreeSet;

use js_sys::Date;
use serde_json::{Map, Value, json};
use spoor_notebook::{Bundle, Cell, Change, Notebook, Output, OutputArea};

use spoor_messages::FromWorker;

use crate::budget::{self, Budget, Replaced};

/// Text of a stream, in bytes, from which on its growth is sent only now and then.
const LONG: usize = 32 << 10;
/// Milliseconds between two sendings of a long stream.
const PAUSE: f64 = 100.0;

/// The cells' outputs.
pub struct Outputs {
    notebook: Notebook,
    /// The cells' names, by their index in the notebook.
    names: Vec<String>,
    area: Option<OutputArea>,
    budget: Budget,
    /// Cells with unsent changes, and from which output on.
    unsent: BTreeSet<(usize, usize)>,
    /// The stream that has grown since: its cell, its output, and how many bytes of it were sent.
    growing: Option<(usize, usize, usize)>,
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
            budget: Budget::default(),
            unsent,
            growing: None,
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
        self.budget = Budget::default();
        self.unsent.insert((index, 0));
    }

    /// Takes in a message of the iopub channel, or leaves it out where there is too much already;
    /// gives what the page is to be sent now.
    pub fn message(&mut self, msg_type: &str, content: &Map<String, Value>) -> Vec<FromWorker> {
        let replaced = self.replaced(msg_type, content);
        if self.budget.admits(msg_type, content, replaced) {
            return self.take(msg_type, content, replaced);
        }
        let notice = self.budget.notice();
        notice.map_or_else(Vec::new, |notice| {
            self.take("stream", &notice, Replaced::default())
        })
    }

    /// The displays in whose place the message is put.
    fn replaced(&self, msg_type: &str, content: &Map<String, Value>) -> Replaced {
        let mut replaced = Replaced::default();
        let id = content
            .get("transient")
            .and_then(|transient| transient.get("display_id"))
            .and_then(Value::as_str)
            .filter(|_| matches!(msg_type, "display_data" | "update_display_data"));
        let Some(id) = id else {
            return replaced;
        };
        for cell in &self.notebook.cells {
            for bundle in cell.outputs().iter().filter_map(Output::bundle) {
                if bundle.display_id.as_deref() != Some(id) {
                    continue;
                }
                replaced.count += 1;
                replaced.held += budget::held(&bundle.data, &bundle.metadata, id);
            }
        }
        replaced
    }

    fn take(
        &mut self,
        msg_type: &str,
        content: &Map<String, Value>,
        replaced: Replaced,
    ) -> Vec<FromWorker> {
        let running = self.area.as_ref().map_or(usize::MAX, OutputArea::cell);
        let before = self.stream(running, usize::MAX).map_or(0, str::len);
        let Some(area) = &mut self.area else {
            return Vec::new();
        };
        let cell = area.cell();
        let change = area.message(&mut self.notebook, msg_type, content.clone());
        self.count(cell, &change, before, content, replaced);
        let from = match change {
            Change::None => return Vec::new(),
            Change::Count => usize::MAX,
            Change::Cleared | Change::Added { cleared: true, .. } => 0,
            Change::Added { output, .. } => output,
            Change::Appended { output } => {
                let added = content.get("text").and_then(Value::as_str);
                return self.grown(cell, output, before, added.map_or(0, str::len));
            }
            Change::Updated(updated) => {
                self.unsent.extend(updated);
                return self.flush();
            }
        };
        self.unsent.insert((cell, from));
        self.flush()
    }

    /// Counts what a change left the cell with; its last stream had `before` bytes.
    fn count(
        &mut self,
        cell: usize,
        change: &Change,
        before: usize,
        content: &Map<String, Value>,
        mut replaced: Replaced,
    ) {
        let (output, before) = match change {
            Change::Cleared => return self.budget.cleared(),
            Change::Updated(_) => return self.budget.updated(content, replaced),
            Change::Added { output, cleared } => {
                if *cleared {
                    self.budget.cleared();
                    replaced.held = 0;
                }
                (*output, None)
            }
            Change::Appended { output } => (*output, Some(before)),
            _ => return,
        };
        match self.stream(cell, output).map(str::len) {
            Some(length) => self.budget.printed(before, length),
            None => self.budget.shown(content, replaced),
        }
    }

    /// A stream of `before` bytes was given `added` more.
    fn grown(
        &mut self,
        cell: usize,
        output: usize,
        before: usize,
        added: usize,
    ) -> Vec<FromWorker> {
        let length = self.stream(cell, output).map_or(0, str::len);
        if length != before + added {
            // It was written over in part, as progress bars are: all of it is sent again.
            self.unsent.insert((cell, output));
        } else {
            let (c, o, _) = *self.growing.get_or_insert((cell, output, before));
            if (c, o) != (cell, output) {
                self.unsent.insert((c, o));
                self.growing = Some((cell, output, before));
            }
        }
        if length > LONG && Date::now() - self.sent_at < PAUSE {
            return Vec::new();
        }
        self.flush()
    }

    /// Whether there is something that the page has not been sent.
    pub fn has_unsent(&self) -> bool {
        self.growing.is_some() || !self.unsent.is_empty()
    }

    /// What the page has not been sent.
    pub fn flush(&mut self) -> Vec<FromWorker> {
        let unsent = std::mem::take(&mut self.unsent);
        let mut messages = Vec::new();
        if let Some((cell, output, sent)) = self.growing.take()
            && !unsent.iter().any(|(c, from)| *c == cell && *from <= output)
        {
            messages.extend(self.addition(cell, output, sent));
        }
        let mut last = None;
        // The set is in order: the first entry of a cell has the first output that changed.
        for (cell, from) in unsent {
            if last.replace(cell) != Some(cell) {
                messages.extend(self.since(cell, from));
            }
        }
        if !messages.is_empty() {
            self.sent_at = Date::now();
        }
        messages
    }

    fn addition(&self, cell: usize, output: usize, sent: usize) -> Option<FromWorker> {
        Some(FromWorker::StreamAppend {
            cell: self.names.get(cell)?.clone(),
            output,
            text: self.stream(cell, output)?.get(sent..)?.to_owned(),
        })
    }

    /// The text of an output, or of the last one there is, if it is a stream.
    fn stream(&self, cell: usize, output: usize) -> Option<&str> {
        let outputs = self.notebook.cells.get(cell)?.outputs();
        match outputs.get(output.min(outputs.len().checked_sub(1)?))? {
            Output::Stream { text, .. } => Some(text),
            _ => None,
        }
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
