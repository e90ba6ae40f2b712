//! Vertical and horizontal bars.

use plotters::prelude::DrawingBackend;

use super::frame::{self, Area, Scale};
use super::lines::{Stacked, stacked};
use super::sheet::{BASE, GRID, Hold, INK, MUTED, Sheet, Type, colour, fitted, text_width};
use crate::ChartError;
use crate::model::{AxisType, Chart, Stacking};
use crate::ticks;

const LABEL: f64 = 12.0;
/// The share of a slot that bars fill.
const FILL: f64 = 0.78;

/// Draws a column chart: x left to right, over categories or along a quantity such as time.
pub(crate) fn draw_vertical<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<(), ChartError> {
    let area = frame::surround(sheet, chart)?;
    let gap = least_gap(chart);
    if chart.series.iter().all(|s| s.points.is_empty()) {
        return frame::nothing(sheet, area);
    }
    let (low, high) = match chart.x.ty {
        AxisType::Category => (0.0, chart.x.categories.len() as f64 - 1.0),
        _ => frame::x_range(chart),
    };
    let plot = frame::axes(sheet, chart, area, (low - gap / 2.0, high + gap / 2.0))?;
    let slot = plot.area.width() * gap / (high - low + gap);
    for (i, points) in stacked(chart).iter().enumerate() {
        let (offset, width) = lane(chart, i, slot);
        for point in points {
            let (Some(x), Some((base, top))) = (plot.x.pixel(point.x), ends(&plot.y, point)) else {
                continue;
            };
            let left = x - slot / 2.0 + offset;
            let clamp = |y: f64| y.clamp(plot.area.top, plot.area.bottom);
            sheet.rect(
                (left, clamp(top)),
                (left + width, clamp(base)),
                colour(i),
                1.0,
            )?;
        }
    }
    Ok(())
}

/// Where in its slot the bars of series `i` begin, and how wide they are.
fn lane(chart: &Chart, i: usize, slot: f64) -> (f64, f64) {
    let lanes = if chart.stacking == Stacking::None {
        chart.series.len().max(1)
    } else {
        1
    };
    let full = (slot * FILL).min(64.0 * lanes as f64).max(1.0);
    let width = full / lanes as f64;
    let at = if lanes == 1 { 0.0 } else { width * i as f64 };
    let air = if width > 6.0 && lanes > 1 { 1.0 } else { 0.0 };
    ((slot - full) / 2.0 + at, (width - air).max(0.75))
}

fn ends(scale: &Scale, point: &Stacked) -> Option<(f64, f64)> {
    let top = scale.pixel(point.top)?;
    let base = if point.base == 0.0 {
        scale.zero()
    } else {
        scale.pixel(point.base)?
    };
    Some((base, top))
}

/// The least distance between neighbouring bars, in units of the axis.
fn least_gap(chart: &Chart) -> f64 {
    if chart.x.ty == AxisType::Category {
        return 1.0;
    }
    let mut xs: Vec<f64> = chart
        .series
        .iter()
        .flat_map(|s| s.points.iter().map(|p| p.0))
        .collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let gap = xs
        .windows(2)
        .map(|w| w[1] - w[0])
        .filter(|g| *g > 0.0)
        .fold(f64::INFINITY, f64::min);
    if gap.is_finite() { gap } else { 1.0 }
}

/// Draws a bar chart: categories from top to bottom, values to the right.
pub(crate) fn draw_horizontal<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<(), ChartError> {
    let area = frame::surround(sheet, chart)?;
    if chart.x.categories.is_empty() {
        return frame::nothing(sheet, area);
    }
    let (inner, scale) = side_axes(sheet, chart, area)?;
    let slot = inner.height() / chart.x.categories.len() as f64;
    for (i, points) in stacked(chart).iter().enumerate() {
        let (offset, width) = lane(chart, i, slot);
        for point in points {
            let Some((base, top)) = ends(&scale, point) else {
                continue;
            };
            let y = inner.top + slot * point.x + offset;
            let clamp = |x: f64| x.clamp(inner.left, inner.right);
            let (from, to) = (clamp(base.min(top)), clamp(base.max(top)));
            sheet.rect((from, y), (to, y + width), colour(i), 1.0)?;
            if chart.stacking == Stacking::None && width >= 9.0 {
                let text = ticks::number(point.top, point.top.abs() / 100.0);
                sheet.text(
                    &text,
                    (to + 5.0, y + width / 2.0),
                    Type::new(11.0, MUTED, Hold::Left),
                )?;
            }
        }
    }
    sheet.line(
        &[(scale.zero(), inner.top), (scale.zero(), inner.bottom)],
        BASE,
        1.0,
    )
}

/// The axes of a bar chart; gives the area of the bars and the scale of their lengths.
fn side_axes<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
    area: Area,
) -> Result<(Area, Scale), ChartError> {
    let mut inner = area;
    let names = &chart.x.categories;
    let widest = names
        .iter()
        .map(|n| text_width(n, LABEL))
        .fold(0.0, f64::max);
    let room = widest.min(area.width() * 0.38);
    inner.left += room + 10.0;
    // The longest bar's figure stands beside it.
    inner.right -= 44.0;
    inner.bottom -= if chart.y.title.is_some() { 40.0 } else { 22.0 };
    let range = frame::value_range(chart);
    let axis = frame::value_axis(chart);
    let scale = Scale::new(range, axis.log, inner.left, inner.right);
    for tick in ticks::ticks(
        &axis,
        range.0,
        range.1,
        (inner.width() / 80.0).max(2.0) as usize,
    ) {
        let x = inner.left + (tick.at - range.0) / (range.1 - range.0) * inner.width();
        sheet.line(&[(x, inner.top), (x, inner.bottom)], GRID, 1.0)?;
        sheet.text(
            &tick.label,
            (x, inner.bottom + 12.0),
            Type::new(LABEL, MUTED, Hold::Middle),
        )?;
    }
    if let Some(title) = &chart.y.title {
        let at = ((inner.left + inner.right) / 2.0, inner.bottom + 30.0);
        sheet.text(
            &fitted(title, LABEL, inner.width()),
            at,
            Type::new(LABEL, MUTED, Hold::Middle),
        )?;
    }
    let slot = inner.height() / names.len() as f64;
    let every = (14.0 / slot).ceil().max(1.0) as usize;
    for (i, name) in names.iter().enumerate().step_by(every) {
        let at = (inner.left - 8.0, inner.top + slot * (i as f64 + 0.5));
        sheet.text(
            &fitted(name, LABEL, room),
            at,
            Type::new(LABEL, INK, Hold::Right),
        )?;
    }
    Ok((inner, scale))
}
