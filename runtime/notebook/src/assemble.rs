//! Jupyter's messages made into a cell's outputs, as JupyterLab's output area does it.
//!
//! `spoor run` and the page hold one [`OutputArea`] for the cell that runs and give it every iopub
//! message that the cell causes. It knows nothing of how outputs are shown.

use serde_json::Value;

use crate::model::{Bundle, Notebook, Object, Output};
use crate::read;
use crate::terminal;

/// The outputs of one cell while it runs.
#[derive(Debug, Clone)]
pub struct OutputArea {
    cell: usize,
    /// `clear_output(wait=True)` came: clear as soon as something takes the old outputs' place.
    clear_next: bool,
}

/// What a message changed, for a front end to draw again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing that shows.
    None,
    /// The cell's execution count.
    Count,
    /// The cell's outputs are gone.
    Cleared,
    /// An output was added; before it the outputs were cleared if `cleared`.
    Added {
        /// Its index among the cell's outputs.
        output: usize,
        /// Whether it takes the place of those that were there.
        cleared: bool,
    },
    /// Text was added to a stream.
    Appended {
        /// Its index among the cell's outputs.
        output: usize,
    },
    /// Displays were updated, wherever they are in the notebook: (cell, output).
    Updated(Vec<(usize, usize)>),
}

impl OutputArea {
    /// Begins an execution of the cell with this index: its old outputs and count go.
    pub fn start(notebook: &mut Notebook, cell: usize) -> Self {
        if let Some(cell) = notebook.cells.get_mut(cell) {
            cell.set_execution_count(None);
            if let Some(outputs) = cell.outputs_mut() {
                outputs.clear();
            }
        }
        Self {
            cell,
            clear_next: false,
        }
    }

    /// The index of the cell.
    pub fn cell(&self) -> usize {
        self.cell
    }

    /// Takes in one message of the iopub channel. Types that make no output, and messages for a cell
    /// that is not there or is not code, change nothing.
    pub fn message(
        &mut self,
        notebook: &mut Notebook,
        msg_type: &str,
        mut content: Object,
    ) -> Change {
        match msg_type {
            "execute_input" => self.count(notebook, &content),
            "clear_output" => self.clear(notebook, &content),
            "update_display_data" => update_displays(notebook, &bundle(&mut content)),
            "stream" => self.stream(notebook, &mut content),
            "display_data" => {
                let bundle = bundle(&mut content);
                update_displays(notebook, &bundle);
                self.add(notebook, Output::DisplayData(bundle))
            }
            "execute_result" => {
                let execution_count = content
                    .shift_remove("execution_count")
                    .and_then(|count| count.as_i64());
                let bundle = bundle(&mut content);
                self.add(
                    notebook,
                    Output::ExecuteResult {
                        execution_count,
                        bundle,
                    },
                )
            }
            "error" => self.add(notebook, error(content)),
            _ => Change::None,
        }
    }

    fn count(&self, notebook: &mut Notebook, content: &Object) -> Change {
        let count = content.get("execution_count").and_then(Value::as_i64);
        match notebook.cells.get_mut(self.cell) {
            Some(cell) if count.is_some() => {
                cell.set_execution_count(count);
                Change::Count
            }
            _ => Change::None,
        }
    }

    fn outputs<'n>(&self, notebook: &'n mut Notebook) -> Option<&'n mut Vec<Output>> {
        notebook.cells.get_mut(self.cell)?.outputs_mut()
    }

    fn clear(&mut self, notebook: &mut Notebook, content: &Object) -> Change {
        self.clear_next = content
            .get("wait")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        match self.outputs(notebook) {
            Some(outputs) if !self.clear_next => {
                outputs.clear();
                Change::Cleared
            }
            _ => Change::None,
        }
    }

    fn add(&mut self, notebook: &mut Notebook, output: Output) -> Change {
        let cleared = std::mem::take(&mut self.clear_next);
        let Some(outputs) = self.outputs(notebook) else {
            return Change::None;
        };
        if cleared {
            outputs.clear();
        }
        outputs.push(output);
        Change::Added {
            output: outputs.len() - 1,
            cleared,
        }
    }

    /// Text goes to the last output if that is the same stream, else it begins a new one.
    fn stream(&mut self, notebook: &mut Notebook, content: &mut Object) -> Change {
        let name = take_string(content, "name").unwrap_or_else(|| "stdout".to_owned());
        let more = take_string(content, "text").unwrap_or_default();
        if !self.clear_next
            && let Some(outputs) = self.outputs(notebook)
            && let Some(Output::Stream {
                name: last, text, ..
            }) = outputs.last_mut()
            && *last == name
        {
            terminal::append(text, &more);
            return Change::Appended {
                output: outputs.len() - 1,
            };
        }
        let mut text = String::new();
        terminal::append(&mut text, &more);
        self.add(
            notebook,
            Output::Stream {
                name,
                text,
                extra: Object::new(),
            },
        )
    }
}

/// Puts a bundle in the place of each display that has its display id.
fn update_displays(notebook: &mut Notebook, new: &Bundle) -> Change {
    let Some(id) = &new.display_id else {
        return Change::None;
    };
    let mut updated = Vec::new();
    for (c, cell) in notebook.cells.iter_mut().enumerate() {
        let Some(outputs) = cell.outputs_mut() else {
            continue;
        };
        for (o, output) in outputs.iter_mut().enumerate() {
            let Some(bundle) = output
                .bundle_mut()
                .filter(|bundle| bundle.display_id.as_ref() == Some(id))
            else {
                continue;
            };
            bundle.data = new.data.clone();
            bundle.metadata = new.metadata.clone();
            updated.push((c, o));
        }
    }
    if updated.is_empty() {
        Change::None
    } else {
        Change::Updated(updated)
    }
}

