//! Drawing on the two canvases, sharp at any density of the screen.

use plotters::prelude::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use spoor_chart::Surface;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::Inner;
use crate::dom;

/// The most device pixels along one side of a canvas; browsers refuse larger ones.
const MOST: f64 = 8192.0;

impl Inner {
    /// Draws what is stale.
    pub(super) fn draw(&mut self) {
        let (chart, above) = std::mem::take(&mut self.stale);
        let plot = &self.parts.plot;
        let size = (
            f64::from(plot.client_width()),
            f64::from(plot.client_height()),
        );
        if size.0 < 1.0 || size.1 < 1.0 {
            return;
        }
        let dense = dom::window().device_pixel_ratio();
        let scale = dense.min(MOST / size.0.max(size.1)).max(0.5);
        let surface = Surface {
            scale,
            font: 1.0,
            palette: self.palette,
        };
        // A canvas that has lost its memory refuses; the next change draws again.
        if chart {
            fit(&self.parts.base, size, scale);
            if let Some(backend) = CanvasBackend::with_canvas_object(self.parts.base.clone()) {
                let _ = self.figure.draw(&backend.into_drawing_area(), surface);
            }
        }
        if above {
            fit(&self.parts.above, size, scale);
            clear(&self.parts.above);
            if let Some(backend) = CanvasBackend::with_canvas_object(self.parts.above.clone()) {
                let _ = self
                    .figure
                    .draw_hover(&backend.into_drawing_area(), surface);
            }
        }
    }
}

/// Gives a canvas as many pixels as the screen has for it. Setting a size clears a canvas, so one
/// that fits is left alone.
fn fit(canvas: &HtmlCanvasElement, size: (f64, f64), scale: f64) {
    let (width, height) = (
        (size.0 * scale).round() as u32,
        (size.1 * scale).round() as u32,
    );
    if canvas.width() != width {
        canvas.set_width(width);
    }
    if canvas.height() != height {
        canvas.set_height(height);
    }
}

fn clear(canvas: &HtmlCanvasElement) {
    let context = canvas.get_context("2d").ok().flatten();
    if let Some(context) = context.and_then(|c| c.dyn_into::<CanvasRenderingContext2d>().ok()) {
        context.clear_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    }
}

/// Puts the tooltip beside a point, on the side where there is room.
pub(super) fn place(tip: &HtmlElement, plot: &HtmlElement, at: (f64, f64)) {
    let (width, height) = (
        f64::from(tip.offset_width()),
        f64::from(tip.offset_height()),
    );
    let room = f64::from(plot.client_width());
    let right = at.0 + 14.0;
    let left = if right + width <= room {
        right
    } else {
        (at.0 - 14.0 - width).max(0.0)
    };
    let low = (f64::from(plot.client_height()) - height).max(0.0);
    let top = (at.1 - height / 2.0).clamp(0.0, low);
    let style = tip.style();
    let _ = style.set_property("transform", &format!("translate({left:.0}px, {top:.0}px)"));
}
