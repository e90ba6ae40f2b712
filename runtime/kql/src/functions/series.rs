//! Functions over series: dynamic arrays of numbers, as `make-series` gives them. An element that is no number is null.

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType, Value};

use super::args::{P, accept, count, fixed};
use super::cast::wrap;
use super::udf::{Body, Out, RowFn, call};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, Typed};

use KustoType::{Dynamic, Real};

macro_rules! unary {
    ($name:literal, $f:expr) => {
        |c, a| {
            fixed(
                c,
                a,
                $name,
                &[P::Dynamic],
                Dynamic,
                Body::Strict(|cells, out| {
                    let f: fn(f64) -> f64 = $f;
                    map(cells, out, |x| Some(f(x)));
                }),
            )
        }
    };
}

macro_rules! binary {
    ($name:literal, $f:expr) => {
        |_, a| {
            pair(a, $name, |cells, out| {
                let f: fn(f64, f64) -> Option<f64> = $f;
                zip(cells, out, |b, x, y| {
                    match x.zip(y).and_then(|(x, y)| f(x, y)) {
                        Some(value) => b.real(value),
                        None => b.null(),
                    }
                });
            })
        }
    };
}

macro_rules! compare {
    ($name:literal, $op:tt) => {
        |_, a| pair(a, $name, |cells, out| {
            zip(cells, out, |b, x, y| match x.zip(y) {
                Some((x, y)) => b.bool(x $op y),
                None => b.null(),
            });
        })
    };
}

