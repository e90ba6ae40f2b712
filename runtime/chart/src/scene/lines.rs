//! Lines, areas and points.

use super::frame::{self, Pane};
use super::scale::x_range;
use super::sheet::{Ink, Point, Sheet};
use super::stack::{Stacked, stacked};
use super::target::{Seek, Shape};
use super::{Laid, Layout};
use crate::model::{AxisType, Chart, Kind, Stacking};

/// The most points of a cloud that are drawn each where it is; more share the cells of a grid.
const CLOUD: usize = 5_000;

/// Lays out a time, line, area or scatter chart.
pub(crate) fn lay(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let chart = of.chart;
    let area = frame::surround(sheet, of);
    if chart.series.iter().all(|s| s.points.is_empty()) {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let range = match (chart.x.ty, of.view.zoom) {
        (AxisType::Category, None) => (-0.5, chart.x.categories.len() as f64 - 0.5),
        _ => x_range(chart, of.view),
    };
    let stacks = stacked(chart, of.view);
    let panes = frame::axes(sheet, chart, area, range, &stacks);
    for pane in &panes {
        marks(sheet, chart, pane, &stacks);
    }
    Laid {
        panes,
        seek: if chart.kind == Kind::Scatter {
            Seek::Free
        } else {
            Seek::X
        },
        zooms: true,
    }
}

fn marks(sheet: &mut Sheet, chart: &Chart, pane: &Pane, stacks: &[Vec<Stacked>]) {
    let own = |i: &usize| pane.has(chart.series[*i].part);
    // The first series are the most telling, so they are drawn last, above the others.
    for i in (0..stacks.len()).rev().filter(own) {
        match chart.kind {
            Kind::Scatter => scatter(sheet, pane, &stacks[i], i),
            Kind::Area => fill_area(sheet, chart, pane, &stacks[i], i),
            _ => line(sheet, pane, &stacks[i], i),
        }
    }
    for i in (0..stacks.len()).filter(own) {
        let series = &chart.series[i];
        for point in series.marked.iter().filter_map(|k| stacks[i].get(*k)) {
            if let Some(at) = pixel(pane, point) {
                sheet.ring(at, 5.0, Ink::Alarm);
            }
        }
        for (k, point) in stacks[i].iter().enumerate() {
            if series.points[k].1.is_some()
                && let Some(at) = pixel(pane, point)
            {
                sheet.target(i, k, at, Shape::Dot);
            }
        }
    }
}

fn scatter(sheet: &mut Sheet, pane: &Pane, points: &[Stacked], i: usize) {
    let fine = if points.len() > CLOUD { 1.0 / 3.0 } else { 2.0 };
    let mut drawn = std::collections::BTreeSet::new();
    for at in points.iter().filter_map(|p| pixel(pane, p)) {
        // Points on the same pixel look as one; drawing each would only make the file large.
        if drawn.insert(((at.0 * fine) as i64, (at.1 * fine) as i64)) {
            sheet.dot(at, 3.5, Ink::Series(i), 0.75);
        }
    }
}

fn line(sheet: &mut Sheet, pane: &Pane, points: &[Stacked], i: usize) {
    for run in runs(pane, points) {
        let pixels = tops(pane, &run);
        match thinned(pixels, pane.area.width()) {
            none if none.is_empty() => {}
            one if one.len() == 1 => sheet.dot(one[0], 3.0, Ink::Series(i), 1.0),
            many => sheet.line(many, Ink::Series(i), 2.0),
        }
    }
}

fn fill_area(sheet: &mut Sheet, chart: &Chart, pane: &Pane, points: &[Stacked], i: usize) {
    let solid = chart.stacking != Stacking::None;
    let wide = pane.area.width();
    for run in runs(pane, points) {
        let tops = thinned(tops(pane, &run), wide);
        let bases = run.iter().map(|at| (at[0], held(pane, at[2]))).collect();
        let bases = thinned(bases, wide);
        if tops.len() > 1 {
            let outline = tops.iter().chain(bases.iter().rev()).copied().collect();
            sheet.fill(outline, Ink::Series(i), if solid { 0.85 } else { 0.25 });
            let (ink, width) = if solid {
                (Ink::Panel, 1.0)
            } else {
                (Ink::Series(i), 2.0)
            };
            sheet.line(tops, ink, width);
        } else if let Some(one) = tops.first() {
            sheet.dot(*one, 3.0, Ink::Series(i), 1.0);
        }
    }
}

/// A point in pixels: x, the height of its top, the height of its base.
type Raised = [f64; 3];

/// Stretches of points without gaps, cut off at the sides of the plot.
fn runs(pane: &Pane, points: &[Stacked]) -> Vec<Vec<Raised>> {
    let raised = |p: &Stacked| -> Option<Raised> {
        let base = pane.y.pixel(p.base).unwrap_or_else(|| pane.y.zero());
        Some([pane.x.pixel(p.x)?, pane.y.pixel(p.top)?, base])
    };
    points
        .split(|p| p.top.is_nan())
        .map(|run| run.iter().filter_map(raised).collect::<Vec<_>>())
        .flat_map(|run| clipped(&run, pane.area.left, pane.area.right))
        .collect()
}

/// The stretches of `run` between `left` and `right`, with points at the edges that it crosses.
fn clipped(run: &[Raised], left: f64, right: f64) -> Vec<Vec<Raised>> {
    let inside = |p: &Raised| (left - 0.5..=right + 0.5).contains(&p[0]);
    let edge = |p: &Raised| if p[0] < left { left } else { right };
    let mut out = Vec::new();
    let mut now = Vec::new();
    for (k, point) in run.iter().enumerate() {
        let before = k.checked_sub(1).map(|k| &run[k]);
        match before.map(|b| (b, inside(b))) {
            Some((b, true)) if !inside(point) => {
                now.push(crossing(b, point, edge(point)));
                out.push(std::mem::take(&mut now));
            }
            Some((b, false)) if inside(point) => now.push(crossing(b, point, edge(b))),
            Some((b, false)) if edge(b) != edge(point) => {
                let ends = [edge(b), edge(point)];
                out.push(ends.map(|x| crossing(b, point, x)).to_vec());
            }
            _ => {}
        }
        if inside(point) {
            now.push(*point);
        }
    }
    if !now.is_empty() {
        out.push(now);
    }
    out
}

/// Where the line from `a` to `b` is at `x`.
fn crossing(a: &Raised, b: &Raised, x: f64) -> Raised {
    let share = ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0);
    let at = |k: usize| a[k] + share * (b[k] - a[k]);
    [x, at(1), at(2)]
}

