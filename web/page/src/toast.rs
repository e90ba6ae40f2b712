//! Short messages that go by themselves, with at most one thing to do.

use web_sys::Event;

use crate::dom::{self, button, el};

/// How long a message stays, in milliseconds.
const STAYS: i32 = 6000;

/// A button's label and what it does.
pub type Action = (&'static str, Box<dyn FnOnce()>);

/// Asks, in place of the message before, until it is answered.
pub fn ask(text: &str, action: Action) {
    put(text, Some(action), false);
}

/// Shows a message in place of the one before.
pub fn show(text: &str, action: Option<Action>) {
    put(text, action, true);
}

fn put(text: &str, action: Option<Action>, goes: bool) {
    // A notebook may have a heading of the same name.
    let Ok(Some(place)) = dom::document().query_selector("body > #toasts") else {
        return;
    };
    let toast = el("div")
        .class("toast")
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
    dom::clear(&place);
    dom::append(&place, &toast);
    if goes {
        dom::after(STAYS, move || toast.remove());
    }
}
