//! A pie: a ring of sectors, with names, values and shares in the legend beside it.

use std::f64::consts::{FRAC_PI_2, TAU};

use super::frame::LABEL;
use super::sheet::{Area, Hold, Ink, Point, Sheet, Type, fitted, text_width};
use super::target::{Seek, Shape};
use super::{Laid, Layout, frame};
use crate::ticks;

/// A sector: which point it is of, its name and its value.
struct Part<'a> {
    point: usize,
    name: &'a str,
    value: f64,
}

/// Lays out the first series as a pie. Sectors are those of positive values.
pub(crate) fn lay(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let area = frame::surround(sheet, of);
    let parts = parts(of);
    let total: f64 = parts.iter().map(|p| p.value).sum();
    if !(total > 0.0 && total.is_finite()) {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let beside = of.chart.legend && !of.bare;
    let room = if beside { 4.0 } else { 2.0 };
    let radius = ((area.height() / 2.0).min(area.width() / room) - 4.0).max(4.0);
    let (mut centre, left) = (area.middle(), area.left + radius + 8.0);
    if !of.bare {
        centre.0 = left;
    }
    let mut from = 0.0;
    for part in &parts {
        let to = from + TAU * (part.value / total);
        let outline = sector(centre, radius, from, to);
        sheet.fill(outline, Ink::Series(part.point), 1.0);
        sheet.target(0, part.point, centre, Shape::Sector { radius, from, to });
        from = to;
    }
    edges(sheet, &parts, total, centre, radius);
    sheet.dot(centre, radius * 0.55, Ink::Panel, 1.0);
    let whole = ticks::number(total, total / 1000.0);
    let size = if text_width(&whole, 20.0) < radius {
        20.0
    } else {
        13.0
    };
    let look = Type {
        bold: true,
        ..Type::new(size, Ink::Text, Hold::Middle)
    };
    sheet.text(&whole, centre, look);
    if beside {
        legend(sheet, &parts, total, centre.0 + radius + 28.0, area);
    }
    Laid {
        seek: Seek::Free,
        ..Laid::default()
    }
}

fn parts<'a>(of: &Layout<'a>) -> Vec<Part<'a>> {
    let points = of.chart.series.first().map(|s| s.points.as_slice());
    points
        .unwrap_or_default()
        .iter()
        .enumerate()
        .filter(|(i, _)| !of.view.hidden.contains(i))
        .filter_map(|(point, (x, y))| {
            Some(Part {
                point,
                name: of.chart.x.categories.get(*x as usize)?,
                value: (*y)?,
            })
        })
        .filter(|part| part.value > 0.0)
        .collect()
}

/// A point at an angle clockwise from the top.
fn on_circle(centre: Point, radius: f64, angle: f64) -> Point {
    let angle = angle - FRAC_PI_2;
    (
        centre.0 + radius * angle.cos(),
        centre.1 + radius * angle.sin(),
    )
}

/// The outline of a sector.
pub(crate) fn sector(centre: Point, radius: f64, from: f64, to: f64) -> Vec<Point> {
    let steps = ((to - from) / TAU * 180.0).ceil().clamp(1.0, 360.0) as usize;
    let arc = (0..=steps).map(|i| from + (to - from) * i as f64 / steps as f64);
    std::iter::once(centre)
        .chain(arc.map(|a| on_circle(centre, radius, a)))
        .collect()
}

/// Thin lines between sectors, so that neighbours of like colours stay apart.
fn edges(sheet: &mut Sheet, parts: &[Part<'_>], total: f64, centre: Point, radius: f64) {
    if parts.len() < 2 {
        return;
    }
    let mut angle = 0.0;
    for part in parts {
        let edge = vec![centre, on_circle(centre, radius, angle)];
        sheet.line(edge, Ink::Panel, 1.5);
        angle += TAU * (part.value / total);
    }
}

fn legend(sheet: &mut Sheet, parts: &[Part<'_>], total: f64, left: f64, area: Area) {
    let fit = (area.height() / 20.0).floor().max(1.0) as usize;
    let shown = if parts.len() > fit {
        fit - 1
    } else {
        parts.len()
    };
    let rows = if parts.len() > fit { fit } else { shown };
    let mut y = area.middle().1 - (rows as f64 - 1.0) * 10.0;
    let plain = Type::new(LABEL, Ink::Text, Hold::Left);
    let muted = Type::new(LABEL, Ink::Muted, Hold::Left);
    for part in parts.iter().take(shown) {
        let value = ticks::number(part.value, part.value / 1000.0);
        let figure = format!("{value}  {:.1}%", part.value / total * 100.0);
        let room = area.right - left - 34.0 - text_width(&figure, LABEL);
        let name = fitted(part.name, LABEL, room.max(20.0));
        let (from, to) = ((left, y - 5.0), (left + 10.0, y + 5.0));
        sheet.rect(from, to, Ink::Series(part.point), 1.0);
        sheet.text(&name, (left + 16.0, y), plain);
        let at = (left + 28.0 + text_width(&name, LABEL), y);
        sheet.text(&figure, at, muted);
        y += 20.0;
    }
    if parts.len() > shown {
        let text = format!("and {} more", parts.len() - shown);
        sheet.text(&text, (left + 16.0, y), muted);
    }
}
