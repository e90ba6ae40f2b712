#![allow(clippy::unwrap_used)]
use super::*;
use crate::command::Command;
use spoor_notebook::{Cell, Notebook};

fn open(cells: &[&str]) -> NotebookState {
    let mut notebook = Notebook::new();
    notebook.cells = cells.iter().map(|source| Cell::code(*source)).collect();
    NotebookState::new(Document::from_notebook(notebook, 1))
}

fn query(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        ..Query::default()
    }
}

fn finder(state: &NotebookState, text: &str) -> Finder {
    Finder::new(&query(text), state.document()).unwrap()
}

/// Cell and start in the editor of a match.
fn at(found: Option<&Match>) -> Option<(u32, usize)> {
    found.map(|found| (found.key.0, found.editor.start))
}

#[test]
fn matches_are_walked_in_order_and_around() {
    let state = open(&["x ab", "none", "ab ab"]);
    let document = state.document();
    let mut finder = finder(&state, "AB");
    assert_eq!(finder.len(), 3);
    assert_eq!(finder.position(document), None);
    let walk: Vec<_> = (0..4).map(|_| at(finder.next(document)).unwrap()).collect();
    assert_eq!(walk, [(0, 2), (2, 0), (2, 3), (0, 2)]);
    assert_eq!(finder.position(document), Some(1));
    let back: Vec<_> = (0..3)
        .map(|_| at(finder.previous(document)).unwrap())
        .collect();
    assert_eq!(back, [(2, 3), (2, 0), (0, 2)]);
    assert_eq!(finder.position(document), Some(1));
}

#[test]
fn searching_begins_at_the_cursor() {
    let state = open(&["ab ab", "ab"]);
    let document = state.document();
    let keys = document.keys();
    let mut finder = finder(&state, "ab");
    assert_eq!(at(finder.seek(document, keys[0], 1)), Some((0, 3)));
    assert_eq!(at(finder.seek(document, keys[0], 4)), Some((1, 0)));
    assert_eq!(
        at(finder.seek(document, keys[1], 1)),
        Some((0, 0)),
        "around the end"
    );
}

#[test]
fn nothing_found_is_nothing_current() {
    let state = open(&["x"]);
    let mut finder = finder(&state, "y");
    assert!(finder.is_empty());
    assert_eq!(finder.next(state.document()), None);
    assert_eq!(finder.previous(state.document()), None);
}

#[test]
fn offsets_are_the_editors() {
    let state = open(&["é😀\r\nab"]);
    let mut finder = finder(&state, "ab");
    let found = finder.next(state.document()).unwrap();
    assert_eq!((found.bytes.clone(), found.editor.clone()), (8..10, 4..6));
    assert_eq!(
        byte_range(state.document().source(found.key), &found.editor),
        8..10
    );
}

#[test]
fn a_cell_that_changed_is_searched_again() {
    let mut state = open(&["ab", "ab"]);
    let keys = state.document().keys().to_vec();
    let mut finder = finder(&state, "ab");
    finder.next(state.document());
    state.edit_source(keys[0], "nothing");
    finder.update(state.document(), keys[0]);
    assert_eq!((finder.len(), finder.current()), (1, None));
    state.edit_source(keys[0], "ab ab");
    finder.update(state.document(), keys[0]);
    assert_eq!(finder.len(), 3);
    let deleted = state.apply(Command::Delete);
    finder.follow(state.document(), &deleted);
    assert_eq!(finder.len(), 1);
    let back = state.apply(Command::Undo);
    finder.follow(state.document(), &back);
    assert_eq!(finder.len(), 3);
}

