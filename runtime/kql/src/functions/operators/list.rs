//! `in`, `in~`, `has_any`, `has_all` and the negated forms.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::InList;
use spoor_kql_syntax::ast::ListOp;
use spoor_table::dynamic::Kind;
use spoor_table::{Cell, Dynamic, KustoType, Value};

use super::terms::{Needle, Place};
use super::{compare_cells, equal_fold, not, split_fold};
use crate::functions::args::{P, accept, article, common};
use crate::functions::cast::{convert, wrap};
use crate::functions::constant::for_all_rows;
use crate::functions::udf::{Batch, Body, Out, call, fold};
use crate::functions::{Bound, dynamic, literal};
use crate::typed::{BindContext, FunctionError, Typed};

/// Binds a list operator; the list may hold dynamic arrays, whose elements count each.
pub(super) fn bind(ctx: &BindContext, op: ListOp, left: Typed, right: Vec<Typed>) -> Bound {
    let negated = matches!(op, ListOp::NotIn | ListOp::NotInTilde);
    let found = match op {
        ListOp::In | ListOp::NotIn => member(ctx, left, right)?,
        ListOp::InTilde | ListOp::NotInTilde => texts(ctx, left, right, "in_tilde", in_tilde)?,
        ListOp::HasAny => texts(ctx, left, right, "has_any", |b| terms(b, false))?,
        ListOp::HasAll => texts(ctx, left, right, "has_all", |b| terms(b, true))?,
    };
    Ok(if negated { not(found) } else { found })
}

/// The list's constants with arrays taken apart; `None` when something in it is not constant.
fn constants(list: &[Typed]) -> Option<Vec<Typed>> {
    let mut out = Vec::with_capacity(list.len());
    for item in list {
        match item.constant.as_ref()? {
            Value::Dynamic(value) => match value.view().kind() {
                Kind::Array(array) => out.extend(array.iter().map(dynamic::element_literal)),
                _ => out.push(item.clone()),
            },
            _ => out.push(item.clone()),
        }
    }
    Some(out)
}

fn member(ctx: &BindContext, left: Typed, list: Vec<Typed>) -> Bound {
    match constants(&list) {
        Some(items) if left.ty != KustoType::Dynamic && left.ty != KustoType::Real => {
            match converted(ctx, &left, &items)? {
                Some((left, items)) => Ok(native(left, items)),
                None => by_row(left, list),
            }
        }
        _ => by_row(left, list),
    }
}

/// The operand and the items as one type that DataFusion compares; `None` when that takes more.
fn converted(
    ctx: &BindContext,
    left: &Typed,
    items: &[Typed],
) -> std::result::Result<Option<(Typed, Vec<Typed>)>, FunctionError> {
    let mut ty = left.ty;
    for item in items {
        let wider = match (ty, item.ty) {
            (_, KustoType::Dynamic) => return Ok(None),
            // A text becomes what the operand is, and a number what a text operand is, as with `==`.
            (KustoType::String, other) if other.is_numeric() || other == KustoType::Bool => {
                Some(KustoType::String)
            }
            (ty, KustoType::String) => Some(ty),
            (ty, item) => common(ty, item),
        };
        match wider {
            Some(KustoType::Real | KustoType::Dynamic) => return Ok(None),
            Some(wider) => ty = wider,
            None => {
                return Err(FunctionError::new(format!(
                    "{} cannot be looked up among values of type {}",
                    article(left.ty),
                    item.ty
                ))
                .at(1));
            }
        }
    }
    let items: std::result::Result<Vec<Typed>, _> =
        items.iter().map(|i| convert(ctx, i.clone(), ty)).collect();
    Ok(Some((convert(ctx, left.clone(), ty)?, items?)))
}

fn native(left: Typed, items: Vec<Typed>) -> Typed {
    if items.is_empty() {
        return literal(Value::Bool(false));
    }
    let valued = |item: &&Typed| item.constant.as_ref().is_some_and(|v| !v.is_null());
    let list: Vec<Expr> = items
        .iter()
        .filter(valued)
        .map(|item| for_all_rows(&item.expr))
        .collect();
    if list.is_empty() {
        return literal(Value::Bool(false));
    }
    let found = Expr::InList(InList::new(Box::new(left.expr.clone()), list, false));
    // A null is in no list, and not in every list.
    let found = match left.ty {
        KustoType::String => found,
        _ => Expr::IsTrue(Box::new(found)),
    };
    fold(found, KustoType::Bool, &[left])
}

fn by_row(left: Typed, list: Vec<Typed>) -> Bound {
    let mut args = vec![left];
    args.extend(list);
    Ok(call("in", &args, KustoType::Bool, Body::Rows(in_row)))
}

