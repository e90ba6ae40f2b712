//! The buttons of a chart: its legend, and its tools.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::MouseEvent;

use super::{Inner, Shared, save, table, tool, update};
use crate::dom::{self, el};

/// Builds the legend and the tools of a chart.
pub(super) fn build(shared: &Rc<RefCell<Inner>>) {
    let weak = Rc::downgrade(shared);
    let mut inner = shared.borrow_mut();
    let entries = inner.figure.legend();
    dom::flag(&inner.parts.legend, "hidden", entries.len() < 2);
    for (i, entry) in entries.iter().enumerate().filter(|_| entries.len() > 1) {
        dom::append(&inner.parts.legend, entry_button(&weak, i, &entry.name));
    }
    let weak_reset = weak.clone();
    dom::on(&inner.parts.reset, "click", move |_: MouseEvent| {
        update(&weak_reset, |inner| {
            inner.reset();
        });
    });
    let tools = el("div").class("chart-actions").children([
        table::button(&weak),
        tool("Save as SVG", &weak, save::svg),
        tool("Save as PNG", &weak, save::png),
    ]);
    let _ = inner.parts.reset.after_with_node_1(&tools);
    inner.colour_legend();
}

/// A button that hides a series and shows it again; pressed means shown.
fn entry_button(shared: &Shared, index: usize, name: &str) -> dom::El {
    let shared = shared.clone();
    let swatch = el("span").class("chart-swatch").attr("aria-hidden", "true");
    let name = if name.is_empty() { "(empty)" } else { name };
    let button = dom::button("")
        .attr("aria-pressed", "true")
        .attr("title", name);
    button
        .child(swatch)
        .child(el("span").text(name))
        .on("click", move |_: MouseEvent| {
            update(&shared, |inner| inner.toggle(index));
        })
}

impl Inner {
    fn toggle(&mut self, index: usize) {
        self.figure.toggle(index);
        self.changed();
        for (i, entry) in self.figure.legend().iter().enumerate() {
            if let Some(button) = self.parts.legend.children().item(i as u32) {
                let pressed = if entry.hidden { "false" } else { "true" };
                dom::set(&button, "aria-pressed", pressed);
            }
        }
    }

    /// Gives the legend's swatches the colours of the palette.
    pub(super) fn colour_legend(&mut self) {
        let swatches = self.parts.legend.children();
        for i in 0..swatches.length() {
            let swatch = swatches.item(i).and_then(|b| b.first_element_child());
            if let Some(swatch) = swatch {
                let (r, g, b) = self.palette.of_series(i as usize);
                let swatch: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(swatch);
                let colour = format!("rgb({r}, {g}, {b})");
                let _ = swatch.style().set_property("background-color", &colour);
            }
        }
    }
}
