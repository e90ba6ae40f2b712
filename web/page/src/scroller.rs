//! Parts of a notebook that scroll on their own, which the keyboard is to reach: they take the focus
//! while there is more of them than is in sight.
//!
//! Each element that is watched costs something in every frame, so those of cells far from view,
//! which the browser does not lay out (`content-visibility`), are not.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, ResizeObserver, ResizeObserverEntry};

use crate::dom;

/// What scrolls in text, outputs and code, and what holds them in a cell.
const SCROLLERS: &str = "pre, .text, .scroll, .paper, math[display=block], .output, .prose";
/// Marks what takes the focus, and the keys that scroll with it.
pub const MARK: &str = "data-scrolls";

thread_local! {
    /// One observer serves the page. It holds on to no element that is gone.
    static OBSERVER: Option<ResizeObserver> = {
        let resized = Closure::<dyn FnMut(Array)>::new(|entries: Array| {
            for entry in entries.iter() {
                judge(&entry.unchecked_into::<ResizeObserverEntry>().target());
            }
        });
        ResizeObserver::new(resized.into_js_value().unchecked_ref()).ok()
    };
}

/// Keeps an eye on an element that may scroll, and on what may inside it.
pub fn watch(element: &Element) {
    OBSERVER.with(|observer| {
        if let Some(observer) = observer {
            observer.observe(element);
        }
    });
    each(element, ResizeObserver::observe);
}

/// Looks away from cells while the browser leaves them out, which it tells; they are below `root`. What
/// may scroll in them takes the focus until it is known whether it does.
pub fn follow(root: &Element) {
    dom::on(root, "contentvisibilityautostatechange", |event: Event| {
        let Some(cell) = dom::target::<Element>(&event) else {
            return;
        };
        let skipped = js_sys::Reflect::get(&event, &"skipped".into());
        if skipped.is_ok_and(|skipped| skipped.is_truthy()) {
            each(&cell, |observer, element| {
                observer.unobserve(element);
                mark(element, true);
            });
        } else {
            each(&cell, ResizeObserver::observe);
        }
    });
}

/// Calls `act` with what may scroll below an element.
fn each(element: &Element, act: impl Fn(&ResizeObserver, &Element)) {
    OBSERVER.with(|observer| {
        if let (Some(observer), Ok(found)) = (observer, element.query_selector_all(SCROLLERS)) {
            for node in Array::from(&found).iter() {
                act(observer, &node.unchecked_into());
            }
        }
    });
}

fn judge(element: &Element) {
    let hidden = element.scroll_width() - element.client_width() > 1
        || element.scroll_height() - element.client_height() > 1;
    mark(element, hidden && is_scroller(element));
}

fn mark(element: &Element, scrolls: bool) {
    if scrolls == element.has_attribute(MARK) {
        return;
    }
    dom::flag(element, MARK, scrolls);
    if scrolls {
        dom::set(element, "tabindex", "0");
    } else {
        let _ = element.remove_attribute("tabindex");
    }
}

fn is_scroller(element: &Element) -> bool {
    let style = dom::window().get_computed_style(element).ok().flatten();
    let overflow = style.and_then(|style| style.get_property_value("overflow").ok());
    overflow.is_some_and(|it| it.contains("auto") || it.contains("scroll"))
}
