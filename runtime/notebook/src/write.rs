//! From [`Notebook`] to the bytes that Jupyter would write (nbformat's `v4.nbjson` writer).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::ids;
use crate::json::{self, Node};
use crate::model::{Bundle, Cell, CellKind, Notebook, Object, Output};

/// The first minor version whose cells have ids.
const FIRST_WITH_IDS: u32 = 5;

pub(crate) fn notebook(notebook: &Notebook) -> Vec<u8> {
    let ids: Vec<Option<Cow<'_, str>>> = if notebook.nbformat_minor >= FIRST_WITH_IDS {
        ids::of(&notebook.cells)
            .into_iter()
            .map(|id| Some(id.into()))
            .collect()
    } else {
        notebook
            .cells
            .iter()
            .map(|cell| cell.id.as_deref().map(Cow::Borrowed))
            .collect()
    };
    let cells = notebook
        .cells
        .iter()
        .zip(&ids)
        .map(|(cell, id)| cell_node(cell, id.as_deref()));
    let mut document = Node::object(&notebook.extra);
    document.insert("cells", Node::List(cells.collect()));
    document.insert("metadata", Node::Map(Node::object(&notebook.metadata)));
    document.insert("nbformat", Node::Int(Some(4)));
    document.insert(
        "nbformat_minor",
        Node::Int(Some(i64::from(notebook.nbformat_minor))),
    );
    json::to_vec(&Node::Map(document))
}

fn cell_node<'a>(cell: &'a Cell, id: Option<&'a str>) -> Node<'a> {
    let mut map = Node::object(&cell.extra);
    if let Some(id) = id {
        map.insert("id", Node::Str(id));
    }
    map.insert("metadata", Node::Map(Node::object(&cell.metadata)));
    map.insert("source", Node::Lines(&cell.source));
    if let Some(files) = &cell.attachments {
        let files = files.iter().map(|(name, file)| match file {
            Value::Object(bundle) => (name.as_str(), mime_bundle(bundle)),
            other => (name.as_str(), Node::Value(other)),
        });
        map.insert("attachments", Node::Map(files.collect()));
    }
    let cell_type = match &cell.kind {
        CellKind::Code {
            execution_count,
            outputs,
        } => {
            map.insert("execution_count", Node::Int(*execution_count));
            map.insert(
                "outputs",
                Node::List(outputs.iter().map(output_node).collect()),
            );
            "code"
        }
        CellKind::Markdown => "markdown",
        CellKind::Raw => "raw",
        CellKind::Other(name) => name,
    };
    map.insert("cell_type", Node::Str(cell_type));
    Node::Map(map)
}

fn output_node(output: &Output) -> Node<'_> {
    let (output_type, mut map) = match output {
        Output::Stream { name, text, extra } => {
            let mut map = Node::object(extra);
            map.insert("name", Node::Str(name));
            map.insert("text", Node::Lines(text));
            ("stream", map)
        }
        Output::DisplayData(bundle) => ("display_data", bundle_map(bundle)),
        Output::ExecuteResult {
            execution_count,
            bundle,
        } => {
            let mut map = bundle_map(bundle);
            map.insert("execution_count", Node::Int(*execution_count));
            ("execute_result", map)
        }
        Output::Error {
            ename,
            evalue,
            traceback,
            extra,
        } => {
            let mut map = Node::object(extra);
            map.insert("ename", Node::Str(ename));
            map.insert("evalue", Node::Str(evalue));
            map.insert(
                "traceback",
                Node::List(traceback.iter().map(|line| Node::Str(line)).collect()),
            );
            ("error", map)
        }
        Output::Other(object) => return Node::Map(Node::object(object)),
    };
    map.insert("output_type", Node::Str(output_type));
    Node::Map(map)
}

fn bundle_map(bundle: &Bundle) -> BTreeMap<&str, Node<'_>> {
    let mut map = Node::object(&bundle.extra);
    map.insert("data", mime_bundle(&bundle.data));
    map.insert("metadata", Node::Map(Node::object(&bundle.metadata)));
    map
}

/// Text types are written as lists of lines, as are JavaScript and SVG; base64 and others are not.
fn mime_bundle(bundle: &Object) -> Node<'_> {
    let entries = bundle.iter().map(|(mime, value)| {
        let node = match value {
            Value::String(text) if is_split(mime) => Node::Lines(text),
            other => Node::Value(other),
        };
        (mime.as_str(), node)
    });
    Node::Map(entries.collect())
}

fn is_split(mime: &str) -> bool {
    mime.starts_with("text/") || matches!(mime, "application/javascript" | "image/svg+xml")
}