#[test]
fn outputs_are_searched_when_asked() {
    let mut state = open(&["print('needle')"]);
    let id = state.document().id(state.active());
    let message = serde_json::from_value(serde_json::json!({
        "cell": id, "from": 0, "execution_count": 1, "outputs": [
            { "output_type": "stream", "name": "stdout", "text": "a needle\n" },
            { "output_type": "display_data", "data": { "image/png": "needle" }, "metadata": {} },
            { "output_type": "execute_result", "execution_count": 1, "data": { "text/plain": ["nee", "dle"] }, "metadata": {} },
            { "output_type": "error", "ename": "E", "evalue": "no needle", "traceback": [] }],
    }));
    state.apply_outputs(message.unwrap()).unwrap();
    let places = |in_outputs| {
        let query = Query {
            in_outputs,
            ..query("needle")
        };
        let finder = Finder::new(&query, state.document()).unwrap();
        finder
            .of(state.active())
            .iter()
            .map(|found| found.place)
            .collect::<Vec<_>>()
    };
    assert_eq!(places(false), [Place::Source]);
    assert_eq!(
        places(true),
        [
            Place::Source,
            Place::Output(0),
            Place::Output(2),
            Place::Output(3)
        ]
    );
}

#[test]
fn the_current_match_is_numbered_within_its_place() {
    let mut state = open(&["x ab ab"]);
    let key = state.active();
    let message = serde_json::from_value(serde_json::json!({
        "cell": state.document().id(key), "from": 0, "execution_count": 1, "outputs": [
            { "output_type": "stream", "name": "stdout", "text": "ab ab" }],
    }));
    state.apply_outputs(message.unwrap()).unwrap();
    let query = Query {
        in_outputs: true,
        ..query("ab")
    };
    let mut finder = Finder::new(&query, state.document()).unwrap();
    let places = [Place::Source, Place::Output(0)];
    let mut numbers = || {
        finder.next(state.document());
        places.map(|place| finder.current_in(key, place))
    };
    assert_eq!(numbers(), [Some(0), None]);
    assert_eq!(numbers(), [Some(1), None]);
    assert_eq!(numbers(), [None, Some(0)]);
    assert_eq!(numbers(), [None, Some(1)]);
    assert_eq!(finder.current_in(CellKey(7), Place::Source), None);
}

#[test]
fn other_texts_are_searched_by_the_same_words() {
    let state = open(&["x"]);
    let finder = finder(&state, "ab");
    assert_eq!(finder.in_text("😀ab, AB"), [2..4, 6..8]);
    assert!(finder.in_text("").is_empty());
}

#[test]
fn one_match_is_replaced_and_the_next_is_current() {
    let mut state = open(&["a a", "a"]);
    let mut finder = finder(&state, "a");
    assert_eq!(
        finder.replace(&mut state, "aa"),
        [],
        "the first press goes to the first match"
    );
    finder.replace(&mut state, "aa");
    assert_eq!(state.document().source(CellKey(0)), "aa a");
    assert_eq!(
        at(finder.current()),
        Some((0, 3)),
        "what took its place is not found again"
    );
    finder.replace(&mut state, "");
    assert_eq!(at(finder.current()), Some((1, 0)));
    finder.replace(&mut state, "b");
    assert_eq!(state.document().source(CellKey(1)), "b");
    assert_eq!(at(finder.current()), Some((0, 0)));
}

#[test]
fn all_are_replaced_in_one_step() {
    let mut state = open(&["a a", "b", "A"]);
    let mut finder = finder(&state, "a");
    let (count, changes) = finder.replace_all(&mut state, "b");
    assert_eq!(count, 3);
    let set = |key| Change::SourceSet { key: CellKey(key) };
    assert_eq!(changes, [set(0), set(2), Change::DirtyChanged(true)]);
    assert!(finder.is_empty());
    state.apply(Command::Undo);
    assert_eq!(state.document().source(CellKey(0)), "a a");
    assert_eq!(state.document().source(CellKey(2)), "A");
    assert!(!state.can_undo());
}

#[test]
fn cells_that_may_not_be_edited_are_found_but_not_replaced() {
    let file = r#"{"cells": [{"cell_type": "code", "id": "a", "metadata": {"editable": false}, "source": "ab",
        "outputs": [], "execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#;
    let mut state = NotebookState::new(Document::from_json(file.as_bytes(), 1).unwrap());
    let mut finder = finder(&state, "ab");
    finder.next(state.document());
    assert_eq!(finder.replace(&mut state, "x"), []);
    assert_eq!(finder.replace_all(&mut state, "x"), (0, Vec::new()));
    assert_eq!(state.document().source(state.active()), "ab");
}
