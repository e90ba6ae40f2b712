//! Scales, which take data to pixels and back, and the ranges that they span.

use super::stack::Stacked;
use crate::model::{Axis, Chart, Stacking};
use crate::view::ViewState;

/// Takes data along one axis to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    min: f64,
    max: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// The scale that takes `range` (already of logarithms if `log`) to `from..to`.
    pub(crate) fn new((min, max): (f64, f64), log: bool, from: f64, to: f64) -> Self {
        Self {
            min,
            max,
            log,
            from,
            to,
        }
    }

    /// The pixel of `value`; none for what a logarithm does not have.
    pub(crate) fn pixel(&self, value: f64) -> Option<f64> {
        if !self.log {
            return self.place(value);
        }
        if value > 0.0 {
            self.place(value.log10())
        } else {
            None
        }
    }

    /// The pixel of a tick, whose position is of logarithms already.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let share = (value - self.min) / (self.max - self.min);
        let pixel = self.from + share * (self.to - self.from);
        pixel.is_finite().then_some(pixel.clamp(-1e9, 1e9))
    }

    /// The value at a pixel.
    pub(crate) fn value(&self, pixel: f64) -> f64 {
        let share = (pixel - self.from) / (self.to - self.from);
        let place = self.min + share * (self.max - self.min);
        if self.log { 10f64.powf(place) } else { place }
    }

    /// The pixels at its two ends, the lesser first.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.from.min(self.to), self.from.max(self.to))
    }

    /// The pixel of zero, or the end nearest to it.
    pub(crate) fn zero(&self) -> f64 {
        if self.log {
            return self.from;
        }
        self.place(0.0f64.clamp(self.min, self.max))
            .unwrap_or(self.from)
    }
}

/// The axis of values as it is drawn: shares of a whole have no logarithms.
pub(crate) fn value_axis(chart: &Chart) -> Axis {
    Axis {
        log: chart.y.log && chart.stacking == Stacking::None,
        ..chart.y.clone()
    }
}

/// The least and greatest value of the points in `stacks` that belong to `part` and lie within `x`
/// (in data), of logarithms on such an axis, with room at the ends.
pub(crate) fn value_range(
    chart: &Chart,
    stacks: &[Vec<Stacked>],
    part: Option<usize>,
    x: (f64, f64),
) -> (f64, f64) {
    let log = value_axis(chart).log;
    let shown = stacks
        .iter()
        .zip(&chart.series)
        .filter(|(_, series)| part.is_none_or(|part| series.part == part))
        .flat_map(|(points, _)| points)
        .filter(|p| (x.0..=x.1).contains(&p.x))
        .flat_map(|p| [p.base, p.top]);
    let (low, high) = extent(shown, log);
    let limit = |set: Option<f64>, found: f64| match set {
        Some(v) if log => v.max(1e-12).log10(),
        Some(v) => v,
        None => found,
    };
    let (low, high) = (limit(chart.y.min, low), limit(chart.y.max, high));
    let (low, high) = if high > low {
        (low, high)
    } else {
        (low, low + 1.0)
    };
    if log {
        return (
            chart.y.min.map_or(low.floor(), |_| low),
            chart.y.max.map_or(high.ceil(), |_| high),
        );
    }
    with_room(chart, low, high)
}

fn with_room(chart: &Chart, low: f64, high: f64) -> (f64, f64) {
    let near_zero = low > 0.0 && low < high * 0.7;
    let low = if chart.kind.stands_on_zero() || near_zero {
        low.min(0.0)
    } else {
        low
    };
    let room = (high - low) * 0.05;
    let low = if low == 0.0 || chart.y.min.is_some() {
        low
    } else {
        low - room
    };
    let fixed = chart.y.max.is_some() || chart.stacking == Stacking::Stacked100;
    let high = if high == 0.0 || fixed {
        high
    } else {
        high + room
    };
    (low, high)
}

fn extent(values: impl Iterator<Item = f64>, log: bool) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| !log || *v > 0.0)
        .map(|v| if log { v.log10() } else { v })
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// The least and greatest x: as the reader zoomed, as the query set them, or as the data has them,
/// with room around a single point; of logarithms on such an axis.
pub(crate) fn x_range(chart: &Chart, view: &ViewState) -> (f64, f64) {
    let all = chart
        .series
        .iter()
        .flat_map(|s| s.points.iter().map(|p| p.0).chain(s.ends.iter().copied()));
    let (low, high) = extent(all, chart.x.log);
    let set = |limit: Option<f64>, found: f64| match limit {
        Some(v) if chart.x.log => v.max(1e-12).log10(),
        Some(v) => v,
        None => found,
    };
    let (from, to) = match view.zoom {
        Some((from, to)) => (Some(from), Some(to)),
        None => (chart.x.min, chart.x.max),
    };
    let (low, high) = (set(from, low), set(to, high));
    if high > low {
        (low, high)
    } else {
        (low - 0.5, low + 0.5)
    }
}

/// A range of an axis as data: what [`x_range`] gives, without logarithms.
pub(crate) fn as_data(range: (f64, f64), log: bool) -> (f64, f64) {
    if log {
        // Powers of logarithms are not quite what they were; the ends belong to the range.
        (
            10f64.powf(range.0) * (1.0 - 1e-9),
            10f64.powf(range.1) * (1.0 + 1e-9),
        )
    } else {
        range
    }
}
