//! What is read is written again with nothing dropped. `tests/notebooks/*.ipynb` are files as
//! Jupyter writes them, and must come out byte for byte; `*.v3.ipynb` are upgraded, and what they
//! become is in the `*.v3.expected` beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use spoor_notebook::{CellKind, Notebook, NotebookError, Output};

fn notebooks(suffix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notebooks");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.to_string_lossy().ends_with(suffix))
        .collect();
    files.sort();
    files
}

fn written(notebook: &Notebook) -> String {
    String::from_utf8(notebook.to_vec()).unwrap()
}

#[test]
fn files_come_out_as_they_went_in() {
    let files = notebooks(".v4.ipynb");
    assert!(files.len() >= 3);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let notebook = Notebook::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(
            written(&notebook),
            String::from_utf8(bytes).unwrap(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn nbformat_3_is_upgraded() {
    let files = notebooks(".v3.ipynb");
    assert!(!files.is_empty());
    for file in files {
        let notebook = Notebook::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        expect_file![file.with_extension("expected")].assert_eq(&written(&notebook));
        let again = Notebook::from_slice(&notebook.to_vec()).unwrap();
        assert_eq!(written(&again), written(&notebook));
    }
}

#[test]
fn strings_and_lists_of_lines_are_the_same() {
    let one = br#"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":"a\nb","outputs":[{"output_type":"display_data","metadata":{},"data":{"text/plain":"x\ny","image/png":"AA==\n","application/json":["a","b"]}}]}]}"#;
    let two = br#"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":1,"source":["a\n","b"],"outputs":[{"output_type":"display_data","metadata":{},"data":{"text/plain":["x\n","y"],"image/png":["AA==\n"],"application/json":["a","b"]}}]}]}"#;
    let (one, two) = (
        Notebook::from_slice(one).unwrap(),
        Notebook::from_slice(two).unwrap(),
    );
    assert_eq!(one, two);
    assert!(written(&one).contains("\"image/png\": \"AA==\\n\""));
    assert!(written(&one).contains("\"source\": [\n    \"a\\n\",\n    \"b\"\n   ]"));
}

#[test]
fn ids_are_made_once_and_stay() {
    let text = r#"{"nbformat":4,"nbformat_minor":4,"metadata":{},"cells":[{"cell_type":"markdown","metadata":{},"source":"a"},{"cell_type":"markdown","metadata":{},"source":"a"}]}"#;
    let mut notebook = Notebook::from_slice(text.as_bytes()).unwrap();
    assert!(!written(&notebook).contains("\"id\""), "4.4 has no ids");
    notebook.upgrade();
    let first = written(&notebook);
    assert_eq!(first.matches("\"id\"").count(), 2);
    notebook.upgrade();
    assert_eq!(written(&notebook), first);
    let mut again = Notebook::from_slice(text.as_bytes()).unwrap();
    again.upgrade();
    assert_eq!(written(&again), first);
}

#[test]
fn errors_say_where_and_what() {
    let cell = |cell: &str| {
        format!(r#"{{"nbformat":4,"metadata":{{}},"cells":[{{"cell_type":"markdown"}},{cell}]}}"#)
    };
    for (text, expected) in [
        (
            String::new(),
            "the file is empty: a notebook is a JSON document",
        ),
        (
            "<html>".to_owned(),
            "line 1, column 1: not a notebook, for it is not JSON: expected value",
        ),
        (
            "[]".to_owned(),
            "the document: expected an object, found a list",
        ),
        (
            "{}".to_owned(),
            "nbformat: missing, and a notebook cannot do without it",
        ),
        (
            r#"{"nbformat": "4"}"#.to_owned(),
            "nbformat: expected a whole number, found a string",
        ),
        (
            r#"{"nbformat": 2}"#.to_owned(),
            "nbformat 2 is not read by Spoor, which reads 3 and 4: open it in Jupyter and save it to bring it up to date",
        ),
        (
            r#"{"nbformat": 5}"#.to_owned(),
            "nbformat 5 is not read by Spoor, which reads 3 and 4: it is of a newer kind; save it as nbformat 4",
        ),
        (
            r#"{"nbformat": 4}"#.to_owned(),
            "cells: missing, and a notebook cannot do without it",
        ),
        (
            r#"{"nbformat": 4, "cells": {}}"#.to_owned(),
            "cells: expected a list, found an object",
        ),
        (cell("1"), "cells[1]: expected an object, found a number"),
        (
            cell("{}"),
            "cells[1].cell_type: missing, and a notebook cannot do without it",
        ),
        (
            cell(r#"{"cell_type":"code","source":3}"#),
            "cells[1].source: expected a string or list of strings, found a number",
        ),
        (
            cell(r#"{"cell_type":"code","source":["a",null]}"#),
            "cells[1].source[1]: expected a string, found null",
        ),
        (
            cell(r#"{"cell_type":"code","metadata":[]}"#),
            "cells[1].metadata: expected an object, found a list",
        ),
        (
            cell(r#"{"cell_type":"code","execution_count":"1"}"#),
            "cells[1].execution_count: expected a whole number or null, found a string",
        ),
        (
            cell(r#"{"cell_type":"code","outputs":{}}"#),
            "cells[1].outputs: expected a list, found an object",
        ),
        (
            cell(r#"{"cell_type":"code","outputs":[{}]}"#),
            "cells[1].outputs[0].output_type: missing, and a notebook cannot do without it",
        ),
        (
            cell(r#"{"cell_type":"code","outputs":[{"output_type":"display_data","data":7}]}"#),
            "cells[1].outputs[0].data: expected an object, found a number",
        ),
        (
            cell(r#"{"cell_type":"code","outputs":[{"output_type":"error","traceback":[1]}]}"#),
            "cells[1].outputs[0].traceback[0]: expected a string, found a number",
        ),
        (
            r#"{"nbformat":3,"worksheets":[{"cells":[{"cell_type":"heading","source":{}}]}]}"#
                .to_owned(),
            "worksheets[0].cells[0].source: expected a string or list of strings, found an object",
        ),
    ] {
        assert_eq!(
            Notebook::from_slice(text.as_bytes())
                .unwrap_err()
                .to_string(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn every_truncation_is_told_as_one() {
    let file = notebooks("all-kinds.v4.ipynb").pop().unwrap();
    let bytes = std::fs::read(file).unwrap();
    let end = bytes.len() - 2;
    for length in (1..end).step_by(7) {
        let error = Notebook::from_slice(&bytes[..length]).unwrap_err();
        assert!(
            matches!(error, NotebookError::Truncated { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn nesting_bombs_are_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let bomb = open.repeat(200_000) + "1" + &close.repeat(200_000);
        let text = format!(r#"{{"nbformat":4,"cells":[],"metadata":{{"x":{bomb}}}}}"#);
        assert!(matches!(
            Notebook::from_slice(text.as_bytes()),
            Err(NotebookError::TooDeep { .. })
        ));
    }
}

#[test]
fn a_hundred_megabytes_of_output_are_read_and_written() {
    let line = "0123456789abcdef ".repeat(64) + "\n";
    let mut notebook = Notebook::new();
    notebook.cells = vec![spoor_notebook::Cell::code("print()")];
    let text = line.repeat(100_000_000 / line.len());
    let stream = Output::Stream {
        name: "stdout".to_owned(),
        text: text.clone(),
        extra: Default::default(),
    };
    notebook.cells[0].outputs_mut().unwrap().push(stream);
    let again = Notebook::from_slice(&notebook.to_vec()).unwrap();
    let CellKind::Code { outputs, .. } = &again.cells[0].kind else {
        panic!("a code cell")
    };
    assert!(matches!(&outputs[0], Output::Stream { text: same, .. } if *same == text));
}
