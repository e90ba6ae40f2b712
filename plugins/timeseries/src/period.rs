//! The period of a series, from its autocorrelation.
//!
//! As in Vlachos, Yu and Castelli, "On Periodicity Detection and Structural Periodic Similarity" (SDM 2005), a period
//! is a lag where the autocorrelation has a hill. Values are clipped first, so that one spike does not decide.

use crate::fft::autocorrelation;
use crate::robust::median;

/// The most recent steps that are looked at.
const LOOKED_AT: usize = 32_768;
/// The least autocorrelation of a period.
const LEAST: f64 = 0.2;
/// A longer period has to be better than a shorter one by this.
const BETTER: f64 = 0.1;
/// Ticks in an hour.
const HOUR: i64 = 36_000_000_000;

/// The period in steps, where at least three of them fit in. `values` may have NaNs, where values are missing; `step` is in
/// ticks of 100 ns.
pub fn find(values: &[f64], step: i64) -> Option<usize> {
    let recent = values
        .get(values.len().saturating_sub(LOOKED_AT)..)
        .unwrap_or(values);
    let correlations = autocorrelation(&prepared(recent)?)?;
    let hills = hills(&correlations, recent.len());
    let best = hills
        .iter()
        .map(|(_, height)| *height)
        .max_by(f64::total_cmp)?;
    let (lag, _) = *hills.iter().find(|(_, height)| *height >= best - BETTER)?;
    Some(natural(&correlations, refined(&correlations, lag), step))
}

/// The values without level and drift, clipped at three deviations, 0 where missing.
fn prepared(values: &[f64]) -> Option<Vec<f64>> {
    let half = values.len() / 2;
    let (first, second) = values.split_at(half);
    let (low, high) = (level(first)?, level(second)?);
    let drift = (high - low) / half.max(1) as f64;
    let middle = low - drift * half as f64 / 2.0;
    let flat: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(at, value)| value - middle - drift * at as f64)
        .collect();
    let known = flat.iter().copied().filter(|value| value.is_finite());
    let mut sizes: Vec<f64> = known.map(f64::abs).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
    let spread = median(&mut sizes)?;
    let unit = if spread > 0.0 { spread } else { mean };
    if !unit.is_finite() || unit <= 0.0 {
        return None;
    }
    let most = 3.0 * 1.4826;
    let clipped = flat.iter().map(|value| match value.is_finite() {
        true => (value / unit).clamp(-most, most),
        false => 0.0,
    });
    Some(clipped.collect())
}

fn level(values: &[f64]) -> Option<f64> {
    let known = values.iter().copied().filter(|value| value.is_finite());
    median(&mut known.collect::<Vec<_>>())
}

/// Lags that no lag within a quarter of them surpasses, after a valley, and higher than chance would make them: at least
/// three standard errors.
fn hills(correlations: &[f64], count: usize) -> Vec<(usize, f64)> {
    let at = |lag: usize| correlations.get(lag).copied().unwrap_or(f64::NEG_INFINITY);
    let mut valley = at(1);
    let mut found = Vec::new();
    for lag in 2..=count / 3 {
        let height = at(lag);
        valley = valley.min(height);
        let chance = 3.0 / ((count - lag) as f64).sqrt();
        let top = height >= at(lag - 1) && height >= at(lag + 1);
        if top && height >= LEAST.max(chance) && height >= valley + BETTER {
            let reach = lag / 4;
            let around = correlations.get(lag - reach..=lag + reach).unwrap_or(&[]);
            if around.iter().all(|other| *other <= height) {
                found.push((lag, height));
            }
        }
    }
    found
}

/// The lag within a tenth that is best at its multiples too, where an error of a step shows.
fn refined(correlations: &[f64], lag: usize) -> usize {
    let near = lag - lag / 10..=lag + lag / 10;
    let better =
        |a: &usize, b: &usize| support(correlations, *a).total_cmp(&support(correlations, *b));
    near.max_by(better).unwrap_or(lag)
}

/// The mean correlation at a lag and its next three multiples, of those that there are.
fn support(correlations: &[f64], lag: usize) -> f64 {
    let multiples = (1..=4).filter_map(|times| correlations.get(lag * times));
    let (sum, count) = multiples.fold((0.0, 0), |(sum, count), c| (sum + c, count + 1));
    sum / f64::from(count.max(1))
}

/// An hour, a day or a week, where the lag is within a tenth of it and it is nearly as good.
fn natural(correlations: &[f64], lag: usize, step: i64) -> usize {
    let least = support(correlations, lag) * 0.85;
    let near = |length: i64| {
        let steps = usize::try_from(length / step.max(1)).ok()?;
        let close = length % step.max(1) == 0 && steps.abs_diff(lag) * 10 <= steps;
        (close && support(correlations, steps) >= least).then_some(steps)
    };
    [HOUR, 24 * HOUR, 7 * 24 * HOUR]
        .into_iter()
        .find_map(near)
        .unwrap_or(lag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Noise;

    fn daily(days: usize, noise: f64) -> Vec<f64> {
        let mut random = Noise::new(1);
        (0..days * 24)
            .map(|hour| {
                let work = (8..18).contains(&(hour % 24));
                100.0 + if work { 50.0 } else { 0.0 } + noise * random.next()
            })
            .collect()
    }

    #[test]
    fn a_day_is_found() {
        assert_eq!(find(&daily(10, 10.0), HOUR), Some(24));
        assert_eq!(find(&daily(10, 60.0), HOUR), Some(24));
        let mut wild = daily(10, 10.0);
        if let Some(value) = wild.get_mut(77) {
            *value = 1e12;
        }
        assert_eq!(find(&wild, HOUR), Some(24));
        wild.iter_mut()
            .step_by(5)
            .for_each(|value| *value = f64::NAN);
        assert_eq!(find(&wild, HOUR), Some(24));
    }

    #[test]
    fn a_week_is_found_where_weekends_differ() {
        let mut values = daily(42, 5.0);
        for (hour, value) in values.iter_mut().enumerate() {
            if hour / 24 % 7 >= 5 {
                *value = 100.0;
            }
        }
        assert_eq!(find(&values, HOUR), Some(168));
    }

    #[test]
    fn noise_and_constants_have_none() {
        for seed in 0..50 {
            let mut random = Noise::new(seed);
            let noise: Vec<f64> = (0..500).map(|_| random.next()).collect();
            assert_eq!(find(&noise, HOUR), None, "{seed}");
        }
        for values in [vec![], vec![1.0], vec![5.0; 100], vec![f64::NAN; 100]] {
            assert_eq!(find(&values, HOUR), None);
        }
        find(&[f64::MAX, f64::MIN].repeat(20), HOUR);
        let drift: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(find(&drift, HOUR), None);
    }
}
