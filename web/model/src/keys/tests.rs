use super::*;

const NO: Press<'static> = Press {
    key: "",
    code: "",
    ctrl: false,
    meta: false,
    alt: false,
    shift: false,
};

/// A press from `Ctrl+Shift+-` and the like.
fn press(text: &'static str) -> Press<'static> {
    let mut press = NO;
    let mut rest = text;
    while let Some((modifier, more)) = rest.split_once('+').filter(|(_, more)| !more.is_empty()) {
        match modifier {
            "Ctrl" => press.ctrl = true,
            "Meta" => press.meta = true,
            "Alt" => press.alt = true,
            "Shift" => press.shift = true,
            _ => panic!("no modifier: {modifier}"),
        }
        rest = more;
    }
    press.key = rest;
    press
}

fn once(mode: Mode, text: &'static str) -> Meaning {
    Keys::new(false).press(mode, &press(text), 0.0)
}

#[test]
fn jupyterlabs_keys_in_command_mode() {
    let cases = [
        ("Enter", Command::EnterEdit),
        ("Shift+Enter", Command::RunSelectBelow),
        ("Ctrl+Enter", Command::RunStay),
        ("Alt+Enter", Command::RunInsertBelow),
        ("a", Command::InsertAbove),
        ("b", Command::InsertBelow),
        ("x", Command::Cut),
        ("c", Command::Copy),
        ("v", Command::PasteBelow),
        ("z", Command::Undo),
        ("Shift+Z", Command::Redo),
        ("y", Command::ToCode),
        ("m", Command::ToMarkdown),
        ("r", Command::ToRaw),
        ("1", Command::Heading1),
        ("6", Command::Heading6),
        ("j", Command::SelectBelow),
        ("ArrowDown", Command::SelectBelow),
        ("k", Command::SelectAbove),
        ("ArrowUp", Command::SelectAbove),
        ("Shift+J", Command::ExtendBelow),
        ("Shift+ArrowUp", Command::ExtendAbove),
        ("Shift+M", Command::Merge),
        ("Ctrl+Shift+ArrowUp", Command::MoveUp),
        ("Ctrl+Shift+ArrowDown", Command::MoveDown),
        ("ArrowLeft", Command::CollapseHeading),
        ("ArrowRight", Command::ExpandHeading),
        ("l", Command::ToggleLineNumbers),
        ("Shift+L", Command::ToggleAllLineNumbers),
        ("Shift+Tab", Command::Tooltip),
        ("Ctrl+s", Command::Save),
        ("Ctrl+f", Command::Find),
        ("Ctrl+Shift+C", Command::Palette),
        ("h", Command::Help),
        ("Ctrl+a", Command::SelectAll),
    ];
    for (text, command) in cases {
        assert_eq!(
            once(Mode::Command, text),
            Meaning::Command(command),
            "{text}"
        );
    }
}

#[test]
fn edit_mode_leaves_letters_to_the_editor() {
    for text in [
        "a",
        "d",
        "0",
        "Enter",
        "ArrowUp",
        "Shift+M",
        "Ctrl+a",
        "Ctrl+z",
        "Ctrl+Backspace",
    ] {
        assert_eq!(once(Mode::Edit, text), Meaning::None, "{text}");
    }
    let cases = [
        ("Escape", Command::LeaveEdit),
        ("Tab", Command::Complete),
        ("Shift+Tab", Command::Tooltip),
        ("Ctrl+Shift+-", Command::Split),
        ("Ctrl+Shift+_", Command::Split),
        ("Ctrl+Enter", Command::RunStay),
        ("Ctrl+s", Command::Save),
    ];
    for (text, command) in cases {
        assert_eq!(once(Mode::Edit, text), Meaning::Command(command), "{text}");
    }
    assert_eq!(
        once(Mode::Command, "Tab"),
        Meaning::None,
        "Tab moves the focus in command mode"
    );
}

#[test]
fn two_strokes_must_be_the_same_and_soon() {
    let mut keys = Keys::new(false);
    let mut at = |text, now| keys.press(Mode::Command, &press(text), now);
    assert_eq!(at("d", 0.0), Meaning::Pending);
    assert_eq!(at("d", 900.0), Meaning::Command(Command::Delete));
    assert_eq!(at("d", 1000.0), Meaning::Pending);
    assert_eq!(at("i", 1100.0), Meaning::Pending);
    assert_eq!(at("i", 1200.0), Meaning::Command(Command::Interrupt));
    assert_eq!(at("0", 2000.0), Meaning::Pending);
    assert_eq!(
        at("0", 3500.0),
        Meaning::Pending,
        "too late: a first stroke again"
    );
    assert_eq!(at("0", 3600.0), Meaning::Command(Command::Restart));
    assert_eq!(at("d", 4000.0), Meaning::Pending);
    assert_eq!(at("j", 4100.0), Meaning::Command(Command::SelectBelow));
    assert_eq!(
        at("d", 4200.0),
        Meaning::Pending,
        "another key came between"
    );
    assert_eq!(at("Shift", 4250.0), Meaning::None);
    assert_eq!(
        at("d", 4300.0),
        Meaning::Command(Command::Delete),
        "modifiers do not part strokes"
    );
}

#[test]
fn a_first_stroke_is_forgotten_when_the_focus_leaves() {
    let mut keys = Keys::new(false);
    keys.press(Mode::Command, &press("d"), 0.0);
    keys.reset();
    assert_eq!(
        keys.press(Mode::Command, &press("d"), 1.0),
        Meaning::Pending
    );
}

#[test]
fn a_mac_uses_command() {
    let mut keys = Keys::new(true);
    let mut at = |text| keys.press(Mode::Command, &press(text), 0.0);
    assert_eq!(at("Meta+s"), Meaning::Command(Command::Save));
    assert_eq!(at("Meta+Shift+c"), Meaning::Command(Command::Palette));
    assert_eq!(at("Ctrl+s"), Meaning::None);
    assert_eq!(at("Ctrl+a"), Meaning::None);
    assert_eq!(at("Ctrl+Shift+c"), Meaning::None);
    assert_eq!(at("Ctrl+f"), Meaning::None);
    for held in ["Ctrl+", "Meta+"] {
        let cases = [
            ("Enter", Command::RunStay),
            ("Shift+ArrowUp", Command::MoveUp),
            ("Shift+ArrowDown", Command::MoveDown),
            ("Shift+ArrowLeft", Command::CollapseAllHeadings),
            ("Shift+m", Command::MergeBelow),
            ("Backspace", Command::MergeAbove),
        ];
        for (keys, command) in cases {
            let text: &'static str = format!("{held}{keys}").leak();
            assert_eq!(at(text), Meaning::Command(command), "{text}");
        }
    }
    let split = |text| Keys::new(true).press(Mode::Edit, &press(text), 0.0);
    assert_eq!(split("Ctrl+Shift+_"), Meaning::Command(Command::Split));
    assert_eq!(
        once(Mode::Command, "Meta+s"),
        Meaning::None,
        "Windows' own key is the system's"
    );
    assert_eq!(once(Mode::Command, "Meta+a"), Meaning::None);
}

#[test]
fn keyboards_of_other_scripts_are_read_by_place() {
    let other = |key, code| Keys::new(false).press(Mode::Command, &Press { key, code, ..NO }, 0.0);
    assert_eq!(other("о", "KeyJ"), Meaning::Command(Command::SelectBelow));
    assert_eq!(other("&", "Digit1"), Meaning::Command(Command::Heading1));
    assert_eq!(
        other("a", "KeyQ"),
        Meaning::Command(Command::InsertAbove),
        "AZERTY prints a: it is a"
    );
    assert_eq!(other("?", "Slash"), Meaning::None);
    let shifted = Press {
        key: "!",
        code: "Digit1",
        shift: true,
        ..NO
    };
    assert_eq!(
        Keys::new(false).press(Mode::Command, &shifted, 0.0),
        Meaning::None
    );
}

#[test]
fn no_keys_mean_two_commands() {
    for mode in [Mode::Command, Mode::Edit] {
        let mine: Vec<_> = SHORTCUTS.iter().filter(|one| one.holds_in(mode)).collect();
        let strokes = |one: &Shortcut, length: usize| -> Vec<Stroke> {
            let plain = |stroke: &Stroke| Stroke {
                control: false,
                ..*stroke
            };
            one.strokes[..length].iter().map(plain).collect()
        };
        for (nth, one) in mine.iter().enumerate() {
            for other in &mine[nth + 1..] {
                let shorter = one.strokes.len().min(other.strokes.len());
                assert_ne!(
                    strokes(one, shorter),
                    strokes(other, shorter),
                    "{one:?} {other:?}"
                );
            }
        }
    }
}
