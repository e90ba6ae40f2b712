//! A treemap: rectangles whose areas are as the values, within those of their groups.

use super::sheet::{Area, Hold, Ink, Sheet, Type, fitted, text_width};
use super::target::{Seek, Shape};
use super::{Laid, Layout, frame};
use crate::ticks;

const LABEL: f64 = 12.0;
/// The height of a group's heading.
const HEAD: f64 = 18.0;
/// The air between rectangles.
const AIR: f64 = 1.0;

/// A rectangle to be: which point of which series it is of, and its value.
struct Leaf {
    series: usize,
    point: usize,
    colour: usize,
    value: f64,
}

/// Lays out one rectangle for each positive value, largest first.
pub(crate) fn lay(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let area = frame::surround(sheet, of);
    let groups = groups(of);
    let sums: Vec<f64> = groups
        .iter()
        .map(|g| g.iter().map(|l| l.value).sum())
        .collect();
    let total: f64 = sums.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let nested = !of.chart.entries().of_points;
    for (leaves, place) in groups.iter().zip(squarified(&sums, area)) {
        let mut inner = place;
        if nested && place.height() > 3.0 * HEAD && place.width() > 40.0 {
            heading(sheet, of, leaves, place);
            inner.top += HEAD;
        }
        let values: Vec<f64> = leaves.iter().map(|l| l.value).collect();
        for (leaf, place) in leaves.iter().zip(squarified(&values, inner)) {
            rectangle(sheet, of, leaf, place, total);
        }
    }
    Laid {
        seek: Seek::Free,
        ..Laid::default()
    }
}

/// The leaves of each series that is shown, both in order of size.
fn groups(of: &Layout<'_>) -> Vec<Vec<Leaf>> {
    let of_points = of.chart.entries().of_points;
    let mut groups: Vec<Vec<Leaf>> = Vec::new();
    for (series, data) in of.chart.series.iter().enumerate() {
        let mut leaves = Vec::new();
        for (point, (_, value)) in data.points.iter().enumerate() {
            let colour = if of_points { point } else { series };
            let value = value.unwrap_or(0.0);
            if value > 0.0 && value.is_finite() && !of.view.hidden.contains(&colour) {
                leaves.push(Leaf {
                    series,
                    point,
                    colour,
                    value,
                });
            }
        }
        leaves.sort_by(|a, b| b.value.total_cmp(&a.value));
        if !leaves.is_empty() {
            groups.push(leaves);
        }
    }
    let sum = |g: &[Leaf]| g.iter().map(|l| l.value).sum::<f64>();
    groups.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    groups
}

fn heading(sheet: &mut Sheet, of: &Layout<'_>, leaves: &[Leaf], place: Area) {
    let Some(name) = leaves.first().and_then(|l| of.chart.series.get(l.series)) else {
        return;
    };
    let look = Type {
        bold: true,
        ..Type::new(LABEL, Ink::Text, Hold::Left)
    };
    let text = fitted(&name.name, LABEL * 1.15, place.width() - 8.0);
    sheet.text(&text, (place.left + 4.0, place.top + HEAD / 2.0), look);
}

fn rectangle(sheet: &mut Sheet, of: &Layout<'_>, leaf: &Leaf, place: Area, total: f64) {
    let air = AIR
        .min(place.width() / 4.0)
        .min(place.height() / 4.0)
        .max(0.0);
    let (from, to) = (
        (place.left + air, place.top + air),
        (place.right - air, place.bottom - air),
    );
    sheet.rect(from, to, Ink::Series(leaf.colour), 1.0);
    sheet.target(leaf.series, leaf.point, place.middle(), Shape::Box(place));
    let x = of.chart.series[leaf.series].points[leaf.point].0;
    let name = of.chart.x.categories.get(x as usize);
    let (Some(name), true) = (name, place.width() > 34.0 && place.height() > 18.0) else {
        return;
    };
    let look = Type::new(LABEL, Ink::Upon(leaf.colour), Hold::Left);
    let room = place.width() - 10.0;
    sheet.text(
        &fitted(name, LABEL, room),
        (place.left + 5.0, place.top + 11.0),
        look,
    );
    let value = ticks::number(leaf.value, leaf.value / 1000.0);
    let figure = format!("{value}  {:.1}%", leaf.value / total * 100.0);
    if place.height() > 34.0 && text_width(&figure, 11.0) <= room {
        let look = Type { size: 11.0, ..look };
        sheet.text(&figure, (place.left + 5.0, place.top + 26.0), look);
    }
}

