//! Short messages that go by themselves, with at most one thing to do.

use web_sys::Event;

use crate::dom::{self, button, el};

/// How long a message stays, in milliseconds.
const STAYS: i32 = 6000;

/// A button's label and what it does.
pub type Action = (&'static str, Box<dyn FnOnce()>);

/// Shows a message in place of the one before.
pub fn show(text: &str, action: Option<Action>) {
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
    dom::after(STAYS, move || toast.remove());
}
