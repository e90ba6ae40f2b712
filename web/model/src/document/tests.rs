#![allow(clippy::unwrap_used)]
use super::*;

const FILE: &str = r##"{
 "cells": [
  {"cell_type": "markdown", "id": "intro", "metadata": {"x": {"y": [1.0, NaN]}}, "source": ["# A\n", "b"],
   "attachments": {"a.png": {"image/png": "AAAA"}}, "custom": 1},
  {"cell_type": "code", "id": "q", "metadata": {"collapsed": true, "jupyter": {"source_hidden": true}},
   "execution_count": 3, "source": "%%kql\nT", "outputs": [
    {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
    {"output_type": "display_data", "data": {"text/plain": "x", "application/vnd.a+json": {"k": 1}}, "metadata": {}},
    {"output_type": "strange", "z": 1}]},
  {"cell_type": "code", "id": "q", "metadata": {"editable": false, "deletable": false},
   "execution_count": null, "source": "x = 1", "outputs": []},
  {"cell_type": "raw", "metadata": {}, "source": ""},
  {"cell_type": "odd", "id": "o", "metadata": {}, "source": "?", "more": {}}
 ],
 "metadata": {"kernelspec": {"name": "spoor", "language": "python", "display_name": "S"}, "mine": [1]},
 "nbformat": 4, "nbformat_minor": 5, "extra": "kept"
}"##;

fn open() -> Document {
    Document::from_json(FILE.as_bytes(), 7).unwrap()
}

#[test]
fn a_file_comes_out_with_all_that_went_in() {
    let document = open();
    let saved = document.to_json();
    let mut given = Notebook::from_slice(FILE.as_bytes()).unwrap();
    given.upgrade();
    assert_eq!(Notebook::from_slice(&saved).unwrap(), given);
    let text = String::from_utf8(saved).unwrap();
    for kept in [
        "\"extra\": \"kept\"",
        "NaN",
        "\"custom\": 1",
        "strange",
        "\"more\"",
        "a.png",
    ] {
        assert!(text.contains(kept), "{kept} is gone");
    }
}

#[test]
fn cells_have_kinds_flags_and_ids_of_their_own() {
    let document = open();
    let kinds: Vec<Kind> = document
        .keys()
        .iter()
        .map(|key| document.kind(*key))
        .collect();
    assert_eq!(
        kinds,
        [
            Kind::Markdown,
            Kind::Kql,
            Kind::Code,
            Kind::Raw,
            Kind::Other
        ]
    );
    let ids: HashSet<&str> = document
        .keys()
        .iter()
        .map(|key| document.id(*key))
        .collect();
    assert_eq!(ids.len(), 5);
    let [intro, query, code, raw, _] = document.keys() else {
        panic!("five cells");
    };
    assert_eq!(document.id(*query), "q");
    assert_eq!(document.id(*raw).len(), 8);
    assert!(document.input_hidden(*query) && document.outputs_hidden(*query));
    assert!(!document.input_hidden(*code) && !document.outputs_hidden(*code));
    assert!(document.is_locked(*code) && document.is_read_only(*code));
    assert!(!document.is_locked(*intro) && !document.is_read_only(*intro));
    assert_eq!(document.execution_count(*query), Some(3));
    assert_eq!(document.outputs(*query).len(), 3);
    assert_eq!(document.key_of_id("q"), Some(*query));
    assert_eq!(document.source(*intro), "# A\nb");
}

#[test]
fn keys_outlive_moves_and_are_never_anothers() {
    let mut document = open();
    let keys = document.keys().to_vec();
    document.move_to(keys[0], 4);
    assert_eq!(document.index_of(keys[0]), Some(4));
    assert_eq!(document.source(keys[0]), "# A\nb");
    let (_, cell) = document.remove(keys[1]).unwrap();
    let new = document.insert(0, Cell::code("new"));
    assert!(!keys.contains(&new));
    assert_eq!(document.index_of(keys[1]), None);
    document.insert_as(keys[1], 1, cell);
    assert_eq!(document.id(keys[1]), "q");
    assert_eq!(document.source(keys[1]), "%%kql\nT");
}

#[test]
fn a_copy_gets_an_id_of_its_own_and_seeds_differ() {
    let mut document = open();
    let copy = document.cell(CellKey(1)).unwrap().clone();
    let key = document.insert(2, copy.clone());
    assert_ne!(document.id(key), "q");
    assert!(document.id(key).bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(document.id(key).len(), 8);
    let mut other = Document::from_json(FILE.as_bytes(), 8).unwrap();
    let other_key = other.insert(2, copy);
    assert_ne!(document.id(key), other.id(other_key));
}

#[test]
fn flags_are_written_as_jupyter_has_them() {
    let mut document = open();
    let (query, code) = (CellKey(1), CellKey(2));
    document.set_outputs_hidden(query, false);
    document.set_input_hidden(query, false);
    assert!(document.cell(query).unwrap().metadata.is_empty());
    document.set_outputs_hidden(code, true);
    let metadata = Value::Object(document.cell(code).unwrap().metadata.clone());
    let expected = json!({ "editable": false, "deletable": false, "collapsed": true, "jupyter": { "outputs_hidden": true } });
    assert_eq!(metadata, expected);
    document.set_heading_collapsed(CellKey(0), true);
    assert!(document.heading_collapsed(CellKey(0)));
    assert!(
        document
            .cell(CellKey(0))
            .unwrap()
            .metadata
            .contains_key("x")
    );
}

#[test]
fn odd_metadata_is_neither_read_nor_overwritten() {
    let file = r#"{"cells": [{"cell_type": "code", "metadata": {"jupyter": "?", "collapsed": 3, "editable": "no"},
        "source": "", "outputs": [], "execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}"#;
    let mut document = Document::from_json(file.as_bytes(), 1).unwrap();
    let key = document.keys()[0];
    assert!(
        !document.input_hidden(key) && !document.outputs_hidden(key) && !document.is_read_only(key)
    );
    document.set_input_hidden(key, true);
    assert_eq!(document.cell(key).unwrap().metadata["jupyter"], "?");
}

#[test]
fn outputs_made_here_are_trusted_others_when_the_user_says_so() {
    let mut document = open();
    let (query, code) = (CellKey(1), CellKey(2));
    assert!(!document.outputs_trusted(query));
    document.set_outputs(query, 1, Vec::new());
    assert!(
        !document.outputs_trusted(query),
        "its first output is still the file's"
    );
    document.set_outputs(query, 0, Vec::new());
    assert!(document.outputs_trusted(query) && !document.outputs_trusted(code));
    document.set_trusted(true);
    assert!(document.outputs_trusted(code));
}

#[test]
fn a_copy_is_trusted_if_all_of_its_outputs_are() {
    let mut document = open();
    assert!(!document.is_all_trusted());
    for key in [CellKey(1), CellKey(2)] {
        document.set_outputs(key, 0, Vec::new());
    }
    assert!(document.is_all_trusted() && !document.is_trusted());
    assert!(open().with_trust(true).is_all_trusted());
}

#[test]
fn a_new_notebook_opens_in_jupyter_with_one_cell() {
    let document = Document::new(1);
    assert_eq!(document.len(), 1);
    assert!(document.is_trusted());
    let saved: Value = serde_json::from_slice(&document.to_json()).unwrap();
    assert_eq!(saved["metadata"]["kernelspec"]["name"], "spoor");
    assert_eq!(saved["cells"][0]["cell_type"], "code");
}
