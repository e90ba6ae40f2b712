use super::*;
use spoor_notebook::Object;

#[test]
fn cells_are_inserted_around_the_selection() {
    let mut state = open(&["py a", "py b"]);
    apply(&mut state, &[Command::InsertBelow]);
    assert_eq!(shown(&state), "py a | *py | py b");
    apply(&mut state, &[Command::InsertAbove]);
    assert_eq!(shown(&state), "py a | *py | py | py b");
    apply(&mut state, &[Command::ExtendLast, Command::InsertBelow]);
    assert_eq!(shown(&state), "py a | py | py | py b | *py");
    assert_eq!(state.mode(), Mode::Command);
}

#[test]
fn a_new_cell_goes_on_in_the_active_ones_language() {
    for command in [
        Command::InsertBelow,
        Command::RunInsertBelow,
        Command::RunSelectBelow,
    ] {
        for (cell, new) in [("kql T", "*kql"), ("py x", "*py"), ("md a", "*py")] {
            let mut state = open(&[cell]);
            apply(&mut state, &[command]);
            assert_eq!(shown(&state), format!("{cell} | {new}"), "{command:?}");
        }
    }
    let mut state = open(&["kql T", "py x"]);
    apply(&mut state, &[Command::InsertAbove]);
    assert_eq!(shown(&state), "*kql | kql T | py x");
    apply(&mut state, &[Command::SelectLast, Command::InsertAbove]);
    assert_eq!(shown(&state), "kql | kql T | *py | py x");
}

#[test]
fn deleting_selects_what_comes_after_and_undo_what_was_selected() {
    let mut state = open(&["py a", "py b", "py c", "py d"]);
    apply(
        &mut state,
        &[Command::SelectBelow, Command::ExtendBelow, Command::Delete],
    );
    assert_eq!(shown(&state), "py a | *py d");
    apply(&mut state, &[Command::SelectFirst, Command::Undo]);
    assert_eq!(shown(&state), "py a | >py b | *py c | py d");
    apply(&mut state, &[Command::Redo]);
    assert_eq!(shown(&state), "*py a | py d");
    apply(&mut state, &[Command::SelectLast, Command::Delete]);
    assert_eq!(shown(&state), "*py a");
}

#[test]
fn the_last_cell_gives_way_to_an_empty_one() {
    let mut state = open(&["md a", "py b"]);
    apply(&mut state, &[Command::SelectAll, Command::Delete]);
    assert_eq!(shown(&state), "*py");
    apply(&mut state, &[Command::Undo]);
    assert_eq!(shown(&state), ">md a | *py b");
}

#[test]
fn locked_cells_stay() {
    let mut state = open(&["py a", "py b", "py c"]);
    let lock = state.document().keys()[1];
    let cell = state.document.cell_mut(lock).unwrap();
    cell.metadata.insert("deletable".into(), false.into());
    apply(&mut state, &[Command::SelectAll, Command::Cut]);
    assert_eq!(shown(&state), "*py b");
    apply(
        &mut state,
        &[Command::PasteBelow, Command::SelectAll, Command::Merge],
    );
    assert_eq!(
        state.document().len(),
        4,
        "a locked cell is not merged away"
    );
}

#[test]
fn cells_are_cut_and_pasted_with_ids_of_their_own() {
    let mut state = open(&["py a", "kql T", "md c"]);
    let id = state.document().id(state.document().keys()[1]).to_owned();
    apply(
        &mut state,
        &[
            Command::SelectBelow,
            Command::Cut,
            Command::SelectLast,
            Command::PasteBelow,
        ],
    );
    assert_eq!(shown(&state), "py a | md c | *kql T");
    assert_eq!(
        state.document().id(state.active()),
        id,
        "a cell that was cut keeps its id"
    );
    apply(&mut state, &[Command::PasteAbove]);
    assert_eq!(shown(&state), "py a | md c | *kql T | kql T");
    assert_ne!(state.document().id(state.active()), id);
    apply(&mut state, &[Command::SelectAll, Command::Duplicate]);
    assert_eq!(
        shown(&state),
        "py a | md c | kql T | kql T | >py a | >md c | >kql T | *kql T"
    );
}

