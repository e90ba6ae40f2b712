//! Digests of numbers, which give percentiles of what was never together: means and how many values each stands for. Up to [`MOST`]
//! values they are the values themselves; beyond it those next to each other join, fewer the nearer they are to an end, as in
//! Dunning's t-digest, which Kusto's are.

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType, Value};

use super::args::{P, accept, count, fixed, variadic};
use super::udf::{Body, Out, call};
use super::{Bound, convert, function_table};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::{Dynamic, Real};

/// Means that a digest keeps, about.
const MOST: usize = 1024;

/// A value, or the mean of several, and how many.
type Mean = (f64, f64);

function_table! {
    "merge_tdigest", "merge_tdigest(digest, digest, ...)", "One digest of the values of several.", |c, a| variadic(c, a, "merge_tdigest", 1, P::Dynamic, Dynamic, Body::Rows(merge_row));
    "tdigest_merge", "tdigest_merge(digest, digest, ...)", "One digest of the values of several.", |c, a| variadic(c, a, "merge_tdigest", 1, P::Dynamic, Dynamic, Body::Rows(merge_row));
    "percentile_tdigest", "percentile_tdigest(digest, percentage, typeof(type))", "The value below or at which a percentage of a digest's values lie: a real, or of the type that is said.", percentile;
    "percentiles_array_tdigest", "percentiles_array_tdigest(digest, percentage, ...)", "An array with a digest's value for each percentage, or for each of an array of them.", percentiles;
    "percentrank_tdigest", "percentrank_tdigest(digest, value)", "The percentage of a digest's values that lie below or at a value.", |c, a| ranked(c, a, "percentrank_tdigest", |cells, out| rank_row(cells, out, true));
    "rank_tdigest", "rank_tdigest(digest, value)", "How many of a digest's values lie below or at a value.", |c, a| ranked(c, a, "rank_tdigest", |cells, out| rank_row(cells, out, false));
}

/// A value as a digest counts it: times by their ticks.
pub(super) fn number(ctx: &BindContext, value: &Typed, at: usize) -> Bound {
    match value.ty {
        KustoType::DateTime | KustoType::TimeSpan => {
            convert(ctx, convert(ctx, value.clone(), KustoType::Long)?, Real)
        }
        _ => accept(ctx, value, P::Real, at),
    }
}

/// The digest of a list of numbers, or of pairs of a number and its weight.
pub(super) fn digest(list: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let items = array(&cells[0]).unwrap_or_default();
        let means = items.iter().filter_map(|item| match item.as_object() {
            Some(pair) => Some((real(pair.get("v")?)?, real(pair.get("w")?)?)),
            None => Some((real(*item)?, 1.0)),
        });
        write(out, means.collect());
    };
    call("tdigest_of", &[list], Dynamic, Body::Strict(run))
}

/// A number and its weight, as [`digest`] reads them.
pub(super) fn weighed(number: Typed, weight: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let (Cell::Real(value), Cell::Real(weight)) = (cells[0], cells[1]) else {
            return out.null();
        };
        out.dynamic(|b| {
            let mark = b.begin_object();
            for (key, number) in [("v", value), ("w", weight)] {
                b.key(&mark, key);
                b.real(number);
                b.item(&mark);
            }
            b.end(mark);
        });
    };
    call(
        "tdigest_pair",
        &[number, weight],
        Dynamic,
        Body::Strict(run),
    )
}

/// The digest of a list of digests.
pub(super) fn merged(list: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let items = array(&cells[0]).unwrap_or_default();
        write(
            out,
            items.iter().filter_map(|i| read(*i)).flatten().collect(),
        );
    };
    call("tdigest_merged", &[list], Dynamic, Body::Strict(run))
}

fn percentile(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let bound = [
        accept(ctx, &args[0], P::Dynamic, 0)?,
        accept(ctx, &args[1], P::Real, 1)?,
    ];
    let value = call(
        "percentile_tdigest",
        &bound,
        Real,
        Body::Strict(|cells, out| {
            let found = means(&cells[0]).zip(real_of(&cells[1]));
            out.maybe(
                found.and_then(|(means, share)| at_share(&means, share)),
                Out::real,
            );
        }),
    );
    let Some(ty) = args.get(2) else {
        return Ok(value);
    };
    let name = match &ty.constant {
        Some(Value::String(name)) => KustoType::from_name(name),
        _ => None,
    };
    match name {
        Some(ty @ (KustoType::DateTime | KustoType::TimeSpan)) => {
            convert(ctx, convert(ctx, value, KustoType::Long)?, ty)
        }
        Some(ty) => convert(ctx, value, ty),
        None => Err(FunctionError::new("expects a type: typeof(long)").at(2)),
    }
}

