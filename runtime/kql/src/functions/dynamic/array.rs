//! Arrays: their parts, their order, their elements.

use std::cmp::Ordering;

use spoor_table::dynamic::Kind;
use spoor_table::{Cell, DynamicRef, KustoType};

use super::{array, long, view, write_array};
use crate::functions::Bound;
use crate::functions::args::{P, accept, count, quantity};
use crate::functions::cast::wrap;
use crate::functions::udf::{Body, Out, call};
use crate::typed::{BindContext, Typed};
use KustoType::{Dynamic, Long};

pub(super) fn array_length(cells: &[Cell<'_>], out: &mut Out) {
    let length = view(&cells[0]).as_array().map(|a| a.len() as i64);
    out.maybe(length, Out::long);
}

pub(super) fn array_concat(cells: &[Cell<'_>], out: &mut Out) {
    if cells.iter().all(|cell| cell.is_null()) {
        return out.null();
    }
    let items = cells.iter().flat_map(|cell| match view(cell).as_array() {
        Some(array) => array.iter().collect::<Vec<_>>(),
        None if cell.is_null() => Vec::new(),
        None => vec![view(cell)],
    });
    array(out, items);
}

/// A position from the start; a negative one counts from the end.
pub(super) fn position(index: i64, length: i64) -> i64 {
    if index < 0 {
        index.saturating_add(length)
    } else {
        index
    }
}

pub(super) fn array_slice(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let length = items.len() as i64;
    let start = position(long(&cells[1]), length).max(0);
    let end = position(long(&cells[2]), length).min(length - 1);
    let taken = quantity(end.saturating_sub(start).saturating_add(1));
    array(out, items.iter().skip(quantity(start)).take(taken));
}

pub(super) fn array_split(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let length = items.len() as i64;
    let at = view(&cells[1]);
    let cuts: Vec<i64> = match (at.as_array(), at.kind()) {
        (Some(list), _) => list.iter().filter_map(whole).collect(),
        (None, Kind::Long(index)) => vec![index],
        _ => return out.null(),
    };
    let items: Vec<DynamicRef<'_>> = items.iter().collect();
    out.dynamic(|b| {
        let mark = b.begin_array();
        let mut from = 0;
        for cut in cuts
            .iter()
            .map(|cut| position(*cut, length).clamp(0, length) as usize)
            .chain([items.len()])
        {
            let cut = cut.max(from);
            write_array(b, items.get(from..cut).unwrap_or_default().iter().copied());
            b.item(&mark);
            from = cut;
        }
        b.end(mark);
    });
}

pub(super) fn whole(value: DynamicRef<'_>) -> Option<i64> {
    match value.kind() {
        Kind::Long(v) => Some(v),
        _ => None,
    }
}

pub(super) fn array_reverse(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]).as_array() {
        Some(items) => {
            let items: Vec<DynamicRef<'_>> = items.iter().collect();
            array(out, items.into_iter().rev());
        }
        None => out.null(),
    }
}

pub(super) fn array_index_of_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 5)?;
    let mut bound = vec![accept(ctx, &args[0], P::Dynamic, 0)?, wrap(&args[1])];
    for (at, arg) in args.iter().enumerate().skip(2) {
        bound.push(accept(ctx, arg, P::Long, at)?);
    }
    Ok(call(
        "array_index_of",
        &bound,
        Long,
        Body::Rows(array_index_of),
    ))
}

pub(super) fn array_index_of(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let number = |at: usize, default: i64| cells.get(at).map_or(default, long);
    let start = quantity(position(number(2, 0), items.len() as i64));
    let length = match number(3, -1) {
        n if n < 0 => usize::MAX,
        n => quantity(n),
    };
    let occurrence = quantity(number(4, 1).max(1));
    let wanted = view(&cells[1]);
    let found = items
        .iter()
        .enumerate()
        .skip(start)
        .take(length)
        .filter(|(_, item)| same(*item, wanted))
        .nth(occurrence - 1);
    out.long(found.map_or(-1, |(at, _)| at as i64));
}

/// Whether two dynamic values are equal: 1 and 1.0 are.
pub(super) fn same(a: DynamicRef<'_>, b: DynamicRef<'_>) -> bool {
    a.as_bytes() == b.as_bytes() || a.order(b) == Ordering::Equal || (a.is_null() && b.is_null())
}

pub(super) fn array_sum(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let sum: Option<f64> = items
        .iter()
        .map(|item| match item.kind() {
            Kind::Long(v) => Some(v as f64),
            Kind::Real(v) => Some(v),
            Kind::Bool(v) => Some(f64::from(u8::from(v))),
            _ => None,
        })
        .sum();
    out.maybe(sum, Out::real);
}