fn in_row(cells: &[Cell<'_>], out: &mut Out) {
    let Some((wanted, list)) = cells.split_first() else {
        return out.null();
    };
    let equal = |item: Cell<'_>| compare_cells(*wanted, item) == Some(std::cmp::Ordering::Equal);
    let found = list.iter().any(|item| match item {
        Cell::Dynamic(value) => match value.as_array() {
            Some(array) => array.iter().any(|element| equal(Cell::Dynamic(element))),
            None => equal(*item),
        },
        item => equal(*item),
    });
    out.bool(found);
}

/// An operator over texts: the list becomes one dynamic array, constant or not.
fn texts(
    ctx: &BindContext,
    left: Typed,
    list: Vec<Typed>,
    name: &'static str,
    run: crate::functions::udf::BatchFn,
) -> Bound {
    let left = accept(ctx, &left, P::Text, 0)?;
    let single = match list.as_slice() {
        [one] if one.ty == KustoType::Dynamic => Some(one.clone()),
        _ => None,
    };
    let array = match (single, constants(&list)) {
        (_, Some(items)) => constant_array(ctx, &items)?,
        (Some(one), None) => one,
        (None, None) => {
            let wrapped: Vec<Typed> = list.iter().map(wrap).collect();
            call(
                "pack_array",
                &wrapped,
                KustoType::Dynamic,
                Body::Rows(dynamic::pack_array),
            )
        }
    };
    Ok(call(
        name,
        &[left, array],
        KustoType::Bool,
        Body::Batch(run),
    ))
}

fn constant_array(ctx: &BindContext, items: &[Typed]) -> Bound {
    let mut builder = spoor_table::dynamic::Builder::new();
    let mark = builder.begin_array();
    for item in items {
        match convert(ctx, item.clone(), KustoType::String)?.constant {
            Some(value) => value.cell().write_dynamic(&mut builder),
            None => builder.null(),
        }
        builder.item(&mark);
    }
    builder.end(mark);
    Ok(literal(Value::Dynamic(builder.finish())))
}

/// The texts of a list that is the same for all rows.
fn constant_texts(batch: &Batch<'_>) -> Option<Vec<String>> {
    match batch.constant(1)? {
        Value::Dynamic(value) => Some(array_texts(&value)),
        _ => Some(Vec::new()),
    }
}

fn array_texts(value: &Dynamic) -> Vec<String> {
    let text = |item: spoor_table::DynamicRef<'_>| spoor_table::format::text(Cell::Dynamic(item));
    match value.view().as_array() {
        // Arrays within the list count element by element.
        Some(array) => array
            .iter()
            .flat_map(|item| match item.as_array() {
                Some(inner) => inner.iter().map(text).collect(),
                None => vec![text(item)],
            })
            .collect(),
        None => vec![text(value.view())],
    }
}

fn row_texts(cell: Cell<'_>) -> Vec<String> {
    match cell {
        Cell::Dynamic(value) => array_texts(&value.to_owned()),
        _ => Vec::new(),
    }
}

fn in_tilde(batch: &Batch<'_>) -> Result<ArrayRef> {
    let texts = batch.array(0)?;
    let texts = texts.as_string::<i32>();
    if let Some(list) = constant_texts(batch) {
        let set: HashSet<String> = list.iter().map(|text| split_fold(text)).collect();
        let values = texts
            .iter()
            .map(|text| Some(set.contains(&split_fold(text.unwrap_or_default()))));
        return Ok(Arc::new(values.collect::<BooleanArray>()));
    }
    let lists = batch.reader(1)?;
    let values = texts.iter().enumerate().map(|(row, text)| {
        let text = text.unwrap_or_default();
        Some(
            row_texts(lists.cell(row))
                .iter()
                .any(|item| equal_fold(item, text)),
        )
    });
    Ok(Arc::new(values.collect::<BooleanArray>()))
}

fn terms(batch: &Batch<'_>, all: bool) -> Result<ArrayRef> {
    let texts = batch.array(0)?;
    let texts = texts.as_string::<i32>();
    let test = |needles: &[Needle], text: &str| match all {
        true => needles.iter().all(|needle| needle.is_in(text)),
        false => needles.iter().any(|needle| needle.is_in(text)),
    };
    let prepare = |list: Vec<String>| -> Vec<Needle> {
        list.iter()
            .map(|text| Needle::new(text, Place::Term, true))
            .collect()
    };
    if let Some(list) = constant_texts(batch) {
        let needles = prepare(list);
        let values = texts
            .iter()
            .map(|text| Some(test(&needles, text.unwrap_or_default())));
        return Ok(Arc::new(values.collect::<BooleanArray>()));
    }
    let lists = batch.reader(1)?;
    let values = texts.iter().enumerate().map(|(row, text)| {
        Some(test(
            &prepare(row_texts(lists.cell(row))),
            text.unwrap_or_default(),
        ))
    });
    Ok(Arc::new(values.collect::<BooleanArray>()))
}
