//! Charts as pictures: a [`Chart`] laid out for a size, then drawn by any of plotters' backends.
//!
//! The layout (title, legend, axes, marks) is ours; plotters carries it out. [`crate::svg`] draws
//! a scene for a saved notebook, [`crate::Figure`] keeps one for a page's canvas.

mod bars;
mod card;
mod frame;
mod hover;
mod lanes;
mod lines;
mod paint;
mod palette;
mod pie;
mod scale;
mod sheet;
mod stack;
mod target;
mod treemap;

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};

use crate::ChartError;
use crate::model::{Chart, Kind};
use crate::view::ViewState;
pub(crate) use frame::MAX_PARTS;
use frame::Pane;
pub use paint::Surface;
pub use palette::{Palette, Rgb};
use scale::Scale;
use sheet::{Ink, Sheet};
pub(crate) use stack::key;
use target::Seek;
pub(crate) use target::Target;

/// Draws `chart` as `view` shows it over the whole of `area`, with its title, legend and note.
/// Fails only where the backend does.
pub fn draw<DB: DrawingBackend>(
    chart: &Chart,
    view: &ViewState,
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
) -> Result<(), ChartError> {
    let (width, height) = area.dim_in_pixel();
    let size = (
        f64::from(width) / surface.scale,
        f64::from(height) / surface.scale,
    );
    let of = Layout {
        chart,
        view,
        bare: false,
    };
    Scene::new(&of, size).draw(area, surface)
}

/// What a layout is made for.
pub(crate) struct Layout<'a> {
    pub chart: &'a Chart,
    pub view: &'a ViewState,
    /// Whether title, legend and note stand outside the picture.
    pub bare: bool,
}

/// What a layout leaves behind for the pointer.
#[derive(Debug, Clone, Default)]
struct Laid {
    panes: Vec<Pane>,
    seek: Seek,
    /// Whether the reader can zoom along x.
    zooms: bool,
}

/// A chart laid out: what is drawn, and what can be pointed at.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    sheet: Sheet,
    laid: Laid,
}

impl Scene {
    /// Lays out for `size` logical pixels.
    pub(crate) fn new(of: &Layout<'_>, size: (f64, f64)) -> Self {
        let mut sheet = Sheet::new(size);
        sheet.rect((0.0, 0.0), size, Ink::Panel, 1.0);
        let laid = match of.chart.kind {
            Kind::Card => card::lay(&mut sheet, of),
            Kind::Pie => pie::lay(&mut sheet, of),
            Kind::Bar => bars::lay_horizontal(&mut sheet, of),
            Kind::Column => bars::lay_vertical(&mut sheet, of),
            Kind::Treemap => treemap::lay(&mut sheet, of),
            Kind::Ladder | Kind::TimePivot => lanes::lay(&mut sheet, of),
            Kind::Time | Kind::Line | Kind::Area | Kind::Scatter => lines::lay(&mut sheet, of),
        };
        Self { sheet, laid }
    }

    /// Draws it over the whole of `area`. Fails only where the backend does.
    pub(crate) fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        surface: Surface,
    ) -> Result<(), ChartError> {
        paint::paint(&self.sheet.items, area, surface)?;
        area.present().map_err(|e| ChartError::Draw(e.to_string()))
    }

    /// Width and height in logical pixels.
    pub(crate) fn size(&self) -> (f64, f64) {
        self.sheet.size()
    }

    /// Everything that can be pointed at, series by series.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.sheet.targets
    }

    /// The mark nearest to a pixel.
    pub(crate) fn nearest(&self, x: f64, y: f64) -> Option<&Target> {
        let index = target::nearest(&self.sheet.targets, (x, y), self.laid.seek)?;
        self.sheet.targets.get(index)
    }

    /// The scale of x, where the reader can zoom along it.
    pub(crate) fn zoom_scale(&self) -> Option<Scale> {
        let first = self.laid.panes.first().filter(|_| self.laid.zooms);
        first.map(|pane| pane.x)
    }

    /// How many things are drawn: lines, shapes and texts.
    #[cfg(test)]
    pub(crate) fn drawn(&self) -> usize {
        let weight = |item: &sheet::Item| match item {
            sheet::Item::Line { points, .. } | sheet::Item::Fill { points, .. } => points.len(),
            _ => 1,
        };
        self.sheet.items.iter().map(weight).sum()
    }
}
