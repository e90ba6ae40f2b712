//! Scripted outputs, each in a frame of its own opaque origin.
//!
//! `frame.html` has a Content Security Policy of its own that lets nothing be fetched; the page's
//! allows frames from the site alone, so that a script cannot leave by navigating. All that a frame
//! can tell is its height, and that has a limit.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, HtmlIFrameElement, MessageEvent};

use crate::dom::{self, el};

/// The highest that a frame becomes, in pixels; beyond that it scrolls.
const HIGHEST: f64 = 800.0;

struct Framed {
    element: HtmlIFrameElement,
    document: String,
    dark: bool,
}

thread_local! {
    /// The frames of the page. One listener serves all.
    static FRAMES: RefCell<Option<Vec<Framed>>> = const { RefCell::new(None) };
}

/// A new frame that will show an output's document.
pub fn with(document: &str, dark: bool) -> HtmlElement {
    let frame = el("iframe")
        .class("frame")
        .attr("sandbox", "allow-scripts")
        .attr("title", "Scripted output")
        .attr("src", "frame.html")
        .build();
    let framed = Framed {
        element: frame.clone().unchecked_into(),
        document: document.to_owned(),
        dark,
    };
    FRAMES.with(|frames| {
        let mut frames = frames.borrow_mut();
        if frames.is_none() {
            dom::on(&dom::window(), "message", hear);
        }
        let frames = frames.get_or_insert_default();
        // A frame that was taken off the page has no window and will not speak again.
        frames.retain(|framed| framed.element.is_connected());
        frames.push(framed);
    });
    frame
}

fn hear(event: MessageEvent) {
    let Some(source) = event.source() else {
        return;
    };
    let source: JsValue = source.into();
    FRAMES.with(|frames| {
        let frames = frames.borrow();
        let speaker = frames.iter().flatten().find(|framed| {
            let window = framed.element.content_window();
            window.is_some_and(|window| JsValue::from(window) == source)
        });
        if let Some(framed) = speaker {
            framed.answer(&event.data());
        }
    });
}

impl Framed {
    fn answer(&self, data: &JsValue) {
        let field = |name: &str| Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if field("ready").is_truthy() {
            self.fill();
        }
        if let Some(height) = field("height").as_f64().filter(|height| height.is_finite()) {
            let height = height.ceil().clamp(24.0, HIGHEST);
            let _ = self
                .element
                .style()
                .set_property("height", &format!("{height}px"));
        }
    }

    fn fill(&self) {
        let message = Object::new();
        let scheme = if self.dark { "dark" } else { "light" };
        let html = self.document.as_str();
        for (name, value) in [("html", html), ("scheme", scheme)] {
            // An object of our own takes any property.
            let _ = Reflect::set(&message, &name.into(), &value.into());
        }
        if let Some(window) = self.element.content_window() {
            // The frame's origin is opaque, which has no name to send to.
            let _ = window.post_message(&message, "*");
        }
    }
}
