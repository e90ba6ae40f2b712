//! Lines, areas and points.

use std::collections::BTreeMap;

use plotters::prelude::DrawingBackend;

use super::frame::{self, Plot};
use super::sheet::{ALARM, PANEL, Point, Sheet, colour};
use crate::ChartError;
use crate::model::{AxisType, Chart, Kind, Series, Stacking};

/// One point of a series with what it stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stacked {
    pub x: f64,
    pub base: f64,
    pub top: f64,
}

/// Each series' points where they are to be drawn: on zero, or on the series before. Gaps are
/// left out of stacks; elsewhere they are `NaN` tops.
pub(crate) fn stacked(chart: &Chart) -> Vec<Vec<Stacked>> {
    if chart.stacking == Stacking::None {
        return chart
            .series
            .iter()
            .map(|s| unstacked(chart.kind, s))
            .collect();
    }
    let mut totals: BTreeMap<i64, f64> = BTreeMap::new();
    for (x, y) in chart.series.iter().flat_map(|s| &s.points) {
        *totals.entry(key(*x)).or_default() += y.unwrap_or(0.0).abs();
    }
    let mut ups: BTreeMap<i64, f64> = BTreeMap::new();
    let mut downs: BTreeMap<i64, f64> = BTreeMap::new();
    let place = |(x, y): &(f64, Option<f64>)| {
        let share = if chart.stacking == Stacking::Stacked100 {
            100.0 / totals[&key(*x)].max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let height = y.unwrap_or(0.0) * share;
        let side = if height < 0.0 { &mut downs } else { &mut ups };
        let base = side.entry(key(*x)).or_default();
        let point = Stacked {
            x: *x,
            base: *base,
            top: *base + height,
        };
        *base += height;
        point
    };
    let mut place = place;
    chart
        .series
        .iter()
        .map(|s| s.points.iter().map(&mut place).collect())
        .collect()
}

/// x as a key: milliseconds and indices are whole; other numbers keep their bits' order.
fn key(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn unstacked(kind: Kind, series: &Series) -> Vec<Stacked> {
    let base = |top: f64| if kind.stands_on_zero() { 0.0 } else { top };
    series
        .points
        .iter()
        .map(|(x, y)| {
            let top = y.unwrap_or(f64::NAN);
            Stacked {
                x: *x,
                base: base(top),
                top,
            }
        })
        .collect()
}

/// Draws a time, line, area or scatter chart.
pub(crate) fn draw<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<(), ChartError> {
    let area = frame::surround(sheet, chart)?;
    if chart.series.iter().all(|s| s.points.is_empty()) {
        return frame::nothing(sheet, area);
    }
    let range = match chart.x.ty {
        AxisType::Category => (-0.5, chart.x.categories.len() as f64 - 0.5),
        _ => frame::x_range(chart),
    };
    let plot = frame::axes(sheet, chart, area, range)?;
    let series = stacked(chart);
    // The first series are the most telling, so they are drawn last, above the others.
    for (i, points) in series.iter().enumerate().rev() {
        match chart.kind {
            Kind::Scatter => scatter(sheet, &plot, points, i)?,
            Kind::Area => fill_area(sheet, chart, &plot, points, i)?,
            _ => line(sheet, &plot, points, i, 2.0)?,
        }
    }
    for (series, points) in chart.series.iter().zip(&series) {
        mark(sheet, &plot, series, points)?;
    }
    Ok(())
}

fn scatter<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    plot: &Plot,
    points: &[Stacked],
    i: usize,
) -> Result<(), ChartError> {
    let mut drawn = std::collections::BTreeSet::new();
    for at in points.iter().filter_map(|p| pixel(plot, p.x, p.top)) {
        // Points on the same pixel look as one; drawing each would only make the file large.
        if drawn.insert(((at.0 * 2.0) as i64, (at.1 * 2.0) as i64)) {
            sheet.dot(at, 3.5, colour(i), 0.75)?;
        }
    }
    Ok(())
}

fn line<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    plot: &Plot,
    points: &[Stacked],
    i: usize,
    width: f64,
) -> Result<(), ChartError> {
    for run in points.split(|p| p.top.is_nan()) {
        let pixels: Vec<Point> = run.iter().filter_map(|p| pixel(plot, p.x, p.top)).collect();
        match thinned(pixels).as_slice() {
            [] => {}
            [one] => sheet.dot(*one, 3.0, colour(i), 1.0)?,
            many => sheet.line(many, colour(i), width)?,
        }
    }
    Ok(())
}