/// Cuts `area` into rectangles as large as `values` (positive, largest first) and as square as a
/// row at a time can make them (Bruls, Huizing and van Wijk, "Squarified Treemaps").
fn squarified(values: &[f64], mut area: Area) -> Vec<Area> {
    let mut out = Vec::with_capacity(values.len());
    let mut rest: f64 = values.iter().sum();
    let mut from = 0;
    while from < values.len() && rest > 0.0 {
        let scale = (area.width() * area.height()).max(0.0) / rest;
        let side = area.width().min(area.height()).max(1e-6);
        let to = row_end(&values[from..], scale, side) + from;
        let sum: f64 = values[from..to].iter().sum();
        let share = (sum / rest).min(1.0);
        area = cut(&mut out, &values[from..to], sum, share, area);
        rest -= sum;
        from = to;
    }
    // What rounding left over has no area.
    out.resize(
        values.len(),
        Area {
            left: area.right,
            top: area.bottom,
            ..area
        },
    );
    out
}

/// How many of `values` go into the next row, along a side of length `side`.
fn row_end(values: &[f64], scale: f64, side: f64) -> usize {
    let worst = |sum: f64, most: f64, least: f64| {
        let (s2, sum2) = (side * side, (sum * scale) * (sum * scale));
        (s2 * most * scale / sum2).max(sum2 / (s2 * least * scale))
    };
    let (mut sum, mut best) = (0.0, f64::INFINITY);
    for (i, value) in values.iter().enumerate() {
        sum += value;
        let now = worst(sum, values[0], *value);
        if now > best {
            return i.max(1);
        }
        best = now;
    }
    values.len()
}

/// Places a row at the shorter side of `area`; gives what is left of it.
fn cut(out: &mut Vec<Area>, row: &[f64], sum: f64, share: f64, area: Area) -> Area {
    let wide = area.width() >= area.height();
    let thick = share * if wide { area.width() } else { area.height() };
    let mut at = if wide { area.top } else { area.left };
    for value in row {
        let long = value / sum * if wide { area.height() } else { area.width() };
        out.push(if wide {
            Area {
                left: area.left,
                top: at,
                right: area.left + thick,
                bottom: at + long,
            }
        } else {
            Area {
                left: at,
                top: area.top,
                right: at + long,
                bottom: area.top + thick,
            }
        });
        at += long;
    }
    if wide {
        Area {
            left: area.left + thick,
            ..area
        }
    } else {
        Area {
            top: area.top + thick,
            ..area
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_as_large_as_their_values_and_fill_the_area() {
        let area = Area {
            left: 10.0,
            top: 20.0,
            right: 310.0,
            bottom: 220.0,
        };
        let values = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let places = squarified(&values, area);
        assert_eq!(places.len(), values.len());
        for (value, place) in values.iter().zip(&places) {
            let size = place.width() * place.height();
            assert!((size - value / 24.0 * 60_000.0).abs() < 1e-6, "{place:?}");
            assert!(place.left >= 9.999 && place.right <= 310.001);
            let long = place.width().max(place.height());
            assert!(long / place.width().min(place.height()) < 4.0, "{place:?}");
        }
    }

    #[test]
    fn flat_areas_and_tiny_values_do_no_harm() {
        let flat = Area {
            left: 0.0,
            top: 5.0,
            right: 9.0,
            bottom: 5.0,
        };
        assert_eq!(squarified(&[3.0, 1e-300], flat).len(), 2);
        assert_eq!(squarified(&[], flat), []);
    }
}