#[test]
fn pasting_nothing_does_nothing() {
    let mut state = open(&["py a"]);
    assert!(!state.can_paste());
    assert_eq!(state.apply(Command::PasteBelow), []);
    assert!(!state.can_undo() && !state.is_dirty());
}

#[test]
fn the_selection_moves_as_one() {
    let mut state = open(&["py a", "py b", "py c", "py d"]);
    apply(
        &mut state,
        &[
            Command::SelectBelow,
            Command::ExtendBelow,
            Command::MoveDown,
        ],
    );
    assert_eq!(shown(&state), "py a | py d | >py b | *py c");
    assert_eq!(state.apply(Command::MoveDown), [], "it is at the end");
    apply(&mut state, &[Command::MoveUp, Command::MoveUp]);
    assert_eq!(shown(&state), ">py b | *py c | py a | py d");
    assert_eq!(state.apply(Command::MoveUp), []);
    apply(&mut state, &[Command::Undo, Command::Undo, Command::Undo]);
    assert_eq!(shown(&state), "py a | >py b | *py c | py d");
}

#[test]
fn merging_joins_texts_and_keeps_one_magic() {
    let mut state = open(&["md # a", "md b", "py x", "kql T", "kql S", "py y"]);
    apply(&mut state, &[Command::Merge]);
    assert_eq!(
        shown(&state),
        "*md # a\\n\\nb | py x | kql T | kql S | py y"
    );
    assert!(!state.is_rendered(state.active()));
    apply(
        &mut state,
        &[
            Command::SelectBelow,
            Command::SelectBelow,
            Command::MergeBelow,
        ],
    );
    assert_eq!(shown(&state), "md # a\\n\\nb | py x | *kql T\\n\\nS | py y");
    apply(&mut state, &[Command::MergeAbove]);
    assert_eq!(shown(&state), "md # a\\n\\nb | *kql x\\n\\nT\\n\\nS | py y");
    apply(&mut state, &[Command::Undo, Command::Undo, Command::Undo]);
    assert_eq!(
        shown(&state),
        "*md # a | md b | py x | kql T | kql S | py y"
    );
    assert_eq!(state.apply(Command::MergeAbove), [], "nothing is above");
}

#[test]
fn a_merged_cell_has_no_outputs_until_undo() {
    let mut state = open(&["py a", "py b"]);
    let output = Value::from_iter([("output_type", "stream"), ("name", "stdout"), ("text", "1")]);
    let output = spoor_notebook::Output::from_value(output).unwrap();
    let key = state.active();
    state.document.set_outputs(key, 0, vec![output]);
    apply(&mut state, &[Command::Merge]);
    assert!(state.document().outputs(key).is_empty());
    apply(&mut state, &[Command::Undo]);
    assert_eq!(state.document().outputs(key).len(), 1);
}

#[test]
fn merging_brings_attached_files_together() {
    let mut state = open(&["md a", "md b"]);
    for (nth, key) in state.document().keys().to_vec().into_iter().enumerate() {
        let files = Object::from_iter([(format!("{nth}.png"), Value::from(nth))]);
        state.document.cell_mut(key).unwrap().attachments = Some(files);
    }
    apply(&mut state, &[Command::Merge]);
    let names = |state: &NotebookState| {
        let cell = state.document().cell(state.active()).unwrap();
        cell.attachments
            .as_ref()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&state), ["0.png", "1.png"]);
    apply(&mut state, &[Command::Undo]);
    assert_eq!(names(&state), ["0.png"]);
}

#[test]
fn a_cell_is_split_where_the_cursor_is() {
    let mut state = open(&["py é1\\n", "kql T"]);
    let key = state.active();
    state.edit_source(key, "é😀1\n\nb = 2\nc");
    let id = state.document().id(key).to_owned();
    let before = state.clone();
    let changes = state.split(key, &[4]);
    check_patch(&before, &state, &changes);
    assert_eq!(shown(&state), "py é😀1 | *py b = 2\\nc | kql T");
    assert_eq!(
        state.document().id(state.active()),
        id,
        "outputs stay with the last piece"
    );
    apply(&mut state, &[Command::Undo]);
    assert_eq!(shown(&state), "*py é😀1\\n\\nb = 2\\nc | kql T");
    state.split(key, &[8, 4]);
    assert_eq!(shown(&state), "py é😀1 | py b | *py = 2\\nc | kql T");
}

