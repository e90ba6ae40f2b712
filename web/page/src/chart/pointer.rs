//! The pointer over a chart: pointing, choosing a range, zooming with the wheel.

use web_sys::{HtmlElement, MouseEvent, PointerEvent, WheelEvent};

use super::{Inner, Shared, update};
use crate::dom;

/// What one notch of the wheel leaves of the range.
const NOTCH: f64 = 0.8;

/// Listens at the plot.
pub(super) fn listen(plot: &HtmlElement, shared: &Shared) {
    let weak = shared.clone();
    dom::on(plot, "pointermove", move |event: PointerEvent| {
        update(&weak, |inner| moved(inner, &event));
    });
    let weak = shared.clone();
    dom::on(plot, "pointerdown", move |event: PointerEvent| {
        update(&weak, |inner| pressed(inner, &event));
    });
    let weak = shared.clone();
    dom::on(plot, "pointerup", move |event: PointerEvent| {
        update(&weak, |inner| released(inner, &event));
    });
    for gone in ["pointerleave", "pointercancel"] {
        let weak = shared.clone();
        dom::on(plot, gone, move |_: PointerEvent| {
            update(&weak, |inner| {
                inner.drag = None;
                inner.figure.brush(None);
                inner.leave();
            });
        });
    }
    let weak = shared.clone();
    dom::on(plot, "wheel", move |event: WheelEvent| {
        // Without Ctrl the wheel scrolls the page, over a chart as anywhere.
        if event.ctrl_key() {
            update(&weak, |inner| turned(inner, &event));
        }
    });
    let weak = shared.clone();
    dom::on(plot, "dblclick", move |_: MouseEvent| {
        update(&weak, |inner| {
            inner.reset();
        });
    });
}

/// Where the pointer is, in logical pixels from the plot's upper left corner.
fn at(inner: &Inner, event: &MouseEvent) -> (f64, f64) {
    let plot = inner.parts.plot.get_bounding_client_rect();
    (
        f64::from(event.client_x()) - plot.left(),
        f64::from(event.client_y()) - plot.top(),
    )
}

fn moved(inner: &mut Inner, event: &PointerEvent) {
    let (x, y) = at(inner, event);
    if let Some(from) = inner.drag {
        inner.figure.brush(Some((from, x)));
        return inner.leave();
    }
    let hit = inner.figure.hover(x, y);
    inner.show(hit.as_ref());
}

fn pressed(inner: &mut Inner, event: &PointerEvent) {
    // A finger that moves scrolls the page; a tap points.
    if event.button() != 0 || event.pointer_type() == "touch" || !inner.figure.zooms() {
        return;
    }
    inner.drag = Some(at(inner, event).0);
    let _ = inner.parts.plot.set_pointer_capture(event.pointer_id());
}

fn released(inner: &mut Inner, event: &PointerEvent) {
    let Some(from) = inner.drag.take() else {
        return;
    };
    inner.figure.brush(None);
    inner.stale.1 = true;
    let (x, _) = at(inner, event);
    if inner.figure.zoom(from, x) {
        inner.changed();
        inner.say_zoom();
    }
}

fn turned(inner: &mut Inner, event: &WheelEvent) {
    if !inner.figure.zooms() {
        return;
    }
    event.prevent_default();
    let factor = if event.delta_y() < 0.0 {
        NOTCH
    } else {
        1.0 / NOTCH
    };
    let (x, _) = at(inner, event);
    if inner.figure.zoom_at(x, factor) {
        inner.changed();
    }
}
