//! JupyterLab's keys, one table of them, and the state that two-stroke ones need.

use crate::command::Command;
use crate::notebook::Mode;

/// How long the first stroke of two waits for the second, in milliseconds; JupyterLab's time.
const PATIENCE: f64 = 1000.0;

/// One key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    /// The key as `KeyboardEvent.key` names it, letters in lower case.
    pub key: &'static str,
    /// Control, or Command on a Mac.
    pub ctrl: bool,
    /// With `ctrl`: on a Mac, Control does as well, and is the one to show.
    pub control: bool,
    /// Alt, or Option on a Mac.
    pub alt: bool,
    /// Shift.
    pub shift: bool,
}

/// One way of asking for a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortcut {
    /// The command.
    pub command: Command,
    /// Whether it holds in command mode.
    pub in_command: bool,
    /// Whether it holds in edit mode.
    pub in_edit: bool,
    /// One stroke, or two.
    pub strokes: &'static [Stroke],
}

/// A key press as the browser reports it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Press<'a> {
    /// `KeyboardEvent.key`.
    pub key: &'a str,
    /// `KeyboardEvent.code`, by which letters and digits are found on keyboards that print others
    /// (Cyrillic, Greek, AZERTY's digits). May be empty.
    pub code: &'a str,
    /// `ctrlKey`.
    pub ctrl: bool,
    /// `metaKey`.
    pub meta: bool,
    /// `altKey`.
    pub alt: bool,
    /// `shiftKey`.
    pub shift: bool,
}

/// What a press means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Do this; the browser is not to.
    Command(Command),
    /// The first stroke of two.
    Pending,
    /// Not ours: leave it to the browser or the editor.
    None,
}

/// The state between strokes.
#[derive(Debug, Clone)]
pub struct Keys {
    mac: bool,
    /// The first stroke of two, and when it came.
    pending: Option<(Stroke, f64)>,
}

const fn key(key: &'static str) -> Stroke {
    Stroke {
        key,
        ctrl: false,
        control: false,
        alt: false,
        shift: false,
    }
}

const fn shift(name: &'static str) -> Stroke {
    Stroke {
        shift: true,
        ..key(name)
    }
}

const fn ctrl(name: &'static str) -> Stroke {
    Stroke {
        ctrl: true,
        ..key(name)
    }
}

const fn alt(name: &'static str) -> Stroke {
    Stroke {
        alt: true,
        ..key(name)
    }
}

const fn ctrl_shift(name: &'static str) -> Stroke {
    Stroke {
        ctrl: true,
        ..shift(name)
    }
}

/// What JupyterLab has on Control on every machine: with Command a Mac's browser takes some of it.
const fn control(name: &'static str) -> Stroke {
    Stroke {
        control: true,
        ..ctrl(name)
    }
}

const fn control_shift(name: &'static str) -> Stroke {
    Stroke {
        control: true,
        ..ctrl_shift(name)
    }
}

const fn ctrl_alt(name: &'static str) -> Stroke {
    Stroke {
        alt: true,
        ..ctrl(name)
    }
}

const fn both(command: Command, strokes: &'static [Stroke]) -> Shortcut {
    Shortcut {
        command,
        in_command: true,
        in_edit: true,
        strokes,
    }
}

const fn cmd(command: Command, strokes: &'static [Stroke]) -> Shortcut {
    Shortcut {
        in_edit: false,
        ..both(command, strokes)
    }
}

const fn edit(command: Command, strokes: &'static [Stroke]) -> Shortcut {
    Shortcut {
        in_command: false,
        ..both(command, strokes)
    }
}

