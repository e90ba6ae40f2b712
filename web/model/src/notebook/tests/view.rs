use super::*;

/// The indices of the cells in sight.
fn seen(state: &NotebookState) -> Vec<usize> {
    let keys = state.document().keys().iter().enumerate();
    keys.filter(|(_, key)| !state.is_hidden(**key))
        .map(|(at, _)| at)
        .collect()
}

fn sections() -> NotebookState {
    open(&["md # A", "py 1", "md ## A.1", "py 2", "md # B", "py 3"])
}

#[test]
fn headings_collapse_and_are_walked_with_left_and_right() {
    let mut state = sections();
    apply(&mut state, &[Command::CollapseHeading]);
    assert_eq!(seen(&state), [0, 4, 5]);
    assert!(state.document().heading_collapsed(state.active()));
    apply(&mut state, &[Command::SelectBelow]);
    assert_eq!(
        state.document().index_of(state.active()),
        Some(4),
        "hidden cells are passed over"
    );
    apply(&mut state, &[Command::SelectAbove, Command::ExpandHeading]);
    assert_eq!(seen(&state), [0, 1, 2, 3, 4, 5]);
    apply(&mut state, &[Command::ExpandHeading]);
    assert_eq!(
        state.document().index_of(state.active()),
        Some(2),
        "an open heading leads to the next"
    );
    apply(
        &mut state,
        &[Command::SelectBelow, Command::CollapseHeading],
    );
    assert_eq!(
        state.document().index_of(state.active()),
        Some(2),
        "a cell leads to its heading"
    );
    apply(
        &mut state,
        &[Command::CollapseHeading, Command::CollapseHeading],
    );
    assert_eq!(state.document().index_of(state.active()), Some(0));
    assert_eq!(seen(&state), [0, 1, 2, 4, 5]);
}

#[test]
fn changes_tell_which_cells_went_out_of_sight() {
    let mut state = sections();
    let keys = state.document().keys().to_vec();
    let changes = state.set_heading_collapsed(keys[2], true);
    let expected = [
        Change::CollapsedChanged { key: keys[2] },
        Change::HiddenChanged {
            key: keys[3],
            hidden: true,
        },
        Change::DirtyChanged(true),
    ];
    assert_eq!(changes, expected);
    assert_eq!(
        state.set_heading_collapsed(keys[1], true),
        [],
        "code has no heading"
    );
}

#[test]
fn an_active_cell_that_goes_out_of_sight_gives_way_to_its_heading() {
    let mut state = sections();
    let keys = state.document().keys().to_vec();
    state.select(keys[3], Mode::Edit);
    state.set_heading_collapsed(keys[0], true);
    assert_eq!((state.active(), state.mode()), (keys[0], Mode::Command));
}

