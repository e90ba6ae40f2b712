//! Dynamic values: paths into them, and Kusto's functions over arrays and property bags.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType, Value, format};

use super::args::{P, accept, count, fixed, quantity};
use super::cast::wrap;
use super::udf::{Batch, Body, Out, Udf, call};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::{Bool, Dynamic, Long};

function_table! {
    "array_length", "array_length(array)", "Counts the elements of an array.", |c, a| fixed(c, a, "array_length", &[P::Dynamic], Long, Body::Strict(array_length));
    "arraylength", "arraylength(array)", "Counts the elements of an array; the older name of array_length.", |c, a| fixed(c, a, "array_length", &[P::Dynamic], Long, Body::Strict(array_length));
    "array_concat", "array_concat(array, ...)", "Joins arrays end to end.", |c, a| all_dynamic(c, a, 1, "array_concat", Body::Rows(array_concat));
    "array_slice", "array_slice(array, start, end)", "Takes the elements from start to end, both included; negative positions count from the end.", |c, a| fixed(c, a, "array_slice", &[P::Dynamic, P::Long, P::Long], Dynamic, Body::Strict(array_slice));
    "array_split", "array_split(array, indices)", "Cuts an array at one or more positions.", |c, a| { count(a, 2, 2)?; let i = wrap(&a[1]); Ok(call("array_split", &[accept(c, &a[0], P::Dynamic, 0)?, i], Dynamic, Body::Strict(array_split))) };
    "array_reverse", "array_reverse(array)", "Turns an array around.", |c, a| fixed(c, a, "array_reverse", &[P::Dynamic], Dynamic, Body::Strict(array_reverse));
    "array_index_of", "array_index_of(array, value, start, length, occurrence)", "Finds a value's position in an array, or -1.", array_index_of_bind;
    "array_sum", "array_sum(array)", "Adds up the numbers of an array; null when something in it is no number.", |c, a| fixed(c, a, "array_sum", &[P::Dynamic], KustoType::Real, Body::Strict(array_sum));
    "array_sort_asc", "array_sort_asc(array)", "Sorts an array upwards, nulls last.", |c, a| fixed(c, a, "array_sort_asc", &[P::Dynamic], Dynamic, Body::Strict(|c, o| array_sort(c, o, false)));
    "array_sort_desc", "array_sort_desc(array)", "Sorts an array downwards, nulls last.", |c, a| fixed(c, a, "array_sort_desc", &[P::Dynamic], Dynamic, Body::Strict(|c, o| array_sort(c, o, true)));
    "array_rotate_left", "array_rotate_left(array, count)", "Moves the first elements to the end.", |c, a| fixed(c, a, "array_rotate_left", &[P::Dynamic, P::Long], Dynamic, Body::Strict(|c, o| array_rotate(c, o, 1)));
    "array_rotate_right", "array_rotate_right(array, count)", "Moves the last elements to the front.", |c, a| fixed(c, a, "array_rotate_right", &[P::Dynamic, P::Long], Dynamic, Body::Strict(|c, o| array_rotate(c, o, -1)));
    "array_shift_left", "array_shift_left(array, count, fill)", "Moves elements to the front and fills up the end.", |c, a| array_shift_bind(c, a, "array_shift_left", Body::Rows(|c, o| array_shift(c, o, 1)));
    "array_shift_right", "array_shift_right(array, count, fill)", "Moves elements to the end and fills up the front.", |c, a| array_shift_bind(c, a, "array_shift_right", Body::Rows(|c, o| array_shift(c, o, -1)));
    "array_iff", "array_iff(conditions, if_true, if_false)", "Picks element by element from one of two arrays.", |_, a| { count(a, 3, 3)?; let w: Vec<Typed> = a.iter().map(wrap).collect(); Ok(call("array_iff", &w, Dynamic, Body::Rows(array_iff))) };
    "array_iif", "array_iif(conditions, if_true, if_false)", "The same as array_iff.", |_, a| { count(a, 3, 3)?; let w: Vec<Typed> = a.iter().map(wrap).collect(); Ok(call("array_iff", &w, Dynamic, Body::Rows(array_iff))) };
    "bag_keys", "bag_keys(bag)", "Lists the names in a property bag.", |c, a| fixed(c, a, "bag_keys", &[P::Dynamic], Dynamic, Body::Strict(bag_keys));
    "bag_has_key", "bag_has_key(bag, key)", "Tells whether a property bag has a name; a name may be a JSON path.", |c, a| fixed(c, a, "bag_has_key", &[P::Dynamic, P::Text], Bool, Body::Strict(bag_has_key));
    "bag_merge", "bag_merge(bag, ...)", "Joins property bags; where names collide, the first bag's value stays.", |c, a| all_dynamic(c, a, 2, "bag_merge", Body::Rows(bag_merge));
    "bag_remove_keys", "bag_remove_keys(bag, keys)", "Takes names out of a property bag.", |c, a| fixed(c, a, "bag_remove_keys", &[P::Dynamic, P::Dynamic], Dynamic, Body::Strict(bag_remove_keys));
    "bag_set_key", "bag_set_key(bag, key, value)", "Puts a value under a name in a property bag.", |c, a| { count(a, 3, 3)?; Ok(call("bag_set_key", &[accept(c, &a[0], P::Dynamic, 0)?, accept(c, &a[1], P::Text, 1)?, wrap(&a[2])], Dynamic, Body::Rows(bag_set_key))) };
    "bag_zip", "bag_zip(keys, values)", "Makes a property bag from an array of names and one of values.", |c, a| fixed(c, a, "bag_zip", &[P::Dynamic, P::Dynamic], Dynamic, Body::Strict(bag_zip));
    "bag_pack", "bag_pack(key, value, ...)", "Makes a property bag from names and values.", pack;
    "pack", "pack(key, value, ...)", "Makes a property bag; the same as bag_pack.", pack;
    "pack_dictionary", "pack_dictionary(key, value, ...)", "Makes a property bag; the same as bag_pack.", pack;
    "pack_array", "pack_array(value, ...)", "Makes an array from values.", |_, a| { count(a, 1, usize::MAX)?; let w: Vec<Typed> = a.iter().map(wrap).collect(); Ok(call("pack_array", &w, Dynamic, Body::Rows(pack_array))) };
    "set_union", "set_union(array, ...)", "All values of arrays, each once.", |c, a| all_dynamic(c, a, 1, "set_union", Body::Strict(set_union));
    "set_intersect", "set_intersect(array, ...)", "The values that all arrays have.", |c, a| all_dynamic(c, a, 1, "set_intersect", Body::Strict(set_intersect));
    "set_difference", "set_difference(array, ...)", "The values of the first array that no other has.", |c, a| all_dynamic(c, a, 1, "set_difference", Body::Strict(set_difference));
    "set_has_element", "set_has_element(array, value)", "Tells whether an array has a value.", |c, a| { count(a, 2, 2)?; Ok(call("set_has_element", &[accept(c, &a[0], P::Dynamic, 0)?, wrap(&a[1])], Bool, Body::Rows(set_has_element))) };
    "set_equals", "set_equals(array1, array2)", "Tells whether two arrays have the same values.", |c, a| fixed(c, a, "set_equals", &[P::Dynamic, P::Dynamic], Bool, Body::Strict(set_equals));
    "jaccard_index", "jaccard_index(array1, array2)", "How much two sets share: the size of their intersection over that of their union.", |c, a| fixed(c, a, "jaccard_index", &[P::Dynamic, P::Dynamic], KustoType::Real, Body::Strict(jaccard_index));
    "zip", "zip(array, ...)", "Turns arrays into one array of tuples.", |c, a| all_dynamic(c, a, 2, "zip", Body::Rows(zip));
    "repeat", "repeat(value, count)", "Makes an array of one value.", |c, a| { count(a, 2, 2)?; if a[0].ty == Dynamic { return Err(FunctionError::new("expects a scalar here, not a dynamic value").at(0)); } Ok(call("repeat", &[wrap(&a[0]), accept(c, &a[1], P::Long, 1)?], Dynamic, Body::Rows(repeat))) };
    "range", "range(start, stop, step)", "Makes an array of evenly spaced values.", range_bind;
    "treepath", "treepath(value)", "Lists the paths of all leaves of a dynamic value.", |c, a| fixed(c, a, "treepath", &[P::Dynamic], Dynamic, Body::Strict(treepath));
    "dynamic_to_json", "dynamic_to_json(value)", "Gives a dynamic value's JSON text, with names in order.", |_, a| { count(a, 1, 1)?; Ok(call("dynamic_to_json", &[wrap(&a[0])], KustoType::String, Body::Rows(dynamic_to_json))) };
    "extract_json", "extract_json(path, source, type)", "Reads the value at a JSON path of a text.", extract_json_bind;
    "extractjson", "extractjson(path, source, type)", "The same as extract_json.", extract_json_bind;
    "has_any_index", "has_any_index(source, values)", "The position of the first value that the text has as a term, or -1.", |c, a| fixed(c, a, "has_any_index", &[P::Text, P::Dynamic], Long, Body::Strict(has_any_index));
}

