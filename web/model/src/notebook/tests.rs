#![allow(clippy::unwrap_used)]
mod cells;
mod outputs;
mod running;
mod view;

use super::*;
use spoor_notebook::Notebook;

/// A notebook of cells such as `md # A`, `kql T`, `raw x`, `py x`; `\n` parts lines.
fn open(cells: &[&str]) -> NotebookState {
    let mut notebook = Notebook::new();
    notebook.cells = cells.iter().map(|text| cell(text)).collect();
    NotebookState::new(Document::from_notebook(notebook, 1))
}

fn cell(text: &str) -> Cell {
    let (kind, source) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "md" => Cell::markdown(source),
        "kql" => Cell::code(format!("%%kql\n{source}")),
        "py" => Cell::code(source),
        "raw" => Cell {
            kind: spoor_notebook::CellKind::Raw,
            ..Cell::markdown(source)
        },
        other => panic!("no kind: {other}"),
    }
}

/// The cells as `open` takes them, one a line: the selected ones after `>`, the active one after `*`.
fn shown(state: &NotebookState) -> String {
    let line = |key: &CellKey| {
        let mark = match *key {
            key if key == state.active() => "*",
            key if state.selected().contains(&key) => ">",
            _ => "",
        };
        let source = state.document().source(*key);
        let (kind, source) = match state.document().kind(*key) {
            Kind::Markdown => ("md", source),
            Kind::Kql => ("kql", source.strip_prefix("%%kql\n").unwrap_or(source)),
            Kind::Raw => ("raw", source),
            _ => ("py", source),
        };
        format!("{mark}{kind} {}", source.replace('\n', "\\n"))
            .trim_end()
            .to_owned()
    };
    let lines: Vec<String> = state.document().keys().iter().map(line).collect();
    lines.join(" | ")
}

fn apply(state: &mut NotebookState, commands: &[Command]) {
    for command in commands {
        let before = state.clone();
        let changes = state.apply(*command);
        check_patch(&before, state, &changes);
    }
}

/// A page that does what the changes say must show what the state holds.
fn check_patch(before: &NotebookState, after: &NotebookState, changes: &[Change]) {
    let mut keys = before.document().keys().to_vec();
    let mut drawn: std::collections::HashMap<CellKey, (Kind, String)> = keys
        .iter()
        .map(|key| {
            (
                *key,
                (
                    before.document().kind(*key),
                    before.document().source(*key).to_owned(),
                ),
            )
        })
        .collect();
    let now = |key: CellKey| {
        (
            after.document().kind(key),
            after.document().source(key).to_owned(),
        )
    };
    for change in changes {
        match change {
            Change::CellInserted { key, index } => {
                keys.insert(*index, *key);
                drawn.insert(*key, now(*key));
            }
            Change::CellRemoved { key } => keys.retain(|other| other != key),
            Change::CellMoved { key, index } => {
                keys.retain(|other| other != key);
                keys.insert(*index, *key);
            }
            Change::SourceSet { key } => drawn.get_mut(key).unwrap().1 = now(*key).1,
            Change::KindChanged { key, kind } => drawn.get_mut(key).unwrap().0 = *kind,
            _ => {}
        }
    }
    assert_eq!(keys, after.document().keys(), "{changes:?}");
    for key in keys {
        assert_eq!(drawn[&key], now(key), "{key:?} after {changes:?}");
    }
    let told = |wanted: &dyn Fn(&Change) -> bool| changes.iter().any(wanted);
    let selected = told(&|change| *change == Change::SelectionChanged);
    assert_eq!(
        selected,
        before.selection() != after.selection(),
        "{changes:?}"
    );
    let mode = told(&|change| matches!(change, Change::ModeChanged(_)));
    assert_eq!(mode, before.mode() != after.mode(), "{changes:?}");
}

fn effects(changes: Vec<Change>) -> Vec<Effect> {
    let effect = |change| match change {
        Change::Effect(effect) => Some(effect),
        _ => None,
    };
    changes.into_iter().filter_map(effect).collect()
}

#[test]
fn an_empty_document_gets_a_cell_without_being_changed() {
    let state = open(&[]);
    assert_eq!(shown(&state), "*py");
    assert!(!state.is_dirty());
}

#[test]
fn typing_is_recorded_and_does_not_fill_the_history() {
    let mut state = open(&["py x", "md a"]);
    let key = state.active();
    assert_eq!(state.edit_source(key, "xy"), [Change::DirtyChanged(true)]);
    assert_eq!(state.edit_source(key, "xyz"), []);
    assert_eq!(state.edit_source(key, "xyz"), []);
    assert!(!state.can_undo());
    assert_eq!(state.document().source(key), "xyz");
    assert_eq!(state.edit_source(CellKey(99), "?"), []);
}