/// The table. A command's first line is the one to show.
pub const SHORTCUTS: &[Shortcut] = &[
    both(Command::RunSelectBelow, &[shift("enter")]),
    both(Command::RunStay, &[control("enter")]),
    both(Command::RunInsertBelow, &[alt("enter")]),
    cmd(Command::EnterEdit, &[key("enter")]),
    edit(Command::LeaveEdit, &[key("escape")]),
    cmd(Command::InsertAbove, &[key("a")]),
    cmd(Command::InsertBelow, &[key("b")]),
    cmd(Command::Delete, &[key("d"), key("d")]),
    cmd(Command::Cut, &[key("x")]),
    cmd(Command::Copy, &[key("c")]),
    cmd(Command::PasteBelow, &[key("v")]),
    cmd(Command::PasteAbove, &[shift("v")]),
    cmd(Command::Undo, &[key("z")]),
    cmd(Command::Redo, &[shift("z")]),
    cmd(Command::Merge, &[shift("m")]),
    cmd(Command::MergeAbove, &[control("backspace")]),
    cmd(Command::MergeBelow, &[control_shift("m")]),
    cmd(Command::MoveUp, &[control_shift("arrowup")]),
    cmd(Command::MoveDown, &[control_shift("arrowdown")]),
    cmd(Command::ToCode, &[key("y")]),
    cmd(Command::ToKql, &[key("q")]),
    cmd(Command::ToMarkdown, &[key("m")]),
    cmd(Command::ToRaw, &[key("r")]),
    cmd(Command::Heading1, &[key("1")]),
    cmd(Command::Heading2, &[key("2")]),
    cmd(Command::Heading3, &[key("3")]),
    cmd(Command::Heading4, &[key("4")]),
    cmd(Command::Heading5, &[key("5")]),
    cmd(Command::Heading6, &[key("6")]),
    cmd(Command::SelectAbove, &[key("k")]),
    cmd(Command::SelectAbove, &[key("arrowup")]),
    cmd(Command::SelectBelow, &[key("j")]),
    cmd(Command::SelectBelow, &[key("arrowdown")]),
    cmd(Command::SelectFirst, &[key("home")]),
    cmd(Command::SelectLast, &[key("end")]),
    cmd(Command::ExtendAbove, &[shift("k")]),
    cmd(Command::ExtendAbove, &[shift("arrowup")]),
    cmd(Command::ExtendBelow, &[shift("j")]),
    cmd(Command::ExtendBelow, &[shift("arrowdown")]),
    cmd(Command::ExtendFirst, &[shift("home")]),
    cmd(Command::ExtendLast, &[shift("end")]),
    cmd(Command::SelectAll, &[ctrl("a")]),
    edit(Command::Complete, &[key("tab")]),
    both(Command::Tooltip, &[shift("tab")]),
    edit(Command::Split, &[control_shift("-")]),
    both(Command::Find, &[ctrl("f")]),
    both(Command::FindReplace, &[ctrl("h")]),
    both(Command::FindReplace, &[ctrl_alt("f")]),
    cmd(Command::CollapseHeading, &[key("arrowleft")]),
    cmd(Command::ExpandHeading, &[key("arrowright")]),
    cmd(Command::CollapseAllHeadings, &[control_shift("arrowleft")]),
    cmd(Command::ExpandAllHeadings, &[control_shift("arrowright")]),
    cmd(Command::ToggleOutputs, &[key("o")]),
    cmd(Command::ToggleLineNumbers, &[key("l")]),
    cmd(Command::ToggleAllLineNumbers, &[shift("l")]),
    cmd(Command::Interrupt, &[key("i"), key("i")]),
    cmd(Command::Restart, &[key("0"), key("0")]),
    both(Command::Save, &[ctrl("s")]),
    both(Command::ToggleFiles, &[ctrl_shift("f")]),
    both(Command::Palette, &[ctrl_shift("c")]),
    cmd(Command::Help, &[key("h")]),
];

pub(crate) fn shortcuts(command: Command) -> impl Iterator<Item = &'static Shortcut> {
    SHORTCUTS.iter().filter(move |one| one.command == command)
}

impl Shortcut {
    fn holds_in(&self, mode: Mode) -> bool {
        match mode {
            Mode::Command => self.in_command,
            Mode::Edit => self.in_edit,
        }
    }

    /// As people read it: `Ctrl+Shift+C`, `D D`; on a Mac `⇧⌘C`.
    pub fn label(&self, mac: bool) -> String {
        let strokes: Vec<String> = self.strokes.iter().map(|one| one.label(mac)).collect();
        strokes.join(" ")
    }
}

impl Stroke {
    /// As people read it.
    pub fn label(&self, mac: bool) -> String {
        let modifiers = if mac {
            [
                (self.control, "⌃"),
                (self.alt, "⌥"),
                (self.shift, "⇧"),
                (self.ctrl && !self.control, "⌘"),
            ]
        } else {
            [
                (self.ctrl, "Ctrl+"),
                (self.alt, "Alt+"),
                (self.shift, "Shift+"),
                (false, ""),
            ]
        };
        let held = modifiers.iter().filter(|(held, _)| *held);
        held.map(|(_, name)| *name).collect::<String>() + &key_label(self.key)
    }
}

