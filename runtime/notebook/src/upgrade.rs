//! From nbformat 3 to 4, as Jupyter's `nbformat.v4.convert` does it. Keys that it does not know
//! stay where they are.

use serde_json::Value;

use crate::error::NotebookError;
use crate::model::{NBFORMAT_MINOR, Object};
use crate::read::{Path, into_list, into_object, into_text, take};

/// nbformat 3's short names of MIME types.
const MIME_TYPES: [(&str, &str); 8] = [
    ("text", "text/plain"),
    ("html", "text/html"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("latex", "text/latex"),
    ("json", "application/json"),
    ("javascript", "application/javascript"),
];

/// The document as nbformat 4; an error for a version that is neither 3 nor 4.
pub(crate) fn to_version_4(document: Value) -> Result<Value, NotebookError> {
    let root = Path::ROOT;
    let document = into_object(document, &root)?;
    let major = match document.get("nbformat") {
        None if document.contains_key("worksheets") => 3,
        None => {
            return Err(NotebookError::Missing {
                path: "nbformat".to_owned(),
            });
        }
        Some(value) => value
            .as_i64()
            .ok_or_else(|| root.key("nbformat").expected("a whole number", value))?,
    };
    match major {
        4 => Ok(Value::Object(document)),
        3 => from_3(document).map(Value::Object),
        ..3 => Err(NotebookError::Version {
            major,
            hint: "open it in Jupyter and save it to bring it up to date",
        }),
        5.. => Err(NotebookError::Version {
            major,
            hint: "it is of a newer kind; save it as nbformat 4",
        }),
    }
}

fn from_3(mut document: Object) -> Result<Object, NotebookError> {
    let root = Path::ROOT;
    let minor = take(&mut document, "nbformat_minor").unwrap_or(Value::from(0));
    let mut metadata = match take(&mut document, "metadata") {
        None | Some(Value::Null) => Object::new(),
        Some(value) => into_object(value, &root.key("metadata"))?,
    };
    let orig = take(&mut document, "orig_nbformat").unwrap_or(Value::from(3));
    let orig_minor = take(&mut document, "orig_nbformat_minor").unwrap_or(minor);
    metadata.insert("orig_nbformat".to_owned(), orig);
    metadata.insert("orig_nbformat_minor".to_owned(), orig_minor);
    let cells = flatten(
        take(&mut document, "worksheets").unwrap_or(Value::Array(Vec::new())),
        &mut metadata,
    )?;
    document.insert("nbformat".to_owned(), Value::from(4));
    document.insert("nbformat_minor".to_owned(), Value::from(NBFORMAT_MINOR));
    document.insert("metadata".to_owned(), Value::Object(metadata));
    document.insert("cells".to_owned(), Value::Array(cells));
    Ok(document)
}

/// The cells of all worksheets in a row. What a worksheet's own metadata holds goes to the
/// notebook's, under `worksheets`.
fn flatten(worksheets: Value, metadata: &mut Object) -> Result<Vec<Value>, NotebookError> {
    let root = Path::ROOT;
    let path = root.key("worksheets");
    let (mut cells, mut notes) = (Vec::new(), Vec::new());
    for (index, worksheet) in into_list(worksheets, &path)?.into_iter().enumerate() {
        let path = path.index(index);
        let mut worksheet = into_object(worksheet, &path)?;
        let path = path.key("cells");
        let list = take(&mut worksheet, "cells").unwrap_or(Value::Array(Vec::new()));
        for (index, cell) in into_list(list, &path)?.into_iter().enumerate() {
            cells.push(cell_from_3(cell, &path.index(index))?);
        }
        worksheet.retain(|_, value| value.as_object().is_none_or(|value| !value.is_empty()));
        notes.push(Value::Object(worksheet));
    }
    if notes
        .iter()
        .any(|note| note.as_object().is_some_and(|note| !note.is_empty()))
    {
        metadata.insert("worksheets".to_owned(), Value::Array(notes));
    }
    Ok(cells)
}

fn cell_from_3(value: Value, path: &Path<'_>) -> Result<Value, NotebookError> {
    let mut cell = into_object(value, path)?;
    match cell
        .get("cell_type")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "code" => code_from_3(&mut cell, path)?,
        "heading" => heading_from_3(&mut cell, path)?,
        "html" => set(&mut cell, "cell_type", "markdown"),
        _ => {}
    }
    Ok(Value::Object(cell))
}

