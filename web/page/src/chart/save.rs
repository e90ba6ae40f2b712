//! Saving a chart as a picture, as the reader sees it, with its title and legend.

use plotters::prelude::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use spoor_chart::{Size, Surface, draw, svg_of};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlCanvasElement, Url};

use super::Inner;
use crate::dom::{self, el};

/// Device pixels in a logical pixel of a saved picture.
const FINE: u32 = 2;

/// Saves the chart as SVG.
pub(super) fn svg(inner: &mut Inner) {
    let chart = inner.figure.chart();
    let drawn = svg_of(chart, inner.figure.view(), Size::natural(chart));
    let parts = |text: String| js_sys::Array::of1(&text.into());
    let about = BlobPropertyBag::new();
    about.set_type("image/svg+xml");
    let blob = drawn
        .ok()
        .and_then(|text| Blob::new_with_str_sequence_and_options(&parts(text), &about).ok());
    match blob {
        Some(blob) => download(&blob, &name(inner, "svg")),
        None => inner.say("The picture could not be made."),
    }
}

/// Saves the chart as PNG, with twice as many pixels as it has on the page.
pub(super) fn png(inner: &mut Inner) {
    let chart = inner.figure.chart();
    let size = Size::natural(chart);
    let canvas: HtmlCanvasElement = el("canvas").cast();
    canvas.set_width(size.width * FINE);
    canvas.set_height(size.height * FINE);
    let surface = Surface {
        scale: f64::from(FINE),
        font: 1.0,
        palette: inner.palette,
    };
    let backend = CanvasBackend::with_canvas_object(canvas.clone());
    let drawn = backend.is_some_and(|backend| {
        let area = backend.into_drawing_area();
        draw(chart, inner.figure.view(), &area, surface).is_ok()
    });
    let name = name(inner, "png");
    let made = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            download(&blob, &name);
        }
    });
    if !drawn || canvas.to_blob(made.unchecked_ref()).is_err() {
        inner.say("The picture could not be made.");
    }
}

/// A file's name from the chart's title.
fn name(inner: &Inner, extension: &str) -> String {
    let title = inner.figure.chart().title.as_deref().unwrap_or_default();
    let plain: String = title
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    let plain = plain.trim_matches('-');
    let stem = if plain.is_empty() { "chart" } else { plain };
    format!("{stem}.{extension}")
}

fn download(blob: &Blob, name: &str) {
    let Ok(url) = Url::create_object_url_with_blob(blob) else {
        return;
    };
    let link: HtmlAnchorElement = el("a").attr("href", &url).attr("download", name).cast();
    link.click();
    // The browser has begun to save by then.
    dom::after(10_000, move || {
        let _ = Url::revoke_object_url(&url);
    });
}
