//! Vertical and horizontal bars.

use super::frame::{self, LABEL, Pane};
use super::scale::{Scale, value_axis, value_range, x_range};
use super::sheet::{Area, Hold, Ink, Sheet, Type, fitted, text_width};
use super::stack::{Stacked, stacked};
use super::target::{Seek, Shape};
use super::{Laid, Layout};
use crate::model::{AxisType, Chart, Stacking};
use crate::ticks;

/// The share of a slot that bars fill.
const FILL: f64 = 0.78;

/// Lays out a column chart: x left to right, over categories or along a quantity such as time.
pub(crate) fn lay_vertical(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let chart = of.chart;
    let area = frame::surround(sheet, of);
    if chart.series.iter().all(|s| s.points.is_empty()) {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let gap = least_gap(chart);
    let range = match (of.view.zoom, chart.x.ty) {
        (Some(_), _) => x_range(chart, of.view),
        (None, AxisType::Category) => (-0.5, chart.x.categories.len() as f64 - 0.5),
        (None, _) => {
            let (low, high) = x_range(chart, of.view);
            (low - gap / 2.0, high + gap / 2.0)
        }
    };
    let stacks = stacked(chart, of.view);
    let panes = frame::axes(sheet, chart, area, range, &stacks);
    for pane in &panes {
        columns(
            sheet,
            of,
            pane,
            &stacks,
            pane.area.width() * gap / (range.1 - range.0),
        );
    }
    Laid {
        panes,
        seek: Seek::X,
        zooms: true,
    }
}

fn columns(sheet: &mut Sheet, of: &Layout<'_>, pane: &Pane, stacks: &[Vec<Stacked>], slot: f64) {
    let own: Vec<usize> = (0..stacks.len())
        .filter(|i| !of.view.hidden.contains(i) && pane.has(of.chart.series[*i].part))
        .collect();
    let area = pane.area;
    for (n, i) in own.iter().enumerate() {
        let (offset, width) = lane(of.chart, n, own.len(), slot);
        let mut last: Option<Area> = None;
        for (k, point) in stacks[*i].iter().enumerate() {
            let (Some(x), Some((base, top))) = (pane.x.pixel(point.x), ends(&pane.y, point)) else {
                continue;
            };
            let left = x - slot / 2.0 + offset;
            let bar = Area {
                left: left.max(area.left),
                top: top.min(base).clamp(area.top, area.bottom.max(area.top)),
                right: (left + width).min(area.right),
                bottom: top.max(base).clamp(area.top, area.bottom.max(area.top)),
            };
            if bar.right <= bar.left {
                continue;
            }
            let tip = (
                (bar.left + bar.right) / 2.0,
                if top < base { bar.top } else { bar.bottom },
            );
            sheet.target(*i, k, tip, Shape::Box(bar));
            // Of bars thinner than a pixel one is drawn for each pixel, as high as the highest.
            last = match last {
                Some(drawn) if slot < 1.0 && drawn.left.floor() == bar.left.floor() => Some(Area {
                    top: drawn.top.min(bar.top),
                    bottom: drawn.bottom.max(bar.bottom),
                    ..drawn
                }),
                Some(drawn) => {
                    filled(sheet, drawn, *i);
                    Some(bar)
                }
                None => Some(bar),
            };
        }
        if let Some(drawn) = last {
            filled(sheet, drawn, *i);
        }
    }
}

fn filled(sheet: &mut Sheet, bar: Area, i: usize) {
    let (from, to) = ((bar.left, bar.top), (bar.right, bar.bottom));
    sheet.rect(from, to, Ink::Series(i), 1.0);
}

/// Where in its slot the bars of the `n`th of `count` series begin, and how wide they are.
fn lane(chart: &Chart, n: usize, count: usize, slot: f64) -> (f64, f64) {
    let lanes = if chart.stacking == Stacking::None {
        count.max(1)
    } else {
        1
    };
    let full = (slot * FILL).min(64.0 * lanes as f64).max(1.0);
    let width = full / lanes as f64;
    let at = if lanes == 1 { 0.0 } else { width * n as f64 };
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

/// Lays out a bar chart: categories from top to bottom, values to the right.
pub(crate) fn lay_horizontal(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let chart = of.chart;
    let area = frame::surround(sheet, of);
    if chart.x.categories.is_empty() {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let stacks = stacked(chart, of.view);
    let (inner, scale) = side_axes(sheet, chart, area, &stacks);
    let slot = inner.height() / chart.x.categories.len() as f64;
    let shown: Vec<usize> = (0..stacks.len())
        .filter(|i| !of.view.hidden.contains(i))
        .collect();
    for (n, i) in shown.iter().enumerate() {
        let (offset, width) = lane(chart, n, shown.len(), slot);
        for (k, point) in stacks[*i].iter().enumerate() {
            let Some((base, top)) = ends(&scale, point) else {
                continue;
            };
            let y = inner.top + slot * point.x + offset;
            let clamp = |x: f64| x.clamp(inner.left, inner.right.max(inner.left));
            let bar = Area {
                left: clamp(base.min(top)),
                top: y,
                right: clamp(base.max(top)),
                bottom: y + width,
            };
            filled(sheet, bar, *i);
            sheet.target(*i, k, (clamp(top), y + width / 2.0), Shape::Box(bar));
            if chart.stacking == Stacking::None && width >= 9.0 {
                let text = ticks::number(point.top, point.top.abs() / 100.0);
                let look = Type::new(11.0, Ink::Muted, Hold::Left);
                sheet.text(&text, (bar.right + 5.0, y + width / 2.0), look);
            }
        }
    }
    let zero = scale.zero();
    sheet.line(
        vec![(zero, inner.top), (zero, inner.bottom)],
        Ink::Base,
        1.0,
    );
    Laid {
        seek: Seek::Y,
        ..Laid::default()
    }
}

/// The axes of a bar chart; gives the area of the bars and the scale of their lengths.
fn side_axes(
    sheet: &mut Sheet,
    chart: &Chart,
    area: Area,
    stacks: &[Vec<Stacked>],
) -> (Area, Scale) {
    let mut inner = area;
    let room = names_room(&chart.x.categories, area);
    inner.left += room + 10.0;
    // The longest bar's figure stands beside it.
    inner.right -= 44.0;
    inner.bottom -= if chart.y.title.is_some() { 40.0 } else { 22.0 };
    let range = value_range(chart, stacks, None, (f64::NEG_INFINITY, f64::INFINITY));
    let axis = value_axis(chart);
    let scale = Scale::new(range, axis.log, inner.left, inner.right);
    let count = (inner.width() / 80.0).max(2.0) as usize;
    let look = Type::new(LABEL, Ink::Muted, Hold::Middle);
    for tick in ticks::ticks(&axis, range.0, range.1, count) {
        let Some(x) = scale.place(tick.at) else {
            continue;
        };
        sheet.line(vec![(x, inner.top), (x, inner.bottom)], Ink::Grid, 1.0);
        sheet.text(&tick.label, (x, inner.bottom + 12.0), look);
    }
    if let Some(title) = &chart.y.title {
        let at = ((inner.left + inner.right) / 2.0, inner.bottom + 30.0);
        sheet.text(&fitted(title, LABEL, inner.width()), at, look);
    }
    side_names(sheet, &chart.x.categories, inner, room);
    (inner, scale)
}

/// The room that names down the side take, at most two fifths of the width.
pub(crate) fn names_room(names: &[String], area: Area) -> f64 {
    let widest = names
        .iter()
        .take(1_000)
        .map(|n| text_width(n, LABEL))
        .fold(0.0, f64::max);
    widest.min(area.width() * 0.38)
}

/// Names down the left side of `inner`, as many as have room.
pub(crate) fn side_names(sheet: &mut Sheet, names: &[String], inner: Area, room: f64) {
    let slot = inner.height() / names.len().max(1) as f64;
    let every = (14.0 / slot).ceil().max(1.0) as usize;
    let look = Type::new(LABEL, Ink::Text, Hold::Right);
    for (i, name) in names.iter().enumerate().step_by(every) {
        let at = (inner.left - 8.0, inner.top + slot * (i as f64 + 0.5));
        sheet.text(&fitted(name, LABEL, room), at, look);
    }
}