function_table! {
    "series_abs", "series_abs(series)", "Takes the signs away.", unary!("series_abs", f64::abs);
    "series_ceiling", "series_ceiling(series)", "Rounds up.", unary!("series_ceiling", f64::ceil);
    "series_floor", "series_floor(series)", "Rounds down.", unary!("series_floor", f64::floor);
    "series_exp", "series_exp(series)", "e to the power of each number.", unary!("series_exp", f64::exp);
    "series_log", "series_log(series)", "The natural logarithm of each number.", unary!("series_log", f64::ln);
    "series_sign", "series_sign(series)", "The sign of each number.", unary!("series_sign", |x| if x == 0.0 { 0.0 } else { x.signum() });
    "series_sin", "series_sin(series)", "The sine of each number.", unary!("series_sin", f64::sin);
    "series_cos", "series_cos(series)", "The cosine of each number.", unary!("series_cos", f64::cos);
    "series_tan", "series_tan(series)", "The tangent of each number.", unary!("series_tan", f64::tan);
    "series_asin", "series_asin(series)", "The arcsine of each number.", unary!("series_asin", f64::asin);
    "series_acos", "series_acos(series)", "The arccosine of each number.", unary!("series_acos", f64::acos);
    "series_atan", "series_atan(series)", "The arctangent of each number.", unary!("series_atan", f64::atan);
    "series_add", "series_add(series1, series2)", "Adds two series element by element.", binary!("series_add", |x, y| Some(x + y));
    "series_subtract", "series_subtract(series1, series2)", "Subtracts two series element by element.", binary!("series_subtract", |x, y| Some(x - y));
    "series_multiply", "series_multiply(series1, series2)", "Multiplies two series element by element.", binary!("series_multiply", |x, y| Some(x * y));
    "series_divide", "series_divide(series1, series2)", "Divides two series element by element.", binary!("series_divide", |x, y| Some(x / y));
    "series_pow", "series_pow(series1, series2)", "Raises each number to the power of the other series' number.", binary!("series_pow", |x, y| Some(x.powf(y)));
    "series_equals", "series_equals(series1, series2)", "Compares two series element by element.", compare!("series_equals", ==);
    "series_not_equals", "series_not_equals(series1, series2)", "Compares two series element by element.", compare!("series_not_equals", !=);
    "series_greater", "series_greater(series1, series2)", "Compares two series element by element.", compare!("series_greater", >);
    "series_greater_equals", "series_greater_equals(series1, series2)", "Compares two series element by element.", compare!("series_greater_equals", >=);
    "series_less", "series_less(series1, series2)", "Compares two series element by element.", compare!("series_less", <);
    "series_less_equals", "series_less_equals(series1, series2)", "Compares two series element by element.", compare!("series_less_equals", <=);
    "series_sum", "series_sum(series)", "Adds up a series.", |c, a| fixed(c, a, "series_sum", &[P::Dynamic], Real, Body::Strict(|c, o| fold(c, o, |n| n.iter().sum())));
    "series_product", "series_product(series)", "Multiplies up a series.", |c, a| fixed(c, a, "series_product", &[P::Dynamic], Real, Body::Strict(|c, o| fold(c, o, |n| n.iter().product())));
    "series_magnitude", "series_magnitude(series)", "The length of a series taken as a vector.", |c, a| fixed(c, a, "series_magnitude", &[P::Dynamic], Real, Body::Strict(|c, o| fold(c, o, |n| dot(n, n).sqrt())));
    "series_dot_product", "series_dot_product(series1, series2)", "Adds up the products of two series' elements.", |c, a| both(c, a, "series_dot_product", dot_product);
    "series_cosine_similarity", "series_cosine_similarity(series1, series2)", "The cosine of the angle between two series taken as vectors.", |c, a| both(c, a, "series_cosine_similarity", |c, o| two(c, o, cosine));
    "series_pearson_correlation", "series_pearson_correlation(series1, series2)", "How far two series go along a line, from -1 to 1.", |c, a| both(c, a, "series_pearson_correlation", |c, o| two(c, o, pearson));
    "series_fill_forward", "series_fill_forward(series, missing)", "Puts the last value in place of missing ones.", |c, a| fill(c, a, "series_fill_forward", |c, o| fill_near(c, o, true));
    "series_fill_backward", "series_fill_backward(series, missing)", "Puts the next value in place of missing ones.", |c, a| fill(c, a, "series_fill_backward", |c, o| fill_near(c, o, false));
    "series_fill_const", "series_fill_const(series, constant, missing)", "Puts a constant in place of missing values.", fill_const;
    "series_fill_linear", "series_fill_linear(series, missing, fill_edges, constant)", "Puts values on a line between neighbours in place of missing ones.", fill_linear_bind;
    "series_stats_dynamic", "series_stats_dynamic(series)", "Least, greatest, mean and spread of a series, as a property bag.", |c, a| fixed(c, a, "series_stats_dynamic", &[P::Dynamic], Dynamic, Body::Strict(stats));
    "series_fit_line_dynamic", "series_fit_line_dynamic(series)", "The straight line that fits a series best, as a property bag.", |c, a| fixed(c, a, "series_fit_line_dynamic", &[P::Dynamic], Dynamic, Body::Strict(fit_line));
    "series_fir", "series_fir(series, filter, normalize, center)", "Runs a filter over a series.", fir_bind;
    "series_iir", "series_iir(series, numerators, denominators)", "Runs a recursive filter over a series.", |c, a| fixed(c, a, "series_iir", &[P::Dynamic, P::Dynamic, P::Dynamic], Dynamic, Body::Strict(iir));
}

/// The number in a dynamic value.
fn number(value: DynamicRef<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Long(v) => Some(v as f64),
        Kind::Real(v) if !v.is_nan() => Some(v),
        Kind::Bool(v) => Some(f64::from(u8::from(v))),
        _ => None,
    }
}

fn items<'a>(cell: &Cell<'a>) -> Option<Vec<DynamicRef<'a>>> {
    match cell {
        Cell::Dynamic(value) => Some(value.as_array()?.iter().collect()),
        _ => None,
    }
}

/// The elements as numbers.
fn series(cell: &Cell<'_>) -> Option<Vec<Option<f64>>> {
    Some(items(cell)?.into_iter().map(number).collect())
}

/// The elements as numbers; `None` when one is none.
pub(super) fn numbers(cell: &Cell<'_>) -> Option<Vec<f64>> {
    series(cell)?.into_iter().collect()
}