fn code_from_3(cell: &mut Object, path: &Path<'_>) -> Result<(), NotebookError> {
    let mut metadata = match take(cell, "metadata") {
        None | Some(Value::Null) => Object::new(),
        Some(value) => into_object(value, &path.key("metadata"))?,
    };
    if let Some(collapsed) = take(cell, "collapsed") {
        metadata.insert("collapsed".to_owned(), collapsed);
    }
    if let Some(language) = take(cell, "language").filter(|language| language != "python") {
        metadata.insert("language".to_owned(), language);
    }
    cell.insert("metadata".to_owned(), Value::Object(metadata));
    let source = take(cell, "input").or_else(|| take(cell, "source"));
    cell.insert("source".to_owned(), source.unwrap_or_default());
    if cell.get("source").is_some_and(Value::is_null) {
        set(cell, "source", "");
    }
    let count = take(cell, "prompt_number").filter(|count| count.is_i64());
    cell.insert("execution_count".to_owned(), count.unwrap_or(Value::Null));
    if let Some(Value::Array(outputs)) = cell.get_mut("outputs") {
        outputs
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(output_from_3);
    }
    Ok(())
}

fn heading_from_3(cell: &mut Object, path: &Path<'_>) -> Result<(), NotebookError> {
    let level = take(cell, "level")
        .and_then(|level| level.as_u64())
        .unwrap_or(1)
        .clamp(1, 6);
    let text = take(cell, "source").map_or(Ok(String::new()), |text| {
        into_text(text, &path.key("source"))
    })?;
    let line = text.lines().collect::<Vec<_>>().join(" ");
    set(cell, "cell_type", "markdown");
    set(
        cell,
        "source",
        &format!("{} {line}", "#".repeat(usize::try_from(level).unwrap_or(1))),
    );
    Ok(())
}

fn output_from_3(output: &mut Object) {
    match output
        .get("output_type")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "pyout" => {
            set(output, "output_type", "execute_result");
            let count = take(output, "prompt_number").filter(|count| count.is_i64());
            output.insert("execution_count".to_owned(), count.unwrap_or(Value::Null));
            gather_data(output);
        }
        "display_data" => gather_data(output),
        "pyerr" => set(output, "output_type", "error"),
        "stream" => {
            let name = take(output, "stream").filter(Value::is_string);
            output.insert(
                "name".to_owned(),
                name.unwrap_or_else(|| Value::from("stdout")),
            );
        }
        _ => {}
    }
}

/// Moves the formats, which nbformat 3 keeps beside the output's own keys, into `data`.
fn gather_data(output: &mut Object) {
    let own = ["output_type", "execution_count", "metadata"];
    let (kept, formats): (Object, Object) = std::mem::take(output)
        .into_iter()
        .partition(|(key, _)| own.contains(&key.as_str()));
    *output = kept;
    let data = formats.into_iter().map(|(key, value)| {
        let mime = MIME_TYPES
            .iter()
            .find(|(short, _)| *short == key)
            .map_or(key.as_str(), |(_, mime)| mime);
        let value = if mime == "application/json" {
            parsed(value)
        } else {
            value
        };
        (mime.to_owned(), value)
    });
    output.insert("data".to_owned(), Value::Object(data.collect()));
}

/// nbformat 3 keeps JSON outputs as text.
fn parsed(value: Value) -> Value {
    let text = into_text(value.clone(), &Path::ROOT).ok();
    text.and_then(|text| crate::json::parse(text.as_bytes()).ok())
        .unwrap_or(value)
}

fn set(object: &mut Object, key: &str, value: &str) {
    object.insert(key.to_owned(), Value::from(value));
}