#[test]
fn typing_the_magic_makes_a_cell_kql() {
    let mut state = open(&["py "]);
    let key = state.active();
    assert!(
        !state
            .edit_source(key, "%%kq")
            .contains(&Change::KindChanged {
                key,
                kind: Kind::Kql
            })
    );
    assert_eq!(
        state.edit_source(key, "%%kql"),
        [Change::KindChanged {
            key,
            kind: Kind::Kql
        }]
    );
    assert_eq!(
        state.edit_source(key, "%%kqlx"),
        [Change::KindChanged {
            key,
            kind: Kind::Code
        }]
    );
}

#[test]
fn typing_a_heading_changes_the_outline() {
    let mut state = open(&["md text"]);
    let key = state.active();
    let changes = state.edit_source(key, "# text");
    assert_eq!(
        changes,
        [Change::HeadingsChanged { key }, Change::DirtyChanged(true)]
    );
    assert_eq!(state.edit_source(key, "# text\n\nmore"), []);
}

#[test]
fn a_save_is_of_the_revision_that_was_written() {
    let mut state = open(&["py x"]);
    let key = state.active();
    state.edit_source(key, "1");
    let written = state.revision();
    state.edit_source(key, "2");
    assert_eq!(state.saved(written), []);
    assert!(
        state.is_dirty(),
        "what was typed during the write is not saved"
    );
    assert_eq!(state.saved(state.revision()), [Change::DirtyChanged(false)]);
}

#[test]
fn metadata_and_trust_tell_of_themselves() {
    let mut state = open(&["py x"]);
    let title = Some(Value::from("Hunt"));
    let changes = state.set_metadata("title", title.clone());
    assert_eq!(
        changes,
        [Change::MetadataChanged, Change::DirtyChanged(true)]
    );
    assert_eq!(state.set_metadata("title", title), []);
    assert_eq!(state.set_metadata("title", None), [Change::MetadataChanged]);
    assert_eq!(state.set_trusted(true), [Change::MetadataChanged]);
    assert_eq!(state.set_trusted(true), []);
}

#[test]
fn what_is_the_pages_own_comes_back_as_an_effect() {
    let mut state = open(&["py x"]);
    for command in [
        Command::Save,
        Command::Find,
        Command::Interrupt,
        Command::Palette,
        Command::ToggleTheme,
    ] {
        assert_eq!(
            state.apply(command),
            [Change::Effect(Effect::Page(command))]
        );
    }
    let key = state.active();
    assert_eq!(
        state.apply(Command::Split),
        [Change::Effect(Effect::SplitAtCursor(key))]
    );
}

#[test]
fn replacing_texts_is_one_step() {
    let mut state = open(&["py a", "md a"]);
    let texts = state
        .document()
        .keys()
        .iter()
        .map(|key| (*key, "b".to_owned()))
        .collect();
    state.replace_sources(texts);
    assert_eq!(shown(&state), "*py b | md b");
    apply(&mut state, &[Command::Undo]);
    assert_eq!(shown(&state), "*py a | md a");
    assert!(!state.can_undo());
}

/// Whatever is done in whatever order: the page can follow, all of it can be taken back, and brought
/// again.
#[test]
fn any_commands_can_be_undone_and_redone() {
    let mut random = 1_u64;
    for _ in 0..40 {
        let mut state = open(&["md # A", "kql T", "py x\\ny", "md ## B", "raw r", "py z"]);
        let first = texts(&state);
        for _ in 0..25 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % Command::ALL.len();
            let command = Command::ALL[at];
            if !matches!(command, Command::Undo | Command::Redo) {
                apply(&mut state, &[command]);
            }
        }
        let last = texts(&state);
        while state.can_undo() {
            apply(&mut state, &[Command::Undo]);
        }
        assert_eq!(texts(&state), first);
        while state.can_redo() {
            apply(&mut state, &[Command::Redo]);
        }
        assert_eq!(texts(&state), last);
    }
}

/// Ids, types and texts.
fn texts(state: &NotebookState) -> Vec<(CellKey, String, Kind, String)> {
    let document = state.document();
    let of = |key: &CellKey| {
        (
            *key,
            document.id(*key).to_owned(),
            document.kind(*key),
            document.source(*key).to_owned(),
        )
    };
    document.keys().iter().map(of).collect()
}

#[test]
fn a_key_in_a_long_notebook_changes_one_thing() {
    let cells: Vec<String> = (0..5000).map(|n| format!("md # {n}")).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let mut state = open(&cells);
    let middle = state.document().keys()[2500];
    state.select(middle, Mode::Command);
    assert_eq!(state.edit_source(middle, "# 2500\ntext").len(), 1);
    assert_eq!(
        state.apply(Command::SelectBelow),
        [Change::SelectionChanged]
    );
    assert_eq!(state.apply(Command::MoveUp).len(), 1);
    assert_eq!(state.apply(Command::InsertAbove).len(), 2);
    assert_eq!(state.apply(Command::Delete).len(), 2);
}
