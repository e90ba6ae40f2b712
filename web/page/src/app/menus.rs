//! The menus in the bar at the top: what can be done with the notebook's file, its cells and its kernel.

use std::rc::Rc;

use spoor_model::Command;
use web_sys::HtmlElement;

use crate::files::{Item, grouped_menu};
use crate::notebook::Screen;

/// A menu's commands, group by group.
type Groups = &'static [&'static [Command]];

const MENUS: [(&str, Groups); 3] = [("File", FILE), ("Run", RUN), ("Kernel", KERNEL)];

const FILE: Groups = &[
    &[Command::New, Command::Open, Command::Gallery],
    &[
        Command::Save,
        Command::SaveCopy,
        Command::Rename,
        Command::Versions,
        Command::Trust,
    ],
    &[Command::Import, Command::ImportFolder, Command::ImportLink],
    &[
        Command::ExportNotebook,
        Command::ExportHtml,
        Command::ExportPython,
        Command::CopyLink,
        Command::ExportAll,
    ],
];

const RUN: Groups = &[
    &[
        Command::RunSelectBelow,
        Command::RunStay,
        Command::RunInsertBelow,
    ],
    &[
        Command::RunAll,
        Command::RunAbove,
        Command::RunBelow,
        Command::RunStale,
    ],
    &[Command::ClearOutputs, Command::ClearAllOutputs],
];

const KERNEL: Groups = &[
    &[Command::Interrupt],
    &[
        Command::Restart,
        Command::RestartClear,
        Command::RestartRunAll,
    ],
];

/// The buttons that open the menus, in their order.
pub fn menus(screen: &Rc<Screen>) -> impl Iterator<Item = HtmlElement> {
    let item = |command: &Command| -> Item {
        let (weak, command) = (Rc::downgrade(screen), *command);
        let act = move || {
            if let Some(screen) = weak.upgrade() {
                screen.dispatch(command);
            }
        };
        (command.title(), Rc::new(act))
    };
    MENUS.iter().map(move |(name, groups)| {
        let groups = groups.iter().map(|group| group.iter().map(item).collect());
        grouped_menu(name, name, groups.collect())
    })
}
