//! What becomes of a series' points once they are all there: sums, few sectors, few points.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_POINTS;
use crate::model::Series;
use crate::scene::key;

/// The most sectors of a pie.
const MAX_SECTORS: usize = 10;

/// Points of one place become their sum.
pub(super) fn add_up(series: &mut Series) {
    let mut at: BTreeMap<u64, usize> = BTreeMap::new();
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    for (x, y) in series.points.drain(..) {
        let index = *at.entry(x.to_bits()).or_insert(points.len());
        match points.get_mut(index) {
            Some((_, sum)) => {
                *sum = match (*sum, y) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                }
            }
            None => points.push((x, y)),
        }
    }
    if points.len() != at.len() || series.marked.iter().any(|i| *i >= points.len()) {
        series.marked.clear();
    }
    series.points = points;
}

/// Series that are stacked get a zero wherever another has a point and they have none, so that their layers lie upon each other
/// at every place. Their points are in order of place. So many that they would be thinned afterwards are left as they are.
pub(super) fn fill(series: &mut [Series]) {
    let places = series.iter().flat_map(|s| &s.points);
    let places: BTreeMap<i64, f64> = places.map(|(x, _)| (key(*x), *x)).collect();
    if places.len() * series.len() > MAX_POINTS {
        return;
    }
    for series in series {
        let marked: BTreeSet<i64> = (series.marked.iter())
            .filter_map(|i| series.points.get(*i))
            .map(|(x, _)| key(*x))
            .collect();
        let own: BTreeMap<i64, Option<f64>> =
            series.points.iter().map(|(x, y)| (key(*x), *y)).collect();
        let point = |(at, x): (&i64, &f64)| (*x, own.get(at).copied().unwrap_or(Some(0.0)));
        series.points = places.iter().map(point).collect();
        series.marked = (0..series.points.len())
            .filter(|i| marked.contains(&key(series.points[*i].0)))
            .collect();
    }
}

/// Each point becomes the sum of those so far.
pub(super) fn accumulate(series: &mut Series) {
    let mut sum = 0.0;
    for (_, y) in &mut series.points {
        sum += y.unwrap_or(0.0);
        *y = Some(sum);
    }
}

fn low_and_high(points: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    let height = |p: &&(f64, Option<f64>)| p.1.unwrap_or(f64::NEG_INFINITY);
    let low = points
        .iter()
        .enumerate()
        .min_by(|a, b| height(&a.1).total_cmp(&height(&b.1)));
    let high = points
        .iter()
        .enumerate()
        .max_by(|a, b| height(&a.1).total_cmp(&height(&b.1)));
    let mut kept: Vec<_> = low.into_iter().chain(high).collect();
    kept.sort_by_key(|(i, _)| *i);
    kept.dedup_by_key(|(i, _)| *i);
    kept.into_iter().map(|(_, p)| *p).collect()
}

/// A pie's smallest sectors become one.
pub(super) fn merge_sectors(series: &mut [Series], categories: &mut Vec<String>) {
    let Some(series) = series.first_mut() else {
        return;
    };
    series
        .points
        .sort_by(|a, b| b.1.unwrap_or(0.0).total_cmp(&a.1.unwrap_or(0.0)));
    let keep = if series.points.len() > MAX_SECTORS {
        MAX_SECTORS - 1
    } else {
        series.points.len()
    };
    let rest = series.points.split_off(keep);
    let name = |x: f64| categories.get(x as usize).cloned().unwrap_or_default();
    let mut kept: Vec<(String, Option<f64>)> =
        series.points.iter().map(|(x, y)| (name(*x), *y)).collect();
    if !rest.is_empty() {
        let sum = rest.iter().filter_map(|p| p.1).sum();
        kept.push((format!("{} others", rest.len()), Some(sum)));
    }
    series.points = (0..).map(f64::from).zip(kept.iter().map(|k| k.1)).collect();
    *categories = kept.into_iter().map(|part| part.0).collect();
}

/// Keeps charts of very many points small, with their peaks; gives how many are left out.
pub(super) fn thin(series: &mut [Series]) -> Option<usize> {
    let total: usize = series.iter().map(|s| s.points.len()).sum();
    if total <= MAX_POINTS {
        return None;
    }
    let chunk = total.div_ceil(MAX_POINTS / 2);
    let mut left_out = 0;
    for series in series.iter_mut().filter(|s| s.marked.is_empty()) {
        let kept: Vec<_> = series.points.chunks(chunk).flat_map(low_and_high).collect();
        left_out += series.points.len() - kept.len();
        series.points = kept;
    }
    Some(left_out)
}
