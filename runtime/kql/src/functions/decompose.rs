//! What a series is made of: a trend, a season that comes again, and the rest; what of the rest is out of the ordinary; and lines that
//! fit it. Kusto's documentation says how the parts are defined, but not how it finds a season: here it is the distance at which
//! the series is most like itself.

use spoor_table::dynamic::Builder;
use spoor_table::{Cell, KustoType, Value};

use super::args::{P, accept, count, fixed};
use super::series::numbers;
use super::udf::{Body, Out, RowFn, call};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::Dynamic;

/// How alike a series must be to itself, a season later.
const LIKENESS: f64 = 0.6;

function_table! {
    "series_seasonal", "series_seasonal(series, period)", "The part of a series that comes again with a period, which must be given.", seasonal_bind;
    "series_decompose_forecast", "series_decompose_forecast(series, points, seasonality, trend, threshold)", "Goes on with a series' trend and season over its last points, which are not looked at.", |c, a| options(c, a, "series_decompose_forecast", 2, &[Value::Long(-1), text("linefit"), Value::Real(LIKENESS)], forecast);
    "series_outliers", "series_outliers(series, kind, ignored, low, high)", "How far outside of the ordinary each number of a series is: 0 within, beyond 1.5 an outlier.", |c, a| options(c, a, "series_outliers", 1, &[text("ctukey"), Value::Real(0.0), Value::Real(10.0), Value::Real(90.0)], outliers);
    "series_decompose_dynamic", "series_decompose_dynamic(series, seasonality, trend, test_points, threshold)", "The baseline, season, trend and rest of a series, as a property bag.", |c, a| options(c, a, "series_decompose_dynamic", 1, &[Value::Long(-1), text("avg"), Value::Long(0), Value::Real(LIKENESS)], decomposed);
    "series_decompose_anomalies_dynamic", "series_decompose_anomalies_dynamic(series, threshold, seasonality, trend, test_points, method, season_threshold)", "Which numbers of a series are out of the ordinary (1 above, -1 below), how far, and its baseline, as a property bag.", |c, a| options(c, a, "series_decompose_anomalies_dynamic", 1, &[Value::Real(1.5), Value::Long(-1), text("avg"), Value::Long(0), text("ctukey"), Value::Real(LIKENESS)], anomalies);
    "series_fit_2lines_dynamic", "series_fit_2lines_dynamic(series)", "The two straight lines, one after the other, that fit a series best, as a property bag.", |c, a| fixed(c, a, "series_fit_2lines_dynamic", &[P::Dynamic], Dynamic, Body::Strict(fit_two));
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn seasonal_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    if args.len() == 1 {
        let message = "how Kusto finds the period is not known: give it as a second argument";
        return Err(FunctionError::new(message));
    }
    options(ctx, args, "series_seasonal", 2, &[], seasonal_alone)
}

/// Binds a function of a series and numbers, where `defaults` are the last arguments'.
fn options(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    least: usize,
    defaults: &[Value],
    run: RowFn,
) -> Bound {
    count(args, least, least + defaults.len())?;
    let mut bound = vec![accept(ctx, &args[0], P::Dynamic, 0)?];
    for (at, arg) in args.iter().enumerate().take(least).skip(1) {
        bound.push(accept(ctx, arg, P::Long, at)?);
    }
    for (at, default) in (least..).zip(defaults) {
        let kind = match default.ty() {
            KustoType::Long => P::Long,
            KustoType::String => P::AsText,
            _ => P::Real,
        };
        bound.push(match args.get(at) {
            // A number of points may come as a real.
            Some(arg) if kind == P::Long => super::convert(ctx, arg.clone(), KustoType::Long)?,
            Some(arg) => accept(ctx, arg, kind, at)?,
            None => literal(default.clone()),
        });
    }
    Ok(call(name, &bound, Dynamic, Body::Rows(run)))
}

fn whole(cell: Option<&Cell<'_>>) -> i64 {
    match cell {
        Some(Cell::Long(value)) => *value,
        _ => 0,
    }
}

