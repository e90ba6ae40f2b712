//! Dynamic values as JSON text, and paths into it.

use spoor_table::dynamic::Kind;
use spoor_table::{Cell, DynamicRef, KustoType, Value, format};

use super::view;
use crate::functions::args::{P, accept, count};
use crate::functions::udf::{Body, Out, call};
use crate::functions::{Bound, implicit};
use crate::typed::{BindContext, Typed};
use KustoType::Dynamic;

pub(super) fn treepath(cells: &[Cell<'_>], out: &mut Out) {
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

pub(super) fn collect_paths(value: DynamicRef<'_>, prefix: String, paths: &mut Vec<String>) {
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

pub(super) fn dynamic_to_json(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]) {
        value if value.is_null() => out.null(),
        value => out.write_text(|text| write_sorted(text, value)),
    }
}

/// JSON text with the names of bags in order, so that equal bags give equal texts.
pub(super) fn write_sorted(text: &mut String, value: DynamicRef<'_>) {
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

pub(super) fn extract_json_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let path = accept(ctx, &args[0], P::Text, 0)?;
    let source = match args[1].ty {
        KustoType::Dynamic => args[1].clone(),
        _ => implicit(ctx, &accept(ctx, &args[1], P::Text, 1)?, Dynamic)?,
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
    implicit(ctx, &found, ty.unwrap_or(KustoType::String))
}

pub(super) fn extract_json(cells: &[Cell<'_>], out: &mut Out) {
    match &cells[0] {
        Cell::String(path) => match json_path(view(&cells[1]), path) {
            Some(value) => out.cell(Cell::Dynamic(value)),
            None => out.null(),
        },
        _ => out.null(),
    }
}

/// The value at `$.a.b[0]['c']`.
pub(super) fn json_path<'a>(value: DynamicRef<'a>, path: &str) -> Option<DynamicRef<'a>> {
    let path = path.trim();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
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
