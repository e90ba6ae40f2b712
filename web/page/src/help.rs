//! All keys, by what they are for.

use spoor_model::Command;
use spoor_model::command::Category;

use crate::dialog;
use crate::dom::{self, el};
use crate::notebook::is_mac;

/// Opens the list.
pub fn open() {
    let dialog = dialog::open("Keys", "help");
    // For the arrows to scroll it.
    dom::set(&dialog.body, "tabindex", "0");
    let mac = is_mac();
    for category in Category::ALL {
        let commands = Command::of(*category);
        let mut with_keys = commands
            .filter(|command| command.shortcuts().next().is_some())
            .peekable();
        if with_keys.peek().is_none() {
            continue;
        }
        let list = el("dl").class("keys").build();
        for command in with_keys {
            let keys = el("dd").build();
            for shortcut in command.shortcuts() {
                dom::append(&keys, el("kbd").text(&shortcut.label(mac)));
            }
            dom::append(&list, el("dt").text(command.title()));
            dom::append(&list, &keys);
        }
        let section = el("section")
            .child(el("h3").text(category.title()))
            .child(&list);
        dom::append(&dialog.body, &section);
    }
}
