//! The command palette: type some letters of a command, and carry it out.

use std::rc::Rc;

use spoor_model::Command;
use spoor_model::palette::{Hit, filter};

use crate::dom::{self, El, el};
use crate::notebook::{Screen, is_mac};
use crate::picker::{self, Choice, Row};

const CHOICE: Choice = Choice {
    title: "Commands",
    label: "Command",
    placeholder: "What do you want to do?",
};

/// Opens the palette.
pub fn open(screen: &Rc<Screen>) {
    let screen = Rc::downgrade(screen);
    picker::open(&CHOICE, search, move |command| {
        if let Some(screen) = screen.upgrade() {
            screen.dispatch(command);
        }
    });
}

fn search(typed: &str) -> Vec<Row<Command>> {
    let mut hits = filter(typed);
    hits.retain(|hit| hit.command != Command::Palette);
    let row = |hit: &Hit| Row {
        parts: parts(hit),
        value: hit.command,
    };
    hits.iter().map(row).collect()
}

/// A line of the list, with the letters that matched marked.
fn parts(hit: &Hit) -> Vec<El> {
    let title = hit.command.title();
    let name = el("span").class("grow");
    let mut at = 0;
    for matched in &hit.matched {
        dom::append(&name, el("span").text(&title[at..matched.start]));
        dom::append(&name, el("b").text(&title[matched.clone()]));
        at = matched.end;
    }
    dom::append(&name, el("span").text(&title[at..]));
    let shortcut = hit.command.shortcuts().next();
    let keys = shortcut.map(|one| el("kbd").text(&one.label(is_mac())));
    [name].into_iter().chain(keys).collect()
}