fn real(cell: Option<&Cell<'_>>) -> f64 {
    match cell {
        Some(Cell::Real(value)) => *value,
        _ => 0.0,
    }
}

fn word<'a>(cell: Option<&Cell<'a>>) -> &'a str {
    match cell {
        Some(Cell::String(value)) => value,
        _ => "",
    }
}

fn mean(values: &[f64]) -> f64 {
    match values.len() {
        0 => 0.0,
        count => values.iter().sum::<f64>() / count as f64,
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(high), 1) => *high,
        (Some(high), _) => (values.get(middle - 1).copied().unwrap_or(*high) + high) / 2.0,
    }
}

/// A straight line by least squares: its slope, and where it begins.
fn line(values: &[f64]) -> (f64, f64) {
    let (mx, my) = ((values.len() as f64 - 1.0) / 2.0, mean(values));
    let (mut sxx, mut sxy) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let x = at as f64 - mx;
        sxx += x * x;
        sxy += x * (value - my);
    }
    let slope = if sxx > 0.0 { sxy / sxx } else { 0.0 };
    (slope, my - slope * mx)
}

/// The distance at which a series is most like itself, if it is enough so.
fn period_of(values: &[f64], likeness: f64) -> Option<usize> {
    let average = mean(values);
    let spread: f64 = values.iter().map(|v| (v - average).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let alike = |lag: usize| -> f64 {
        let pairs = values.iter().zip(values.iter().skip(lag));
        let together: f64 = pairs.map(|(a, b)| (a - average) * (b - average)).sum();
        let count = values.len() - lag;
        together / count as f64 / (spread / values.len() as f64)
    };
    // A season comes thrice at least. The work grows with its length and the series'.
    let most = (values.len() / 3)
        .min(2048)
        .min((1 << 24) / values.len().max(1));
    let all: Vec<f64> = (0..=most + 1)
        .map(|lag| if lag < values.len() { alike(lag) } else { 0.0 })
        .collect();
    let peaks = (2..=most).filter(|lag| {
        let at = |lag: usize| all.get(lag).copied().unwrap_or(0.0);
        at(*lag) >= likeness && at(*lag) >= at(lag - 1) && at(*lag) >= at(lag + 1)
    });
    let best = peaks
        .clone()
        .filter_map(|lag| all.get(lag).copied())
        .fold(0.0, f64::max);
    // A season's multiples are as alike: the first that is nearly the best.
    peaks
        .clone()
        .find(|lag| all.get(*lag).is_some_and(|found| *found >= best * 0.95))
}

struct Parts {
    seasonal: Vec<f64>,
    trend: Vec<f64>,
}

impl Parts {
    fn baseline(&self) -> Vec<f64> {
        self.seasonal
            .iter()
            .zip(&self.trend)
            .map(|(s, t)| s + t)
            .collect()
    }
}

fn parts(values: &[f64], seasonality: i64, trend: &str, ignored: i64, likeness: f64) -> Parts {
    let ignored = usize::try_from(ignored).unwrap_or(0).min(values.len());
    let known = values.get(..values.len() - ignored).unwrap_or_default();
    let (slope, start) = match trend {
        "linefit" => line(known),
        "none" => (0.0, 0.0),
        _ => (0.0, mean(known)),
    };
    let trend: Vec<f64> = (0..values.len())
        .map(|at| start + slope * at as f64)
        .collect();
    let rest: Vec<f64> = known.iter().zip(&trend).map(|(v, t)| v - t).collect();
    let period = match seasonality {
        0 => None,
        given if given > 0 => usize::try_from(given).ok(),
        _ => period_of(&rest, likeness),
    };
    let seasonal = season(&rest, period, values.len());
    Parts { seasonal, trend }
}

/// The median of each place of the period, as often as there are points.
fn season(rest: &[f64], period: Option<usize>, points: usize) -> Vec<f64> {
    let Some(period) = period.filter(|period| *period > 0 && *period <= rest.len()) else {
        return vec![0.0; points];
    };
    let medians: Vec<f64> = (0..period)
        .map(|from| {
            median(
                &mut rest
                    .iter()
                    .skip(from)
                    .step_by(period)
                    .copied()
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    medians.iter().copied().cycle().take(points).collect()
}

fn write_reals(b: &mut Builder, values: &[f64]) {
    let mark = b.begin_array();
    for value in values {
        b.real(*value);
        b.item(&mark);
    }
    b.end(mark);
}

fn write_parts(out: &mut Out, parts: &[(&str, &[f64])]) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        for (name, values) in parts {
            b.key(&mark, name);
            write_reals(b, values);
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn seasonal_alone(cells: &[Cell<'_>], out: &mut Out) {
    let seasonal = numbers(&cells[0]).map(|values| {
        let period = usize::try_from(whole(cells.get(1))).ok();
        season(&values, period, values.len())
    });
    out.maybe(seasonal, |out, values| {
        out.dynamic(|b| write_reals(b, &values))
    });
}

fn decomposed(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let (trend, ignored) = (word(cells.get(2)), whole(cells.get(3)));
        let parts = parts(
            &values,
            whole(cells.get(1)),
            trend,
            ignored,
            real(cells.get(4)),
        );
        let baseline = parts.baseline();
        let rest: Vec<f64> = values.iter().zip(&baseline).map(|(v, b)| v - b).collect();
        write_parts(
            out,
            &[
                ("baseline", &baseline),
                ("seasonal", &parts.seasonal),
                ("trend", &parts.trend),
                ("residual", &rest),
            ],
        );
    });
}

fn forecast(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let (ignored, trend) = (whole(cells.get(1)), word(cells.get(3)));
        let parts = parts(
            &values,
            whole(cells.get(2)),
            trend,
            ignored,
            real(cells.get(4)),
        );
        out.dynamic(|b| write_reals(b, &parts.baseline()));
    });
}

/// The value below which so many of a hundred are, between neighbours where it must.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (sorted.len().saturating_sub(1)) as f64;
    let low = sorted.get(place.floor() as usize).copied().unwrap_or(0.0);
    let high = sorted.get(place.ceil() as usize).copied().unwrap_or(low);
    low + (high - low) * place.fract()
}

/// How far each value is outside of the ordinary ones, in lengths of their range.
fn scores(values: &[f64], known: usize, (low, high): (f64, f64)) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.get(..known).unwrap_or(values).to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (percentile(&sorted, low), percentile(&sorted, high));
    let range = high - low;
    let score = |value: &f64| match (range > 0.0, *value > high, *value < low) {
        (true, true, _) => (value - high) / range,
        (true, _, true) => (value - low) / range,
        _ => 0.0,
    };
    values.iter().map(score).collect()
}

