//! `parse-kv`: columns out of the keys and values in a text. Source of the modes: Kusto's documentation of the operator.
//!
//! A key that comes twice keeps its first value. A key that does not come gives a null or an empty string.

use std::borrow::Cow;
use std::cell::Cell;

use datafusion::functions::core::get_field;
use datafusion::logical_expr::{Expr as PlanExpr, lit};
use regex::Regex;
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{ColumnDeclaration, Expr, ExprKind, Literal, Property, Span};
use spoor_table::KustoType;

use super::naming::Projection;
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::taken::{Take, taken};
use super::{Bind, Binder};
use crate::functions;
use crate::typed::Typed;

/// The options of `parse-kv`.
const OPTIONS: &[(&str, &[&str])] = &[
    ("escape", &[]),
    ("greedy", &["true", "false"]),
    ("kv_delimiter", &[]),
    ("pair_delimiter", &[]),
    ("quote", &[]),
    ("regex", &[]),
];

/// How keys and values are told apart.
#[derive(Debug, Default)]
struct Delimiters {
    /// Between pairs; none: whatever is neither letter nor digit.
    pair: Option<String>,
    /// Between a key and its value; none as above.
    kv: Option<String>,
    /// What opens and closes a quoted key or value.
    quotes: Option<(char, char)>,
    escape: Option<char>,
    /// Whether a value goes on until the next key.
    greedy: bool,
    /// Finds pairs by itself: its groups are a key and a value.
    regex: Option<Regex>,
}

impl Binder<'_> {
    pub(super) fn parse_kv(
        &mut self,
        input: Relation,
        source: &Expr,
        schema: &[ColumnDeclaration],
        properties: &[Property],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let delimiters = self.delimiters(properties)?;
        let declared = self.declared_columns(schema)?;
        let text = self.expression(source, &self.row(&input, scope))?;
        let text = self.text_to_parse(text, source.span)?;
        let keys: Vec<String> = declared.iter().map(|column| column.name.clone()).collect();
        let found = self.id();
        let fields = keys.len();
        let call = taken(Pairs { delimiters, keys }, fields, text.expr).alias(&found);
        let mut exprs: Vec<PlanExpr> = input.columns.iter().map(BoundColumn::expr).collect();
        exprs.push(call);
        let columns = input.columns.clone();
        let matched = self.project_to(input, exprs, columns, span)?;
        let mut projection = Projection::of(&matched.columns);
        for (at, (wanted, written)) in declared.iter().zip(schema).enumerate() {
            let field = get_field().call(vec![column(&found), lit(format!("f{at}"))]);
            let text = Typed::new(field, KustoType::String);
            let context = self.constant_row(&Scope::root()).context;
            let value = match wanted.ty {
                KustoType::String => text,
                ty => {
                    let converted = functions::convert(&context, text, ty);
                    self.applied(converted, written.name.span, &[])?
                }
            };
            let (expr, bound) = self.computed(&wanted.name, &value);
            projection.declare(expr, bound);
        }
        self.project_to(matched, projection.exprs, projection.columns, span)
    }

    fn delimiters(&mut self, properties: &[Property]) -> Bind<Delimiters> {
        let mut given = Delimiters::default();
        for property in properties {
            let text = match &property.value.kind {
                ExprKind::Literal(Literal::String(text)) => Some(text.as_str()),
                _ => None,
            };
            match (property.name.text.as_str(), text, &property.value.kind) {
                ("pair_delimiter", Some(text), _) => given.pair = Some(text.to_owned()),
                ("kv_delimiter", Some(text), _) => given.kv = Some(text.to_owned()),
                ("quote", Some(text), _) => given.quotes = quotes(text),
                ("escape", Some(text), _) => given.escape = text.chars().next(),
                ("greedy", _, ExprKind::Literal(Literal::Bool(Some(greedy)))) => {
                    given.greedy = *greedy
                }
                ("regex", Some(pattern), _) => {
                    given.regex = Some(self.pair_pattern(pattern, property.value.span)?)
                }
                _ => {
                    let message =
                        format!("`{}` is no such option of `parse-kv`", property.name.text);
                    let problem = Diagnostic::error(property.name.span, message).hint(
                        "its options are pair_delimiter, kv_delimiter, quote, escape, greedy and regex",
                    );
                    return Err(self.no_such_option(problem, property, OPTIONS));
                }
            }
        }
        Ok(given)
    }

    fn pair_pattern(&mut self, pattern: &str, span: Span) -> Bind<Regex> {
        let regex = Regex::new(pattern).map_err(|error| {
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or("").trim().to_owned();
            self.error(span, format!("this is no regular expression: {reason}"))
        })?;
        if regex.captures_len() != 3 {
            let hint = Some("write it as (key)=(value), with two groups");
            let message = "the pattern must have two groups, of the key and of the value";
            return Err(self.error_hint(span, message, hint));
        }
        Ok(regex)
    }
}

/// `"` opens and closes; of `<>` the first opens and the second closes.
fn quotes(text: &str) -> Option<(char, char)> {
    let mut characters = text.chars();
    let open = characters.next()?;
    Some((open, characters.next().unwrap_or(open)))
}

