//! A pie: a ring of sectors, with names, values and shares in the legend beside it.

use std::f64::consts::{FRAC_PI_2, TAU};

use plotters::prelude::DrawingBackend;

use super::frame;
use super::sheet::{Hold, INK, MUTED, PANEL, Point, Sheet, Type, colour, fitted, text_width};
use crate::ChartError;
use crate::model::Chart;
use crate::ticks;

const LABEL: f64 = 12.0;

/// Draws the first series as a pie. Sectors are those of positive values.
pub(crate) fn draw<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<(), ChartError> {
    let area = frame::surround(sheet, chart)?;
    let parts = parts(chart);
    let total: f64 = parts.iter().map(|p| p.1).sum();
    if !(total > 0.0 && total.is_finite()) {
        return frame::nothing(sheet, area);
    }
    let radius = (area.height() / 2.0).min(area.width() / 4.0) - 4.0;
    let centre = (area.left + radius + 8.0, (area.top + area.bottom) / 2.0);
    let mut from = -FRAC_PI_2;
    for (i, (_, value)) in parts.iter().enumerate() {
        let to = from + TAU * (value / total);
        sheet.fill(&sector(centre, radius, from, to), colour(i), 1.0)?;
        from = to;
    }
    edges(sheet, &parts, total, centre, radius)?;
    sheet.dot(centre, radius * 0.55, PANEL, 1.0)?;
    let whole = ticks::number(total, total / 1000.0);
    let size = if text_width(&whole, 20.0) < radius {
        20.0
    } else {
        13.0
    };
    sheet.text(
        &whole,
        centre,
        Type {
            bold: true,
            ..Type::new(size, INK, Hold::Middle)
        },
    )?;
    if chart.legend {
        let left = centre.0 + radius + 28.0;
        legend(sheet, &parts, total, left, area)?;
    }
    Ok(())
}

fn parts(chart: &Chart) -> Vec<(String, f64)> {
    let points = chart
        .series
        .first()
        .map(|s| s.points.as_slice())
        .unwrap_or_default();
    points
        .iter()
        .filter_map(|(x, y)| Some((chart.x.categories.get(*x as usize)?.clone(), (*y)?)))
        .filter(|(_, y)| *y > 0.0)
        .collect()
}

fn on_circle(centre: Point, radius: f64, angle: f64) -> Point {
    (
        centre.0 + radius * angle.cos(),
        centre.1 + radius * angle.sin(),
    )
}

fn sector(centre: Point, radius: f64, from: f64, to: f64) -> Vec<Point> {
    let steps = ((to - from) / TAU * 180.0).ceil().clamp(1.0, 360.0) as usize;
    let arc = (0..=steps).map(|i| from + (to - from) * i as f64 / steps as f64);
    std::iter::once(centre)
        .chain(arc.map(|a| on_circle(centre, radius, a)))
        .collect()
}

/// Thin lines between sectors, so that neighbours of like colours stay apart.
fn edges<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    parts: &[(String, f64)],
    total: f64,
    centre: Point,
    radius: f64,
) -> Result<(), ChartError> {
    if parts.len() < 2 {
        return Ok(());
    }
    let mut angle = -FRAC_PI_2;
    for (_, value) in parts {
        sheet.line(&[centre, on_circle(centre, radius, angle)], PANEL, 1.5)?;
        angle += TAU * (value / total);
    }
    Ok(())
}

fn legend<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    parts: &[(String, f64)],
    total: f64,
    left: f64,
    area: frame::Area,
) -> Result<(), ChartError> {
    let fit = (area.height() / 20.0).floor().max(1.0) as usize;
    let shown = if parts.len() > fit {
        fit - 1
    } else {
        parts.len()
    };
    let rows = if parts.len() > fit { fit } else { shown };
    let mut y = (area.top + area.bottom) / 2.0 - (rows as f64 - 1.0) * 10.0;
    for (i, (name, value)) in parts.iter().take(shown).enumerate() {
        let figure = format!(
            "{}  {:.1}%",
            ticks::number(*value, value / 1000.0),
            value / total * 100.0
        );
        let room = area.right - left - 34.0 - text_width(&figure, LABEL);
        let name = fitted(name, LABEL, room.max(20.0));
        sheet.rect((left, y - 5.0), (left + 10.0, y + 5.0), colour(i), 1.0)?;
        sheet.text(&name, (left + 16.0, y), Type::new(LABEL, INK, Hold::Left))?;
        let at = (left + 28.0 + text_width(&name, LABEL), y);
        sheet.text(&figure, at, Type::new(LABEL, MUTED, Hold::Left))?;
        y += 20.0;
    }
    if parts.len() > shown {
        let text = format!("and {} more", parts.len() - shown);
        sheet.text(&text, (left + 16.0, y), Type::new(LABEL, MUTED, Hold::Left))?;
    }
    Ok(())
}