fn tops(pane: &Pane, run: &[Raised]) -> Vec<Point> {
    run.iter().map(|at| (at[0], held(pane, at[1]))).collect()
}

/// What lies above or below a limit that the query set is held at its edge.
fn held(pane: &Pane, y: f64) -> f64 {
    y.clamp(pane.area.top, pane.area.bottom.max(pane.area.top))
}

/// Where a point is drawn; none beside the plot.
fn pixel(pane: &Pane, point: &Stacked) -> Option<Point> {
    let inside = pane.area.left - 0.5..=pane.area.right + 0.5;
    let x = pane.x.pixel(point.x).filter(|x| inside.contains(x))?;
    Some((x, held(pane, pane.y.pixel(point.top)?)))
}

/// Leaves of each column of pixels its first, least, greatest and last point: a line of a million
/// points looks the same and stays small.
fn thinned(points: Vec<Point>, width: f64) -> Vec<Point> {
    if points.len() < 4_000 && (points.len() as f64) < 4.0 * width.max(100.0) {
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
    use super::*;

    #[test]
    fn thinning_keeps_the_peaks() {
        let points: Vec<Point> = (0..100_000)
            .map(|i| (f64::from(i) / 200.0, if i == 54_321 { -9.0 } else { 1.0 }))
            .collect();
        let few = thinned(points, 500.0);
        assert!(few.len() < 2_100 && few.iter().any(|p| p.1 == -9.0));
    }

    #[test]
    fn lines_are_cut_at_the_edges_and_not_before() {
        let run = [[-10.0, 0.0, 9.0], [10.0, 20.0, 9.0], [30.0, 0.0, 9.0]];
        let want = vec![vec![[0.0, 10.0, 9.0], [10.0, 20.0, 9.0], [20.0, 10.0, 9.0]]];
        assert_eq!(clipped(&run, 0.0, 20.0), want);
        // A line that only passes through.
        let over = [[-10.0, 0.0, 9.0], [30.0, 40.0, 9.0]];
        let want = vec![vec![[0.0, 10.0, 9.0], [20.0, 30.0, 9.0]]];
        assert_eq!(clipped(&over, 0.0, 20.0), want);
        assert_eq!(clipped(&over[..1], 0.0, 20.0), Vec::<Vec<Raised>>::new());
    }
}
