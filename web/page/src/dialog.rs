//! Dialogs: the browser's own, which keep the focus and give it back.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement, HtmlElement, MouseEvent};

use crate::dom::{self, button, el};
use crate::icon::{Icon, icon};

/// A dialog that is open.
#[derive(Clone)]
pub struct Dialog {
    element: HtmlDialogElement,
    /// What it shows.
    pub body: HtmlElement,
}

/// Opens a dialog with a title.
pub fn open(title: &str, class: &str) -> Dialog {
    let heading = el("h2").attr("id", "dialog-title").text(title).build();
    let body = el("div").class("dialog-body").build();
    let element = el("dialog")
        .class(class)
        .attr("aria-labelledby", "dialog-title")
        .build();
    let dialog = Dialog {
        element: element.clone().unchecked_into(),
        body,
    };
    let closing = dialog.clone();
    let close = button("")
        .class("plain")
        .attr("aria-label", "Close")
        .child(icon(Icon::Close))
        .on("click", move |_: Event| closing.close());
    dom::append(
        &element,
        el("div").class("dialog-head").child(&heading).child(&close),
    );
    dom::append(&element, &dialog.body);
    let closing = dialog.clone();
    dom::on(&element, "click", move |event: MouseEvent| {
        // A click on what is behind hits the dialog itself.
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlDialogElement>().ok());
        if target.is_some() {
            closing.close();
        }
    });
    let gone = element.clone();
    dom::on(&element, "close", move |_: Event| gone.remove());
    if let Some(page) = dom::document().body() {
        dom::append(&page, &element);
    }
    let _ = dialog.element.show_modal();
    dialog
}

impl Dialog {
    /// Closes it and takes it away; the focus goes back to where it was.
    pub fn close(&self) {
        self.element.close();
        self.element.remove();
    }

    /// Calls `then` when it has closed.
    pub fn on_close(&self, then: impl Fn() + 'static) {
        let then = Rc::new(then);
        dom::on(&self.element, "close", move |_: Event| then());
    }
}
