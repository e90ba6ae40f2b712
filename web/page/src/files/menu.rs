//! A menu that a button opens: arrow keys, Escape, and the focus back to the button.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, HtmlElement, KeyboardEvent, MouseEvent};

use crate::dom::{self, button, el};

/// What a menu offers: its label and what it does.
pub type Item = (&'static str, Rc<dyn Fn()>);

/// A button that opens a menu. `label` says what it is about to those who listen.
pub fn menu(text: &str, label: &str, items: Vec<Item>) -> HtmlElement {
    grouped(text, label, vec![items])
}

/// As [`menu`], with a line between groups of items.
pub fn grouped(text: &str, label: &str, groups: Vec<Vec<Item>>) -> HtmlElement {
    let opener = button(text)
        .class("plain menu-opener")
        .attr("aria-haspopup", "menu")
        .attr("aria-expanded", "false")
        .attr("aria-label", label)
        .attr("title", label)
        .build();
    let list = el("div")
        .class("menu")
        .attr("role", "menu")
        .attr("aria-label", label)
        .build();
    list.set_hidden(true);
    let items = groups.into_iter().enumerate().flat_map(|(group, items)| {
        let begins = move |nth| group > 0 && nth == 0;
        let items = items.into_iter().enumerate();
        items.map(move |(nth, item)| (begins(nth), item))
    });
    for (begins, (text, act)) in items {
        let (list_of, opener_of) = (list.clone(), opener.clone());
        let item = button(text)
            .class(if begins { "begins" } else { "" })
            .attr("role", "menuitem")
            .attr("tabindex", "-1");
        dom::append(
            &list,
            item.on("click", move |_: MouseEvent| {
                show(&list_of, &opener_of, false);
                let _ = opener_of.focus();
                act();
            }),
        );
    }
    let whole = el("span")
        .class("menu-place")
        .child(&opener)
        .child(&list)
        .build();
    listen(&whole, &opener, &list);
    whole
}

fn listen(whole: &HtmlElement, opener: &HtmlElement, list: &HtmlElement) {
    let (opener_of, list_of) = (opener.clone(), list.clone());
    dom::on(opener, "click", move |_: MouseEvent| {
        let open = list_of.hidden();
        show(&list_of, &opener_of, open);
        if open {
            focus_item(&list_of, 0);
        }
    });
    let (opener_of, list_of) = (opener.clone(), list.clone());
    dom::on(whole, "keydown", move |event: KeyboardEvent| {
        key(&event, &opener_of, &list_of)
    });
    let (whole_of, opener_of, list_of) = (whole.clone(), opener.clone(), list.clone());
    dom::on(whole, "focusout", move |event: FocusEvent| {
        let to = event
            .related_target()
            .and_then(|to| to.dyn_into::<Element>().ok());
        if !to.is_some_and(|to| whole_of.contains(Some(&to))) {
            show(&list_of, &opener_of, false);
        }
    });
}

fn key(event: &KeyboardEvent, opener: &HtmlElement, list: &HtmlElement) {
    let open = !list.hidden();
    let last = list.child_element_count().saturating_sub(1);
    let at = focused(list);
    match (event.key().as_str(), at) {
        ("Escape", _) if open => {
            show(list, opener, false);
            let _ = opener.focus();
        }
        ("ArrowDown", None) => {
            show(list, opener, true);
            focus_item(list, 0);
        }
        ("ArrowDown", Some(at)) => focus_item(list, if at == last { 0 } else { at + 1 }),
        ("ArrowUp", Some(at)) => focus_item(list, at.checked_sub(1).unwrap_or(last)),
        ("Home", Some(_)) => focus_item(list, 0),
        ("End", Some(_)) => focus_item(list, last),
        _ => return,
    }
    // The page's own keys are not meant.
    event.prevent_default();
    event.stop_propagation();
}

fn show(list: &HtmlElement, opener: &HtmlElement, open: bool) {
    list.set_hidden(!open);
    dom::set(opener, "aria-expanded", if open { "true" } else { "false" });
}

fn focused(list: &HtmlElement) -> Option<u32> {
    let active = dom::document().active_element()?;
    let children = list.children();
    (0..children.length()).find(|at| children.item(*at).as_ref() == Some(&active))
}

fn focus_item(list: &HtmlElement, at: u32) {
    let item = list
        .children()
        .item(at)
        .and_then(|item| item.dyn_into::<HtmlElement>().ok());
    if let Some(item) = item {
        let _ = item.focus();
    }
}
