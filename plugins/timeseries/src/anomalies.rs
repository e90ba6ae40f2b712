//! The points of all series, with their scores.

use spoor_plugin::{Datetime, Timespan};

use crate::grid::{Grid, SECOND};
use crate::series::{How, Series, collect};
use crate::{Point, Reading, decompose, period, robust};

/// Residuals are scored from this many values on: of fewer, nothing is usual.
const LEAST_VALUES: usize = 8;

/// A point for each step of each series. `period` is in ticks: 0 for none, `None` to find each series' own. Scores from
/// `threshold` on are anomalies.
pub fn find<'a>(
    readings: impl Iterator<Item = Reading<'a>>,
    how: How,
    period: Option<i64>,
    threshold: f64,
) -> Result<Vec<Point<'a>>, String> {
    if threshold.is_nan() || threshold <= 0.0 {
        return Err(format!("threshold is {threshold}: give a number above 0"));
    }
    if how.step.is_some_and(|step| step <= 0) {
        return Err("step is not above 0: give a timespan, as 1h".into());
    }
    let (grid, series) = collect(readings, how)?;
    let period = period.map(|period| steps_of(period, grid)).transpose()?;
    let mut points = Vec::with_capacity(series.iter().map(|one| one.values.len()).sum());
    for one in &series {
        scored(one, grid, period, threshold, &mut points);
    }
    Ok(points)
}

/// A period as steps, 0 for none.
fn steps_of(period: i64, grid: Grid) -> Result<usize, String> {
    let steps = period.saturating_add(grid.step / 2) / grid.step;
    match usize::try_from(steps) {
        Ok(steps) if steps >= 2 || period == 0 => Ok(steps),
        _ => Err(format!(
            "the period has to be two steps or more, and a step is {} s: give a longer period, or 0s for no season",
            grid.step as f64 / SECOND as f64
        )),
    }
}

/// The points of a series. `period` is in steps, `None` to find it.
fn scored<'a>(
    of: &Series<'a>,
    grid: Grid,
    period: Option<usize>,
    threshold: f64,
    points: &mut Vec<Point<'a>>,
) {
    let period = period.or_else(|| period::find(&of.values, grid.step));
    let period = period.filter(|period| (2..=of.values.len() / 2).contains(period));
    let parts = decompose::decompose(&of.values, period);
    let baseline = parts.trend.iter().zip(&parts.seasonal);
    let residuals: Vec<f64> = of
        .values
        .iter()
        .zip(baseline)
        .map(|(value, (trend, seasonal))| value - (trend + seasonal))
        .collect();
    let usual = Usual::of(&of.values, &residuals);
    let length = period.map(|period| Timespan((period as i64).saturating_mul(grid.step)));
    points.extend((0..of.values.len()).map(|at| {
        let part = |of: &[f64]| of.get(at).copied().filter(|value| value.is_finite());
        let (trend, seasonal) = (part(&parts.trend), part(&parts.seasonal));
        let residual = part(&residuals);
        let score = residual.and_then(|residual| usual.score(residual));
        Point {
            series: of.key,
            time: Datetime(grid.time(of.first.saturating_add(at as i64))),
            value: part(&of.values),
            baseline: trend
                .zip(seasonal)
                .map(|(a, b)| a + b)
                .filter(|sum| sum.is_finite()),
            trend,
            seasonal,
            residual,
            score,
            anomaly: score.map_or(0, |score| flag(score, threshold)),
            rows: of.rows.get(at).copied().unwrap_or(0).into(),
            period: length,
        }
    }));
}

fn flag(score: f64, threshold: f64) -> i32 {
    match score.abs() >= threshold {
        true if score > 0.0 => 1,
        true => -1,
        false => 0,
    }
}

/// How far residuals usually lie, up and down; `None` of too few, 0 where they are all 0 but for rounding.
struct Usual {
    up: Option<f64>,
    down: Option<f64>,
}

impl Usual {
    /// The same for both; but where values are counts, a rise is held against one at least, so that a single event in
    /// a quiet series is none. A count that falls short of what never changes is a dip.
    fn of(values: &[f64], residuals: &[f64]) -> Self {
        let (values, residuals) = (known(values), known(residuals));
        let counts = values
            .iter()
            .all(|value| *value >= 0.0 && value.fract() == 0.0);
        let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
        let dust = robust::median(&mut sizes).unwrap_or(0.0) * 1e-9;
        let down = (residuals.len() >= LEAST_VALUES).then(|| robust::scale(&residuals, dust));
        let least = if counts { 1.0 } else { 0.0 };
        Usual {
            up: down.map(|down| down.max(least)),
            down,
        }
    }

    fn score(&self, residual: f64) -> Option<f64> {
        let sigma = if residual > 0.0 { self.up } else { self.down };
        sigma.map(|sigma| match sigma > 0.0 {
            true => (residual / sigma).clamp(-1e9, 1e9),
            false => 0.0,
        })
    }
}

fn known(of: &[f64]) -> Vec<f64> {
    of.iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect()
}
