//! Dynamic values: paths into them, and Kusto's functions over arrays and property bags.

mod array;
mod bag;
mod json;
mod make;
mod set;

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType, Value};

use super::args::{P, accept, count, fixed, optional};
use super::cast::wrap;
use super::udf::{Batch, Body, Out, Udf, call, check_bytes};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, FunctionError, Typed};

pub(crate) use array::sort_arrays;
use array::{
    array_concat, array_iff, array_index_of_bind, array_length, array_reverse, array_rotate,
    array_shift, array_shift_bind, array_slice, array_sort, array_split, array_sum,
};
pub(crate) use bag::{bag_column, bag_columns, without_empty};
use bag::{bag_has_key, bag_keys, bag_merge, bag_remove_keys, bag_set_key, bag_zip, pack};
use json::{dynamic_to_json, extract_json_bind, treepath};
pub(super) use make::pack_array;
use make::{range_bind, repeat, zip};
use set::{jaccard_index, set_difference, set_equals, set_has_element, set_intersect, set_union};

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
    "array_sort_asc", "array_sort_asc(array, ..., nulls_last)", "Sorts an array upwards, nulls last; further arrays follow its order, a column each.", |c, a| optional(c, a, "array_sort_asc", 1, &[P::Dynamic, P::Bool], Dynamic, Body::Strict(|c, o| array_sort(c, o, false)));
    "array_sort_desc", "array_sort_desc(array, ..., nulls_last)", "Sorts an array downwards, nulls last; further arrays follow its order, a column each.", |c, a| optional(c, a, "array_sort_desc", 1, &[P::Dynamic, P::Bool], Dynamic, Body::Strict(|c, o| array_sort(c, o, true)));
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
    let values = batch.reader(0)?;
    let steps: Result<Vec<_>> = (1..batch.len()).map(|i| batch.reader(i)).collect();
    let steps = steps?;
    let mut out = BinaryBuilder::with_capacity(batch.rows, batch.rows * 8);
    for row in 0..batch.rows {
        let found = match values.cell(row) {
            Cell::Dynamic(start) => steps
                .iter()
                .try_fold(start, |value, step| follow(value, step.cell(row))),
            _ => None,
        };
        match found.filter(|value| !value.is_null()) {
            Some(value) => out.append_value(value.as_bytes()),
            None => out.append_null(),
        }
        check_bytes(out.values_slice().len())?;
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

fn long(cell: &Cell<'_>) -> i64 {
    match cell {
        Cell::Long(v) => *v,
        _ => 0,
    }
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
