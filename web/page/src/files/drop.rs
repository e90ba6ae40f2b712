//! Files dropped anywhere on the page.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::DragEvent;

use super::{Inner, add, folder};
use crate::dom::{self, el};

/// Takes what is dropped, and shows while something is dragged that it may be.
pub fn listen(inner: &Rc<Inner>) {
    let text = "Drop notebooks or data here";
    let zone = el("div")
        .class("drop-zone")
        .attr("aria-hidden", "true")
        .text(text)
        .build();
    zone.set_hidden(true);
    let Some(body) = dom::document().body() else {
        return;
    };
    dom::append(&body, &zone);
    let shown = zone.clone();
    dom::on(&body, "dragover", move |event: DragEvent| {
        if has_files(&event) {
            event.prevent_default();
            shown.set_hidden(false);
        }
    });
    let hidden = zone.clone();
    dom::on(&body, "dragleave", move |event: DragEvent| {
        // It has left the page, not one element of it.
        if event.related_target().is_none() {
            hidden.set_hidden(true);
        }
    });
    let weak = Rc::downgrade(inner);
    dom::on(&body, "drop", move |event: DragEvent| {
        zone.set_hidden(true);
        if let Some(inner) = weak.upgrade().filter(|_| has_files(&event)) {
            event.prevent_default();
            take(&inner, &event);
        }
    });
}

fn has_files(event: &DragEvent) -> bool {
    let types = event.data_transfer().map(|transfer| transfer.types());
    types.is_some_and(|types| types.includes(&"Files".into(), 0))
}

fn take(inner: &Rc<Inner>, event: &DragEvent) {
    let entries = event
        .data_transfer()
        .map(|transfer| folder::dropped(&transfer));
    let inner = inner.clone();
    spawn_local(async move {
        let given = folder::files(entries.unwrap_or_default()).await;
        add::take(&inner, given, false).await;
    });
}
