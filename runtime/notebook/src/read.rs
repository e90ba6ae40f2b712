//! From JSON to [`Notebook`]: every error names the place, as in `cells[3].outputs[0].text`.

use std::fmt;

use serde_json::Value;

use crate::error::NotebookError;
use crate::model::{Bundle, Cell, CellKind, Notebook, Object, Output};

/// A place in the document, written as people write it. Linked, so that it costs nothing unless
/// there is an error to tell.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Root,
    };

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(crate) fn expected(&self, expected: &'static str, found: &Value) -> NotebookError {
        NotebookError::Shape {
            path: self.to_string(),
            expected,
            found: kind_of(found).to_owned(),
        }
    }

    fn missing(&self) -> NotebookError {
        NotebookError::Missing {
            path: self.to_string(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_root = self
            .parent
            .is_none_or(|parent| matches!(parent.step, Step::Root));
        if let Some(parent) = self.parent.filter(|_| !at_root) {
            write!(f, "{parent}")?;
        }
        match self.step {
            Step::Root => write!(f, "the document"),
            Step::Key(key) if at_root => write!(f, "{key}"),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Reads a document of nbformat 4.
pub(crate) fn notebook(document: Value) -> Result<Notebook, NotebookError> {
    let root = Path::ROOT;
    let mut document = into_object(document, &root)?;
    document.shift_remove("nbformat");
    let minor = take(&mut document, "nbformat_minor").unwrap_or(Value::from(0));
    let minor = minor.as_u64().and_then(|minor| u32::try_from(minor).ok());
    let metadata = take_object(&mut document, "metadata", &root)?;
    let cells = match take(&mut document, "cells") {
        Some(cells) => into_list(cells, &root.key("cells"))?,
        None => return Err(root.key("cells").missing()),
    };
    let path = root.key("cells");
    let cells = cells
        .into_iter()
        .enumerate()
        .map(|(index, value)| cell(value, &path.index(index)));
    Ok(Notebook {
        nbformat_minor: minor.unwrap_or(0),
        metadata,
        cells: cells.collect::<Result<_, _>>()?,
        extra: document,
    })
}

fn cell(value: Value, path: &Path<'_>) -> Result<Cell, NotebookError> {
    let mut cell = into_object(value, path)?;
    let cell_type = take_string(&mut cell, "cell_type", path)?;
    let id = match take(&mut cell, "id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(into_string(id, &path.key("id"))?),
    };
    let metadata = take_object(&mut cell, "metadata", path)?;
    let source = take(&mut cell, "source").map(|text| into_text(text, &path.key("source")));
    let attachments = match take(&mut cell, "attachments") {
        None => None,
        Some(value) => Some(attachments(value, &path.key("attachments"))?),
    };
    let kind = kind(cell_type, &mut cell, path)?;
    Ok(Cell {
        id,
        kind,
        metadata,
        source: source.transpose()?.unwrap_or_default(),
        attachments,
        extra: cell,
    })
}

fn kind(cell_type: String, cell: &mut Object, path: &Path<'_>) -> Result<CellKind, NotebookError> {
    Ok(match cell_type.as_str() {
        "code" => CellKind::Code {
            execution_count: take_count(cell, path)?,
            outputs: take_outputs(cell, path)?,
        },
        "markdown" => CellKind::Markdown,
        "raw" => CellKind::Raw,
        _ => CellKind::Other(cell_type),
    })
}

fn attachments(value: Value, path: &Path<'_>) -> Result<Object, NotebookError> {
    let mut files = into_object(value, path)?;
    for bundle in files.values_mut().filter_map(Value::as_object_mut) {
        join_lines(bundle);
    }
    Ok(files)
}

fn take_outputs(cell: &mut Object, path: &Path<'_>) -> Result<Vec<Output>, NotebookError> {
    let path = path.key("outputs");
    let outputs = match take(cell, "outputs") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => into_list(value, &path)?,
    };
    outputs
        .into_iter()
        .enumerate()
        .map(|(index, value)| output(value, &path.index(index)))
        .collect()
}

pub(crate) fn output(value: Value, path: &Path<'_>) -> Result<Output, NotebookError> {
    let mut output = into_object(value, path)?;
    let output_type = match output.get("output_type") {
        None => return Err(path.key("output_type").missing()),
        Some(Value::String(name)) => name.clone(),
        Some(other) => return Err(path.key("output_type").expected("a string", other)),
    };
    known_output(&output_type, &mut output, path)?.map_or(Ok(Output::Other(output)), Ok)
}

/// Takes apart an output of one of nbformat's types; leaves others untouched.
fn known_output(
    output_type: &str,
    output: &mut Object,
    path: &Path<'_>,
) -> Result<Option<Output>, NotebookError> {
    let known = matches!(
        output_type,
        "stream" | "display_data" | "execute_result" | "error"
    );
    if !known {
        return Ok(None);
    }
    output.shift_remove("output_type");
    Ok(Some(match output_type {
        "stream" => Output::Stream {
            name: take_string_or(output, "name", "stdout", path)?,
            text: take(output, "text")
                .map_or(Ok(String::new()), |text| into_text(text, &path.key("text")))?,
            extra: std::mem::take(output),
        },
        "error" => Output::Error {
            ename: take_string_or(output, "ename", "", path)?,
            evalue: take_string_or(output, "evalue", "", path)?,
            traceback: take_traceback(output, path)?,
            extra: std::mem::take(output),
        },
        "execute_result" => Output::ExecuteResult {
            execution_count: take_count(output, path)?,
            bundle: take_bundle(output, path)?,
        },
        _ => Output::DisplayData(take_bundle(output, path)?),
    }))
}

fn take_bundle(output: &mut Object, path: &Path<'_>) -> Result<Bundle, NotebookError> {
    let mut data = take_object(output, "data", path)?;
    join_lines(&mut data);
    let metadata = take_object(output, "metadata", path)?;
    Ok(Bundle {
        data,
        metadata,
        extra: std::mem::take(output),
        display_id: None,
    })
}

fn take_traceback(output: &mut Object, path: &Path<'_>) -> Result<Vec<String>, NotebookError> {
    let path = path.key("traceback");
    match take(output, "traceback") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(lines)) => lines
            .into_iter()
            .enumerate()
            .map(|(index, line)| into_string(line, &path.index(index)))
            .collect(),
        Some(other) => Err(path.expected("a list of strings", &other)),
    }
}

/// Joins the lists of lines of a MIME bundle, where the type is not a JSON one.
pub(crate) fn join_lines(bundle: &mut Object) {
    for (mime, value) in bundle.iter_mut() {
        let Value::Array(lines) = &*value else {
            continue;
        };
        if !is_json_mime(mime) && lines.iter().all(Value::is_string) {
            *value = Value::String(lines.iter().filter_map(Value::as_str).collect());
        }
    }
}

/// Whether content of this MIME type is a JSON value rather than text.
pub(crate) fn is_json_mime(mime: &str) -> bool {
    mime == "application/json" || (mime.starts_with("application/") && mime.ends_with("+json"))
}

/// Takes a key out, keeping the order of the others.
pub(crate) fn take(object: &mut Object, key: &str) -> Option<Value> {
    object.shift_remove(key)
}

fn take_object(object: &mut Object, key: &str, path: &Path<'_>) -> Result<Object, NotebookError> {
    match take(object, key) {
        None | Some(Value::Null) => Ok(Object::new()),
        Some(value) => into_object(value, &path.key(key)),
    }
}

fn take_string(object: &mut Object, key: &str, path: &Path<'_>) -> Result<String, NotebookError> {
    match take(object, key) {
        None => Err(path.key(key).missing()),
        Some(value) => into_string(value, &path.key(key)),
    }
}

fn take_string_or(
    object: &mut Object,
    key: &str,
    default: &str,
    path: &Path<'_>,
) -> Result<String, NotebookError> {
    match take(object, key) {
        None | Some(Value::Null) => Ok(default.to_owned()),
        Some(value) => into_text(value, &path.key(key)),
    }
}

fn take_count(object: &mut Object, path: &Path<'_>) -> Result<Option<i64>, NotebookError> {
    match take(object, "execution_count") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(count) => Ok(Some(count)),
            None => Err(path
                .key("execution_count")
                .expected("a whole number or null", &value)),
        },
    }
}

pub(crate) fn into_object(value: Value, path: &Path<'_>) -> Result<Object, NotebookError> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(path.expected("an object", &other)),
    }
}

pub(crate) fn into_list(value: Value, path: &Path<'_>) -> Result<Vec<Value>, NotebookError> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(path.expected("a list", &other)),
    }
}

fn into_string(value: Value, path: &Path<'_>) -> Result<String, NotebookError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(path.expected("a string", &other)),
    }
}

/// Text that may be one string or a list of its lines.
pub(crate) fn into_text(value: Value, path: &Path<'_>) -> Result<String, NotebookError> {
    const EXPECTED: &str = "a string or list of strings";
    match value {
        Value::String(text) => Ok(text),
        Value::Array(lines) => {
            let mut text = String::new();
            for (index, line) in lines.iter().enumerate() {
                text += line
                    .as_str()
                    .ok_or_else(|| path.index(index).expected("a string", line))?;
            }
            Ok(text)
        }
        other => Err(path.expected(EXPECTED, &other)),
    }
}
