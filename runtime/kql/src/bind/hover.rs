//! Hover: what a word of a query means. The kernel calls it.

use std::ops::Range;

use spoor_kql_syntax::{TokenKind, highlight};
use spoor_table::KustoType;

use super::documentation::{self, Described};
use super::evaluate::signature;
use super::place::Place;
use super::scope::Entity;
use super::{Catalogue, Shape};
use crate::functions::plugin::PluginFunction;

/// What a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub range: Range<usize>,
    /// A signature or a name with its type.
    pub title: String,
    /// A sentence or more; may be empty.
    pub text: String,
    /// Lines of code: an example, a table's columns with their types; may be empty.
    pub code: String,
}

impl Hover {
    /// As plain text.
    pub fn plain(&self) -> String {
        let parts = [&self.title, &self.text, &self.code];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join("\n\n")
    }

    /// As Markdown, with all that may come from data in blocks of code.
    pub fn markdown(&self) -> String {
        let mut parts = vec![code_block(&self.title)];
        if !self.text.is_empty() {
            parts.push(self.text.clone());
        }
        if !self.code.is_empty() {
            parts.push(code_block(&self.code));
        }
        parts.join("\n\n")
    }
}

/// A block of code whose fence is longer than any in it.
fn code_block(code: &str) -> String {
    let longest = code
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}kql\n{code}\n{fence}")
}

/// What the word at `offset` means, if it is known.
pub fn hover(text: &str, offset: usize, catalogue: &Catalogue) -> Option<Hover> {
    let (range, kind) = word_at(text, offset)?;
    let word = text.get(range.clone())?;
    let place = Place::new(text, range.start);
    let of_syntax = match kind {
        TokenKind::Keyword => documentation::operator(word),
        TokenKind::Operator => documentation::between_operands(word),
        _ => None,
    };
    let meaning = match of_syntax {
        Some(described) => Some(described),
        None => meaning(name_of(word), kind, &place, catalogue),
    };
    let Described {
        signature,
        summary,
        example,
    } = meaning?;
    Some(Hover {
        range,
        title: signature,
        text: summary,
        code: example,
    })
}

fn word_at(text: &str, offset: usize) -> Option<(Range<usize>, TokenKind)> {
    let pieces = highlight(text);
    // `['a b']` is a name.
    let bracketed = pieces.windows(3).find_map(|three| {
        let [(open, _), (inner, kind), (close, _)] = three else {
            return None;
        };
        let named = *kind == TokenKind::String
            && text.get(open.clone()) == Some("[")
            && text.get(close.clone()) == Some("]")
            && (open.start..=close.end).contains(&offset);
        named.then(|| (inner.clone(), TokenKind::Name))
    });
    bracketed.or_else(|| {
        pieces.into_iter().find(|(span, kind)| {
            (span.start..=span.end).contains(&offset)
                && matches!(
                    kind,
                    TokenKind::Keyword
                        | TokenKind::Function
                        | TokenKind::Name
                        | TokenKind::Operator
                )
        })
    })
}

/// A name without the quotes that stand between brackets.
fn name_of(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(word)
}

fn meaning(
    word: &str,
    kind: TokenKind,
    place: &Place<'_>,
    catalogue: &Catalogue,
) -> Option<Described> {
    let shape = place.shape(catalogue);
    let named = match kind {
        TokenKind::Function => None,
        _ => name_in_scope(word, shape.as_ref(), catalogue),
    };
    let own = || match shape.as_ref()?.scope.get(word)? {
        Entity::Function(_) => Some(described(
            format!("{word}(...)"),
            "A function that the query defines.",
        )),
        _ => None,
    };
    let plugins = || {
        let function = catalogue.functions.get(word)?;
        Some(of_plugin(function))
    };
    named
        .or_else(own)
        .or_else(plugins)
        .or_else(|| documentation::function(word))
        .or_else(|| documentation::operator(word))
}

/// A column, a table or a variable.
fn name_in_scope(word: &str, shape: Option<&Shape>, catalogue: &Catalogue) -> Option<Described> {
    let columns = shape.map_or(&[][..], |shape| &shape.columns);
    if let Some(column) = columns.iter().find(|column| column.name == word) {
        return Some(described(format!("{word}: {}", column.ty), "A column."));
    }
    match shape.and_then(|shape| shape.scope.get(word)) {
        Some(Entity::Scalar(typed)) => {
            let title = format!("{word}: {}", typed.ty);
            return Some(described(title, "Defined by `let`."));
        }
        Some(Entity::Table(table)) => {
            let columns = table.columns.iter().map(|c| (c.name.as_str(), c.ty));
            return Some(table_of(word, "A table that the query defines.", columns));
        }
        _ => {}
    }
    let table = catalogue.get(word)?;
    let text = match table.open {
        true => "A table that has not been read yet.".to_owned(),
        false => format!("A table of {} columns.", table.columns.len()),
    };
    let columns = table.columns.iter().map(|c| (c.name.as_str(), c.ty));
    Some(table_of(word, &text, columns))
}

/// A plugin's function: what it takes, and its result's columns.
fn of_plugin(function: &PluginFunction) -> Described {
    let declared = &function.function;
    let mut text = format!("{} From the plugin {}.", declared.summary, function.plugin);
    if let Some(docs) = &declared.docs {
        text = format!("{text}\n\n{docs}");
    }
    let columns = declared.output.columns.iter();
    let lines: Vec<String> = columns.map(|c| format!("{}: {}", c.name, c.ty)).collect();
    Described {
        example: lines.join("\n"),
        ..described(signature(function), &text)
    }
}

fn described(signature: String, summary: &str) -> Described {
    Described {
        signature,
        summary: summary.to_owned(),
        example: String::new(),
    }
}

fn table_of<'c>(
    name: &str,
    text: &str,
    columns: impl Iterator<Item = (&'c str, KustoType)>,
) -> Described {
    let lines: Vec<String> = columns.map(|(name, ty)| format!("{name}: {ty}")).collect();
    Described {
        example: lines.join("\n"),
        ..described(name.to_owned(), text)
    }
}