fn key_label(key: &str) -> String {
    match key {
        "enter" => "Enter".into(),
        "escape" => "Esc".into(),
        "backspace" => "Backspace".into(),
        "tab" => "Tab".into(),
        "home" => "Home".into(),
        "end" => "End".into(),
        "arrowup" => "Up".into(),
        "arrowdown" => "Down".into(),
        "arrowleft" => "Left".into(),
        "arrowright" => "Right".into(),
        other => other.to_uppercase(),
    }
}

impl Keys {
    /// For a Mac, where Command takes Control's part, or for another machine.
    pub fn new(mac: bool) -> Self {
        Self { mac, pending: None }
    }

    /// What a press means in `mode`, at `now` milliseconds of any clock that does not go back.
    pub fn press(&mut self, mode: Mode, press: &Press<'_>, now: f64) -> Meaning {
        if is_modifier(press.key) {
            return Meaning::None;
        }
        let first = self.pending.take();
        let Some(names) = self.names(press) else {
            return Meaning::None;
        };
        let first = first.filter(|(_, at)| now - at <= PATIENCE);
        let second = first.and_then(|(first, _)| {
            find(
                mode,
                |strokes| matches!(strokes, [one, two] if *one == first && names.fit(two)),
            )
        });
        if let Some(shortcut) = second {
            return Meaning::Command(shortcut.command);
        }
        if let Some(shortcut) = find(mode, |s| matches!(s, [one] if names.fit(one))) {
            return Meaning::Command(shortcut.command);
        }
        match find(mode, |s| matches!(s, [one, _] if names.fit(one))) {
            Some(shortcut) => {
                self.pending = Some((shortcut.strokes[0], now));
                Meaning::Pending
            }
            None => Meaning::None,
        }
    }

    /// Forgets a first stroke, as when the focus leaves the notebook.
    pub fn reset(&mut self) {
        self.pending = None;
    }

    /// `None` for presses with the modifier that the machine does not use for shortcuts.
    fn names<'a>(&self, press: &Press<'a>) -> Option<Names<'a>> {
        let ctrl = if self.mac { press.meta } else { press.ctrl };
        let control = self.mac && press.ctrl && !press.meta;
        (ctrl || control || !press.meta).then_some(Names {
            press: *press,
            ctrl,
            control,
        })
    }
}

fn find(mode: Mode, fits: impl Fn(&[Stroke]) -> bool) -> Option<&'static Shortcut> {
    let mut all = SHORTCUTS.iter();
    all.find(|one| one.holds_in(mode) && fits(one.strokes))
}

fn is_modifier(key: &str) -> bool {
    matches!(
        key,
        "Shift" | "Control" | "Alt" | "Meta" | "AltGraph" | "CapsLock"
    )
}

/// A press, to be held against strokes.
struct Names<'a> {
    press: Press<'a>,
    ctrl: bool,
    /// Control on a Mac, without Command.
    control: bool,
}

impl Names<'_> {
    fn fit(&self, stroke: &Stroke) -> bool {
        let press = &self.press;
        let ctrl = self.ctrl || self.control;
        (ctrl, press.alt, press.shift) == (stroke.ctrl, stroke.alt, stroke.shift)
            && (!self.control || stroke.control)
            && self.is_key(stroke.key)
    }

    fn is_key(&self, name: &str) -> bool {
        let key = self.press.key;
        if key.eq_ignore_ascii_case(name) || (name == "-" && key == "_") {
            return true;
        }
        // With Alt, a Mac's letters print others; elsewhere the keyboard may have none of ours.
        let printed = key.len() == 1 && key.as_bytes()[0].is_ascii_alphanumeric();
        !printed
            && self
                .printed_by_code()
                .is_some_and(|by_code| by_code == name)
    }

    /// The letter or digit that an American keyboard has in the key's place.
    fn printed_by_code(&self) -> Option<String> {
        let code = self.press.code;
        let printed = code
            .strip_prefix("Key")
            .or_else(|| code.strip_prefix("Digit"))?;
        Some(printed.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests;
