//! Property bags.

use std::collections::HashSet;

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType};

use super::json::json_path;
use super::{bag, view};
use crate::functions::Bound;
use crate::functions::args::{P, accept};
use crate::functions::cast::wrap;
use crate::functions::udf::{Body, Out, call};
use crate::typed::{BindContext, FunctionError, Typed};
use KustoType::Dynamic;

pub(super) fn bag_keys(cells: &[Cell<'_>], out: &mut Out) {
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

pub(super) fn bag_has_key(cells: &[Cell<'_>], out: &mut Out) {
    match (view(&cells[0]).as_object(), &cells[1]) {
        (Some(_), Cell::String(key)) if key.starts_with('$') => {
            out.bool(json_path(view(&cells[0]), key).is_some());
        }
        (Some(object), Cell::String(key)) => out.bool(object.get(key).is_some()),
        _ => out.null(),
    }
}

pub(super) fn bag_merge(cells: &[Cell<'_>], out: &mut Out) {
    let mut seen = HashSet::new();
    let mut merged = Vec::new();
    let mut any = false;
    for object in cells.iter().filter_map(|cell| view(cell).as_object()) {
        any = true;
        merged.extend(object.iter().filter(|(key, _)| seen.insert(key.to_owned())));
    }
    if any { bag(out, merged) } else { out.null() }
}

pub(super) fn bag_remove_keys(cells: &[Cell<'_>], out: &mut Out) {
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

pub(super) fn remove_keys(
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

pub(super) fn bag_set_key(cells: &[Cell<'_>], out: &mut Out) {
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

pub(super) fn bag_zip(cells: &[Cell<'_>], out: &mut Out) {
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

pub(super) fn pack(ctx: &BindContext, args: &[Typed]) -> Bound {
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

pub(super) fn bag_pack(cells: &[Cell<'_>], out: &mut Out) {
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

/// The properties of a bag, each as a letter for its type and its name: what `bag_unpack` makes its columns of.
pub(crate) fn bag_columns(value: &Typed) -> Typed {
    let run: fn(&[Cell<'_>], &mut Out) = |cells, out| match view(&cells[0]).as_object() {
        Some(object) => out.dynamic(|b| {
            let mark = b.begin_array();
            for (key, value) in object.iter() {
                b.string(&format!("{}{key}", letter(value)));
                b.item(&mark);
            }
            b.end(mark);
        }),
        None => out.null(),
    };
    let body = Body::Rows(run);
    call("bag_columns", std::slice::from_ref(value), Dynamic, body)
}

fn letter(value: DynamicRef<'_>) -> char {
    match value.kind() {
        Kind::Null => 'n',
        Kind::Bool(_) => 'b',
        Kind::Long(_) => 'l',
        Kind::Real(_) => 'r',
        Kind::String(_) => 's',
        Kind::DateTime(_) => 'd',
        Kind::TimeSpan(_) => 't',
        Kind::Guid(_) => 'g',
        Kind::Decimal(_) => 'm',
        _ => 'o',
    }
}

/// What [`bag_columns`] wrote: a property's name, and its type unless it is null.
pub(crate) fn bag_column(text: &str) -> Option<(&str, Option<KustoType>)> {
    let ty = match text.chars().next()? {
        'n' => None,
        'b' => Some(KustoType::Bool),
        'l' => Some(KustoType::Long),
        'r' => Some(KustoType::Real),
        's' => Some(KustoType::String),
        'd' => Some(KustoType::DateTime),
        't' => Some(KustoType::TimeSpan),
        'g' => Some(KustoType::Guid),
        'm' => Some(KustoType::Decimal),
        _ => Some(Dynamic),
    };
    Some((text.get(1..)?, ty))
}

/// A bag without the properties that are null or an empty text.
pub(crate) fn without_empty(value: &Typed) -> Typed {
    let run: fn(&[Cell<'_>], &mut Out) = |cells, out| match view(&cells[0]).as_object() {
        Some(object) => {
            let full = object
                .iter()
                .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""));
            bag(out, full.collect::<Vec<_>>());
        }
        None => out.null(),
    };
    let body = Body::Rows(run);
    call(
        "bag_without_empty",
        std::slice::from_ref(value),
        Dynamic,
        body,
    )
}