#[test]
fn the_pieces_of_a_query_are_queries() {
    let mut state = open(&["kql T\\n"]);
    let key = state.active();
    state.edit_source(key, "%%kql --as x\nT\nS");
    state.split(key, &[15]);
    assert_eq!(shown(&state), "kql %%kql --as x\\nT | *kql S");
}

#[test]
fn a_read_only_cell_is_not_split_or_changed() {
    let mut state = open(&["py ab"]);
    let key = state.active();
    let cell = state.document.cell_mut(key).unwrap();
    cell.metadata.insert("editable".into(), false.into());
    assert_eq!(state.split(key, &[1]), []);
    assert_eq!(state.apply(Command::ToMarkdown), []);
    assert_eq!(state.apply(Command::EnterEdit), []);
}

#[test]
fn cells_change_what_they_are() {
    let mut state = open(&["py T | take 1", "md ## b"]);
    apply(&mut state, &[Command::ToKql]);
    assert_eq!(shown(&state), "*kql T | take 1 | md ## b");
    apply(&mut state, &[Command::ToMarkdown]);
    assert_eq!(shown(&state), "*md T | take 1 | md ## b");
    assert!(!state.is_rendered(state.active()));
    apply(
        &mut state,
        &[Command::ToKql, Command::ToCode, Command::ToRaw],
    );
    assert_eq!(shown(&state), "*raw T | take 1 | md ## b");
    apply(&mut state, &[Command::SelectAll, Command::Heading3]);
    assert_eq!(shown(&state), ">md ### T | take 1 | *md ### b");
    apply(&mut state, &[Command::Undo]);
    assert_eq!(shown(&state), ">raw T | take 1 | *md ## b");
    apply(
        &mut state,
        &[
            Command::Undo,
            Command::Undo,
            Command::Undo,
            Command::Undo,
            Command::Undo,
        ],
    );
    assert_eq!(shown(&state), "*py T | take 1 | md ## b");
}

#[test]
fn a_change_of_kind_is_told_once() {
    let mut state = open(&["kql T"]);
    let key = state.active();
    for command in [
        Command::ToMarkdown,
        Command::Undo,
        Command::ToMarkdown,
        Command::ToKql,
        Command::Undo,
    ] {
        let changes = state.apply(command);
        let kinds = changes
            .iter()
            .filter(|change| matches!(change, Change::KindChanged { .. }));
        assert_eq!(kinds.count(), 1, "{command:?}: {changes:?}");
    }
    assert_eq!(state.document().kind(key), Kind::Markdown);
}

#[test]
fn changing_code_to_text_and_back_brings_the_outputs_with_undo_only() {
    let mut state = open(&["py a"]);
    let key = state.active();
    state
        .document
        .cell_mut(key)
        .unwrap()
        .set_execution_count(Some(4));
    apply(&mut state, &[Command::ToMarkdown, Command::ToCode]);
    assert_eq!(state.document().execution_count(key), None);
    apply(&mut state, &[Command::Undo, Command::Undo]);
    assert_eq!(state.document().execution_count(key), Some(4));
}

#[test]
fn undo_keeps_what_was_typed_meanwhile_for_redo() {
    let mut state = open(&["py a"]);
    apply(&mut state, &[Command::InsertBelow]);
    let key = state.active();
    state.edit_source(key, "typed");
    apply(&mut state, &[Command::Undo]);
    assert_eq!(shown(&state), "*py a");
    apply(&mut state, &[Command::Redo]);
    assert_eq!(shown(&state), "py a | *py typed");
    assert_eq!(state.active(), key, "it is the same cell");
}

#[test]
fn the_history_has_an_end() {
    let mut state = open(&["py a"]);
    for _ in 0..300 {
        state.apply(Command::InsertBelow);
    }
    let mut steps = 0;
    while state.can_undo() {
        state.apply(Command::Undo);
        steps += 1;
    }
    assert_eq!((steps, state.document().len()), (200, 101));
}