impl Delimiters {
    /// Calls `put` with each key and value of a text, until it says that it wants no more.
    fn pairs(&self, text: &str, put: &mut dyn FnMut(&str, &str) -> bool) {
        if let Some(regex) = &self.regex {
            for found in regex.captures_iter(text) {
                let group = |at| found.get(at).map_or("", |group| group.as_str());
                if !put(group(1), group(2)) {
                    return;
                }
            }
            return;
        }
        let mut rest = self.skipped(text);
        // Once a quote is not closed, none after it is.
        let closes = Cell::new(true);
        while !rest.trim_start().is_empty() {
            let from = rest.trim_start();
            let (key, mut after) = self.piece(from, self.kv.as_deref(), true, &closes);
            // Where no value follows, what was read belongs to no pair.
            if let Some(value_at) = self.after_delimiter(after, self.kv.as_deref()) {
                let (value, left) = self.value(value_at, &closes);
                if !put(&key, &value) {
                    return;
                }
                after = left;
            }
            rest = self.next_pair(after);
            if rest.len() >= from.len() {
                // A mark that begins nothing.
                let mut characters = from.chars();
                characters.next();
                rest = characters.as_str();
            }
        }
    }

    /// What follows the delimiter at the start of a text; none where there is none.
    fn after_delimiter<'t>(&self, text: &'t str, delimiter: Option<&str>) -> Option<&'t str> {
        match delimiter {
            Some(delimiter) if !delimiter.is_empty() => text
                .trim_start()
                .strip_prefix(delimiter)
                .or_else(|| text.strip_prefix(delimiter)),
            _ => {
                let rest = self.skipped(text);
                (rest.len() < text.len() && !rest.is_empty()).then_some(rest)
            }
        }
    }

    /// The text without what stands between pairs at its start, where no delimiters are given.
    fn skipped<'t>(&self, text: &'t str) -> &'t str {
        if self.pair.is_some() {
            return text;
        }
        text.trim_start_matches(|c: char| !c.is_alphanumeric() && !self.opens(c))
    }

    fn opens(&self, c: char) -> bool {
        self.quotes.is_some_and(|(open, _)| open == c)
    }

    /// The text after the next delimiter of pairs.
    fn next_pair<'t>(&self, text: &'t str) -> &'t str {
        match self.pair.as_deref() {
            Some(pair) if !pair.is_empty() => match text.find(pair) {
                Some(at) => text.get(at + pair.len()..).unwrap_or(""),
                None => "",
            },
            _ => self.skipped(text),
        }
    }

    /// A key or a value up to its delimiter, and what follows: quoted, or bare.
    fn piece<'t>(
        &self,
        text: &'t str,
        until: Option<&str>,
        key: bool,
        closes: &Cell<bool>,
    ) -> (String, &'t str) {
        let trimmed = text.trim_start();
        let first = trimmed.chars().next();
        if let Some(first) = first.filter(|first| self.opens(*first) && closes.get()) {
            match self.quoted(trimmed, first) {
                Some(quoted) => return quoted,
                None => closes.set(false),
            }
        }
        let end = match (until, self.pair.as_deref()) {
            (None, _) | (_, None) => text
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len()),
            (Some(until), Some(pair)) => {
                // No further than the pair goes: a text is read once, however many there are.
                let pair_end = text.find(pair).unwrap_or(text.len());
                match key {
                    // A pair that ends before its key does has no value.
                    true => text[..pair_end].find(until).unwrap_or(pair_end),
                    false => pair_end,
                }
            }
        };
        let (piece, rest) = text.split_at(end);
        (piece.trim().to_owned(), rest)
    }

    fn value<'t>(&self, text: &'t str, closes: &Cell<bool>) -> (String, &'t str) {
        let pair = self.pair.as_deref().filter(|pair| !pair.is_empty());
        let text = text.trim_start();
        let quoted = text.chars().next().is_some_and(|c| self.opens(c));
        if !self.greedy || quoted {
            return self.piece(text, pair, false, closes);
        }
        let Some((pair, kv)) = pair.zip(self.kv.as_deref()) else {
            return self.piece(text, pair, false, closes);
        };
        let mut end = text.len();
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(pair)) {
            let next = from + at + pair.len();
            let key = text.get(next..).unwrap_or("");
            // The next pair begins where a key with its delimiter follows.
            let segment = &key[..key.find(pair).unwrap_or(key.len())];
            if segment.find(kv).is_some_and(|kv_at| kv_at > 0) {
                end = from + at;
                break;
            }
            from = next;
        }
        let (value, rest) = text.split_at(end);
        (value.trim().to_owned(), rest)
    }

    /// A quoted piece and what follows its closing quote; none where it is not closed.
    fn quoted<'t>(&self, text: &'t str, first: char) -> Option<(String, &'t str)> {
        let (_, close) = self.quotes?;
        let mut piece = String::new();
        let mut characters = text.char_indices().skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            let escapes = self.escape == Some(c)
                && characters.peek().is_some_and(|(_, next)| {
                    *next == close || *next == first || Some(*next) == self.escape
                });
            if escapes {
                piece.extend(characters.next().map(|(_, next)| next));
            } else if c == close {
                return Some((piece, text.get(at + c.len_utf8()..)?));
            } else {
                piece.push(c);
            }
        }
        None
    }
}

/// The values of some keys in a text.
#[derive(Debug)]
struct Pairs {
    delimiters: Delimiters,
    keys: Vec<String>,
}

impl Take for Pairs {
    const NAME: &'static str = "parse_pairs";

    fn take<'t>(&self, text: &'t str) -> Option<Vec<Cow<'t, str>>> {
        let mut values: Vec<Option<String>> = vec![None; self.keys.len()];
        let mut missing = values.len();
        self.delimiters.pairs(text, &mut |key, value| {
            let at = self.keys.iter().position(|wanted| wanted == key);
            if let Some(slot) = at.and_then(|at| values.get_mut(at))
                && slot.is_none()
            {
                *slot = Some(value.to_owned());
                missing -= 1;
            }
            missing > 0
        });
        Some(
            values
                .into_iter()
                .map(|value| Cow::Owned(value.unwrap_or_default()))
                .collect(),
        )
    }
}