/// Steps into a dynamic value: constants that follow one another become one call.
pub(super) fn path(base: Typed, step: Typed) -> Typed {
    let mut args = vec![base];
    if let Expr::ScalarFunction(function) = &args[0].expr
        && let Some(udf) = function.func.inner().downcast_ref::<Udf>()
        && udf.is_named("path")
    {
        let types = udf.arg_types().to_vec();
        args = function
            .args
            .iter()
            .zip(types)
            .map(|(expr, ty)| Typed {
                constant: constant_of(expr, ty),
                ..Typed::new(expr.clone(), ty)
            })
            .collect();
    }
    args.push(step);
    call("path", &args, Dynamic, Body::Batch(path_batch))
}

fn constant_of(expr: &Expr, ty: KustoType) -> Option<Value> {
    match expr {
        Expr::Literal(scalar, _) => Some(Value::of(&scalar.to_array().ok()?, ty, 0)),
        _ => None,
    }
}

fn path_batch(batch: &Batch<'_>) -> Result<ArrayRef> {
    let values = batch.array(0)?;
    let values = values.as_binary::<i32>();
    let steps: Result<Vec<_>> = (1..batch.len()).map(|i| batch.reader(i)).collect();
    let steps = steps?;
    let mut out = BinaryBuilder::with_capacity(values.len(), values.len() * 8);
    for row in 0..values.len() {
        let found = if values.is_null(row) {
            None
        } else {
            let start = DynamicRef::new(values.value(row));
            steps
                .iter()
                .try_fold(start, |value, step| follow(value, step.cell(row)))
        };
        match found.filter(|value| !value.is_null()) {
            Some(value) => out.append_value(value.as_bytes()),
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn follow<'a>(value: DynamicRef<'a>, step: Cell<'_>) -> Option<DynamicRef<'a>> {
    match step {
        Cell::String(key) => value.get(key),
        Cell::Long(index) => value.at(index),
        Cell::Int(index) => value.at(i64::from(index)),
        Cell::Dynamic(step) => match step.kind() {
            Kind::String(key) => value.get(key),
            Kind::Long(index) => value.at(index),
            _ => None,
        },
        _ => None,
    }
}

/// An element of a constant array as a constant of its own type.
pub(super) fn element_literal(value: DynamicRef<'_>) -> Typed {
    literal(match value.kind() {
        Kind::Bool(v) => Value::Bool(v),
        Kind::Long(v) => Value::Long(v),
        Kind::Real(v) => Value::Real(v),
        Kind::String(v) => Value::String(v.to_owned()),
        Kind::DateTime(v) => Value::DateTime(v),
        Kind::TimeSpan(v) => Value::TimeSpan(v),
        Kind::Guid(v) => Value::Guid(v.to_owned()),
        Kind::Decimal(v) => Value::Decimal(v),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => Value::Dynamic(value.to_owned()),
    })
}

fn all_dynamic(
    ctx: &BindContext,
    args: &[Typed],
    least: usize,
    name: &'static str,
    body: Body,
) -> Bound {
    super::args::variadic(ctx, args, name, least, P::Dynamic, Dynamic, body)
}

fn view<'a>(cell: &Cell<'a>) -> DynamicRef<'a> {
    match cell {
        Cell::Dynamic(value) => *value,
        _ => DynamicRef::NULL,
    }
}

/// Writes an array.
fn array<'a>(out: &mut Out, items: impl IntoIterator<Item = DynamicRef<'a>>) {
    out.dynamic(|b| write_array(b, items));
}

