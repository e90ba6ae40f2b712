//! A query as an editor shows it: all that is wrong with it, and what each of its words is. Nothing is run or loaded, so it is
//! cheap enough for each pause in typing.

use std::collections::HashMap;
use std::ops::Range;

use spoor_kql_syntax::ast::{Expr, ExprKind, Parameter, Query, Span, Statement, StatementKind};
use spoor_kql_syntax::{Diagnostic, Fix, TokenKind, highlight, parse};

use super::recovery::{Checked, check};
use super::scope::{Entity, Scope};
use super::{BindInput, Catalogue};
use crate::functions;

/// What is to be said of a query that is not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// Errors and warnings in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
    /// The pieces of the text in order, without the space between them.
    pub tokens: Vec<(Range<usize>, TokenSense)>,
}

/// What a piece of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenSense {
    /// `// ...`
    Comment,
    /// A tabular operator or a word of one's syntax.
    Keyword,
    /// `==`, `has`, `and`...
    Operator,
    /// A table of the catalogue or of the query.
    Table,
    /// A column.
    Column,
    /// A part of a dynamic value, by its name.
    Property,
    /// A scalar function, or one of the query's own.
    Function,
    /// An aggregate function.
    Aggregate,
    /// A scalar that `let` defines.
    Variable,
    /// A parameter of a function or of the query.
    Parameter,
    /// A name of which nothing is known.
    Name,
    /// A type's name.
    Type,
    /// Any form of string.
    String,
    /// A number.
    Number,
    /// `datetime(...)`.
    DateTime,
    /// `1d`, `timespan(...)`.
    TimeSpan,
    /// `true`, a guid.
    Literal,
    /// Brackets, commas, `|`.
    Punctuation,
    /// No token of the language.
    Error,
}

impl TokenSense {
    /// Its name in messages and style sheets.
    pub fn name(self) -> &'static str {
        match self {
            TokenSense::Comment => "comment",
            TokenSense::Keyword => "keyword",
            TokenSense::Operator => "operator",
            TokenSense::Table => "table",
            TokenSense::Column => "column",
            TokenSense::Property => "property",
            TokenSense::Function => "function",
            TokenSense::Aggregate => "aggregate",
            TokenSense::Variable => "variable",
            TokenSense::Parameter => "parameter",
            TokenSense::Name => "name",
            TokenSense::Type => "type",
            TokenSense::String => "string",
            TokenSense::Number => "number",
            TokenSense::DateTime => "datetime",
            TokenSense::TimeSpan => "timespan",
            TokenSense::Literal => "literal",
            TokenSense::Punctuation => "punctuation",
            TokenSense::Error => "error",
        }
    }
}

/// Functions that Kusto has renamed, and what they are called now.
const OLD_FUNCTIONS: &[(&str, &str)] = &[
    ("array_strcat", "strcat_array"),
    ("columnifexists", "column_ifexists"),
    ("makelist", "make_list"),
    ("makeset", "make_set"),
];

/// What is wrong with a query and what its words are, without running any of it. Names of tables that nobody has read yet are
/// known, their columns are not: see [`super::CatalogueTable::open`].
pub fn diagnose(text: &str, catalogue: &Catalogue, now_ticks: i64) -> Diagnosis {
    let parsed = parse(text);
    let input = BindInput {
        catalogue,
        now_ticks,
        stages: &[],
    };
    let pieces = highlight(text);
    let blank = pieces.iter().all(|(_, kind)| *kind == TokenKind::Comment);
    let mut checked = check(&parsed.query, &input);
    // An empty text is a query that nobody has begun to write.
    if blank && parsed.diagnostics.is_empty() {
        checked.diagnostics.clear();
    }
    let tokens = senses(text, &pieces, &parsed.query, &checked);
    let mut diagnostics = parsed.diagnostics;
    // What could not be parsed may have been taken for something that it is not.
    checked.diagnostics.retain(|found| {
        !diagnostics
            .iter()
            .any(|other| touch(&found.span, &other.span))
    });
    diagnostics.extend(checked.diagnostics);
    diagnostics.extend(parsed.warnings);
    diagnostics.extend(old_functions(text, &tokens));
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Diagnosis {
        diagnostics,
        tokens,
    }
}

fn touch(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
}

fn old_functions(text: &str, tokens: &[(Range<usize>, TokenSense)]) -> Vec<Diagnostic> {
    let called = tokens
        .iter()
        .filter(|(_, sense)| matches!(sense, TokenSense::Function | TokenSense::Aggregate));
    let old = called.filter_map(|(span, _)| {
        let name = text.get(span.clone())?;
        let (_, new) = OLD_FUNCTIONS.iter().find(|(old, _)| *old == name)?;
        let message = format!("`{name}` is an old name of `{new}`");
        let fix = Fix::replace(span.clone(), *new).safe();
        Some(Diagnostic::warning(span.clone(), message).fix(fix))
    });
    old.collect()
}