fn write<T>(out: &mut Out, values: impl IntoIterator<Item = T>, put: impl Fn(&mut Builder, T)) {
    out.dynamic(|b| {
        let mark = b.begin_array();
        for value in values {
            put(b, value);
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn put_real(b: &mut Builder, value: Option<f64>) {
    match value {
        Some(value) => b.real(value),
        None => b.null(),
    }
}

fn map(cells: &[Cell<'_>], out: &mut Out, f: impl Fn(f64) -> Option<f64>) {
    out.maybe(series(&cells[0]), |out, values| {
        write(
            out,
            values.into_iter().map(|value| value.and_then(&f)),
            put_real,
        );
    });
}

fn pair(args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    count(args, 2, 2)?;
    let bound: Vec<Typed> = args.iter().map(wrap).collect();
    Ok(call(name, &bound, Dynamic, Body::Strict(run)))
}

/// Elements of two series side by side; a number stands for a series of it, and a short series ends in nulls.
fn zip(cells: &[Cell<'_>], out: &mut Out, put: impl Fn(&mut Builder, Option<f64>, Option<f64>)) {
    let scalar = |cell: &Cell<'_>| match cell {
        Cell::Dynamic(value) => number(*value),
        _ => None,
    };
    let (left, right) = (series(&cells[0]), series(&cells[1]));
    if left.is_none() && right.is_none() {
        return out.null();
    }
    let length = left
        .as_ref()
        .map_or(0, Vec::len)
        .max(right.as_ref().map_or(0, Vec::len));
    let at = |side: &Option<Vec<Option<f64>>>, cell: &Cell<'_>, i: usize| match side {
        Some(values) => values.get(i).copied().flatten(),
        None => scalar(cell),
    };
    write(out, 0..length, |b, i| {
        put(b, at(&left, &cells[0], i), at(&right, &cells[1], i))
    });
}

fn fold(cells: &[Cell<'_>], out: &mut Out, f: fn(&[f64]) -> f64) {
    out.maybe(numbers(&cells[0]), |out, values| out.real(f(&values)));
}

fn both(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    // A number may stand for a series of it.
    let wrapped: Vec<Typed> = args
        .iter()
        .map(|arg| {
            if arg.ty.is_numeric() {
                wrap(arg)
            } else {
                arg.clone()
            }
        })
        .collect();
    fixed(
        ctx,
        &wrapped,
        name,
        &[P::Dynamic, P::Dynamic],
        Real,
        Body::Strict(run),
    )
}

fn dot_product(cells: &[Cell<'_>], out: &mut Out) {
    let scalar = |cell: &Cell<'_>| match cell {
        Cell::Dynamic(value) => number(*value),
        _ => None,
    };
    match (numbers(&cells[0]), numbers(&cells[1])) {
        (Some(series), None) | (None, Some(series)) => {
            let by = scalar(&cells[0]).or_else(|| scalar(&cells[1]));
            out.maybe(by, |out, by| out.real(series.iter().map(|x| x * by).sum()));
        }
        _ => two(cells, out, dot),
    }
}

fn two(cells: &[Cell<'_>], out: &mut Out, f: fn(&[f64], &[f64]) -> f64) {
    let sides = numbers(&cells[0])
        .zip(numbers(&cells[1]))
        .filter(|(a, b)| a.len() == b.len());
    out.maybe(sides, |out, (a, b)| out.real(f(&a, &b)));
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let center = |values: &[f64]| -> Vec<f64> {
        let mean = mean(values);
        values.iter().map(|value| value - mean).collect()
    };
    cosine(&center(a), &center(b))
}

fn fill(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    count(args, 1, 2)?;
    let missing = args
        .get(1)
        .map_or_else(|| literal(Value::null(Dynamic)), wrap);
    Ok(call(
        name,
        &[accept(ctx, &args[0], P::Dynamic, 0)?, missing],
        Dynamic,
        Body::Rows(run),
    ))
}

/// Whether an element is missing: null, or equal to the value that marks a missing one.
fn is_missing(item: DynamicRef<'_>, mark: &Cell<'_>) -> bool {
    match mark {
        Cell::Dynamic(mark) => item.order(*mark).is_eq(),
        _ => item.is_null(),
    }
}

fn fill_near(cells: &[Cell<'_>], out: &mut Out, forward: bool) {
    let Some(mut items) = items(&cells[0]) else {
        return out.null();
    };
    if !forward {
        items.reverse();
    }
    let mut last = None;
    for item in &mut items {
        if is_missing(*item, &cells[1]) {
            *item = last.unwrap_or(*item);
        } else {
            last = Some(*item);
        }
    }
    if !forward {
        items.reverse();
    }
    write(out, items, Builder::value);
}

fn fill_const(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let missing = args
        .get(2)
        .map_or_else(|| literal(Value::null(Dynamic)), wrap);
    let bound = [
        accept(ctx, &args[0], P::Dynamic, 0)?,
        wrap(&args[1]),
        missing,
    ];
    Ok(call(
        "series_fill_const",
        &bound,
        Dynamic,
        Body::Rows(|cells, out| {
            let constant = match &cells[1] {
                Cell::Dynamic(value) => *value,
                _ => DynamicRef::NULL,
            };
            let filled = items(&cells[0]).map(|items| {
                items
                    .into_iter()
                    .map(|item| {
                        if is_missing(item, &cells[2]) {
                            constant
                        } else {
                            item
                        }
                    })
                    .collect::<Vec<_>>()
            });
            out.maybe(filled, |out, items| write(out, items, Builder::value));
        }),
    ))
}

fn fill_linear_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 4)?;
    let null = || literal(Value::null(Dynamic));
    let bound = [
        accept(ctx, &args[0], P::Dynamic, 0)?,
        args.get(1).map_or_else(null, wrap),
        match args.get(2) {
            Some(edges) => accept(ctx, edges, P::Bool, 2)?,
            None => literal(Value::Bool(true)),
        },
        args.get(3).map_or_else(null, wrap),
    ];
    Ok(call(
        "series_fill_linear",
        &bound,
        Dynamic,
        Body::Rows(fill_linear),
    ))
}

fn fill_linear(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = items(&cells[0]) else {
        return out.null();
    };
    let edges = !matches!(cells[2], Cell::Bool(false));
    let known: Vec<(usize, f64)> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !is_missing(**item, &cells[1]))
        .filter_map(|(at, item)| Some((at, number(*item)?)))
        .collect();
    // A series of whole numbers stays one.
    let whole = !known.is_empty()
        && known
            .iter()
            .all(|(at, _)| matches!(items[*at].kind(), Kind::Long(_)));
    let value_at = |at: usize| -> Option<f64> {
        let after = known.partition_point(|(position, _)| *position < at);
        let next = known.get(after);
        match (
            after.checked_sub(1).and_then(|before| known.get(before)),
            next,
        ) {
            (_, Some((position, value))) if *position == at => Some(*value),
            (Some((x0, y0)), Some((x1, y1))) => {
                Some(y0 + (y1 - y0) * (at - x0) as f64 / (x1 - x0) as f64)
            }
            (Some((_, y)), None) | (None, Some((_, y))) if edges => Some(*y),
            (None, None) => match &cells[3] {
                Cell::Dynamic(constant) => number(*constant),
                _ => Some(0.0),
            },
            _ => None,
        }
    };
    write(out, 0..items.len(), |b, at| {
        let present = !is_missing(items[at], &cells[1]);
        match (present, value_at(at)) {
            (true, _) => b.value(items[at]),
            (false, Some(value)) if whole => b.long(value as i64),
            (false, Some(value)) => b.real(value),
            (false, None) => b.value(items[at]),
        }
    });
}

fn stats(cells: &[Cell<'_>], out: &mut Out) {
    let values = numbers(&cells[0]).filter(|values| !values.is_empty());
    out.maybe(values, |out, values| {
        let least = values
            .iter()
            .copied()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or_default();
        let most = values
            .iter()
            .copied()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .unwrap_or_default();
        let average = mean(&values);
        let spread = values.iter().map(|v| (v - average).powi(2)).sum::<f64>()
            / (values.len() as f64 - 1.0).max(1.0);
        let len = values.len() as i64;
        let sum: f64 = values.iter().sum();
        out.dynamic(|b| {
            let mark = b.begin_object();
            let put = |b: &mut Builder, key: &str, real: Option<f64>, long: i64| {
                b.key(&mark, key);
                match real {
                    Some(real) => b.real(real),
                    None => b.long(long),
                }
                b.item(&mark);
            };
            put(b, "min", Some(least.1), 0);
            put(b, "min_idx", None, least.0 as i64);
            put(b, "max", Some(most.1), 0);
            put(b, "max_idx", None, most.0 as i64);
            put(b, "avg", Some(average), 0);
            put(b, "stdev", Some(spread.sqrt()), 0);
            put(b, "variance", Some(spread), 0);
            put(b, "sum", Some(sum), 0);
            put(b, "len", None, len);
            b.end(mark);
        });
    });
}

/// Least squares over positions 0, 1, 2 ...
fn fit_line(cells: &[Cell<'_>], out: &mut Out) {
    let values = numbers(&cells[0]).filter(|values| values.len() > 1);
    out.maybe(values, |out, values| {
        let n = values.len() as f64;
        let (mx, my) = ((n - 1.0) / 2.0, mean(&values));
        let sxx: f64 = (0..values.len()).map(|x| (x as f64 - mx).powi(2)).sum();
        let sxy: f64 = values
            .iter()
            .enumerate()
            .map(|(x, y)| (x as f64 - mx) * (y - my))
            .sum();
        let slope = sxy / sxx;
        let interception = my - slope * mx;
        let line: Vec<f64> = (0..values.len())
            .map(|x| interception + slope * x as f64)
            .collect();
        let residual: f64 = values.iter().zip(&line).map(|(y, f)| (y - f).powi(2)).sum();
        let total: f64 = values.iter().map(|y| (y - my).powi(2)).sum();
        let parts = [
            (
                "rsquare",
                if total == 0.0 {
                    1.0
                } else {
                    1.0 - residual / total
                },
            ),
            ("slope", slope),
            ("variance", total / (n - 1.0)),
            ("rvariance", residual / (n - 1.0)),
            ("interception", interception),
        ];
        out.dynamic(|b| {
            let mark = b.begin_object();
            for (key, value) in parts {
                b.key(&mark, key);
                b.real(value);
                b.item(&mark);
            }
            b.key(&mark, "line_fit");
            let inner = b.begin_array();
            for value in &line {
                b.real(*value);
                b.item(&inner);
            }
            b.end(inner);
            b.item(&mark);
            b.end(mark);
        });
    });
}

fn fir_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 4)?;
    let flag = |at: usize, default: Option<bool>| match (args.get(at), default) {
        (Some(arg), _) => accept(ctx, arg, P::Bool, at),
        (None, Some(value)) => Ok(literal(Value::Bool(value))),
        (None, None) => Ok(literal(Value::null(KustoType::Bool))),
    };
    let bound = [
        accept(ctx, &args[0], P::Dynamic, 0)?,
        accept(ctx, &args[1], P::Dynamic, 1)?,
        flag(2, None)?,
        flag(3, Some(false))?,
    ];
    Ok(call("series_fir", &bound, Dynamic, Body::Rows(fir)))
}

fn fir(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(values), Some(filter)) = (series(&cells[0]), numbers(&cells[1])) else {
        return out.null();
    };
    let sum: f64 = filter.iter().sum();
    // Filters are normalised unless the call says otherwise or a coefficient is negative.
    let normalize = match cells[2] {
        Cell::Bool(normalize) => normalize,
        _ => filter.iter().all(|c| *c >= 0.0),
    };
    let scale = if normalize && sum != 0.0 { sum } else { 1.0 };
    let shift = if matches!(cells[3], Cell::Bool(true)) {
        (filter.len() / 2) as i64
    } else {
        0
    };
    write(out, 0..values.len() as i64, |b, at| {
        let total: f64 = filter
            .iter()
            .enumerate()
            .filter_map(|(k, c)| {
                let from = usize::try_from(at + shift - k as i64).ok()?;
                Some(c * values.get(from).copied().flatten()?)
            })
            .sum();
        b.real(total / scale);
    });
}

fn iir(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(values), Some(b), Some(a)) =
        (series(&cells[0]), numbers(&cells[1]), numbers(&cells[2]))
    else {
        return out.null();
    };
    let Some(first) = a.first().copied().filter(|a| *a != 0.0) else {
        return out.null();
    };
    let mut results: Vec<f64> = Vec::with_capacity(values.len());
    for at in 0..values.len() {
        let input: f64 = b
            .iter()
            .enumerate()
            .filter_map(|(k, c)| Some(c * values.get(at.checked_sub(k)?)?.unwrap_or(0.0)))
            .sum();
        let fed_back: f64 = a
            .iter()
            .enumerate()
            .skip(1)
            .filter_map(|(k, c)| Some(c * results.get(at.checked_sub(k)?)?))
            .sum();
        results.push((input - fed_back) / first);
    }
    write(out, results, Builder::real);
}