fn fill_area<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
    plot: &Plot,
    points: &[Stacked],
    i: usize,
) -> Result<(), ChartError> {
    let solid = chart.stacking != Stacking::None;
    for run in points.split(|p| p.top.is_nan()) {
        let tops = thinned(run.iter().filter_map(|p| pixel(plot, p.x, p.top)).collect());
        let bases = thinned(
            run.iter()
                .filter_map(|p| pixel(plot, p.x, p.base))
                .collect(),
        );
        let outline: Vec<Point> = tops.iter().chain(bases.iter().rev()).copied().collect();
        if tops.len() > 1 {
            sheet.fill(&outline, colour(i), if solid { 0.85 } else { 0.25 })?;
            sheet.line(
                &tops,
                if solid { PANEL } else { colour(i) },
                if solid { 1.0 } else { 2.0 },
            )?;
        } else if let Some(one) = tops.first() {
            sheet.dot(*one, 3.0, colour(i), 1.0)?;
        }
    }
    Ok(())
}

fn mark<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    plot: &Plot,
    series: &Series,
    points: &[Stacked],
) -> Result<(), ChartError> {
    for point in series.marked.iter().filter_map(|i| points.get(*i)) {
        if let Some(at) = pixel(plot, point.x, point.top) {
            sheet.ring(at, 5.0, ALARM)?;
        }
    }
    Ok(())
}

/// Where a point is drawn; none beside the plot. What lies above or below a limit that the query
/// set is held at its edge.
fn pixel(plot: &Plot, x: f64, y: f64) -> Option<Point> {
    let x = plot
        .x
        .pixel(x)
        .filter(|x| (plot.area.left - 0.5..=plot.area.right + 0.5).contains(x))?;
    Some((x, plot.y.pixel(y)?.clamp(plot.area.top, plot.area.bottom)))
}

/// Leaves of each column of pixels its first, least, greatest and last point: a line of a million
/// points looks the same and stays small.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() < 4_000 {
        return points;
    }
    let mut out = Vec::new();
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let first = column.first();
        let low = column.iter().min_by(by_height);
        let high = column.iter().max_by(by_height);
        out.extend(
            [first, low, high, column.last()]
                .into_iter()
                .flatten()
                .copied(),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Axis;

    fn chart(stacking: Stacking, rows: &[&[f64]]) -> Chart {
        let series = rows.iter().map(|ys| Series {
            name: "s".into(),
            points: ys
                .iter()
                .enumerate()
                .map(|(i, y)| (i as f64, Some(*y)))
                .collect(),
            marked: vec![],
        });
        Chart {
            version: 1,
            kind: Kind::Area,
            title: None,
            x: Axis::default(),
            y: Axis::default(),
            series: series.collect(),
            legend: false,
            stacking,
            note: None,
            cards: vec![],
        }
    }

    #[test]
    fn stacks_add_up_and_losses_go_below_zero() {
        let got = stacked(&chart(Stacking::Stacked, &[&[1.0, 2.0], &[3.0, -4.0]]));
        assert_eq!(
            got[1][0],
            Stacked {
                x: 0.0,
                base: 1.0,
                top: 4.0
            }
        );
        assert_eq!(
            got[1][1],
            Stacked {
                x: 1.0,
                base: 0.0,
                top: -4.0
            }
        );
        let shares = stacked(&chart(Stacking::Stacked100, &[&[1.0], &[3.0]]));
        assert_eq!(
            shares[1][0],
            Stacked {
                x: 0.0,
                base: 25.0,
                top: 100.0
            }
        );
    }

    #[test]
    fn thinning_keeps_the_peaks() {
        let points: Vec<Point> = (0..100_000)
            .map(|i| (f64::from(i) / 200.0, if i == 54_321 { -9.0 } else { 1.0 }))
            .collect();
        let few = thinned(points);
        assert!(few.len() < 2_100 && few.iter().any(|p| p.1 == -9.0));
    }

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let xs = [-1.5, -1.0, 0.0, 0.25, 1.0, 1.7e12];
        assert!(xs.windows(2).all(|w| key(w[0]) < key(w[1])));
    }
}