/// The order of two elements: nulls last, or first.
fn element_order(
    a: DynamicRef<'_>,
    b: DynamicRef<'_>,
    descending: bool,
    nulls_last: bool,
) -> Ordering {
    let nulls = if nulls_last {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => nulls,
        (false, true) => nulls.reverse(),
        _ if descending => b.order(a),
        _ => a.order(b),
    }
}

pub(super) fn array_sort(cells: &[Cell<'_>], out: &mut Out, descending: bool) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let nulls_last = !matches!(cells.get(1), Some(Cell::Bool(false)));
    let mut sorted: Vec<DynamicRef<'_>> = items.iter().collect();
    sorted.sort_by(|a, b| element_order(*a, *b, descending, nulls_last));
    array(out, sorted);
}

/// Several arrays in the order of the first, as an array of them; a last bool says whether nulls come last.
pub(crate) fn sort_arrays(ctx: &BindContext, args: &[Typed], descending: bool) -> Bound {
    let mut bound = Vec::with_capacity(args.len());
    for (at, arg) in args.iter().enumerate() {
        let is_flag = at + 1 == args.len() && arg.ty == KustoType::Bool;
        let param = if is_flag { P::Bool } else { P::Dynamic };
        bound.push(accept(ctx, arg, param, at)?);
    }
    let (name, run): (_, fn(&[Cell<'_>], &mut Out)) = match descending {
        true => ("array_sort_desc_several", |c, o| sort_several(c, o, true)),
        false => ("array_sort_asc_several", |c, o| sort_several(c, o, false)),
    };
    Ok(call(name, &bound, Dynamic, Body::Rows(run)))
}

fn sort_several(cells: &[Cell<'_>], out: &mut Out, descending: bool) {
    let nulls_last = !matches!(cells.last(), Some(Cell::Bool(false)));
    let arrays = cells.iter().filter(|cell| !matches!(cell, Cell::Bool(_)));
    let arrays: Vec<Option<Vec<DynamicRef<'_>>>> = arrays
        .map(|cell| view(cell).as_array().map(|items| items.iter().collect()))
        .collect();
    let Some(Some(first)) = arrays.first() else {
        return out.null();
    };
    let mut order: Vec<usize> = (0..first.len()).collect();
    order.sort_by(|a, b| element_order(first[*a], first[*b], descending, nulls_last));
    out.dynamic(|b| {
        let mark = b.begin_array();
        for items in &arrays {
            match items {
                // What is shorter or longer than the first has no place for each of its elements.
                Some(items) if items.len() == first.len() => {
                    write_array(b, order.iter().map(|at| items[*at]));
                }
                _ => b.null(),
            }
            b.item(&mark);
        }
        b.end(mark);
    });
}

pub(super) fn array_rotate(cells: &[Cell<'_>], out: &mut Out, direction: i64) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let mut items: Vec<DynamicRef<'_>> = items.iter().collect();
    if !items.is_empty() {
        let by = long(&cells[1])
            .wrapping_mul(direction)
            .rem_euclid(items.len() as i64);
        items.rotate_left(by as usize);
    }
    array(out, items);
}

pub(super) fn array_shift_bind(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    body: Body,
) -> Bound {
    count(args, 2, 3)?;
    let mut bound = vec![
        accept(ctx, &args[0], P::Dynamic, 0)?,
        accept(ctx, &args[1], P::Long, 1)?,
    ];
    bound.extend(args.get(2).map(wrap));
    Ok(call(name, &bound, Dynamic, body))
}

pub(super) fn array_shift(cells: &[Cell<'_>], out: &mut Out, direction: i64) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let fill = cells.get(2).map_or(DynamicRef::NULL, view);
    let by = long(&cells[1]).saturating_mul(direction);
    let shifted = (0..items.len() as i64).map(|at| match at.checked_add(by) {
        Some(from) if from >= 0 => items.at(from).unwrap_or(fill),
        _ => fill,
    });
    array(out, shifted);
}

pub(super) fn array_iff(cells: &[Cell<'_>], out: &mut Out) {
    let Some(conditions) = view(&cells[0]).as_array() else {
        return out.null();
    };
    // A scalar stands for an array of it; past an array's end is null.
    let pick = |cell: &Cell<'_>, at: usize| -> Option<spoor_table::Dynamic> {
        let value = view(cell);
        match value.as_array() {
            Some(items) => items.at(at as i64).map(DynamicRef::to_owned),
            None => Some(value.to_owned()),
        }
    };
    out.dynamic(|b| {
        let mark = b.begin_array();
        for (at, condition) in conditions.iter().enumerate() {
            let truth = match condition.kind() {
                Kind::Bool(v) => Some(v),
                Kind::Long(v) => Some(v != 0),
                Kind::Real(v) => Some(v != 0.0),
                _ => None,
            };
            match truth.and_then(|truth| pick(&cells[if truth { 1 } else { 2 }], at)) {
                Some(value) => b.value(value.view()),
                None => b.null(),
            }
            b.item(&mark);
        }
        b.end(mark);
    });
}
