//! What follows the pointer: a crosshair, the outline of the mark that it is on, and the range that
//! is being chosen.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};

use super::Scene;
use super::paint::{Surface, paint};
use super::pie::sector;
use super::sheet::{Area, Ink, Sheet};
use super::target::{Seek, Shape, Target};
use crate::ChartError;

impl Scene {
    /// Draws on a layer above the chart, which the caller has cleared.
    pub(crate) fn draw_hover<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        surface: Surface,
        hovered: Option<&Target>,
        brush: Option<(f64, f64)>,
    ) -> Result<(), ChartError> {
        let mut sheet = Sheet::new(self.size());
        if let Some(target) = hovered {
            self.outline(&mut sheet, target);
        }
        if let Some((from, to)) = brush {
            for pane in &self.laid.panes {
                let clamp = |x: f64| x.clamp(pane.area.left, pane.area.right.max(pane.area.left));
                let (from, to) = (clamp(from), clamp(to));
                let (top, bottom) = (pane.area.top, pane.area.bottom);
                sheet.rect((from, top), (to, bottom), Ink::Muted, 0.2);
                for x in [from, to] {
                    sheet.line(vec![(x, top), (x, bottom)], Ink::Muted, 1.0);
                }
            }
        }
        paint(&sheet.items, area, surface)?;
        area.present().map_err(|e| ChartError::Draw(e.to_string()))
    }

    fn outline(&self, sheet: &mut Sheet, target: &Target) {
        match target.shape {
            Shape::Dot => self.crosshair(sheet, target),
            Shape::Box(area) => boxed(sheet, area),
            Shape::Sector { radius, from, to } => {
                let mut points = sector(target.at, radius, from, to);
                points.push(target.at);
                sheet.line(points, Ink::Text, 2.0);
            }
        }
    }

    fn crosshair(&self, sheet: &mut Sheet, target: &Target) {
        let (x, y) = target.at;
        for pane in &self.laid.panes {
            let area = pane.area;
            sheet.line(vec![(x, area.top), (x, area.bottom)], Ink::Muted, 1.0);
            if self.laid.seek == Seek::Free && (area.top..=area.bottom).contains(&y) {
                sheet.line(vec![(area.left, y), (area.right, y)], Ink::Muted, 1.0);
            }
        }
        sheet.dot((x, y), 5.0, Ink::Panel, 1.0);
        sheet.dot((x, y), 4.0, Ink::Series(target.series), 1.0);
    }
}

fn boxed(sheet: &mut Sheet, area: Area) {
    let points = vec![
        (area.left, area.top),
        (area.right, area.top),
        (area.right, area.bottom),
        (area.left, area.bottom),
        (area.left, area.top),
    ];
    sheet.line(points, Ink::Text, 2.0);
}
