//! The bar of tools: the commands that are used most, for those who use the mouse.

use std::rc::Rc;

use spoor_messages::State;
use spoor_model::{Command, Kind};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlButtonElement, HtmlElement, HtmlSelectElement};

use super::{Screen, is_mac};
use crate::dom::{self, button, el};
use crate::icon::{Icon, icon};
use crate::session::Health;
use crate::workspaces::Chooser;

/// The tools, group by group.
const GROUPS: [&[(Command, Icon)]; 5] = [
    &[(Command::Save, Icon::Save)],
    &[
        (Command::InsertBelow, Icon::Add),
        (Command::MoveUp, Icon::Up),
        (Command::MoveDown, Icon::Down),
        (Command::Delete, Icon::Delete),
    ],
    &[
        (Command::RunSelectBelow, Icon::Run),
        (Command::Interrupt, Icon::Stop),
        (Command::Restart, Icon::Restart),
        (Command::RunAll, Icon::RunAll),
    ],
    &[
        (Command::ToggleOutline, Icon::Outline),
        (Command::ToggleFiles, Icon::Files),
        (Command::Find, Icon::Find),
        (Command::Palette, Icon::More),
    ],
    &[
        (Command::ToggleTheme, Icon::Theme),
        (Command::Help, Icon::Help),
    ],
];

/// The kinds that a cell can be made, with the command for each.
const KINDS: [(Kind, Command); 4] = [
    (Kind::Kql, Command::ToKql),
    (Kind::Code, Command::ToCode),
    (Kind::Markdown, Command::ToMarkdown),
    (Kind::Raw, Command::ToRaw),
];

/// The bar.
pub struct Tools {
    root: HtmlElement,
    kind: HtmlSelectElement,
    /// Where queries go.
    pub(crate) chooser: Chooser,
    buttons: Vec<(Command, HtmlButtonElement)>,
}

impl Tools {
    /// The bar, which does nothing yet.
    pub fn new() -> Self {
        let root = el("div")
            .attr("id", "tools")
            .attr("role", "toolbar")
            .attr("aria-label", "Notebook")
            .build();
        let kind = el("select").attr("aria-label", "Kind of cell");
        for (of, command) in KINDS {
            dom::append(
                &kind,
                el("option").attr("value", command.name()).text(of.label()),
            );
        }
        let chooser = Chooser::default();
        let mut buttons = Vec::new();
        for (nth, group) in GROUPS.iter().enumerate() {
            let group_element = el("div").class("group").build();
            for (command, picture) in *group {
                let button = tool(*command, *picture);
                dom::append(&group_element, &button);
                buttons.push((*command, button));
            }
            if nth == 3 {
                dom::append(&root, &kind);
                dom::append(&root, chooser.root());
                dom::append(&root, el("span").class("grow"));
            }
            dom::append(&root, &group_element);
        }
        Self {
            root,
            kind: kind.cast(),
            chooser,
            buttons,
        }
    }

    /// The element.
    pub fn root(&self) -> &HtmlElement {
        &self.root
    }

    /// Has the tools work on a screen.
    pub fn wire(&self, screen: &Rc<Screen>) {
        for (command, button) in &self.buttons {
            let command = *command;
            screen.on(button, "click", move |screen, _: Event| {
                screen.dispatch(command)
            });
        }
        self.chooser.wire(screen);
        let kind = self.kind.clone();
        screen.on(&self.kind, "change", move |screen, _: Event| {
            if let Some(command) = Command::from_name(&kind.value()) {
                screen.dispatch(command);
            }
        });
    }

    /// Shows the kind of the active cell.
    pub fn set_kind(&self, kind: Kind) {
        let command = KINDS.iter().find(|(of, _)| *of == kind);
        self.kind
            .set_value(command.map_or("", |(_, command)| command.name()));
    }

    /// Offers what the kernel can do in its state.
    pub fn set_health(&self, health: Health) {
        for (command, button) in &self.buttons {
            match command {
                Command::Interrupt => button.set_disabled(health != Health::Known(State::Busy)),
                Command::Restart => {
                    let can = matches!(health, Health::Known(State::Busy | State::Idle));
                    button.set_disabled(!can);
                }
                _ => {}
            }
        }
    }
}

fn tool(command: Command, picture: Icon) -> HtmlButtonElement {
    let shortcut = command.shortcuts().next().map(|one| one.label(is_mac()));
    let title = match shortcut {
        Some(keys) => format!("{} ({keys})", command.title()),
        None => command.title().to_owned(),
    };
    let id = match command {
        Command::Interrupt => "stop".to_owned(),
        Command::RunAll => "run".to_owned(),
        Command::Restart => "restart".to_owned(),
        other => format!("tool-{}", other.name()),
    };
    let tool = button("")
        .class("tool")
        .attr("id", &id)
        .attr("title", &title)
        .attr("aria-label", command.title())
        .child(icon(picture));
    tool.build().unchecked_into()
}
