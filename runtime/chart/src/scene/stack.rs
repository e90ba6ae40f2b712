//! Where the points of series stand: on zero, or upon the series before.

use std::collections::BTreeMap;

use crate::model::{Chart, Kind, Series, Stacking};
use crate::view::ViewState;

/// One point of a series with what it stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stacked {
    pub x: f64,
    pub base: f64,
    pub top: f64,
}

/// Each series' points where they are to be drawn, one for one; a hidden series has none. A gap
/// has no height in a stack; elsewhere its top is `NaN`.
pub(crate) fn stacked(chart: &Chart, view: &ViewState) -> Vec<Vec<Stacked>> {
    let shown = |i: usize| !view.hidden.contains(&i);
    if chart.stacking == Stacking::None {
        let place = |(i, s): (usize, &Series)| {
            if shown(i) {
                unstacked(chart.kind, s)
            } else {
                Vec::new()
            }
        };
        return chart.series.iter().enumerate().map(place).collect();
    }
    let mut totals: BTreeMap<(usize, i64), f64> = BTreeMap::new();
    for (_, series) in chart.series.iter().enumerate().filter(|(i, _)| shown(*i)) {
        for (x, y) in &series.points {
            *totals.entry((series.part, key(*x))).or_default() += y.unwrap_or(0.0).abs();
        }
    }
    let mut stack = Stack {
        totals,
        ..Stack::default()
    };
    let whole = chart.stacking == Stacking::Stacked100;
    let mut out = vec![Vec::new(); chart.series.len()];
    for (i, series) in chart.series.iter().enumerate().filter(|(i, _)| shown(*i)) {
        let points = series.points.iter();
        out[i] = points
            .map(|(x, y)| stack.put(series.part, *x, y.unwrap_or(0.0), whole))
            .collect();
    }
    out
}

/// How high the stack is at each x of each part, above and below zero.
#[derive(Default)]
struct Stack {
    totals: BTreeMap<(usize, i64), f64>,
    ups: BTreeMap<(usize, i64), f64>,
    downs: BTreeMap<(usize, i64), f64>,
}

impl Stack {
    fn put(&mut self, part: usize, x: f64, y: f64, whole: bool) -> Stacked {
        let at = (part, key(x));
        let total = self.totals.get(&at).copied().unwrap_or(0.0);
        let share = if whole {
            100.0 / total.max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let height = y * share;
        let side = if height < 0.0 {
            &mut self.downs
        } else {
            &mut self.ups
        };
        let base = side.entry(at).or_default();
        let point = Stacked {
            x,
            base: *base,
            top: *base + height,
        };
        *base += height;
        point
    }
}

/// x as a key: milliseconds and indices are whole; other numbers keep their bits' order.
pub(crate) fn key(x: f64) -> i64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(stacking: Stacking, rows: &[&[f64]]) -> Chart {
        let mut chart = Chart::new(Kind::Area);
        chart.stacking = stacking;
        let place = |(i, y): (usize, &f64)| (i as f64, Some(*y));
        chart.series = rows
            .iter()
            .map(|ys| Series {
                points: ys.iter().enumerate().map(place).collect(),
                ..Series::default()
            })
            .collect();
        chart
    }

    fn at(x: f64, base: f64, top: f64) -> Stacked {
        Stacked { x, base, top }
    }

    #[test]
    fn stacks_add_up_and_losses_go_below_zero() {
        let two = chart(Stacking::Stacked, &[&[1.0, 2.0], &[3.0, -4.0]]);
        let got = stacked(&two, &ViewState::default());
        assert_eq!(got[1], [at(0.0, 1.0, 4.0), at(1.0, 0.0, -4.0)]);
        let shares = chart(Stacking::Stacked100, &[&[1.0], &[3.0]]);
        let got = stacked(&shares, &ViewState::default());
        assert_eq!(got[1], [at(0.0, 25.0, 100.0)]);
    }

    #[test]
    fn what_is_hidden_carries_nothing() {
        let shares = chart(Stacking::Stacked100, &[&[1.0], &[3.0]]);
        let view = ViewState {
            hidden: [0].into(),
            ..ViewState::default()
        };
        assert_eq!(stacked(&shares, &view), [vec![], vec![at(0.0, 0.0, 100.0)]]);
    }

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let xs = [-1.5, -1.0, 0.0, 0.25, 1.0, 1.7e12];
        assert!(xs.windows(2).all(|w| key(w[0]) < key(w[1])));
    }
}
