//! All keys, by what they are for.

use spoor_model::Command;
use spoor_model::command::Category;
use web_sys::HtmlElement;

use crate::dom::{self, el};
use crate::notebook::is_mac;
use crate::{chart, dialog, editor, table};

/// What keys do in one place of the page: what for, and each way, as `Ctrl+Shift+K`.
pub type Keys = &'static [(&'static str, &'static [&'static str])];

/// The places that have keys of their own.
const PLACES: [(&str, Keys); 5] = [
    ("In an editor", editor::KEYS),
    ("In a table", table::TABLE_KEYS),
    ("In a chart", chart::KEYS),
    ("In a timeline", table::TIMELINE_KEYS),
    ("In a process tree", table::PROCESS_KEYS),
];

/// Opens the list.
pub fn open() {
    let dialog = dialog::open("Keys", "help");
    // For the arrows to scroll it.
    dom::set(&dialog.body, "tabindex", "0");
    let mac = is_mac();
    for category in Category::ALL {
        let commands = Command::of(*category).map(|command| {
            let keys = command.shortcuts().map(|one| one.label(mac)).collect();
            (command.title(), keys)
        });
        append(&dialog.body, category.title(), commands);
    }
    for (place, keys) in PLACES {
        let keys = keys.iter().map(|(what, ways)| {
            let ways = ways.iter().map(|one| label(one, mac)).collect();
            (*what, ways)
        });
        append(&dialog.body, place, keys);
    }
}

/// A section of those that have keys, if any have.
fn append<'a>(
    body: &HtmlElement,
    title: &str,
    entries: impl Iterator<Item = (&'a str, Vec<String>)>,
) {
    let list = el("dl").class("keys").build();
    for (what, keys) in entries.filter(|(_, keys)| !keys.is_empty()) {
        let keys = keys.iter().map(|one| el("kbd").text(one).build());
        dom::append(&list, el("dt").text(what));
        dom::append(&list, el("dd").children(keys));
    }
    if list.child_element_count() > 0 {
        let section = el("section").child(el("h3").text(title)).child(&list);
        dom::append(body, section);
    }
}

/// A key as people read it: on a Mac `⇧⌘K`.
fn label(key: &str, mac: bool) -> String {
    if !mac {
        return key.to_owned();
    }
    let signs = [("Ctrl+", "⌘"), ("Alt+", "⌥"), ("Shift+", "⇧")];
    signs
        .iter()
        .fold(key.to_owned(), |key, (word, sign)| key.replace(word, sign))
}
