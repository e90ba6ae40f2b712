//! `parse` and `parse-where`: columns out of text. Source of the modes: Kusto's documentation of the parse operator.
//!
//! The pattern must match the whole text. A text that does not match gives nulls and empty strings; `parse-where` drops it.

use std::borrow::Cow;

use datafusion::functions::core::get_field;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder, lit, when};
use regex::Regex;
use spoor_kql_syntax::ast::{Name, Parse, ParsePart, Span};
use spoor_kql_syntax::{Diagnostic, Fix, suggest};
use spoor_table::{KustoType, Value};

use super::naming::Projection;
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::taken::{Take, taken};
use super::{Bind, Binder};
use crate::functions;
use crate::typed::Typed;

/// The kinds of `parse`.
pub(super) const PARSE_KINDS: &[&str] = &["regex", "relaxed", "simple"];

/// How delimiters and types are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Delimiters are plain text; every column must be of its type.
    Simple,
    /// Delimiters are plain text; a column that is not of its type is null.
    Relaxed,
    /// Delimiters are regular expressions.
    Regex,
}

impl Binder<'_> {
    pub(super) fn parse(
        &mut self,
        input: Relation,
        parse: &Parse,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mode = self.parse_mode(parse.kind.as_ref())?;
        let row = self.row(&input, scope);
        let text = self.expression(&parse.source, &row)?;
        let text = self.text_to_parse(text, parse.source.span)?;
        let matcher = self.matcher(parse, mode)?;
        let found = self.id();
        let is_column = |part: &&ParsePart| matches!(part, ParsePart::Column { .. });
        let fields = parse.pattern.iter().filter(is_column).count();
        let call = taken(matcher, fields, text.expr).alias(&found);
        let mut exprs: Vec<PlanExpr> = input.columns.iter().map(BoundColumn::expr).collect();
        exprs.push(call);
        let columns = input.columns.clone();
        let matched = self.project_to(input, exprs, columns, span)?;
        self.parsed(matched, parse, mode, &found, span)
    }

    fn parse_mode(&mut self, kind: Option<&Name>) -> Bind<Mode> {
        match kind.map(|name| name.text.as_str()) {
            None | Some("simple") => Ok(Mode::Simple),
            Some("relaxed") => Ok(Mode::Relaxed),
            Some("regex") => Ok(Mode::Regex),
            Some(other) => {
                let span = kind.map_or(Span::default(), |name| name.span);
                let mut problem =
                    Diagnostic::error(span, format!("`{other}` is no kind of `parse`"))
                        .hint("the kinds are simple, regex and relaxed");
                let found = suggest(other, PARSE_KINDS.iter().copied());
                problem
                    .fixes
                    .extend(found.map(|found| Fix::replace(span, found)));
                Err(self.report(problem))
            }
        }
    }

    /// The parsed expression as a string: dynamic values are parsed as their text.
    pub(super) fn text_to_parse(&mut self, text: Typed, span: Span) -> Bind<Typed> {
        match text.ty {
            KustoType::String => Ok(text),
            KustoType::Dynamic => {
                let context = self.constant_row(&Scope::root()).context;
                self.applied(
                    functions::convert(&context, text, KustoType::String),
                    span,
                    &[],
                )
            }
            ty => Err(self.error(span, format!("`parse` takes a string, not a {ty}"))),
        }
    }

    fn matcher(&mut self, parse: &Parse, mode: Mode) -> Bind<Matcher> {
        let mut steps = Vec::new();
        for part in &parse.pattern {
            steps.push(match part {
                ParsePart::Text(text, span) => Step::Text(text.clone(), *span),
                ParsePart::Star(_) => Step::Star,
                ParsePart::Column { ty, .. } => Step::Column(self.column_type(ty.as_ref())?),
            });
        }
        self.refuse_adjacent(parse, &steps)?;
        if mode != Mode::Regex {
            return Ok(Matcher::Plain(steps));
        }
        self.regex_matcher(&steps, parse.flags.as_ref(), parse.source.span)
    }

    /// A string column that another column follows at once could end anywhere.
    fn refuse_adjacent(&mut self, parse: &Parse, steps: &[Step]) -> Bind<()> {
        for (pair, parts) in steps.windows(2).zip(parse.pattern.windows(2)) {
            if let (
                [Step::Column(KustoType::String), Step::Column(_)],
                [_, ParsePart::Column { name, .. }],
            ) = (pair, parts)
            {
                let message = format!(
                    "nothing stands between `{}` and the string before it",
                    name.text
                );
                return Err(self.error_hint(
                    name.span,
                    message,
                    Some("put the text that separates them in quotes"),
                ));
            }
        }
        Ok(())
    }

    fn regex_matcher(&mut self, steps: &[Step], flags: Option<&Name>, span: Span) -> Bind<Matcher> {
        let mut pattern = String::new();
        if let Some(flags) = flags {
            if let Some(odd) = flags.text.chars().find(|flag| !"Uims".contains(*flag)) {
                return Err(self.error_hint(
                    flags.span,
                    format!("`{odd}` is no flag"),
                    Some("the flags are U, i, m and s"),
                ));
            }
            pattern = format!("(?{})", flags.text);
        }
        pattern.push_str("^(?:");
        let mut last = span;
        for step in steps {
            match step {
                Step::Text(text, place) => {
                    last = *place;
                    pattern.push_str(&format!("(?:{})", without_captures(text)));
                }
                Step::Star => pattern.push_str(".*?"),
                Step::Column(KustoType::Int | KustoType::Long) => pattern.push_str("(-?\\d+)"),
                Step::Column(_) => pattern.push_str("(.*)"),
            }
        }
        pattern.push_str(")$");
        Regex::new(&pattern).map(Matcher::Regex).map_err(|error| {
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or("").trim().to_owned();
            self.error(last, format!("this is no regular expression: {reason}"))
        })
    }

    fn column_type(&mut self, ty: Option<&Name>) -> Bind<KustoType> {
        match ty {
            Some(name) => self.type_named(name),
            None => Ok(KustoType::String),
        }
    }

    /// The captures as columns of their types.
    fn parsed(
        &mut self,
        matched: Relation,
        parse: &Parse,
        mode: Mode,
        found: &str,
        span: Span,
    ) -> Bind<Relation> {
        let mut captured = Vec::new();
        for part in &parse.pattern {
            if let ParsePart::Column { name, ty } = part {
                let ty = self.column_type(ty.as_ref())?;
                let field = lit(format!("f{}", captured.len()));
                let text = get_field().call(vec![column(found), field]);
                let text = when(text.clone().is_null(), lit(""))
                    .otherwise(text)
                    .map_err(|e| self.internal(span, e))?;
                let text = Typed::new(text, KustoType::String);
                let context = self.constant_row(&Scope::root()).context;
                let value = if ty == KustoType::String {
                    text
                } else {
                    self.applied(functions::convert(&context, text, ty), name.span, &[])?
                };
                captured.push((name, value));
            }
        }
        let complete = complete(found, &captured, mode);
        let mut projection = Projection::of(&matched.columns);
        for (name, value) in captured {
            let value = if mode == Mode::Simple {
                self.unless(value, &complete, span)?
            } else {
                value
            };
            let (expr, bound) = self.computed(&name.text, &value);
            if !projection.declare(expr, bound) {
                return Err(self.error(
                    name.span,
                    format!("the column `{}` is given twice", name.text),
                ));
            }
        }
        let mut matched = matched;
        if parse.only_matches {
            let plan = LogicalPlanBuilder::from(matched.plan.clone())
                .filter(matched.sparing(complete))
                .and_then(LogicalPlanBuilder::build);
            matched.plan = self.plan(span, plan)?;
        }
        self.project_to(matched, projection.exprs, projection.columns, span)
    }

    /// A value where the whole pattern matched, else null.
    fn unless(&mut self, value: Typed, complete: &PlanExpr, span: Span) -> Bind<Typed> {
        let nothing = functions::literal(Value::null(value.ty)).expr;
        let guarded = when(complete.clone(), value.expr).otherwise(nothing);
        guarded
            .map(|expr| Typed::new(expr, value.ty))
            .map_err(|error| self.internal(span, error))
    }
}

