//! Spans and moments in lanes: ladder charts and time pivots.

use super::bars::{names_room, side_names};
use super::frame::{self, Pane, bottom_axis, bottom_room};
use super::scale::{Scale, x_range};
use super::sheet::{Area, Ink, Sheet};
use super::target::{Seek, Shape};
use super::{Laid, Layout};

/// The least width of a span, so that it can be seen.
const LEAST: f64 = 3.0;

/// Lays out a chart of lanes: x left to right, a lane for each category of y from top to bottom.
pub(crate) fn lay(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let chart = of.chart;
    let area = frame::surround(sheet, of);
    let lanes = &chart.y.categories;
    if lanes.is_empty() || chart.series.iter().all(|s| s.points.is_empty()) {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let room = names_room(lanes, area);
    let inner = Area {
        left: area.left + room + 10.0,
        top: area.top + 6.0,
        right: area.right - 8.0,
        bottom: area.bottom - bottom_room(chart),
    };
    let range = roomy(x_range(chart, of.view), of);
    let slot = inner.height() / lanes.len() as f64;
    stripes(sheet, inner, lanes.len(), slot);
    side_names(sheet, lanes, inner, room);
    let pane = Pane {
        part: None,
        area: inner,
        x: Scale::new(range, chart.x.log, inner.left, inner.right),
        y: Scale::new((0.0, lanes.len() as f64), false, inner.top, inner.bottom),
    };
    bottom_axis(sheet, chart, &pane, range);
    for i in (0..chart.series.len()).filter(|i| !of.view.hidden.contains(i)) {
        spans(sheet, of, &pane, slot, i);
    }
    Laid {
        panes: vec![pane],
        seek: Seek::Free,
        zooms: true,
    }
}

/// Room at both ends, so that the first and last moments stand clear of the edges.
fn roomy(range: (f64, f64), of: &Layout<'_>) -> (f64, f64) {
    if of.view.zoom.is_some() {
        return range;
    }
    let room = (range.1 - range.0) * 0.02;
    (range.0 - room, range.1 + room)
}

fn stripes(sheet: &mut Sheet, inner: Area, lanes: usize, slot: f64) {
    if slot < 4.0 {
        return;
    }
    for i in 0..=lanes {
        let y = inner.top + slot * i as f64;
        sheet.line(vec![(inner.left, y), (inner.right, y)], Ink::Grid, 1.0);
    }
}

fn spans(sheet: &mut Sheet, of: &Layout<'_>, pane: &Pane, slot: f64, i: usize) {
    let series = &of.chart.series[i];
    let high = (slot * 0.6).clamp(1.5, 22.0);
    let mut drawn = std::collections::BTreeSet::new();
    for (k, (start, lane)) in series.points.iter().enumerate() {
        let Some(lane) = lane.filter(|l| (0.0..of.chart.y.categories.len() as f64).contains(l))
        else {
            continue;
        };
        let end = series.ends.get(k).copied().unwrap_or(*start).max(*start);
        let (Some(from), Some(to)) = (pane.x.pixel(*start), pane.x.pixel(end)) else {
            continue;
        };
        if to < pane.area.left || from > pane.area.right {
            continue;
        }
        let y = pane.area.top + slot * (lane.floor() + 0.5);
        let wide = (to - from).max(LEAST);
        let left = if to - from < LEAST {
            (from + to - LEAST) / 2.0
        } else {
            from
        };
        let span = Area {
            left: left.max(pane.area.left),
            top: y - high / 2.0,
            right: (left + wide).min(pane.area.right),
            bottom: y + high / 2.0,
        };
        sheet.target(i, k, span.middle(), Shape::Box(span));
        // Marks that cover the same pixels look as one.
        if drawn.insert((span.left as i64, span.right as i64, lane as i64)) {
            let (from, to) = ((span.left, span.top), (span.right, span.bottom));
            sheet.rect(from, to, Ink::Series(i), 0.85);
        }
    }
}
