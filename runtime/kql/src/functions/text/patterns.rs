//! Functions over text that take a regular expression.

use spoor_table::{Cell, DynamicRef, KustoType};

use super::{MOST, number, outgrows, text};
use crate::functions::args::{P, accept, count, fixed};
use crate::functions::cast::wrap;
use crate::functions::udf::{Body, Out, call};
use crate::functions::{Bound, implicit, regexes};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::{Dynamic, String as Text};

/// Refuses an argument that is a constant and no regular expression.
pub(super) fn checked(args: &[Typed], at: usize) -> Result<(), FunctionError> {
    args.get(at).map_or(Ok(()), |arg| regexes::check(arg, at))
}

pub(super) fn trim(ctx: &BindContext, args: &[Typed], name: &'static str, body: Body) -> Bound {
    checked(args, 0)?;
    fixed(ctx, args, name, &[P::Text, P::Text], Text, body)
}

pub(super) fn trim_row(cells: &[Cell<'_>], out: &mut Out, start: bool, end: bool) {
    let mut rest = text(&cells[1]);
    if start && let Some(regex) = regexes::get(&format!("^(?:{})", text(&cells[0]))) {
        rest = regex
            .find(rest)
            .and_then(|found| rest.get(found.end()..))
            .unwrap_or(rest);
    }
    if end && let Some(regex) = regexes::get(&format!("(?:{})$", text(&cells[0]))) {
        rest = regex
            .find(rest)
            .and_then(|found| rest.get(..found.start()))
            .unwrap_or(rest);
    }
    out.text(rest);
}

/// `order` gives the positions of text, expression and rewrite.
pub(super) fn replace_regex(cells: &[Cell<'_>], out: &mut Out, order: [usize; 3]) {
    let [source, pattern, rewrite] = order.map(|at| cells.get(at).map_or("", text));
    let Some(regex) = regexes::get(pattern) else {
        return out.null();
    };
    // Each group in the rewrite may be as long as the text.
    let groups = rewrite.matches('\\').count().saturating_mul(source.len());
    if groups > MOST || outgrows(regex.find_iter(source).count(), rewrite) {
        return out.null();
    }
    // Kusto writes groups as \1; the regex crate as ${1}, with $ special.
    let mut template = String::new();
    let mut characters = rewrite.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(d) if d.is_ascii_digit() => {
                    template.push_str("${");
                    template.push(d);
                    template.push('}');
                }
                Some('$') => template.push_str("$$"),
                Some(other) => template.push(other),
                None => template.push('\\'),
            },
            '$' => template.push_str("$$"),
            c => template.push(c),
        }
    }
    out.text(&regex.replace_all(source, template.as_str()));
}

pub(super) fn extract_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 4)?;
    regexes::check(&args[0], 0)?;
    let ty = match args.get(3).and_then(|t| t.constant.as_ref()) {
        Some(spoor_table::Value::String(name)) => KustoType::from_name(name),
        _ => None,
    };
    let bound = [
        accept(ctx, &args[0], P::Text, 0)?,
        accept(ctx, &args[1], P::Long, 1)?,
        accept(ctx, &args[2], P::Text, 2)?,
    ];
    let found = call("extract", &bound, Text, Body::Strict(extract));
    implicit(ctx, &found, ty.unwrap_or(Text))
}

fn extract(cells: &[Cell<'_>], out: &mut Out) {
    let group = number(cells, 1).and_then(|n| usize::try_from(n).ok());
    let (Some(regex), Some(group)) = (regexes::get(text(&cells[0])), group) else {
        return out.null();
    };
    out.text(regex.group(text(&cells[2]), group).unwrap_or(""));
}

pub(super) fn extract_all_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    regexes::check(&args[0], 0)?;
    let pattern = accept(ctx, &args[0], P::Text, 0)?;
    let last = args.len() - 1;
    let source = accept(ctx, &args[last], P::Text, last)?;
    let mut bound = vec![pattern, source];
    if args.len() == 3 {
        bound.push(wrap(&args[1]));
    }
    Ok(call(
        "extract_all",
        &bound,
        Dynamic,
        Body::Strict(extract_all),
    ))
}

fn extract_all(cells: &[Cell<'_>], out: &mut Out) {
    let Some(regex) = regexes::get(text(&cells[0])) else {
        return out.null();
    };
    let groups: Vec<usize> = match cells.get(2) {
        Some(Cell::Dynamic(groups)) => group_numbers(&regex, *groups),
        _ if regex.captures_len() == 1 => vec![0],
        _ => (1..regex.captures_len()).collect(),
    };
    let matches: Vec<regex::Captures<'_>> = regex.captures_iter(text(&cells[1])).collect();
    if matches.is_empty() {
        return out.null();
    }
    out.dynamic(|b| {
        let mark = b.begin_array();
        for found in &matches {
            let part = |group: usize| found.get(group).map_or("", |m| m.as_str());
            match groups.as_slice() {
                [group] => b.string(part(*group)),
                groups => {
                    let inner = b.begin_array();
                    for group in groups {
                        b.string(part(*group));
                        b.item(&inner);
                    }
                    b.end(inner);
                }
            }
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// Groups by number or by name.
fn group_numbers(regex: &regex::Regex, groups: DynamicRef<'_>) -> Vec<usize> {
    use spoor_table::dynamic::Kind;
    let Some(list) = groups.as_array() else {
        return vec![0];
    };
    list.iter()
        .filter_map(|group| match group.kind() {
            Kind::Long(number) => usize::try_from(number).ok(),
            Kind::String(name) => regex.capture_names().position(|n| n == Some(name)),
            _ => None,
        })
        .collect()
}