fn bundle(content: &mut Object) -> Bundle {
    let mut object = |key| match content.shift_remove(key) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    };
    let (mut data, metadata, mut transient) =
        (object("data"), object("metadata"), object("transient"));
    read::join_lines(&mut data);
    Bundle {
        data,
        metadata,
        extra: Object::new(),
        display_id: take_string(&mut transient, "display_id"),
    }
}

fn error(mut content: Object) -> Output {
    let traceback = match content.shift_remove("traceback") {
        Some(Value::Array(lines)) => lines,
        _ => Vec::new(),
    };
    Output::Error {
        ename: take_string(&mut content, "ename").unwrap_or_default(),
        evalue: take_string(&mut content, "evalue").unwrap_or_default(),
        traceback: traceback
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        extra: Object::new(),
    }
}

fn take_string(object: &mut Object, key: &str) -> Option<String> {
    match object.shift_remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Cell;
    use serde_json::json;

    struct Session {
        notebook: Notebook,
        area: OutputArea,
    }

    impl Session {
        fn new() -> Self {
            let mut notebook = Notebook::new();
            notebook.cells = vec![Cell::code("a"), Cell::code("b")];
            let area = OutputArea::start(&mut notebook, 0);
            Self { notebook, area }
        }

        fn say(&mut self, msg_type: &str, content: Value) -> Change {
            self.area.message(
                &mut self.notebook,
                msg_type,
                content.as_object().unwrap().clone(),
            )
        }

        fn print(&mut self, name: &str, text: &str) -> Change {
            self.say("stream", json!({"name": name, "text": text}))
        }

        fn display(&mut self, msg_type: &str, id: &str, text: &str) -> Change {
            let content = json!({"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": id}});
            self.say(msg_type, content)
        }

        /// The first cell's outputs, one word each.
        fn outputs(&self) -> Vec<String> {
            self.notebook.cells[0].outputs().iter().map(show).collect()
        }
    }

    fn show(output: &Output) -> String {
        match output {
            Output::Stream { name, text, .. } => format!("{name}:{text}"),
            Output::Error { ename, evalue, .. } => format!("{ename}:{evalue}"),
            other => other.bundle().unwrap().data["text/plain"]
                .as_str()
                .unwrap()
                .to_owned(),
        }
    }

    #[test]
    fn a_stream_grows_until_another_output_comes() {
        let mut s = Session::new();
        s.print("stdout", "a\n");
        assert_eq!(s.print("stdout", "b\n"), Change::Appended { output: 0 });
        s.print("stderr", "e\n");
        s.print("stdout", "c\n");
        assert_eq!(s.outputs(), ["stdout:a\nb\n", "stderr:e\n", "stdout:c\n"]);
    }

    #[test]
    fn clear_output_waits_for_what_comes_next() {
        let mut s = Session::new();
        s.print("stdout", "old");
        assert_eq!(s.say("clear_output", json!({"wait": true})), Change::None);
        assert_eq!(s.outputs(), ["stdout:old"]);
        assert_eq!(
            s.print("stdout", "new"),
            Change::Added {
                output: 0,
                cleared: true
            }
        );
        assert_eq!(s.outputs(), ["stdout:new"]);
        assert_eq!(
            s.say("clear_output", json!({"wait": false})),
            Change::Cleared
        );
        assert!(s.outputs().is_empty());
    }

    #[test]
    fn displays_are_updated_in_every_cell() {
        let mut s = Session::new();
        s.display("display_data", "d", "1");
        s.area = OutputArea::start(&mut s.notebook, 1);
        assert_eq!(
            s.display("update_display_data", "d", "2"),
            Change::Updated(vec![(0, 0)])
        );
        assert_eq!(s.display("update_display_data", "other", "3"), Change::None);
        assert_eq!(s.outputs(), ["2"]);
        s.display("display_data", "d", "4");
        assert_eq!(s.outputs(), ["4"]);
        assert_eq!(show(&s.notebook.cells[1].outputs()[0]), "4");
        let saved = String::from_utf8(s.notebook.to_vec()).unwrap();
        assert!(
            !saved.contains("display_id"),
            "transient keys are not saved"
        );
    }

    #[test]
    fn counts_errors_and_strangers() {
        let mut s = Session::new();
        s.say("execute_input", json!({"execution_count": 7, "code": "a"}));
        s.say(
            "error",
            json!({"ename": "E", "evalue": "v", "traceback": ["t", 3]}),
        );
        assert_eq!(
            s.say("status", json!({"execution_state": "idle"})),
            Change::None
        );
        assert_eq!(
            s.say("stream", json!({})),
            Change::Added {
                output: 1,
                cleared: false
            }
        );
        assert_eq!(s.notebook.cells[0].execution_count(), Some(7));
        assert_eq!(s.outputs(), ["E:v", "stdout:"]);
        s.area = OutputArea::start(&mut s.notebook, 99);
        assert_eq!(s.print("stdout", "x"), Change::None);
    }
}
