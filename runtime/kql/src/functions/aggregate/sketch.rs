//! Sketches, digests and schemas of a group: its values are collected, and a scalar function makes of the list what the query asks for.

use super::list::{LIST, SET, collect};
use super::{Bound, one};
use crate::functions::args::{P, accept, count};
use crate::functions::{hll as sketches, schema, tdigest as digests};
use crate::typed::{BindContext, Typed};

/// However many values there are.
const ALL: u64 = u64::MAX;

pub(super) fn hll(ctx: &BindContext, args: &[Typed], conditional: bool) -> Bound {
    let least = 1 + usize::from(conditional);
    count(args, least, least + 1)?;
    let filter = match conditional {
        true => Some(accept(ctx, &args[1], P::Bool, 1)?.expr),
        false => None,
    };
    let hashes = collect(ctx, &sketches::hashed(&args[0]), SET, ALL, filter);
    one("hll", sketches::sketch(hashes))
}

pub(super) fn hll_merge(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 1)?;
    let sketch = accept(ctx, &args[0], P::Dynamic, 0)?;
    one(
        "hll_merge",
        sketches::merged(collect(ctx, &sketch, LIST, ALL, None)),
    )
}

pub(super) fn tdigest(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 2)?;
    let mut value = digests::number(ctx, &args[0], 0)?;
    if let Some(weight) = args.get(1) {
        value = digests::weighed(value, accept(ctx, weight, P::Real, 1)?);
    }
    one(
        "tdigest",
        digests::digest(collect(ctx, &value, LIST, ALL, None)),
    )
}

pub(super) fn tdigest_merge(ctx: &BindContext, args: &[Typed], name: &'static str) -> Bound {
    count(args, 1, 1)?;
    let digest = accept(ctx, &args[0], P::Dynamic, 0)?;
    one(
        name,
        digests::merged(collect(ctx, &digest, LIST, ALL, None)),
    )
}

pub(super) fn buildschema(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 1)?;
    let value = accept(ctx, &args[0], P::Dynamic, 0)?;
    // A list takes arrays apart, and these are to stay.
    let whole = crate::functions::scalar("pack_array")
        .map(|pack| (pack.bind)(ctx, std::slice::from_ref(&value)));
    let value = whole.transpose()?.unwrap_or(value);
    one(
        "schema",
        schema::of_list(collect(ctx, &value, LIST, ALL, None)),
    )
}
