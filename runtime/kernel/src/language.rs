//! Completion, inspection and is-complete for KQL cells, as Jupyter's replies.
//!
//! Positions in Jupyter's messages count Unicode code points; the parser's count bytes.

use serde_json::{Map, Value, json};
use spoor_kql::bind::{self, CompletionKind, Completions};
use spoor_kql_syntax::parse;

use crate::catalogue::Catalogue;
use crate::cell::{self, Cell};
use crate::diagnosis;
use crate::output::object;
use crate::request::Ask;
use crate::workspaces::{Reading, Workspaces};

/// The fields that a reply has even when there is nothing to say.
pub(crate) fn empty_reply(ask: &Ask) -> Map<String, Value> {
    match ask {
        Ask::Execute(_) => object(json!({ "payload": [], "user_expressions": {} })),
        Ask::Complete { cursor_pos, .. } => object(
            json!({ "matches": [], "cursor_start": cursor_pos, "cursor_end": cursor_pos, "metadata": {} }),
        ),
        Ask::Inspect { .. } => object(json!({ "found": false, "data": {}, "metadata": {} })),
        Ask::IsComplete { .. } => object(json!({ "status": "unknown" })),
        Ask::Diagnose { .. } => diagnosis::of_python(),
        Ask::Describe { .. } => Map::new(),
    }
}

/// Whether a KQL cell is whole: `incomplete` if what is wrong is that it ends too soon.
pub(crate) fn is_complete(code: &str) -> Map<String, Value> {
    let Ok(Cell::Kql(cell)) = cell::read(code) else {
        return object(json!({ "status": "invalid" }));
    };
    let end = cell.query.trim_end().len();
    let diagnostics = parse(&cell.query).diagnostics;
    let status = match diagnostics.first() {
        None if cell.is_empty() => "incomplete",
        None => "complete",
        Some(first) if first.span.end >= end && first.span.start >= end.saturating_sub(1) => {
            "incomplete"
        }
        Some(_) => "invalid",
    };
    match status {
        "incomplete" => object(json!({ "status": status, "indent": "" })),
        _ => object(json!({ "status": status })),
    }
}

/// The fields of a completion or an inspection reply.
pub(crate) fn answer(
    ask: &Ask,
    catalogue: &Catalogue,
    workspaces: &Workspaces,
) -> Map<String, Value> {
    let Ok(Cell::Kql(cell)) = cell::read(ask.code()) else {
        return Map::new();
    };
    let reading = |code, cursor_pos| {
        let at = byte_offset(code, cursor_pos);
        workspaces.reading_at(&cell.wanted, &cell.query, at, catalogue)
    };
    match ask {
        Ask::Complete { code, cursor_pos } => {
            let at = byte_offset(code, *cursor_pos);
            let found = tables_after(&cell.query, at, workspaces)
                .unwrap_or_else(|| reading(code, *cursor_pos).complete(at));
            completed(code, &found)
        }
        Ask::Inspect {
            code, cursor_pos, ..
        } => inspect(code, *cursor_pos, &reading(code, *cursor_pos)),
        Ask::Execute(_) | Ask::IsComplete { .. } | Ask::Diagnose { .. } | Ask::Describe { .. } => {
            Map::new()
        }
    }
}

/// The tables of the workspace that is named right before a place: `workspace("NAME").`
fn tables_after(query: &str, at: usize, workspaces: &Workspaces) -> Option<Completions> {
    let before = query.get(..at)?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let begun = before.trim_end_matches(is_part);
    let named = begun.strip_suffix('.')?.trim_end().strip_suffix(')')?;
    let (_, name) = named.rsplit_once("workspace(")?;
    let tables = workspaces.tables_of(name.trim().trim_matches(['"', '\'']));
    // As at the beginning of a query of that workspace.
    let mut found = bind::complete(&before[begun.len()..], at - begun.len(), &tables);
    found
        .items
        .retain(|item| item.kind == CompletionKind::Table);
    found.range = begun.len()..at;
    Some(found)
}

fn completed(code: &str, found: &Completions) -> Map<String, Value> {
    let (start, end) = (
        position(code, found.range.start),
        position(code, found.range.end),
    );
    let matches: Vec<&str> = found.items.iter().map(|item| item.text.as_str()).collect();
    let types: Vec<Value> = found
        .items
        .iter()
        .map(|item| {
            json!({
                "start": start,
                "end": end,
                "text": item.text,
                "type": kind_name(item.kind),
                "signature": item.detail,
                "documentation": item.documentation,
            })
        })
        .collect();
    object(json!({
        "matches": matches,
        "cursor_start": start,
        "cursor_end": end,
        "metadata": { "_jupyter_types_experimental": types },
    }))
}

fn kind_name(kind: CompletionKind) -> &'static str {
    match kind {
        CompletionKind::Table => "table",
        CompletionKind::Column => "column",
        CompletionKind::Property => "property",
        CompletionKind::Operator => "operator",
        CompletionKind::Function => "function",
        CompletionKind::Aggregate => "aggregate",
        CompletionKind::Variable => "variable",
        CompletionKind::Keyword => "keyword",
    }
}

fn inspect(code: &str, cursor: usize, reading: &Reading) -> Map<String, Value> {
    let at = byte_offset(code, cursor);
    let Some(hover) = bind::hover(&reading.query, at, &reading.tables) else {
        return Map::new();
    };
    object(json!({
        "found": true,
        "data": { "text/plain": hover.plain(), "text/markdown": hover.markdown() },
    }))
}

/// The byte at which the code point `position` of `code` begins; its length where there is none.
pub(crate) fn byte_offset(code: &str, position: usize) -> usize {
    code.char_indices()
        .nth(position)
        .map_or(code.len(), |(at, _)| at)
}

/// The code point at which byte `offset` of `code` is.
fn position(code: &str, offset: usize) -> usize {
    code.char_indices()
        .take_while(|(at, _)| *at < offset)
        .count()
}
