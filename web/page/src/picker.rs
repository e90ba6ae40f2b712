//! A dialog to choose one of many: type some letters, go with the arrows, take with Enter.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

use crate::dialog::{self, Dialog};
use crate::dom::{self, El, el};

/// What is asked for.
pub struct Choice {
    /// The dialog's title, and the list's name.
    pub title: &'static str,
    /// The field's name.
    pub label: &'static str,
    /// What the empty field says.
    pub placeholder: &'static str,
}

/// One of many: what its row shows, and what it stands for.
pub struct Row<T> {
    /// What stands in the row.
    pub parts: Vec<El>,
    /// What is taken.
    pub value: T,
}

/// The rows that fit what is typed.
type Search<T> = Box<dyn Fn(&str) -> Vec<Row<T>>>;

struct Picker<T> {
    dialog: Dialog,
    list: HtmlElement,
    field: HtmlInputElement,
    search: Search<T>,
    take: Box<dyn Fn(T)>,
    values: RefCell<Vec<T>>,
    at: Cell<usize>,
}

/// Opens the dialog. `search` gives the rows that fit what is typed; `take` is called with what was
/// chosen, once the focus is back.
pub fn open<T: Clone + 'static>(
    choice: &Choice,
    search: impl Fn(&str) -> Vec<Row<T>> + 'static,
    take: impl Fn(T) + 'static,
) {
    let dialog = dialog::open(choice.title, "palette");
    let list = el("ul")
        .attr("id", "palette-list")
        .attr("role", "listbox")
        .attr("aria-label", choice.title)
        .build();
    let field = el("input")
        .attr("type", "text")
        .attr("placeholder", choice.placeholder)
        .attr("aria-label", choice.label)
        .attr("role", "combobox")
        .attr("aria-expanded", "true")
        .attr("aria-controls", "palette-list")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false");
    dom::append(&dialog.body, &field);
    dom::append(&dialog.body, &list);
    let picker = Rc::new(Picker {
        dialog: dialog.clone(),
        list,
        field: field.cast(),
        search: Box::new(search),
        take: Box::new(take),
        values: RefCell::default(),
        at: Cell::new(0),
    });
    picker.listen();
    picker.show();
    let _ = picker.field.focus();
    // Its listeners know it for as long as the dialog is open.
    dialog.on_close(move || drop(picker.values.take()));
}

impl<T: Clone + 'static> Picker<T> {
    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        dom::on(&self.field, "input", move |_: Event| {
            if let Some(picker) = weak.upgrade() {
                picker.show();
            }
        });
        let weak = Rc::downgrade(self);
        dom::on(&self.field, "keydown", move |event: KeyboardEvent| {
            if let Some(picker) = weak.upgrade() {
                picker.key(&event);
            }
        });
        let weak = Rc::downgrade(self);
        dom::on(&self.list, "click", move |event: MouseEvent| {
            let Some(picker) = weak.upgrade() else {
                return;
            };
            let row = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let row = row.and_then(|target| target.closest("[data-nth]").ok().flatten());
            let nth = row.and_then(|row| row.get_attribute("data-nth")?.parse().ok());
            if let Some(nth) = nth {
                picker.choose(nth);
            }
        });
    }

    fn show(&self) {
        let rows = (self.search)(&self.field.value());
        dom::clear(&self.list);
        if rows.is_empty() {
            let none = el("li").class("none").text("Nothing fits.");
            dom::append(&self.list, none);
        }
        let mut values = Vec::new();
        for (nth, row) in rows.into_iter().enumerate() {
            let line = el("li")
                .attr("role", "option")
                .attr("id", &format!("palette-{nth}"))
                .attr("data-nth", &nth.to_string())
                .children(row.parts);
            dom::append(&self.list, line);
            values.push(row.value);
        }
        self.values.replace(values);
        self.go(0);
    }

    fn key(&self, event: &KeyboardEvent) {
        let last = self.values.borrow().len().saturating_sub(1);
        let at = self.at.get();
        match event.key().as_str() {
            "ArrowDown" => self.go(if at == last { 0 } else { at + 1 }),
            "ArrowUp" => self.go(at.checked_sub(1).unwrap_or(last)),
            "Enter" => self.choose(at),
            _ => return,
        }
        event.prevent_default();
    }

    fn go(&self, to: usize) {
        self.at.set(to);
        let rows = self.list.children();
        for nth in 0..rows.length() {
            let Some(row) = rows.item(nth).filter(|row| row.has_attribute("data-nth")) else {
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
        let value = self.values.borrow().get(nth).cloned();
        if let Some(value) = value {
            // The focus is back at once, and the next key goes where it is: what was chosen has to be done before that.
            self.dialog.close();
            (self.take)(value);
        }
    }
}
