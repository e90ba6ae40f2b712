//! Sketches of sets, which count distinct values that were never together: the least hashes of the values, so many at most. What Kusto
//! keeps is a HyperLogLog; no query sees the difference, as a sketch is only read by these functions. Counts are exact below
//! [`MOST`] values, and beyond it within about 1.6%, as Kusto's are.

use spoor_table::dynamic::Kind;
use spoor_table::{Cell, DynamicRef, KustoType, hash};

use super::args::{P, accept, fixed, variadic};
use super::udf::{Body, Out, call};
use super::{Bound, function_table};
use crate::typed::{BindContext, Typed};

use KustoType::{Dynamic, Long};

/// Hashes that a sketch keeps.
const MOST: usize = 4096;

/// The property that holds them.
const KEY: &str = "hll";

function_table! {
    "dcount_hll", "dcount_hll(sketch)", "How many distinct values a sketch has seen, which hll or hll_merge made.", |c, a| fixed(c, a, "dcount_hll", &[P::Dynamic], Long, Body::Strict(|cells, out| out.maybe(hashes(&cells[0]), |out, hashes| out.long(estimate(hashes.len(), threshold(&hashes))))));
    "hll_merge", "hll_merge(sketch, sketch, ...)", "One sketch of the values of several.", |c, a| variadic(c, a, "hll_merge", 1, P::Dynamic, Dynamic, Body::Rows(merge_row));
}

/// A hash of a value, not negative; the same for the same value in any batch.
pub(super) fn hashed(value: &Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| out.long((hash_of(cells[0]) >> 1) as i64);
    call(
        "hll_hash",
        std::slice::from_ref(value),
        Long,
        Body::Strict(run),
    )
}

/// A value's hash: the same for the same value in any batch.
pub(super) fn hash_of(cell: Cell<'_>) -> u64 {
    match cell {
        Cell::Null => 0,
        Cell::Bool(v) => hash::of(&[u8::from(v)]),
        Cell::Int(v) => hash::of(&v.to_le_bytes()),
        Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => hash::of(&v.to_le_bytes()),
        Cell::Real(v) => hash::of(&v.to_bits().to_le_bytes()),
        Cell::Decimal(v) => hash::of(&v.to_le_bytes()),
        Cell::String(v) | Cell::Guid(v) => hash::of(v.as_bytes()),
        Cell::Dynamic(v) => hash::of(v.as_bytes()),
    }
}

/// The sketch of a list of hashes.
pub(super) fn sketch(hashes: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let Cell::Dynamic(list) = cells[0] else {
            return out.null();
        };
        write(out, longs(list));
    };
    call("hll_sketch", &[hashes], Dynamic, Body::Strict(run))
}

/// The sketch of a list of sketches.
pub(super) fn merged(sketches: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let Some(list) = list(&cells[0]) else {
            return out.null();
        };
        let all = list.iter().filter_map(|sketch| read(*sketch)).flatten();
        write(out, all.collect());
    };
    call("hll_merged", &[sketches], Dynamic, Body::Strict(run))
}

/// How many values all sketches have in common: a long.
pub(crate) fn shared_count(ctx: &BindContext, sketches: &[Typed]) -> Bound {
    let bound: Result<Vec<Typed>, _> = sketches
        .iter()
        .enumerate()
        .map(|(at, sketch)| accept(ctx, sketch, P::Dynamic, at))
        .collect();
    Ok(call("hll_shared", &bound?, Long, Body::Strict(shared_row)))
}

fn shared_row(cells: &[Cell<'_>], out: &mut Out) {
    let sketches: Option<Vec<Vec<i64>>> = cells.iter().map(hashes).collect();
    let shared = sketches.and_then(|sketches| {
        // Up to here every sketch has all of its hashes.
        let whole = sketches.iter().map(|hashes| threshold(hashes)).min()?;
        let (first, others) = sketches.split_first()?;
        let everywhere = |hash: &&i64| others.iter().all(|o| o.binary_search(hash).is_ok());
        let within = first.iter().filter(|hash| **hash < whole);
        Some(estimate(within.filter(everywhere).count(), whole))
    });
    out.maybe(shared, Out::long);
}

fn merge_row(cells: &[Cell<'_>], out: &mut Out) {
    let sketches: Vec<Vec<i64>> = cells.iter().filter_map(hashes).collect();
    match sketches.is_empty() {
        true => out.null(),
        false => write(out, sketches.concat()),
    }
}

/// The elements of a list that is not empty.
fn list<'a>(cell: &Cell<'a>) -> Option<Vec<DynamicRef<'a>>> {
    match cell {
        Cell::Dynamic(value) => Some(value.as_array()?.iter().collect()),
        _ => None,
    }
    .filter(|items: &Vec<_>| !items.is_empty())
}

fn longs(list: DynamicRef<'_>) -> Vec<i64> {
    let items = list.as_array().into_iter().flat_map(|items| items.iter());
    items
        .filter_map(|item| match item.kind() {
            Kind::Long(hash) => Some(hash),
            _ => None,
        })
        .collect()
}

fn read(sketch: DynamicRef<'_>) -> Option<Vec<i64>> {
    sketch.get(KEY).map(longs)
}

/// A sketch's hashes, in order.
fn hashes(cell: &Cell<'_>) -> Option<Vec<i64>> {
    match cell {
        Cell::Dynamic(sketch) => read(*sketch),
        _ => None,
    }
}

/// The hash below which a sketch has all hashes.
fn threshold(hashes: &[i64]) -> i64 {
    match hashes.last() {
        Some(last) if hashes.len() >= MOST => *last,
        _ => i64::MAX,
    }
}

/// How many values there are, of which so many have hashes below a threshold.
fn estimate(count: usize, threshold: i64) -> i64 {
    if threshold == i64::MAX {
        return count as i64;
    }
    (count as f64 / (threshold as f64 / i64::MAX as f64)).round() as i64
}

fn write(out: &mut Out, mut hashes: Vec<i64>) {
    if hashes.is_empty() {
        return out.null();
    }
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(MOST);
    out.dynamic(|b| {
        let mark = b.begin_object();
        b.key(&mark, KEY);
        let items = b.begin_array();
        for hash in &hashes {
            b.long(*hash);
            b.item(&items);
        }
        b.end(items);
        b.item(&mark);
        b.end(mark);
    });
}
