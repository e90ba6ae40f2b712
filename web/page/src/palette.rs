//! The command palette: type some letters of a command, and carry it out.

use std::cell::RefCell;
use std::rc::Rc;

use spoor_model::Command;
use spoor_model::palette::{Hit, filter};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

use crate::app::supports;
use crate::dialog::{self, Dialog};
use crate::dom::{self, el};
use crate::notebook::{Screen, is_mac};

/// What is listed.
struct Palette {
    dialog: Dialog,
    list: HtmlElement,
    field: HtmlInputElement,
    hits: RefCell<Vec<Hit>>,
    at: RefCell<usize>,
    chosen: RefCell<Option<Command>>,
}

/// Opens the palette.
pub fn open(screen: &Rc<Screen>) {
    let dialog = dialog::open("Commands", "palette");
    let list = el("ul")
        .attr("id", "palette-list")
        .attr("role", "listbox")
        .attr("aria-label", "Commands")
        .build();
    let field = el("input")
        .attr("type", "search")
        .attr("placeholder", "What do you want to do?")
        .attr("aria-label", "Command")
        .attr("role", "combobox")
        .attr("aria-expanded", "true")
        .attr("aria-controls", "palette-list")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false");
    dom::append(&dialog.body, &field);
    dom::append(&dialog.body, &list);
    let palette = Rc::new(Palette {
        dialog: dialog.clone(),
        list,
        field: field.cast(),
        hits: RefCell::default(),
        at: RefCell::new(0),
        chosen: RefCell::default(),
    });
    palette.listen();
    palette.search();
    let _ = palette.field.focus();
    let screen = Rc::downgrade(screen);
    dialog.on_close(move || {
        // After the dialog has given the focus back.
        let chosen = palette.chosen.take();
        if let (Some(screen), Some(command)) = (screen.upgrade(), chosen) {
            screen.dispatch(command);
        }
    });
}

impl Palette {
    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        dom::on(&self.field, "input", move |_: Event| {
            if let Some(palette) = weak.upgrade() {
                palette.search();
            }
        });
        let weak = Rc::downgrade(self);
        dom::on(&self.field, "keydown", move |event: KeyboardEvent| {
            if let Some(palette) = weak.upgrade() {
                palette.key(&event);
            }
        });
        let weak = Rc::downgrade(self);
        dom::on(&self.list, "click", move |event: MouseEvent| {
            let Some(palette) = weak.upgrade() else {
                return;
            };
            let row = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let row = row.and_then(|target| target.closest("[data-nth]").ok().flatten());
            let nth = row.and_then(|row| row.get_attribute("data-nth")?.parse().ok());
            if let Some(nth) = nth {
                palette.choose(nth);
            }
        });
    }

    fn search(&self) {
        let mut hits = filter(&self.field.value());
        hits.retain(|hit| supports(hit.command) && hit.command != Command::Palette);
        dom::clear(&self.list);
        for (nth, hit) in hits.iter().enumerate() {
            dom::append(&self.list, row(nth, hit));
        }
        *self.hits.borrow_mut() = hits;
        self.go(0);
    }

    fn key(&self, event: &KeyboardEvent) {
        let last = self.hits.borrow().len().saturating_sub(1);
        let at = *self.at.borrow();
        match event.key().as_str() {
            "ArrowDown" => self.go(if at == last { 0 } else { at + 1 }),
            "ArrowUp" => self.go(at.checked_sub(1).unwrap_or(last)),
            "Enter" => self.choose(at),
            _ => return,
        }
        event.prevent_default();
    }

    fn go(&self, to: usize) {
        *self.at.borrow_mut() = to;
        let rows = self.list.children();
        for nth in 0..rows.length() {
            let Some(row) = rows.item(nth) else {
                continue;
            };
            let is_there = nth as usize == to;
            dom::set(
                &row,
                "aria-selected",
                if is_there { "true" } else { "false" },
            );
            if is_there {
                dom::set(&self.field, "aria-activedescendant", &row.id());
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                row.scroll_into_view_with_scroll_into_view_options(&options);
            }
        }
    }

    fn choose(&self, nth: usize) {
        let command = self.hits.borrow().get(nth).map(|hit| hit.command);
        if command.is_some() {
            *self.chosen.borrow_mut() = command;
            self.dialog.close();
        }
    }
}

/// A line of the list, with the letters that matched marked.
fn row(nth: usize, hit: &Hit) -> HtmlElement {
    let title = hit.command.title();
    let name = el("span").class("grow").build();
    let mut at = 0;
    for matched in &hit.matched {
        dom::append(&name, el("span").text(&title[at..matched.start]));
        dom::append(&name, el("b").text(&title[matched.clone()]));
        at = matched.end;
    }
    dom::append(&name, el("span").text(&title[at..]));
    let row = el("li")
        .attr("role", "option")
        .attr("id", &format!("palette-{nth}"))
        .attr("data-nth", &nth.to_string())
        .child(&name)
        .build();
    if let Some(shortcut) = hit.command.shortcuts().next() {
        dom::append(&row, el("kbd").text(&shortcut.label(is_mac())));
    }
    row
}
