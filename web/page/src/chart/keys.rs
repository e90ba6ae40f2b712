//! A chart by keyboard: from mark to mark, and zooming about the mark that one is on.

use spoor_chart::Step;
use web_sys::{HtmlElement, KeyboardEvent};

use super::{Inner, Shared, update};
use crate::dom;
use crate::help::Keys;

/// What they do, and what a mouse does.
pub const KEYS: Keys = &[
    ("Go from point to point", &["Left", "Right"]),
    ("Go from series to series", &["Up", "Down"]),
    ("Go to the first or last point", &["Home", "End"]),
    ("Show more, or less, of the range", &["-", "+"]),
    ("Choose the range with a mouse", &["Drag", "Ctrl and wheel"]),
    ("Show everything", &["Esc", "Double click"]),
];

/// How the keys are described to a screen reader.
pub(super) const HELP: &str = "Arrow keys move from point to point and between series; Home and End go to the ends; \
     plus and minus zoom; Escape shows everything.";

/// Listens at the plot. A key that does something here is none of the notebook's commands.
pub(super) fn listen(plot: &HtmlElement, shared: &Shared) {
    let weak = shared.clone();
    dom::on(plot, "keydown", move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        update(&weak, |inner| {
            if pressed(inner, &event.key()) {
                event.prevent_default();
                event.stop_propagation();
            }
        });
    });
    let weak = shared.clone();
    dom::on(plot, "blur", move |_: web_sys::FocusEvent| {
        update(&weak, Inner::leave);
    });
}

/// Gives whether the key did something.
fn pressed(inner: &mut Inner, key: &str) -> bool {
    let step = match key {
        "ArrowRight" => Step::Next,
        "ArrowLeft" => Step::Previous,
        "ArrowDown" => Step::NextSeries,
        "ArrowUp" => Step::PreviousSeries,
        "Home" => Step::First,
        "End" => Step::Last,
        "+" | "=" => return zoom(inner, 0.5),
        "-" => return zoom(inner, 2.0),
        "Escape" => {
            let pointed = inner.figure.view().hovered.is_some();
            inner.leave();
            return inner.reset() || pointed;
        }
        _ => return false,
    };
    let Some(hit) = inner.figure.step(step) else {
        return false;
    };
    inner.say(&hit.lines.join(", "));
    inner.show(Some(&hit));
    true
}

/// Zooms about the mark that one is on, or about the middle.
fn zoom(inner: &mut Inner, factor: f64) -> bool {
    let middle = f64::from(inner.parts.plot.client_width()) / 2.0;
    let x = inner.figure.here().map_or(middle, |hit| hit.at.0);
    let changed = inner.figure.zoom_at(x, factor);
    if changed {
        inner.changed();
        inner.say_zoom();
    }
    changed
}
