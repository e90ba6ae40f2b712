//! Mistakes that a parser can see through: words and marks of other languages, capitals, missing pipes, keywords and brackets. Each
//! gets a hint, and a fix where it is plain what was meant.

use std::ops::Range;

use super::names::is_reserved;
use super::{OPERATORS, Parser};
use crate::ast::{BinaryOp, ListOp, Span};
use crate::diagnostic::{Diagnostic, suggest};
use crate::fix::Fix;
use crate::lexer::Kind;

/// Words of other languages' pipelines, Kusto's operator for it where a name is all that differs, and what to say.
const OPERATOR_HABITS: &[(&[&str], Option<&str>, &str)] = &[
    (
        &["select"],
        Some("project"),
        "use `project` to choose columns",
    ),
    (
        &["from"],
        None,
        "a query begins with the table's name: T | ...",
    ),
    (
        &["group", "groupby", "aggregate", "stats"],
        Some("summarize"),
        "use `summarize ... by ...`",
    ),
    (&["having"], Some("where"), "use `where` after `summarize`"),
    (
        &["head", "first"],
        Some("take"),
        "use `take`, or `top ... by ...` for an order",
    ),
    (&["filter_by", "grep"], Some("where"), "use `where`"),
    (
        &["with", "eval", "mutate"],
        Some("extend"),
        "use `extend` to add columns",
    ),
    (
        &["rename"],
        Some("project-rename"),
        "use `project-rename new = old`",
    ),
    (
        &["dedup", "uniq", "unique"],
        Some("distinct"),
        "use `distinct`, or `summarize take_any(*) by ...`",
    ),
    (
        &["drop", "fields"],
        Some("project-away"),
        "use `project-away` or `project`",
    ),
    (&["rex"], None, "use `parse`, or `extend x = extract(...)`"),
    (&["len", "length"], Some("count"), "use `count`"),
];

/// Operators' names that are accepted and no longer written.
const OLD_OPERATORS: &[(&str, &str)] = &[("mvapply", "mv-apply"), ("mvexpand", "mv-expand")];

/// Mistakes for which it is still looked up which brackets are open.
const MOST_LOOKS: usize = 50;

