//! A series as trend, season and what is left.
//!
//! Like STL (Cleveland, Cleveland, McRae and Terpenning, 1990), trend and season are found in turn, each from what the
//! other leaves. Where STL smooths with loess, medians are taken here: one wild value moves neither part, and does not
//! come back as its own echo a period earlier or later.

use crate::robust::median;

/// Rounds of trend and season.
const ROUNDS: usize = 2;

/// The parts of a series: one figure a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// Where the series goes without its season.
    pub trend: Vec<f64>,
    /// What comes again each period; 0 throughout without a period.
    pub seasonal: Vec<f64>,
}

/// Splits `values`, of which some may be NaN. A period of less than two steps, or of more than half the series, is none.
/// NaN throughout where there are no values.
pub fn decompose(values: &[f64], period: Option<usize>) -> Parts {
    let period = period.filter(|period| (2..=values.len() / 2).contains(period));
    let Some(period) = period else {
        let window = (values.len() / 10).clamp(7, 61);
        return Parts {
            trend: trend(values, window),
            seasonal: vec![0.0; values.len()],
        };
    };
    let mut parts = Parts {
        trend: trend(values, period),
        seasonal: Vec::new(),
    };
    for _ in 0..ROUNDS {
        parts.seasonal = seasonal(&difference(values, &parts.trend), period);
        parts.trend = trend(&difference(values, &parts.seasonal), period);
    }
    parts
}

fn difference(of: &[f64], less: &[f64]) -> Vec<f64> {
    of.iter().zip(less).map(|(of, less)| of - less).collect()
}

/// Medians of windows that half overlap, joined by straight lines; level before the first's middle and after the last's.
fn trend(values: &[f64], window: usize) -> Vec<f64> {
    let window = window.min(values.len()).max(1);
    let last = values.len() - window.min(values.len());
    let starts = (0..last).step_by((window / 2).max(1)).chain([last]);
    let knots: Vec<(f64, f64)> = starts
        .filter_map(|start| {
            let level = known_median(values.iter().skip(start).take(window))?;
            Some((start as f64 + (window - 1) as f64 / 2.0, level))
        })
        .collect();
    interpolated(&knots, values.len())
}

fn known_median<'a>(values: impl Iterator<Item = &'a f64>) -> Option<f64> {
    let mut known: Vec<f64> = values.copied().filter(|value| value.is_finite()).collect();
    median(&mut known)
}

/// The line through `knots`, in order of their places, at 0 to `count`.
fn interpolated(knots: &[(f64, f64)], count: usize) -> Vec<f64> {
    let mut coming = knots.iter().copied().peekable();
    let mut before: Option<(f64, f64)> = None;
    (0..count)
        .map(|at| {
            let at = at as f64;
            while let Some(knot) = coming.next_if(|knot| knot.0 <= at) {
                before = Some(knot);
            }
            match (before, coming.peek()) {
                (Some(from), Some(to)) => {
                    let share = (at - from.0) / (to.0 - from.0);
                    from.1 * (1.0 - share) + to.1 * share
                }
                (Some(only), None) => only.1,
                (None, Some(only)) => only.1,
                (None, None) => f64::NAN,
            }
        })
        .collect()
}

/// The median of each phase, less the median of all phases, repeated; 0 for a phase without values.
fn seasonal(values: &[f64], period: usize) -> Vec<f64> {
    let mut phases: Vec<f64> = (0..period)
        .map(|phase| known_median(values.iter().skip(phase).step_by(period)).unwrap_or(0.0))
        .collect();
    let middle = median(&mut phases.clone()).unwrap_or(0.0);
    phases.iter_mut().for_each(|phase| *phase -= middle);
    phases.iter().copied().cycle().take(values.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: impl Fn(usize) -> f64) {
        for (at, found) in found.iter().enumerate() {
            let expected = expected(at);
            assert!((found - expected).abs() < 1e-9, "{at}: {found}, {expected}");
        }
    }

    #[test]
    fn a_spike_stays_out_of_trend_and_season() {
        let season = |at: usize| if at.is_multiple_of(4) { 30.0 } else { 0.0 };
        let mut values: Vec<f64> = (0..40).map(|at| 100.0 + season(at)).collect();
        if let Some(value) = values.get_mut(20) {
            *value = 1e9;
        }
        let parts = decompose(&values, Some(4));
        near(&parts.trend, |_| 100.0);
        near(&parts.seasonal, season);
    }

    #[test]
    fn a_drift_is_trend() {
        let values: Vec<f64> = (0..100).map(|at| f64::from(at) * 2.0).collect();
        let parts = decompose(&values, None);
        let inside = parts.trend.iter().enumerate().skip(10).take(80);
        for (at, trend) in inside {
            assert!((trend - at as f64 * 2.0).abs() < 1e-9);
        }
    }

    #[test]
    fn anything_has_parts_of_its_length() {
        for values in [
            vec![],
            vec![1.0],
            vec![f64::NAN; 5],
            vec![f64::NAN, 1.0, f64::INFINITY],
            vec![f64::MAX, f64::MIN, f64::MAX, f64::MIN],
        ] {
            for period in [None, Some(0), Some(1), Some(2), Some(usize::MAX)] {
                let parts = decompose(&values, period);
                assert_eq!(parts.trend.len(), values.len());
                assert_eq!(parts.seasonal.len(), values.len());
            }
        }
    }
}