fn range_of(method: &str) -> (f64, f64) {
    match method {
        "tukey" => (25.0, 75.0),
        _ => (10.0, 90.0),
    }
}

fn anomalies(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let (threshold, ignored) = (real(cells.get(1)), whole(cells.get(4)));
        let trend = word(cells.get(3));
        let parts = parts(
            &values,
            whole(cells.get(2)),
            trend,
            ignored,
            real(cells.get(6)),
        );
        let baseline = parts.baseline();
        let rest: Vec<f64> = values.iter().zip(&baseline).map(|(v, b)| v - b).collect();
        let known = values
            .len()
            .saturating_sub(usize::try_from(ignored).unwrap_or(0));
        let scores = scores(&rest, known, range_of(word(cells.get(5))));
        out.dynamic(|b| {
            let mark = b.begin_object();
            b.key(&mark, "ad_flag");
            let flags = b.begin_array();
            for score in &scores {
                b.long(if score.abs() > threshold {
                    score.signum() as i64
                } else {
                    0
                });
                b.item(&flags);
            }
            b.end(flags);
            b.item(&mark);
            for (name, values) in [("ad_score", &scores), ("baseline", &baseline)] {
                b.key(&mark, name);
                write_reals(b, values);
                b.item(&mark);
            }
            b.end(mark);
        });
    });
}

fn outliers(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(numbers(&cells[0]), |out, values| {
        let range = match word(cells.get(1)) {
            "tukey" => (25.0, 75.0),
            _ => (real(cells.get(3)), real(cells.get(4))),
        };
        out.dynamic(|b| write_reals(b, &scores(&values, values.len(), range)));
    });
}