#[test]
fn a_heading_that_goes_shows_what_it_hid() {
    let mut state = sections();
    apply(&mut state, &[Command::CollapseAllHeadings]);
    assert_eq!(seen(&state), [0, 4]);
    apply(&mut state, &[Command::Delete]);
    assert_eq!(seen(&state), [0, 1, 3], "A.1 is collapsed still");
    apply(&mut state, &[Command::Undo]);
    assert_eq!(seen(&state), [0, 4]);
    let key = state.document().keys()[0];
    state.edit_source(key, "no heading");
    assert_eq!(seen(&state), [0, 1, 2, 4]);
    apply(&mut state, &[Command::ExpandAllHeadings]);
    assert_eq!(seen(&state), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_cell_is_revealed_by_expanding_what_hides_it() {
    let mut state = sections();
    apply(&mut state, &[Command::CollapseAllHeadings]);
    let keys = state.document().keys().to_vec();
    state.reveal(keys[3]);
    assert_eq!(seen(&state), [0, 1, 2, 3, 4]);
    assert_eq!(state.active(), keys[3]);
}

#[test]
fn inputs_and_outputs_are_hidden_and_shown() {
    let mut state = open(&["py a", "md b", "py c"]);
    let keys = state.document().keys().to_vec();
    let changes = state.apply(Command::ToggleInput);
    assert_eq!(
        changes,
        [
            Change::CollapsedChanged { key: keys[0] },
            Change::DirtyChanged(true)
        ]
    );
    assert!(state.document().input_hidden(keys[0]));
    let hidden = [keys[0], keys[2]].map(|key| Change::CollapsedChanged { key });
    assert_eq!(
        state.apply(Command::HideAllOutputs),
        hidden,
        "Markdown has none"
    );
    assert_eq!(state.apply(Command::ToggleOutputs), [hidden[0].clone()]);
    assert_eq!(state.apply(Command::HideAllInputs), [hidden[1].clone()]);
    state.apply(Command::ShowAllInputs);
    state.apply(Command::ShowAllOutputs);
    assert!(
        keys.iter()
            .all(|key| !state.document().input_hidden(*key)
                && !state.document().outputs_hidden(*key))
    );
    assert!(!state.can_undo(), "what is shown is no cell operation");
}

#[test]
fn the_selection_is_extended_and_narrowed() {
    let mut state = open(&["py a", "py b", "py c"]);
    apply(
        &mut state,
        &[
            Command::ExtendBelow,
            Command::ExtendBelow,
            Command::ExtendBelow,
        ],
    );
    assert_eq!(shown(&state), ">py a | >py b | *py c");
    apply(&mut state, &[Command::ExtendAbove]);
    assert_eq!(shown(&state), ">py a | *py b | py c");
    apply(&mut state, &[Command::SelectBelow]);
    assert_eq!(shown(&state), "py a | py b | *py c");
    apply(&mut state, &[Command::ExtendFirst]);
    assert_eq!(shown(&state), "*py a | >py b | >py c");
    let middle = state.document().keys()[1];
    state.select_to(middle);
    assert_eq!(shown(&state), "py a | *py b | >py c");
    assert_eq!(state.select(CellKey(99), Mode::Edit), []);
}

#[test]
fn what_is_made_under_a_collapsed_heading_is_seen() {
    for command in [
        Command::InsertBelow,
        Command::PasteBelow,
        Command::RunInsertBelow,
    ] {
        let mut state = sections();
        apply(
            &mut state,
            &[Command::SelectLast, Command::Copy, Command::SelectFirst],
        );
        apply(&mut state, &[Command::CollapseHeading, command]);
        assert_eq!(state.document().index_of(state.active()), Some(1));
        assert_eq!(seen(&state), [0, 1, 2, 3, 4, 5, 6], "{command:?}");
    }
    let mut state = sections();
    let mode = state.mode();
    apply(&mut state, &[Command::CollapseAllHeadings]);
    apply(&mut state, &[Command::SelectLast, Command::InsertAbove]);
    assert_eq!(
        (state.document().index_of(state.active()), state.mode()),
        (Some(4), mode)
    );
    assert_eq!(
        seen(&state),
        [0, 1, 2, 3, 4, 5],
        "the new cell is the last of A.1: that opens, B does not"
    );
    apply(&mut state, &[Command::SelectBelow, Command::RunSelectBelow]);
    assert_eq!(seen(&state), [0, 1, 2, 3, 4, 5, 6, 7], "a cell at the end");
    assert_eq!(state.mode(), Mode::Edit);
}

#[test]
fn a_heading_that_goes_hides_nothing_under_the_one_above() {
    for command in [Command::Delete, Command::ToCode] {
        let mut state = sections();
        apply(&mut state, &[Command::CollapseHeading]);
        apply(&mut state, &[Command::SelectBelow, command]);
        let all: Vec<usize> = (0..state.document().len()).collect();
        assert_eq!(seen(&state), all, "{command:?}");
    }
    let mut state = open(&["md # A\n\nb", "py 1"]);
    apply(&mut state, &[Command::CollapseHeading]);
    let key = state.active();
    state.edit_source(key, "# A\nb");
    state.split(key, &[3]);
    assert_eq!(shown(&state), "md # A | *md b | py 1");
    assert_eq!(seen(&state), [0, 1, 2]);
}

#[test]
fn a_collapsed_section_moves_as_one() {
    let mut state = sections();
    apply(&mut state, &[Command::CollapseAllHeadings]);
    apply(&mut state, &[Command::MoveDown]);
    assert_eq!(
        shown(&state),
        "md # B | py 3 | *md # A | py 1 | md ## A.1 | py 2"
    );
    assert_eq!(seen(&state), [0, 2]);
    assert_eq!(state.apply(Command::MoveDown), [], "it is at the end");
    apply(&mut state, &[Command::MoveUp]);
    assert_eq!(
        shown(&state),
        "*md # A | py 1 | md ## A.1 | py 2 | md # B | py 3"
    );
    assert_eq!(seen(&state), [0, 4]);
    apply(&mut state, &[Command::Undo]);
    assert_eq!(seen(&state), [0, 2]);
}

#[test]
fn a_cell_that_moves_past_a_collapsed_section_is_seen() {
    let mut state = open(&["py x", "md # A", "py 1", "md # B", "py 2"]);
    let heading = state.document().keys()[1];
    state.set_heading_collapsed(heading, true);
    apply(&mut state, &[Command::MoveDown]);
    assert_eq!(shown(&state), "md # A | py 1 | *py x | md # B | py 2");
    assert_eq!(seen(&state), [0, 1, 2, 3, 4]);
    state.set_heading_collapsed(heading, true);
    let key = state.document().keys()[3];
    state.select(key, Mode::Command);
    apply(&mut state, &[Command::MoveUp]);
    assert_eq!(shown(&state), "*md # B | md # A | py 1 | py x | py 2");
    assert_eq!(seen(&state), [0, 1, 2, 3, 4], "what was B's is seen");
}

#[test]
fn what_undo_brings_back_is_seen() {
    let mut state = sections();
    apply(
        &mut state,
        &[Command::SelectBelow, Command::Delete, Command::SelectFirst],
    );
    apply(&mut state, &[Command::CollapseHeading, Command::Undo]);
    assert_eq!(
        shown(&state),
        "md # A | *py 1 | md ## A.1 | py 2 | md # B | py 3"
    );
    assert_eq!(seen(&state), [0, 1, 2, 3, 4, 5]);
}
