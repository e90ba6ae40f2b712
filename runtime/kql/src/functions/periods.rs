//! After how many points a series comes again. Kusto's documentation says which periods may be found, and that a score tells how
//! significant one is, but not how it looks: here a period is a distance at which the series is more like itself than at those around it.

use spoor_table::dynamic::Builder;
use spoor_table::{Cell, KustoType};

use super::args::{P, accept, count, fixed, quantity};
use super::decompose::{line, write_reals};
use super::series::numbers;
use super::udf::{Body, Out, call};
use super::{Bound, function_table};
use crate::typed::{BindContext, Typed};

use KustoType::Dynamic;

/// The shortest period, and the periods that may be asked about at once, both as Kusto has them.
const SHORTEST: usize = 4;
const ASKED: usize = 16;

/// Periods that are given at most.
const MOST: usize = 1024;

/// Products that are summed up at most for one series.
const WORK: usize = 1 << 26;

/// How much more alike a series must be after several of its periods, for those to be a period of their own.
const MORE: f64 = 0.1;

function_table! {
    "series_periods_detect_dynamic", "series_periods_detect_dynamic(series, least, most, count)", "The lengths after which a series comes again and how significant each is, as a property bag.", |c, a| fixed(c, a, "series_periods_detect_dynamic", &[P::Dynamic, P::Real, P::Real, P::Long], Dynamic, Body::Strict(detected));
    "series_periods_validate_dynamic", "series_periods_validate_dynamic(series, period, ...)", "How significant it is that a series comes again after some periods, as a property bag.", validate;
}

fn validate(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 1 + ASKED)?;
    let mut bound = vec![accept(ctx, &args[0], P::Dynamic, 0)?];
    for (at, arg) in args.iter().enumerate().skip(1) {
        bound.push(accept(ctx, arg, P::Real, at)?);
    }
    Ok(call(
        "series_periods_validate_dynamic",
        &bound,
        Dynamic,
        Body::Strict(validated),
    ))
}

/// A series without its trend, and without what comes and goes faster than the shortest period.
struct Smooth(Vec<f64>);

impl Smooth {
    fn of(values: &[f64]) -> Smooth {
        let (slope, start) = line(values);
        let trend = |at: usize| start + slope * at as f64;
        let rest = values.iter().enumerate().map(|(at, v)| v - trend(at));
        let rest: Vec<f64> = rest.collect();
        let value = |at: usize| rest.get(at).copied();
        let smooth = (0..rest.len()).map(|at| {
            let own = value(at).unwrap_or(0.0);
            let before = at.checked_sub(1).and_then(value).unwrap_or(own);
            let after = value(at + 1).unwrap_or(own);
            before / 4.0 + own / 2.0 + after / 4.0
        });
        Smooth(smooth.collect())
    }

    /// How like itself the series is at a distance: 1 the same, 0 not at all.
    fn likeness(&self, distance: usize) -> f64 {
        let later = self.0.get(distance..).unwrap_or_default();
        let earlier = self.0.get(..later.len()).unwrap_or_default();
        let sum = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let spread = (sum(earlier, earlier) * sum(later, later)).sqrt();
        match spread > 0.0 {
            true => sum(earlier, later) / spread,
            false => 0.0,
        }
    }

    /// The likeness at a distance, if it is greater than around it, and than chance makes it.
    fn peak(&self, distance: usize) -> Option<f64> {
        if distance < SHORTEST || distance > self.0.len() / 2 {
            return None;
        }
        let found = self.likeness(distance);
        let chance = 2.0 / ((self.0.len() - distance) as f64).sqrt();
        let around = self.likeness(distance - 1).max(self.likeness(distance + 1));
        (found >= around && found > chance).then_some(found.min(1.0))
    }
}

/// The periods between two lengths with their scores, the best first.
fn periods(values: &[f64], least: f64, most: f64) -> Vec<(usize, f64)> {
    let smooth = Smooth::of(values);
    let least = (least.max(0.0).ceil() as usize).max(SHORTEST);
    let most = (most.max(0.0).floor() as usize).min(values.len() / 2);
    let most = most.min(least.saturating_add(WORK / values.len().max(1)));
    let mut found: Vec<(usize, f64)> = Vec::new();
    for distance in least..=most {
        let Some(score) = smooth.peak(distance) else {
            continue;
        };
        // After twice its period a series comes again too.
        let again = found.iter().any(|(period, known)| {
            let off = distance % period;
            off.min(period - off) <= 1 && score < known + MORE
        });
        if !again {
            found.push((distance, score));
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

fn detected(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let mut found = match (cells.get(1), cells.get(2)) {
            (Some(Cell::Real(least)), Some(Cell::Real(most))) => periods(&values, *least, *most),
            _ => Vec::new(),
        };
        let count = match cells.get(3) {
            Some(Cell::Long(count)) => quantity(*count).min(MOST),
            _ => 0,
        };
        found.resize(count, (0, 0.0));
        let found = found
            .into_iter()
            .map(|(period, score)| (period as f64, score));
        out.dynamic(|b| write(b, found.unzip()));
    });
}

fn validated(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let smooth = Smooth::of(&values);
        let scored = cells.iter().skip(1).map(|cell| match cell {
            Cell::Real(period) => (*period, score(&smooth, *period)),
            _ => (0.0, 0.0),
        });
        out.dynamic(|b| write(b, scored.unzip()));
    });
}

/// How significant a period is that need not be a whole number.
fn score(smooth: &Smooth, period: f64) -> f64 {
    let longest = smooth.0.len() as f64 / 2.0;
    if !(SHORTEST as f64..=longest).contains(&period) {
        return 0.0;
    }
    let near = period.round() as usize;
    let peaks = (near - 1..=near + 1).filter_map(|distance| smooth.peak(distance));
    peaks.fold(0.0, f64::max)
}

fn write(b: &mut Builder, (periods, scores): (Vec<f64>, Vec<f64>)) {
    let mark = b.begin_object();
    for (name, values) in [("periods", periods), ("scores", scores)] {
        b.key(&mark, name);
        write_reals(b, &values);
        b.item(&mark);
    }
    b.end(mark);
}
