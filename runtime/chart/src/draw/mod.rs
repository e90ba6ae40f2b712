//! Draws a [`Chart`] on any of plotters' backends.
//!
//! The layout (title, legend, axes, marks) is ours; plotters carries it out. [`draw`] is called
//! by [`crate::svg`] here and by the page's worker with plotters' canvas backend.

mod bars;
mod card;
mod frame;
mod lines;
mod pie;
mod sheet;

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};

use crate::ChartError;
use crate::model::{Chart, Kind};
use sheet::Sheet;

/// How a backend differs from logical pixels.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// Device pixels in a logical pixel.
    pub scale: f64,
    /// The factor that makes the backend's font size one of logical pixels: 1.24 for plotters'
    /// SVG backend, 1 for its canvas backend.
    pub font: f64,
}

/// Draws `chart` over the whole of `area`. Fails only where the backend does.
pub fn draw<DB: DrawingBackend>(
    chart: &Chart,
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
) -> Result<(), ChartError> {
    let sheet = Sheet::new(area, surface.scale, surface.font);
    sheet.rect((0.0, 0.0), sheet.size(), sheet::PANEL, 1.0)?;
    match chart.kind {
        Kind::Card => card::draw(&sheet, chart)?,
        Kind::Pie => pie::draw(&sheet, chart)?,
        Kind::Bar => bars::draw_horizontal(&sheet, chart)?,
        Kind::Column => bars::draw_vertical(&sheet, chart)?,
        Kind::Time | Kind::Line | Kind::Area | Kind::Scatter => lines::draw(&sheet, chart)?,
    }
    area.present().map_err(|e| ChartError::Draw(e.to_string()))
}