/// Whether a text matched, in `simple` mode with every column of its type.
fn complete(found: &str, captured: &[(&Name, Typed)], mode: Mode) -> PlanExpr {
    let matched = column(found).is_not_null();
    if mode != Mode::Simple {
        return matched;
    }
    captured
        .iter()
        .filter(|(_, value)| value.ty != KustoType::String)
        .fold(matched, |all, (_, value)| {
            all.and(value.expr.clone().is_not_null())
        })
}

/// A regular expression whose groups capture nothing, so that the columns' groups can be counted.
fn without_captures(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = characters.next() {
        out.push(c);
        match c {
            '\\' => out.extend(characters.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && characters.peek() != Some(&'?') => out.push_str("?:"),
            _ => {}
        }
    }
    out
}

#[derive(Debug, Clone)]
enum Step {
    Text(String, Span),
    Star,
    Column(KustoType),
}

/// How a text is taken apart.
#[derive(Debug)]
enum Matcher {
    Plain(Vec<Step>),
    Regex(Regex),
}

impl Matcher {
    /// The captures, or none where the text does not match.
    fn captures<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        match self {
            Matcher::Plain(steps) => plain_captures(steps, text),
            Matcher::Regex(regex) => {
                let found = regex.captures(text)?;
                Some(
                    found
                        .iter()
                        .skip(1)
                        .map(|group| group.map_or("", |group| group.as_str()))
                        .collect(),
                )
            }
        }
    }
}

