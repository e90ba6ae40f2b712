use serde_json::json;

use super::*;

fn stream(text: &str) -> Value {
    json!({ "output_type": "stream", "name": "stdout", "text": [text] })
}

fn message(
    state: &NotebookState,
    from: usize,
    outputs: Vec<Value>,
    count: Option<i64>,
) -> OutputsMessage {
    let cell = state.document().id(state.active());
    serde_json::from_value(json!({
        "type": "outputs", "cell": cell, "from": from, "outputs": outputs, "execution_count": count,
    }))
    .unwrap()
}

fn texts(state: &NotebookState) -> Vec<String> {
    let outputs = state.document().outputs(state.active()).iter();
    outputs
        .map(|output| crate::find::output_text(output).unwrap())
        .collect()
}

#[test]
fn outputs_arrive_from_where_they_changed() {
    let mut state = open(&["py a"]);
    let key = state.active();
    let first = message(&state, 0, vec![stream("1"), stream("2")], Some(1));
    let changes = state.apply_outputs(first).unwrap();
    let expected = [
        Change::OutputsSet { key, from: 0 },
        Change::CountSet { key },
        Change::DirtyChanged(true),
    ];
    assert_eq!(changes, expected);
    let more = message(&state, 1, vec![stream("23"), stream("4")], Some(1));
    assert_eq!(
        state.apply_outputs(more).unwrap(),
        [Change::OutputsSet { key, from: 1 }]
    );
    assert_eq!(texts(&state), ["1", "23", "4"]);
    let cleared = message(&state, 0, vec![], Some(1));
    assert_eq!(
        state.apply_outputs(cleared).unwrap(),
        [Change::OutputsSet { key, from: 0 }]
    );
    assert!(state.document().outputs(key).is_empty());
}

#[test]
fn a_message_of_the_count_alone_changes_the_count_alone() {
    let mut state = open(&["py a"]);
    let key = state.active();
    let count = message(&state, usize::MAX, vec![], Some(7));
    assert!(
        !state
            .apply_outputs(count)
            .unwrap()
            .contains(&Change::OutputsSet { key, from: 0 })
    );
    assert_eq!(state.document().execution_count(key), Some(7));
}

#[test]
fn what_is_past_the_end_comes_at_the_end() {
    let mut state = open(&["py a"]);
    let message = message(&state, 9, vec![stream("x")], None);
    state.apply_outputs(message).unwrap();
    assert_eq!(texts(&state), ["x"]);
}

#[test]
fn messages_for_cells_that_are_gone_or_text_change_nothing() {
    let mut state = open(&["md a"]);
    let for_text = message(&state, 0, vec![stream("x")], Some(1));
    assert_eq!(state.apply_outputs(for_text.clone()).unwrap(), []);
    let gone = OutputsMessage {
        cell: "no such cell".into(),
        ..for_text
    };
    assert_eq!(state.apply_outputs(gone).unwrap(), []);
}

#[test]
fn an_output_that_is_none_is_refused_and_nothing_changes() {
    let mut state = open(&["py a"]);
    let good = message(&state, 0, vec![stream("1")], Some(1));
    state.apply_outputs(good).unwrap();
    let bad = message(
        &state,
        0,
        vec![json!({ "output_type": "stream", "text": 3 })],
        Some(2),
    );
    let error = state.apply_outputs(bad).unwrap_err().to_string();
    assert!(error.starts_with("output.text: expected"), "{error}");
    assert_eq!(texts(&state), ["1"]);
    assert_eq!(state.document().execution_count(state.active()), Some(1));
}

#[test]
fn clearing_outputs_can_be_taken_back() {
    let mut state = open(&["py a", "py b"]);
    let outputs = message(&state, 0, vec![stream("1")], Some(1));
    state.apply_outputs(outputs).unwrap();
    let key = state.active();
    state.apply(Command::ClearAllOutputs);
    assert_eq!(state.document().execution_count(key), None);
    assert!(state.document().outputs(key).is_empty());
    assert_eq!(
        state.apply(Command::ClearOutputs),
        [],
        "there is nothing to clear"
    );
    state.apply(Command::Undo);
    assert_eq!(texts(&state), ["1"]);
    assert_eq!(state.document().execution_count(key), Some(1));
    let effect = Effect::Page(Command::Restart);
    assert_eq!(effects(state.apply(Command::RestartClear)), [effect]);
    assert!(state.document().outputs(key).is_empty());
}