/// What a line leaves of a series, and what the series has of itself.
fn errors(values: &[f64], (slope, start): (f64, f64)) -> (f64, f64) {
    let average = mean(values);
    let left = values
        .iter()
        .enumerate()
        .map(|(at, v)| (v - start - slope * at as f64).powi(2));
    let total = values.iter().map(|v| (v - average).powi(2));
    (left.sum(), total.sum())
}

/// What [`errors`] leaves of a stretch, from sums up to each point.
struct Sums(Vec<[f64; 3]>);

impl Sums {
    fn of(values: &[f64]) -> Sums {
        let mut sums = vec![[0.0; 3]];
        let mut total = [0.0; 3];
        for (at, value) in values.iter().enumerate() {
            total[0] += value;
            total[1] += value * at as f64;
            total[2] += value * value;
            sums.push(total);
        }
        Sums(sums)
    }

    fn left(&self, from: usize, to: usize) -> f64 {
        let (Some(a), Some(b)) = (self.0.get(from), self.0.get(to)) else {
            return f64::INFINITY;
        };
        let n = (to - from) as f64;
        let (y, yy) = (b[0] - a[0], b[2] - a[2]);
        let xy = b[1] - a[1] - from as f64 * y;
        let (x, xx) = (n * (n - 1.0) / 2.0, n * (n - 1.0) * (2.0 * n - 1.0) / 6.0);
        let (sxx, sxy, syy) = (xx - x * x / n, xy - x * y / n, yy - y * y / n);
        if sxx > 0.0 {
            (syy - sxy * sxy / sxx).max(0.0)
        } else {
            0.0
        }
    }
}

fn fit_two(cells: &[Cell<'_>], out: &mut Out) {
    let values = numbers(&cells[0]).filter(|values| values.len() > 3);
    out.maybe(values, |out, values| {
        let sums = Sums::of(&values);
        let split = (2..values.len() - 1)
            .min_by(|a, b| {
                let left = |at: usize| sums.left(0, at) + sums.left(at, values.len());
                left(*a).total_cmp(&left(*b))
            })
            .unwrap_or(2);
        let (left, right) = values.split_at(split);
        let (one, other) = (line(left), line(right));
        let (left_rest, left_total) = errors(left, one);
        let (right_rest, right_total) = errors(right, other);
        let average = mean(&values);
        let total: f64 = values.iter().map(|v| (v - average).powi(2)).sum();
        let share = |rest: f64, total: f64| if total > 0.0 { 1.0 - rest / total } else { 1.0 };
        let per = |sum: f64, count: usize| sum / (count.saturating_sub(1)).max(1) as f64;
        let rest = left_rest + right_rest;
        let fit =
            |line: (f64, f64), count: usize| (0..count).map(move |at| line.1 + line.0 * at as f64);
        let fitted: Vec<f64> = fit(one, left.len())
            .chain(fit(other, right.len()))
            .collect();
        out.dynamic(|b| {
            let mark = b.begin_object();
            let real = |b: &mut Builder, name: &str, value: f64| {
                b.key(&mark, name);
                b.real(value);
                b.item(&mark);
            };
            real(b, "rsquare", share(rest, total));
            b.key(&mark, "split_idx");
            b.long(split as i64);
            b.item(&mark);
            real(b, "variance", per(total, values.len()));
            real(b, "rvariance", per(rest, values.len()));
            b.key(&mark, "line_fit");
            write_reals(b, &fitted);
            b.item(&mark);
            for (side, part, line, rest, total) in [
                ("right", right, other, right_rest, right_total),
                ("left", left, one, left_rest, left_total),
            ] {
                real(b, &format!("{side}_rsquare"), share(rest, total));
                real(b, &format!("{side}_slope"), line.0);
                real(b, &format!("{side}_interception"), line.1);
                real(b, &format!("{side}_variance"), per(total, part.len()));
                real(b, &format!("{side}_rvariance"), per(rest, part.len()));
            }
            b.end(mark);
        });
    });
}