impl Parser<'_> {
    /// Adds what someone who writes so elsewhere should write here instead.
    pub(super) fn with_habit(&self, problem: Diagnostic) -> Diagnostic {
        let span = self.span();
        let text = self.text();
        let (_, next_span) = self.token(1);
        let next = self.text_of(next_span);
        let instead = |problem: Diagnostic, hint: &str, text: &str| {
            problem.hint(hint).fix(Fix::replace(span, text).safe())
        };
        match text {
            "&&" => return instead(problem, "write `and`", "and"),
            // In SQL it joins text, so that it is not plain what is meant.
            "||" => return problem.hint("write `or`").fix(Fix::replace(span, "or")),
            "=" => {
                let hint = "`==` compares; a single `=` names a column";
                let fix = Fix::replace(span, "==");
                // Elsewhere a name was to be given, and what stands before is no name.
                let fix = if self.compares() { fix.safe() } else { fix };
                return match self.follows_operand() {
                    true => problem.hint(hint).fix(fix),
                    false => problem.hint(hint),
                };
            }
            "#" => {
                let fix = Fix::replace(span, "//");
                // Within a line it may be a slip, and what follows is more than a comment.
                let fix = if self.begins_line() { fix.safe() } else { fix };
                return problem.hint("comments begin with //").fix(fix);
            }
            "-" if next == "-" && self.adjoins_next() => {
                let fix = Fix::replace(span.to(next_span), "//");
                return problem.hint("comments begin with //").fix(fix);
            }
            "/" if next == "*" => return problem.hint("comments begin with //"),
            "LIKE" | "ILIKE" => {
                let hint = "use `contains`, `startswith`, `endswith` or `matches regex`";
                return problem.hint(hint);
            }
            "is" | "IS" => {
                let hint = "use isnull(x), isnotnull(x), isempty(x) or isnotempty(x)";
                return problem.hint(hint);
            }
            _ => {}
        }
        let lower = text.to_ascii_lowercase();
        if lower == "not" {
            return match negated(&next.to_ascii_lowercase()) {
                // A comment between the words would go with them.
                Some(operator) if !self.only_space_follows() => {
                    problem.hint(format!("write `{operator}`"))
                }
                Some(operator) => problem
                    .hint(format!("write `{operator}`"))
                    .fix(Fix::replace(span.to(next_span), operator).safe()),
                None => problem.hint("`not` is a function: not(...)"),
            };
        }
        if lower != text && is_operator_word(&lower) {
            let hint = format!("keywords are lower case: `{lower}`");
            return instead(problem, &hint, &lower);
        }
        problem
    }

    /// Whether nothing but space stands before on the line.
    fn begins_line(&self) -> bool {
        let gap = self.source.get(self.previous_end()..self.span().start);
        self.at == 0 || gap.is_some_and(|gap| gap.contains('\n'))
    }

    /// Whether the next token follows without anything between.
    fn adjoins_next(&self) -> bool {
        self.span().end == self.token(1).1.start
    }

    /// Whether nothing but space stands before the next token: no comment.
    fn only_space_follows(&self) -> bool {
        let between = self.source.get(self.span().end..self.token(1).1.start);
        between.is_some_and(|between| between.trim().is_empty())
    }

    /// Whether the operator at work filters: there a single `=` can only compare.
    fn compares(&self) -> bool {
        let before = self.tokens.get(..self.at).unwrap_or_default();
        // The operator's pipe may be missing, so that its name is looked for and not its place.
        let mut words = before.iter().rev().map(|token| self.text_of(token.span));
        let operator = words.find(|word| matches!(*word, "|" | ";") || OPERATORS.contains(word));
        operator.is_some_and(|word| matches!(word, "where" | "filter"))
    }

    /// Whether the token before ends an operand.
    fn follows_operand(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| match token.kind {
            Kind::Word => !is_reserved(self.text_of(token.span)),
            Kind::Punctuation => matches!(self.text_of(token.span), ")" | "]"),
            Kind::Unknown | Kind::Comment | Kind::End => false,
            _ => true,
        })
    }

    /// Whether an operand begins here.
    fn begins_operand(&self) -> bool {
        match self.kind() {
            Kind::Word => !is_reserved(self.text()) && !OPERATORS.contains(&self.text()),
            Kind::Punctuation => matches!(self.text(), "(" | "["),
            Kind::Unknown | Kind::Comment | Kind::End => false,
            _ => true,
        }
    }

    /// The fix for a keyword that is missing here.
    pub(super) fn keyword_fix(&self, word: &str) -> Option<Fix> {
        if self.text().eq_ignore_ascii_case(word) {
            return Some(Fix::replace(self.span(), word).safe());
        }
        let insert = || Fix::insert(self.span().start, format!("{word} "));
        self.begins_operand().then(insert)
    }

    /// The fix for a closing bracket that is missing here; at the end it closes all that are open.
    pub(super) fn closing_fix(&self, mark: &str) -> Option<Fix> {
        let found = self.text();
        // Looking for what is open takes as long as the query is.
        if self.diagnostics.len() >= MOST_LOOKS || self.follows_broken_literal() {
            return None;
        }
        let mut open = self.open_brackets(0..self.at);
        match self.kind() {
            Kind::End => {}
            _ if found == ";" => {
                let braces = open.iter().rposition(|bracket| *bracket == '}');
                open.drain(..braces.map_or(0, |at| at + 1));
            }
            _ if found == "|" => {
                open.drain(..open.len().saturating_sub(1));
            }
            _ => return None,
        }
        let closing: String = open.iter().rev().collect();
        let title = format!("close with `{closing}`");
        closing
            .starts_with(mark)
            .then(|| Fix::insert(self.previous_end(), closing.clone()).titled(title))
    }

    /// Whether the token before lacks its end, so that what is put after it would be a part of it.
    fn follows_broken_literal(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| {
            let inside =
                |d: &Diagnostic| token.span.start <= d.span.start && d.span.end <= token.span.end;
            matches!(token.kind, Kind::String | Kind::Typed) && self.diagnostics.iter().any(inside)
        })
    }

    /// How many brackets have been opened since a place and are open here.
    pub(super) fn opened_since(&self, start: Span) -> usize {
        let first = self
            .tokens
            .partition_point(|token| token.span.start < start.start);
        self.open_brackets(first..self.at).len()
    }

    /// What would close each bracket that some tokens open and leave open, the outermost first.
    fn open_brackets(&self, tokens: Range<usize>) -> Vec<char> {
        let mut open = Vec::new();
        for token in self.tokens.get(tokens).unwrap_or_default() {
            if token.kind != Kind::Punctuation {
                continue;
            }
            match self.text_of(token.span) {
                "(" => open.push(')'),
                "[" => open.push(']'),
                "{" => open.push('}'),
                ")" | "]" | "}" => {
                    open.pop();
                }
                // A statement's end leaves nothing open but the body of a function that it is in.
                ";" => {
                    let body = open.iter().rposition(|bracket| *bracket == '}');
                    open.truncate(body.map_or(0, |at| at + 1));
                }
                _ => {}
            }
        }
        open
    }

    /// An error about something after the end of what was parsed; a bracket there can go.
    pub(super) fn stray(&mut self, what: &str) {
        let mut problem = self.unexpected(what, "here");
        if matches!(self.text(), ")" | "]" | "}") {
            let title = format!("remove `{}`", self.text());
            problem = problem.fix(Fix::replace(self.span(), "").titled(title));
        }
        self.report(problem);
    }

    /// Whether an operator follows in the pipe. One without its `|` is reported, and follows all the same.
    pub(super) fn pipe_follows(&mut self) -> bool {
        if self.eat_mark("|") {
            return true;
        }
        let missing = self.at_operator();
        if missing {
            let at = self.span();
            let message = format!("expected `|` before `{}`", self.operator_name().0);
            let fix = Fix::insert(at.start, "| ").safe();
            self.report(Diagnostic::error(at, message).fix(fix));
        }
        missing
    }

    /// Whether the name of a tabular operator stands here. `as` also follows values in other languages.
    pub(super) fn at_operator(&self) -> bool {
        let (name, length) = self.operator_name();
        length > 0 && name != "as" && OPERATORS.contains(&name.as_str())
    }

    /// An error about what follows the operator `name` instead of its end.
    pub(super) fn operator_goes_on(&mut self, name: &str) {
        let context = format!("after `{name}`");
        let mut problem = self.unexpected("`|` or the end", &context);
        if name == "summarize" && problem.fixes.is_empty() && self.begins_operand() {
            let fix = Fix::insert(self.span().start, "by ");
            problem = problem.hint("the keys stand after `by`").fix(fix);
        }
        self.report(problem);
    }

    /// An error about a tabular operator that does not exist.
    pub(super) fn unknown_operator(&self, name: &str, span: Span) -> Diagnostic {
        let problem = Diagnostic::error(span, format!("`{name}` is no tabular operator"));
        let lower = name.to_ascii_lowercase();
        let habit = OPERATOR_HABITS
            .iter()
            .find(|(words, ..)| words.contains(&lower.as_str()));
        if let Some((_, instead, hint)) = habit {
            let problem = problem.hint(*hint);
            return match instead {
                Some(instead) => problem.fix(Fix::replace(span, *instead)),
                None => problem,
            };
        }
        match suggest(name, OPERATORS.iter().copied()) {
            Some(found) => problem.meant(found, span, found, name),
            None => problem,
        }
    }

    /// Warns of an operator's name that is no longer written.
    pub(super) fn warn_of_old_operator(&mut self, name: &str, span: Span) {
        if let Some((_, new)) = OLD_OPERATORS.iter().find(|(old, _)| *old == name) {
            self.warn_of_old_name(name, new, span);
        }
    }

    /// Warns of a spelling that Kusto has kept for old queries.
    pub(super) fn warn_of_old_name(&mut self, old: &str, new: &str, span: Span) {
        let message = format!("`{old}` is an old name of `{new}`");
        let warning = Diagnostic::warning(span, message).fix(Fix::replace(span, new).safe());
        self.warnings.push(warning);
    }
}

/// Whether a word is an operator between operands.
fn is_operator_word(text: &str) -> bool {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!');
    let known = BinaryOp::from_text(text).is_some() || ListOp::from_text(text).is_some();
    word && (known || matches!(text, "between" | "!between" | "matches"))
}

/// The operator that says the opposite of a word.
fn negated(word: &str) -> Option<String> {
    if word == "like" {
        return Some("notlike".to_owned());
    }
    let operator = format!("!{word}");
    is_operator_word(&operator).then_some(operator)
}