fn write_array<'a>(b: &mut Builder, items: impl IntoIterator<Item = DynamicRef<'a>>) {
    let mark = b.begin_array();
    for item in items {
        b.value(item);
        b.item(&mark);
    }
    b.end(mark);
}

/// Writes a property bag.
fn bag<'a>(out: &mut Out, entries: impl IntoIterator<Item = (&'a str, DynamicRef<'a>)>) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        for (key, value) in entries {
            b.key(&mark, key);
            b.value(value);
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn array_length(cells: &[Cell<'_>], out: &mut Out) {
    let length = view(&cells[0]).as_array().map(|a| a.len() as i64);
    out.maybe(length, Out::long);
}

fn array_concat(cells: &[Cell<'_>], out: &mut Out) {
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
fn position(index: i64, length: i64) -> i64 {
    if index < 0 {
        index.saturating_add(length)
    } else {
        index
    }
}

fn long(cell: &Cell<'_>) -> i64 {
    match cell {
        Cell::Long(v) => *v,
        _ => 0,
    }
}

fn array_slice(cells: &[Cell<'_>], out: &mut Out) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let length = items.len() as i64;
    let start = position(long(&cells[1]), length).max(0);
    let end = position(long(&cells[2]), length).min(length - 1);
    let taken = quantity(end.saturating_sub(start).saturating_add(1));
    array(out, items.iter().skip(quantity(start)).take(taken));
}

fn array_split(cells: &[Cell<'_>], out: &mut Out) {
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

fn whole(value: DynamicRef<'_>) -> Option<i64> {
    match value.kind() {
        Kind::Long(v) => Some(v),
        _ => None,
    }
}

fn array_reverse(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]).as_array() {
        Some(items) => {
            let items: Vec<DynamicRef<'_>> = items.iter().collect();
            array(out, items.into_iter().rev());
        }
        None => out.null(),
    }
}

fn array_index_of_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
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

fn array_index_of(cells: &[Cell<'_>], out: &mut Out) {
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
fn same(a: DynamicRef<'_>, b: DynamicRef<'_>) -> bool {
    a.as_bytes() == b.as_bytes() || a.order(b) == Ordering::Equal || (a.is_null() && b.is_null())
}

fn array_sum(cells: &[Cell<'_>], out: &mut Out) {
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

fn array_sort(cells: &[Cell<'_>], out: &mut Out, descending: bool) {
    let Some(items) = view(&cells[0]).as_array() else {
        return out.null();
    };
    let mut sorted: Vec<DynamicRef<'_>> = items.iter().collect();
    sorted.sort_by(|a, b| match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ if descending => b.order(*a),
        _ => a.order(*b),
    });
    array(out, sorted);
}

fn array_rotate(cells: &[Cell<'_>], out: &mut Out, direction: i64) {
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

fn array_shift_bind(ctx: &BindContext, args: &[Typed], name: &'static str, body: Body) -> Bound {
    count(args, 2, 3)?;
    let mut bound = vec![
        accept(ctx, &args[0], P::Dynamic, 0)?,
        accept(ctx, &args[1], P::Long, 1)?,
    ];
    bound.extend(args.get(2).map(wrap));
    Ok(call(name, &bound, Dynamic, body))
}

fn array_shift(cells: &[Cell<'_>], out: &mut Out, direction: i64) {
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

fn array_iff(cells: &[Cell<'_>], out: &mut Out) {
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

fn bag_keys(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]).as_object() {
        Some(object) => out.dynamic(|b| {
            let mark = b.begin_array();
            for (key, _) in object.iter() {
                b.string(key);
                b.item(&mark);
            }
            b.end(mark);
        }),
        None => out.null(),
    }
}

fn bag_has_key(cells: &[Cell<'_>], out: &mut Out) {
    match (view(&cells[0]).as_object(), &cells[1]) {
        (Some(_), Cell::String(key)) if key.starts_with('$') => {
            out.bool(json_path(view(&cells[0]), key).is_some());
        }
        (Some(object), Cell::String(key)) => out.bool(object.get(key).is_some()),
        _ => out.null(),
    }
}

fn bag_merge(cells: &[Cell<'_>], out: &mut Out) {
    let mut seen = HashSet::new();
    let mut merged = Vec::new();
    let mut any = false;
    for object in cells.iter().filter_map(|cell| view(cell).as_object()) {
        any = true;
        merged.extend(object.iter().filter(|(key, _)| seen.insert(key.to_owned())));
    }
    if any { bag(out, merged) } else { out.null() }
}

fn bag_remove_keys(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(object), Some(keys)) = (view(&cells[0]).as_object(), view(&cells[1]).as_array())
    else {
        return out.null();
    };
    let names: Vec<&str> = keys.iter().filter_map(DynamicRef::as_str).collect();
    let paths: Vec<Vec<&str>> = names
        .iter()
        .filter_map(|name| name.strip_prefix("$."))
        .map(|path| path.split('.').collect())
        .collect();
    out.dynamic(|b| remove_keys(b, object, &names, &paths));
}

fn remove_keys(
    b: &mut Builder,
    object: spoor_table::dynamic::Object<'_>,
    names: &[&str],
    paths: &[Vec<&str>],
) {
    let mark = b.begin_object();
    for (key, value) in object.iter() {
        let removed = names.contains(&key) || paths.iter().any(|p| p.as_slice() == [key]);
        if removed {
            continue;
        }
        b.key(&mark, key);
        let below: Vec<Vec<&str>> = paths
            .iter()
            .filter(|p| p.len() > 1 && p[0] == key)
            .map(|p| p[1..].to_vec())
            .collect();
        match value.as_object() {
            Some(inner) if !below.is_empty() => remove_keys(b, inner, &[], &below),
            _ => b.value(value),
        }
        b.item(&mark);
    }
    b.end(mark);
}

fn bag_set_key(cells: &[Cell<'_>], out: &mut Out) {
    let (Cell::String(key), value) = (&cells[1], view(&cells[2])) else {
        return out.null();
    };
    let Some(object) = view(&cells[0]).as_object() else {
        return if cells[0].is_null() {
            bag(out, [(*key, value)])
        } else {
            out.null()
        };
    };
    let mut entries: Vec<(&str, DynamicRef<'_>)> = object.iter().collect();
    match entries.iter_mut().find(|(name, _)| name == key) {
        Some(entry) => entry.1 = value,
        None => entries.push((key, value)),
    }
    bag(out, entries);
}

fn bag_zip(cells: &[Cell<'_>], out: &mut Out) {
    let Some(keys) = view(&cells[0]).as_array() else {
        return out.null();
    };
    // Names that have no value, or nothing to take one from, get null.
    let values = view(&cells[1]).as_array();
    let entries = keys.iter().enumerate().filter_map(|(at, key)| {
        Some((
            key.as_str()?,
            values
                .and_then(|values| values.at(at as i64))
                .unwrap_or(DynamicRef::NULL),
        ))
    });
    bag(out, entries.collect::<Vec<_>>());
}

fn pack(ctx: &BindContext, args: &[Typed]) -> Bound {
    if args.is_empty() || !args.len().is_multiple_of(2) {
        return Err(FunctionError::new("expects names and values in turn"));
    }
    let mut bound = Vec::with_capacity(args.len());
    for (at, pair) in args.chunks_exact(2).enumerate() {
        bound.push(accept(ctx, &pair[0], P::AsText, at * 2)?);
        bound.push(wrap(&pair[1]));
    }
    Ok(call("bag_pack", &bound, Dynamic, Body::Rows(bag_pack)))
}

fn bag_pack(cells: &[Cell<'_>], out: &mut Out) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        for pair in cells.chunks_exact(2) {
            if let Cell::String(key) = pair[0] {
                b.key(&mark, key);
                b.value(view(&pair[1]));
                b.item(&mark);
            }
        }
        b.end(mark);
    });
}

/// Makes an array of wrapped values.
pub(super) fn pack_array(cells: &[Cell<'_>], out: &mut Out) {
    array(out, cells.iter().map(view));
}

/// The arrays of all arguments; `None` when one is none.
fn arrays<'a>(cells: &[Cell<'a>]) -> Option<Vec<Vec<DynamicRef<'a>>>> {
    cells
        .iter()
        .map(|cell| Some(view(cell).as_array()?.iter().collect()))
        .collect()
}

fn set_union(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let mut seen = HashSet::new();
    array(
        out,
        arrays
            .into_iter()
            .flatten()
            .filter(|item| seen.insert(item.as_bytes())),
    );
}

fn set_intersect(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let Some((first, rest)) = arrays.split_first() else {
        return out.null();
    };
    let rest: Vec<HashSet<&[u8]>> = rest
        .iter()
        .map(|a| a.iter().map(|i| i.as_bytes()).collect())
        .collect();
    let mut seen = HashSet::new();
    let kept = first.iter().filter(|item| {
        rest.iter().all(|set| set.contains(item.as_bytes())) && seen.insert(item.as_bytes())
    });
    array(out, kept.copied());
}

fn set_difference(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let Some((first, rest)) = arrays.split_first() else {
        return out.null();
    };
    let mut seen: HashSet<&[u8]> = rest.iter().flatten().map(|item| item.as_bytes()).collect();
    array(
        out,
        first
            .iter()
            .copied()
            .filter(|item| seen.insert(item.as_bytes())),
    );
}

fn set_has_element(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]).as_array() {
        Some(items) => {
            let wanted = view(&cells[1]);
            out.bool(items.iter().any(|item| same(item, wanted)));
        }
        None => out.null(),
    }
}

type Set<'a> = HashSet<&'a [u8]>;

fn sets<'a>(cells: &[Cell<'a>]) -> Option<(Set<'a>, Set<'a>)> {
    let set = |cell: &Cell<'a>| -> Option<Set<'a>> {
        Some(
            view(cell)
                .as_array()?
                .iter()
                .map(DynamicRef::as_bytes)
                .collect(),
        )
    };
    Some((set(&cells[0])?, set(&cells[1])?))
}

fn set_equals(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(sets(cells), |out, (a, b)| out.bool(a == b));
}

fn jaccard_index(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(sets(cells), |out, (a, b)| {
        let shared = a.intersection(&b).count();
        out.real(shared as f64 / (a.len() + b.len() - shared) as f64);
    });
}

fn zip(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let longest = arrays.iter().map(Vec::len).max().unwrap_or(0);
    out.dynamic(|b| {
        let mark = b.begin_array();
        for at in 0..longest {
            write_array(
                b,
                arrays
                    .iter()
                    .map(|a| a.get(at).copied().unwrap_or(DynamicRef::NULL)),
            );
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// Arrays that functions make are no longer than this; Kusto's limit is 1,048,576.
const MOST: i64 = 1 << 20;

/// Bytes of an array that repeats a value.
const MOST_BYTES: i64 = 64 << 20;

fn repeat(cells: &[Cell<'_>], out: &mut Out) {
    match long(&cells[1]) {
        times if times < 0 || cells[1].is_null() => out.null(),
        times => {
            // What is long is repeated less often, so that no array fills the memory.
            let most = MOST_BYTES / view(&cells[0]).as_bytes().len().max(1) as i64;
            array(out, (0..times.min(MOST).min(most)).map(|_| view(&cells[0])));
        }
    }
}

fn range_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let ty = super::args::common(args[0].ty, args[1].ty)
        .filter(|ty| ty.is_numeric() || matches!(ty, KustoType::DateTime | KustoType::TimeSpan));
    let Some(ty) = ty else {
        return Err(FunctionError::new(format!(
            "cannot count from a {} to a {}",
            args[0].ty, args[1].ty
        )));
    };
    let step_type = if ty == KustoType::DateTime {
        KustoType::TimeSpan
    } else {
        ty
    };
    let step = match args.get(2) {
        Some(step) => step.clone(),
        None if step_type == KustoType::TimeSpan => {
            literal(Value::TimeSpan(spoor_table::ticks::HOUR))
        }
        None => literal(Value::Long(1)),
    };
    let real = ty == KustoType::Real || step.ty == KustoType::Real;
    let (ty, step_type) = if real && ty.is_numeric() {
        (KustoType::Real, KustoType::Real)
    } else {
        (ty, step_type)
    };
    let mut bound = Vec::new();
    for (arg, ty) in [(&args[0], ty), (&args[1], ty), (&step, step_type)] {
        let ty = if ty == KustoType::Int { Long } else { ty };
        bound.push(super::implicit(ctx, arg, ty)?);
    }
    Ok(call("range", &bound, Dynamic, Body::Strict(range)))
}

fn range(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::Long(a), Cell::Long(b), Cell::Long(s)] => steps(out, *a, *b, *s, Builder::long),
        [Cell::DateTime(a), Cell::DateTime(b), Cell::TimeSpan(s)] => {
            steps(out, *a, *b, *s, Builder::datetime)
        }
        [Cell::TimeSpan(a), Cell::TimeSpan(b), Cell::TimeSpan(s)] => {
            steps(out, *a, *b, *s, Builder::timespan)
        }
        [Cell::Real(a), Cell::Real(b), Cell::Real(s)] => {
            let count = ((b - a) / s).floor();
            if !count.is_finite() {
                return out.null();
            }
            out.dynamic(|builder| {
                let mark = builder.begin_array();
                for at in 0..(count as i64 + 1).clamp(0, MOST) {
                    builder.real(a + s * at as f64);
                    builder.item(&mark);
                }
                builder.end(mark);
            });
        }
        _ => out.null(),
    }
}

fn steps(out: &mut Out, start: i64, stop: i64, step: i64, put: fn(&mut Builder, i64)) {
    if step == 0 {
        return out.null();
    }
    out.dynamic(|b| {
        let mark = b.begin_array();
        let mut value = Some(start);
        let mut count = 0;
        while let Some(v) = value.filter(|v| if step > 0 { *v <= stop } else { *v >= stop }) {
            if count == MOST {
                break;
            }
            put(b, v);
            b.item(&mark);
            count += 1;
            value = v.checked_add(step);
        }
        b.end(mark);
    });
}

fn treepath(cells: &[Cell<'_>], out: &mut Out) {
    let mut paths = Vec::new();
    collect_paths(view(&cells[0]), String::new(), &mut paths);
    out.dynamic(|b| {
        let mark = b.begin_array();
        for path in &paths {
            b.string(path);
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn collect_paths(value: DynamicRef<'_>, prefix: String, paths: &mut Vec<String>) {
    if paths.last().map(String::as_str) != Some(prefix.as_str())
        && !prefix.is_empty()
        && !paths.contains(&prefix)
    {
        paths.push(prefix.clone());
    }
    match value.kind() {
        Kind::Object(object) => {
            for (key, inner) in object.iter() {
                collect_paths(inner, format!("{prefix}['{key}']"), paths);
            }
        }
        Kind::Array(array) => {
            for inner in array.iter() {
                collect_paths(inner, format!("{prefix}[0]"), paths);
            }
        }
        _ => {}
    }
}

fn dynamic_to_json(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]) {
        value if value.is_null() => out.null(),
        value => out.write_text(|text| write_sorted(text, value)),
    }
}

/// JSON text with the names of bags in order, so that equal bags give equal texts.
fn write_sorted(text: &mut String, value: DynamicRef<'_>) {
    match value.kind() {
        Kind::Object(object) => {
            let mut entries: Vec<(&str, DynamicRef<'_>)> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (at, (key, inner)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                format::push_json_string(text, key);
                text.push(':');
                write_sorted(text, inner);
            }
            text.push('}');
        }
        Kind::Array(items) => {
            text.push('[');
            for (at, inner) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_sorted(text, inner);
            }
            text.push(']');
        }
        _ => spoor_table::dynamic::write_json(text, value),
    }
}

fn extract_json_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let path = accept(ctx, &args[0], P::Text, 0)?;
    let source = match args[1].ty {
        KustoType::Dynamic => args[1].clone(),
        _ => super::implicit(ctx, &accept(ctx, &args[1], P::Text, 1)?, Dynamic)?,
    };
    // `typeof(long)` reaches us as the constant text of the type's name.
    let ty = match args.get(2).and_then(|t| t.constant.as_ref()) {
        Some(Value::String(name)) => KustoType::from_name(name),
        _ => None,
    };
    let found = call(
        "extract_json",
        &[path, source],
        Dynamic,
        Body::Strict(extract_json),
    );
    super::implicit(ctx, &found, ty.unwrap_or(KustoType::String))
}

fn extract_json(cells: &[Cell<'_>], out: &mut Out) {
    match &cells[0] {
        Cell::String(path) => match json_path(view(&cells[1]), path) {
            Some(value) => out.cell(Cell::Dynamic(value)),
            None => out.null(),
        },
        _ => out.null(),
    }
}

/// The value at `$.a.b[0]['c']`.
fn json_path<'a>(value: DynamicRef<'a>, path: &str) -> Option<DynamicRef<'a>> {
    let mut rest = path.trim().strip_prefix('$').unwrap_or(path);
    let mut value = value;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, tail) = after.split_once(']')?;
            let quoted = inside.trim_matches(['\'', '"']);
            value = match inside.parse::<i64>() {
                Ok(index) => value.at(index)?,
                Err(_) => value.get(quoted)?,
            };
            rest = tail;
        } else {
            let body = rest.strip_prefix('.').unwrap_or(rest);
            let end = body.find(['.', '[']).unwrap_or(body.len());
            value = value.get(&body[..end])?;
            rest = &body[end..];
        }
    }
    Some(value)
}

fn has_any_index(cells: &[Cell<'_>], out: &mut Out) {
    let (Cell::String(text), Some(values)) = (&cells[0], view(&cells[1]).as_array()) else {
        return out.null();
    };
    let found = values.iter().position(|value| {
        let needle = spoor_table::format::text(Cell::Dynamic(value));
        super::operators::has_term(text, &needle)
    });
    out.long(found.map_or(-1, |at| at as i64));
}