fn senses(
    text: &str,
    pieces: &[(Range<usize>, TokenKind)],
    query: &Query,
    checked: &Checked,
) -> Vec<(Range<usize>, TokenSense)> {
    let found: HashMap<(usize, usize), TokenSense> = checked
        .senses
        .iter()
        .map(|(span, sense)| ((span.start, span.end), *sense))
        .collect();
    let mut parameters = Vec::new();
    gather_parameters(&query.statements, &mut parameters);
    let piece = |at: Option<usize>| {
        at.and_then(|at| pieces.get(at))
            .and_then(|(span, _)| text.get(span.clone()))
            .unwrap_or("")
    };
    let sense = |at: usize, span: &Range<usize>, kind: TokenKind| {
        let word = piece(Some(at));
        if matches!(kind, TokenKind::Name | TokenKind::Function)
            && parameters
                .iter()
                .any(|(within, name)| within.contains(&span.start) && *name == word)
        {
            return TokenSense::Parameter;
        }
        if let Some(sense) = found.get(&(span.start, span.end)) {
            return *sense;
        }
        let neighbours = (piece(at.checked_sub(1)), piece(Some(at + 1)));
        sense_of_kind(kind, word, neighbours, &checked.scope)
    };
    let pieces = pieces.iter().enumerate();
    pieces
        .map(|(at, (span, kind))| (span.clone(), sense(at, span, *kind)))
        .collect()
}

/// What a piece is by its own looks and its neighbours'.
fn sense_of_kind(
    kind: TokenKind,
    word: &str,
    (before, after): (&str, &str),
    scope: &Scope,
) -> TokenSense {
    match kind {
        TokenKind::Comment => TokenSense::Comment,
        TokenKind::Keyword => TokenSense::Keyword,
        TokenKind::Operator => TokenSense::Operator,
        TokenKind::Function if functions::aggregate(word).is_some() => TokenSense::Aggregate,
        TokenKind::Function => TokenSense::Function,
        TokenKind::Name if before == "." => TokenSense::Property,
        TokenKind::Name if before == "let" => match scope.get(word) {
            Some(Entity::Function(_)) => TokenSense::Function,
            Some(Entity::Table(_)) => TokenSense::Table,
            _ => TokenSense::Variable,
        },
        TokenKind::Name if before == "as" => TokenSense::Table,
        TokenKind::Name if after == "=" || after == ":" => TokenSense::Column,
        TokenKind::Name => TokenSense::Name,
        TokenKind::Type => TokenSense::Type,
        TokenKind::String => TokenSense::String,
        TokenKind::Number if is_timespan(word) => TokenSense::TimeSpan,
        TokenKind::Number => TokenSense::Number,
        TokenKind::Literal => sense_of_literal(word),
        TokenKind::Punctuation => TokenSense::Punctuation,
        TokenKind::Error => TokenSense::Error,
    }
}

/// Whether a number ends in a unit: `1d`, and neither `1e5` nor `0xff`.
fn is_timespan(number: &str) -> bool {
    let hexadecimal = number.starts_with("0x") || number.starts_with("0X");
    number.ends_with(|c: char| c.is_ascii_alphabetic()) && !hexadecimal
}

fn sense_of_literal(text: &str) -> TokenSense {
    match text.split_once('(').map(|(ty, _)| ty) {
        Some("datetime" | "date") => TokenSense::DateTime,
        Some("timespan" | "time") => TokenSense::TimeSpan,
        Some("int" | "long" | "real" | "double" | "decimal") => TokenSense::Number,
        _ => TokenSense::Literal,
    }
}

/// The parameters of functions, each with where it is one.
fn gather_parameters<'q>(statements: &'q [Statement], found: &mut Vec<(Range<usize>, &'q str)>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Let { value, .. } => {
                if let Expr {
                    kind:
                        ExprKind::Lambda {
                            parameters, body, ..
                        },
                    span,
                } = value
                {
                    add_parameters(parameters, *span, found);
                    gather_parameters(&body.statements, found);
                }
            }
            StatementKind::DeclareParameters(parameters) => {
                let everywhere = Span::new(statement.span.start, usize::MAX);
                add_parameters(parameters, everywhere, found);
            }
            StatementKind::Set { .. } | StatementKind::Expression(_) => {}
        }
    }
}

fn add_parameters<'q>(
    parameters: &'q [Parameter],
    span: Span,
    found: &mut Vec<(Range<usize>, &'q str)>,
) {
    let names = parameters
        .iter()
        .map(|parameter| parameter.name.text.as_str());
    found.extend(names.map(|name| (span.range(), name)));
}

#[cfg(test)]
mod tests {
    use super::super::documentation;
    use super::*;

    #[test]
    fn what_old_names_stand_for_is_there() {
        for (old, new) in OLD_FUNCTIONS {
            assert!(documentation::function(new).is_some(), "{new}");
            assert_ne!(old, new);
        }
    }

    #[test]
    fn units_make_timespans_of_numbers() {
        for number in ["1d", "1.5h", "0s", "10microseconds"] {
            assert!(is_timespan(number), "{number}");
        }
        for number in ["1", "1.5", "1e5", "0xff"] {
            assert!(!is_timespan(number), "{number}");
        }
    }
}
