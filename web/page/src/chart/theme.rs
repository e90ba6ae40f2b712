//! The colours of the page, for a chart to be drawn in, and when they change.

use spoor_chart::{Palette, Rgb};
use wasm_bindgen::prelude::*;
use web_sys::{
    CssStyleDeclaration, HtmlElement, MediaQueryList, MutationObserver, MutationObserverInit,
};

use super::{Inner, Shared, update};
use crate::dom;

/// The palette that fits the page around `plot`. The style sheet gives the plot the page's colours
/// as properties that a browser resolves: its text, its ground, its borders, and as the colour of
/// column rules, of which it has none, that of quiet text.
pub(super) fn palette(plot: &HtmlElement) -> Palette {
    let style = dom::window().get_computed_style(plot).ok().flatten();
    let Some(style) = style else {
        return Palette::LIGHT;
    };
    let text = colour(&style, "color");
    let light = text.is_none_or(|(r, g, b)| u32::from(r) + u32::from(g) + u32::from(b) < 384);
    let own = if light { Palette::LIGHT } else { Palette::DARK };
    Palette {
        text: text.unwrap_or(own.text),
        muted: colour(&style, "column-rule-color").unwrap_or(own.muted),
        grid: colour(&style, "border-top-color").unwrap_or(own.grid),
        panel: colour(&style, "background-color").unwrap_or(own.panel),
        ..own
    }
}

/// A colour as browsers compute it, `rgb(1, 2, 3)`; none for others and for transparent ones.
fn colour(style: &CssStyleDeclaration, property: &str) -> Option<Rgb> {
    let value = style.get_property_value(property).ok()?;
    let inner = value.strip_suffix(')')?.split_once('(')?.1;
    let parts: Vec<f64> = inner
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        [r, g, b] => Some((*r as u8, *g as u8, *b as u8)),
        [r, g, b, a] if *a > 0.5 => Some((*r as u8, *g as u8, *b as u8)),
        _ => None,
    }
}

/// Draws the chart anew when the page's theme changes, for as long as it lives.
pub(super) struct Watch {
    observer: MutationObserver,
    system: Option<MediaQueryList>,
    heard: Closure<dyn FnMut()>,
}

impl Watch {
    /// Watches the root element's `data-theme`, and the system's preference.
    pub(super) fn new(shared: &Shared) -> Self {
        let shared = shared.clone();
        let heard = Closure::<dyn FnMut()>::new(move || update(&shared, Inner::recolour));
        let function = heard.as_ref().unchecked_ref();
        let observer = MutationObserver::new(function).unwrap_throw();
        let about = MutationObserverInit::new();
        about.set_attribute_filter(&js_sys::Array::of2(&"data-theme".into(), &"class".into()));
        if let Some(root) = dom::document().document_element() {
            let _ = observer.observe_with_options(&root, &about);
        }
        let query = "(prefers-color-scheme: dark)";
        let system = dom::window().match_media(query).ok().flatten();
        if let Some(system) = &system {
            let _ = system.add_event_listener_with_callback("change", function);
        }
        Self {
            observer,
            system,
            heard,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
        if let Some(system) = &self.system {
            let function = self.heard.as_ref().unchecked_ref();
            let _ = system.remove_event_listener_with_callback("change", function);
        }
    }
}

impl Inner {
    fn recolour(&mut self) {
        self.palette = palette(&self.parts.plot);
        self.colour_legend();
        self.changed();
    }
}
