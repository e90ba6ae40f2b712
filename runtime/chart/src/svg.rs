//! A chart as a self-contained SVG document.
//!
//! Text stays text, so no font system is needed here and the saved notebook stays searchable.
//! The picture stands on a light panel of its own and so reads on light and dark pages alike.

use plotters::prelude::IntoDrawingArea;
use plotters_svg::SVGBackend;

use crate::ChartError;
use crate::model::{Chart, Kind, Split};
use crate::scene::{Palette, Surface, draw};
use crate::view::ViewState;

/// Units of the view box in a pixel: plotters draws on whole units, and curves need finer ones.
const FINE: u32 = 4;

/// A picture's size in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl Size {
    /// The size that suits `chart` in a notebook: bars grow with their number.
    pub fn natural(chart: &Chart) -> Self {
        let height = match chart.kind {
            Kind::Bar => 110 + 24 * chart.x.categories.len().clamp(3, 40) as u32,
            Kind::Card => 40 + 90 * chart.cards.len().div_ceil(4).max(1) as u32,
            Kind::Pie => 300,
            Kind::Ladder | Kind::TimePivot => {
                110 + 24 * chart.y.categories.len().clamp(3, 40) as u32
            }
            _ if chart.split == Split::Panels => 90 + 130 * chart.parts.len().clamp(2, 5) as u32,
            _ => 360,
        };
        Self { width: 760, height }
    }
}

/// Draws `chart` as SVG of `size` (each side held between 64 and 8192 pixels). The document has a
/// title and a description for screen readers, and refers to nothing outside itself.
pub fn svg(chart: &Chart, size: Size) -> Result<String, ChartError> {
    svg_of(chart, &ViewState::default(), size)
}

/// The same as [`svg`], as a reader sees it who has zoomed or hidden something.
pub fn svg_of(chart: &Chart, view: &ViewState, size: Size) -> Result<String, ChartError> {
    let (width, height) = (size.width.clamp(64, 8192), size.height.clamp(64, 8192));
    let mut drawn = String::new();
    {
        let area =
            SVGBackend::with_string(&mut drawn, (width * FINE, height * FINE)).into_drawing_area();
        let surface = Surface {
            scale: f64::from(FINE),
            font: 1.24,
            palette: Palette::LIGHT,
        };
        draw(chart, view, &area, surface)?;
    }
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    let label = escaped(chart.title.as_deref().unwrap_or(chart.kind.name()));
    let about = escaped(&chart.describe());
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"spoor-chart\" role=\"img\" aria-label=\"{label}. {about}\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" style=\"max-width:100%;height:auto\">\n\
         <title>{label}</title>\n<desc>{about}</desc>\n{}",
        width * FINE,
        height * FINE,
        tidied(body)
    ))
}

/// Plotters writes each text on a line of its own and full opacity as an attribute; neither is
/// needed, and notebooks are kept in version control.
fn tidied(body: &str) -> String {
    body.replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace("\n</text>", "</text>")
        .replace(" \"/>", "\"/>")
        .replace(">\n<", ">\u{0}<")
        .split('\u{0}')
        .map(joined)
        .collect::<Vec<_>>()
        .join("\n")
}

fn joined(tag: &str) -> String {
    tag.replace(">\n", ">")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
