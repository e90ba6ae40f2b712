use super::*;

fn keys(state: &NotebookState, indices: &[usize]) -> Vec<CellKey> {
    indices
        .iter()
        .map(|at| state.document().keys()[*at])
        .collect()
}

#[test]
fn run_and_select_below_goes_on_and_ends_in_a_new_cell() {
    let mut state = open(&["py a", "md b", "kql T"]);
    let [a, _, t] = keys(&state, &[0, 1, 2])[..] else {
        panic!("three cells");
    };
    assert_eq!(
        effects(state.apply(Command::RunSelectBelow)),
        [Effect::Run(vec![a])]
    );
    state.apply(Command::EnterEdit);
    assert!(!state.is_rendered(state.active()));
    let changes = state.apply(Command::RunSelectBelow);
    let rendered = Change::RenderedChanged {
        key: state.document().keys()[1],
        rendered: true,
    };
    assert!(changes.contains(&rendered), "{changes:?}");
    assert_eq!(effects(changes), [], "Markdown is not for the kernel");
    assert_eq!(state.mode(), Mode::Command);
    assert_eq!(
        effects(state.apply(Command::RunSelectBelow)),
        [Effect::Run(vec![t])]
    );
    assert_eq!(shown(&state), "py a | md b | kql T | *kql");
    assert_eq!(state.mode(), Mode::Edit);
    state.apply(Command::Undo);
    assert_eq!(shown(&state), "py a | md b | *kql T");
}

#[test]
fn run_and_stay_and_run_and_insert() {
    let mut state = open(&["py a", "py b"]);
    let all = keys(&state, &[0, 1]);
    state.apply(Command::EnterEdit);
    assert_eq!(
        effects(state.apply(Command::RunStay)),
        [Effect::Run(vec![all[0]])]
    );
    assert_eq!(
        (shown(&state).as_str(), state.mode()),
        ("*py a | py b", Mode::Command)
    );
    assert_eq!(
        effects(state.apply(Command::RunInsertBelow)),
        [Effect::Run(vec![all[0]])]
    );
    assert_eq!(
        (shown(&state).as_str(), state.mode()),
        ("py a | *py | py b", Mode::Edit)
    );
    state.apply(Command::SelectAll);
    let run = effects(state.apply(Command::RunStay));
    assert_eq!(run, [Effect::Run(keys(&state, &[0, 1, 2]))]);
}

#[test]
fn run_all_above_and_below() {
    let mut state = open(&["py a", "md m", "kql T", "raw r", "py b"]);
    let third = state.document().keys()[2];
    state.select(third, Mode::Command);
    let run = |state: &mut NotebookState, command| effects(state.apply(command));
    assert_eq!(
        run(&mut state, Command::RunAll),
        [Effect::Run(keys(&state.clone(), &[0, 2, 4]))]
    );
    assert_eq!(
        run(&mut state, Command::RunAbove),
        [Effect::Run(keys(&state.clone(), &[0]))]
    );
    assert_eq!(
        run(&mut state, Command::RunBelow),
        [Effect::Run(keys(&state.clone(), &[2, 4]))]
    );
    let restart = Effect::RestartThenRun(keys(&state, &[0, 2, 4]));
    assert_eq!(run(&mut state, Command::RestartRunAll), [restart]);
    assert_eq!(run(&mut state, Command::RunStale), [Effect::RunStale]);
    state.apply(Command::SelectFirst);
    assert_eq!(run(&mut state, Command::RunAbove), [], "nothing is above");
}

#[test]
fn edit_mode_shows_the_source_of_markdown_and_leaving_does_not_render() {
    let mut state = open(&["md a", "py b"]);
    apply(&mut state, &[Command::EnterEdit]);
    assert_eq!(
        (state.mode(), state.is_rendered(state.active())),
        (Mode::Edit, false)
    );
    apply(&mut state, &[Command::LeaveEdit]);
    assert_eq!(
        (state.mode(), state.is_rendered(state.active())),
        (Mode::Command, false)
    );
    apply(&mut state, &[Command::RenderAllMarkdown]);
    assert!(state.is_rendered(state.active()));
    let second = state.document().keys()[1];
    let changes = state.select(second, Mode::Edit);
    assert_eq!(
        changes,
        [Change::SelectionChanged, Change::ModeChanged(Mode::Edit)]
    );
}

#[test]
fn empty_markdown_opens_as_source() {
    let state = open(&["md  ", "md x"]);
    let [empty, full] = keys(&state, &[0, 1])[..] else {
        panic!("two cells");
    };
    assert!(!state.is_rendered(empty) && state.is_rendered(full));
}
