//! Short messages, with at most one thing to do: those that go by themselves, of which one stands at
//! a time, and questions, which stand until they are answered.

use web_sys::{Element, Event};

use crate::dom::{self, button, el};

/// How long a message stays, in milliseconds.
const STAYS: i32 = 6000;

/// The attribute that says in which slot a message stands.
const SLOT: &str = "data-slot";

/// A button's label and what it does.
pub type Action = (&'static str, Box<dyn FnOnce()>);

/// Asks until it is answered or put away, in place of the question before with the same answer.
pub fn ask(text: &str, action: Action) {
    let Some(toast) = put(text, action.0, Some(action)) else {
        return;
    };
    let gone = toast.clone();
    let away = button("Not now").class("plain");
    dom::append(&toast, away.on("click", move |_: Event| gone.remove()));
}

/// Shows a message in place of the one before. Questions stay.
pub fn show(text: &str, action: Option<Action>) {
    if let Some(toast) = put(text, "", action) {
        dom::after(STAYS, move || toast.remove());
    }
}

/// Puts a message in place of the one in `slot`: a question's answer, or the empty name of what goes.
fn put(text: &str, slot: &str, action: Option<Action>) -> Option<Element> {
    // A notebook may have a heading of the same name.
    let place = dom::document().query_selector("body > #toasts").ok()??;
    let toast = el("div")
        .class("toast")
        .attr(SLOT, slot)
        .child(el("span").text(text))
        .build();
    if let Some((label, act)) = action {
        let gone = toast.clone();
        let mut act = Some(act);
        let act = button(label).class("plain").on("click", move |_: Event| {
            gone.remove();
            if let Some(act) = act.take() {
                act();
            }
        });
        dom::append(&toast, &act);
    }
    if let Ok(Some(before)) = place.query_selector(&format!("[{SLOT}='{slot}']")) {
        before.remove();
    }
    dom::append(&place, &toast);
    Some(toast.into())
}