fn percentiles(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 64)?;
    let mut bound = vec![accept(ctx, &args[0], P::Dynamic, 0)?];
    for (at, arg) in args.iter().enumerate().skip(1) {
        bound.push(match arg.ty {
            Dynamic => arg.clone(),
            _ => accept(ctx, arg, P::Real, at)?,
        });
    }
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let Some(means) = means(&cells[0]) else {
            return out.null();
        };
        let mut shares = Vec::new();
        for cell in cells.iter().skip(1) {
            match array(cell) {
                Some(items) => shares.extend(items.iter().filter_map(|item| real(*item))),
                None => shares.extend(real_of(cell)),
            }
        }
        out.dynamic(|b| {
            let found = shares.iter().filter_map(|share| at_share(&means, *share));
            write_reals(b, found);
        });
    };
    Ok(call(
        "percentiles_array_tdigest",
        &bound,
        Dynamic,
        Body::Strict(run),
    ))
}

fn ranked(ctx: &BindContext, args: &[Typed], name: &'static str, run: super::udf::RowFn) -> Bound {
    count(args, 2, 2)?;
    let value = number(ctx, &args[1], 1)?;
    fixed(
        ctx,
        &[args[0].clone(), value],
        name,
        &[P::Dynamic, P::Real],
        Real,
        Body::Strict(run),
    )
}

fn rank_row(cells: &[Cell<'_>], out: &mut Out, share: bool) {
    let found = means(&cells[0]).zip(real_of(&cells[1]));
    out.maybe(found, |out, (means, value)| {
        let all: f64 = means.iter().map(|(_, weight)| weight).sum();
        let below: f64 = means
            .iter()
            .filter(|(mean, _)| *mean <= value)
            .map(|(_, w)| w)
            .sum();
        out.real(if share { below / all * 100.0 } else { below });
    });
}

/// The least value that a percentage of the values do not exceed.
fn at_share(means: &[Mean], share: f64) -> Option<f64> {
    let all: f64 = means.iter().map(|(_, weight)| weight).sum();
    let wanted = (share.clamp(0.0, 100.0) / 100.0 * all).ceil().max(1.0);
    let mut passed = 0.0;
    for (mean, weight) in means {
        passed += weight;
        if passed >= wanted {
            return Some(*mean);
        }
    }
    means.last().map(|(mean, _)| *mean)
}

fn merge_row(cells: &[Cell<'_>], out: &mut Out) {
    write(out, cells.iter().filter_map(means).flatten().collect());
}

fn array<'a>(cell: &Cell<'a>) -> Option<Vec<DynamicRef<'a>>> {
    match cell {
        Cell::Dynamic(value) => Some(value.as_array()?.iter().collect()),
        _ => None,
    }
}

fn real(value: DynamicRef<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Long(v) => Some(v as f64),
        Kind::Real(v) => Some(v),
        _ => None,
    }
}

fn real_of(cell: &Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Real(value) => Some(*value),
        _ => None,
    }
}

fn read(digest: DynamicRef<'_>) -> Option<Vec<Mean>> {
    let means = digest.get("tdigest")?.as_array()?;
    let weights = digest.get("weights")?.as_array()?;
    let pairs = means.iter().zip(weights.iter());
    pairs
        .map(|(mean, weight)| Some((real(mean)?, real(weight)?)))
        .collect()
}

/// A digest's means, in order.
fn means(cell: &Cell<'_>) -> Option<Vec<Mean>> {
    match cell {
        Cell::Dynamic(digest) => read(*digest).filter(|means| !means.is_empty()),
        _ => None,
    }
}

/// Joins means that stand next to each other until there are few.
fn compressed(means: Vec<Mean>) -> Vec<Mean> {
    if means.len() <= MOST {
        return means;
    }
    let all: f64 = means.iter().map(|(_, weight)| weight).sum();
    let mut joined: Vec<Mean> = Vec::with_capacity(MOST);
    let mut before = 0.0;
    for (mean, weight) in means {
        if let Some(last) = joined.last_mut() {
            let together = last.1 + weight;
            let middle = (before + together / 2.0) / all;
            if together <= 4.0 * all * (middle * (1.0 - middle)).sqrt() / MOST as f64 {
                last.0 += (mean - last.0) * weight / together;
                last.1 = together;
                continue;
            }
            before += last.1;
        }
        joined.push((mean, weight));
    }
    joined
}

fn write(out: &mut Out, mut means: Vec<Mean>) {
    means.retain(|(mean, weight)| mean.is_finite() && *weight > 0.0);
    if means.is_empty() {
        return out.null();
    }
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    let means = compressed(means);
    out.dynamic(|b| {
        let mark = b.begin_object();
        b.key(&mark, "tdigest");
        write_reals(b, means.iter().map(|(mean, _)| *mean));
        b.item(&mark);
        b.key(&mark, "weights");
        write_reals(b, means.iter().map(|(_, weight)| *weight));
        b.item(&mark);
        b.end(mark);
    });
}

fn write_reals(b: &mut Builder, numbers: impl Iterator<Item = f64>) {
    let mark = b.begin_array();
    for number in numbers {
        b.real(number);
        b.item(&mark);
    }
    b.end(mark);
}