fn plain_captures<'t>(steps: &[Step], text: &'t str) -> Option<Vec<&'t str>> {
    let mut captures = Vec::new();
    let mut rest = text;
    let mut open: Option<&Step> = None;
    for step in steps {
        match step {
            Step::Text(delimiter, _) => {
                let at = match open {
                    None => rest.starts_with(delimiter.as_str()).then_some(0)?,
                    Some(_) => rest.find(delimiter.as_str())?,
                };
                close(open, &rest[..at], &mut captures);
                rest = &rest[at + delimiter.len()..];
                open = None;
            }
            // Nothing says where the column before ends: a number takes its digits, else it gets nothing.
            _ => {
                let length = match open {
                    Some(Step::Column(ty)) if ty.is_numeric() => number_length(rest),
                    _ => 0,
                };
                close(open, &rest[..length], &mut captures);
                rest = &rest[length..];
                open = Some(step);
            }
        }
    }
    match open {
        None if !rest.is_empty() => None,
        _ => {
            close(open, rest, &mut captures);
            Some(captures)
        }
    }
}

/// The bytes of a number at the start of a text.
fn number_length(text: &str) -> usize {
    let sign = usize::from(text.starts_with('-'));
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let digits = text[sign..]
        .find(|c| !number(c))
        .unwrap_or(text.len() - sign);
    // A point at the end belongs to what follows.
    let digits = text[sign..sign + digits].trim_end_matches('.').len();
    if digits == 0 { 0 } else { sign + digits }
}

fn close<'t>(open: Option<&Step>, text: &'t str, captures: &mut Vec<&'t str>) {
    if let Some(Step::Column(_)) = open {
        captures.push(text);
    }
}

impl Take for Matcher {
    const NAME: &'static str = "parse_captures";

    fn take<'t>(&self, text: &'t str) -> Option<Vec<Cow<'t, str>>> {
        let captures = self.captures(text)?;
        Some(captures.into_iter().map(Cow::Borrowed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Step {
        Step::Text(text.to_owned(), Span::default())
    }

    #[test]
    fn plain_patterns_take_text_apart() {
        let column = || Step::Column(KustoType::String);
        let pattern = [Step::Star, text("a="), column(), text(" b="), column()];
        assert_eq!(
            plain_captures(&pattern, "x a=1 b=2 b=3"),
            Some(vec!["1", "2 b=3"])
        );
        assert_eq!(plain_captures(&pattern, "a=1"), None);
        assert_eq!(
            plain_captures(&[text("a"), column(), text("c")], "abcd"),
            None
        );
        assert_eq!(
            plain_captures(&[text("a"), column(), text("c"), Step::Star], "abcd"),
            Some(vec!["b"])
        );
        assert_eq!(plain_captures(&[text("a")], "ba"), None);
    }

    #[test]
    fn groups_of_a_pattern_do_not_capture() {
        assert_eq!(without_captures(r"(a|b)\((?:c)[(]"), r"(?:a|b)\((?:c)[(]");
    }
}
