//! Tokens into a syntax tree, by recursive descent. `parse` is the only way in. Errors are collected: an operator that cannot
//! be parsed is reported and skipped up to the next `|`, a statement up to the next `;`, so that one parse reports several
//! mistakes and completion has what stands before them.

mod create_table;
mod expression;
mod graph;
mod habits;
mod literal;
mod names;
mod operators;
mod options;
mod scan;
mod series;
mod statement;
mod tabular;

pub use create_table::{CreateTable, parse_create_tables};
pub use names::{as_written, is_reserved};
pub use tabular::OPERATORS;

use crate::ast::{Query, Span};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Kind, Token, lex};

/// What a parse gives: the tree, partial where there are errors, and what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// As far as it could be understood.
    pub query: Query,
    /// In the order of the source. Empty: the text is a query.
    pub diagnostics: Vec<Diagnostic>,
    /// What is understood and no longer written so, in the order of the source.
    pub warnings: Vec<Diagnostic>,
}

/// Parses a query. Never fails and never panics; deep nesting is a diagnostic.
pub fn parse(source: &str) -> Parsed {
    let mut parser = Parser::new(source);
    let query = parser.query();
    let mut warnings = std::mem::take(&mut parser.warnings);
    warnings.sort_by_key(|warning| warning.span.start);
    Parsed {
        query,
        diagnostics: parser.into_diagnostics(),
        warnings,
    }
}

/// Levels of parentheses, subqueries and the like in each other.
const DEPTH_LIMIT: usize = 100;

/// Levels of the syntax tree: nesting, and the operators of a row that each take the ones before.
const HEIGHT_LIMIT: usize = 400;

/// The mark of an error that has been reported.
#[derive(Debug, Clone, Copy)]
struct Reported;

type Parse<T> = Result<T, Reported>;

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    depth: usize,
    /// How deep the tree is at most below what is being parsed.
    height: usize,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str) -> Self {
        let (mut tokens, diagnostics) = lex(source);
        tokens.retain(|token| token.kind != Kind::Comment);
        Self {
            source,
            tokens,
            at: 0,
            diagnostics,
            warnings: Vec::new(),
            depth: 0,
            height: 0,
        }
    }

    /// What was reported, in the order of the source, once for each place.
    fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        diagnostics.dedup_by_key(|diagnostic| diagnostic.span.clone());
        diagnostics
    }

    fn token(&self, ahead: usize) -> (Kind, Span) {
        let end = Span::new(self.source.len(), self.source.len());
        self.tokens
            .get(self.at + ahead)
            .map_or((Kind::End, end), |token| (token.kind, token.span))
    }

    fn kind(&self) -> Kind {
        self.token(0).0
    }

    fn span(&self) -> Span {
        self.token(0).1
    }

    /// The end of the token before.
    fn previous_end(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |token| token.span.end)
    }

    /// From a start to the token before.
    fn since(&self, start: Span) -> Span {
        Span::new(start.start, self.previous_end().max(start.start))
    }

    fn text_of(&self, span: Span) -> &'a str {
        self.source.get(span.range()).unwrap_or("")
    }

    fn text(&self) -> &'a str {
        self.text_of(self.span())
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.kind() != Kind::End {
            self.at += 1;
        }
        span
    }

    fn word_ahead(&self, ahead: usize, word: &str) -> bool {
        let (kind, span) = self.token(ahead);
        kind == Kind::Word && self.text_of(span) == word
    }

    fn mark_ahead(&self, ahead: usize, mark: &str) -> bool {
        let (kind, span) = self.token(ahead);
        kind == Kind::Punctuation && self.text_of(span) == mark
    }

    fn at_word(&self, word: &str) -> bool {
        self.word_ahead(0, word)
    }

    fn at_mark(&self, mark: &str) -> bool {
        self.mark_ahead(0, mark)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.at += usize::from(found);
        found
    }

    fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.at_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &str, context: &str) -> Parse<Span> {
        let span = self.span();
        if self.eat_mark(mark) {
            return Ok(span);
        }
        let mut problem = self.unexpected(&format!("`{mark}`"), context);
        problem.fixes.extend(self.closing_fix(mark));
        Err(self.report(problem))
    }

    fn expect_word(&mut self, word: &str, context: &str) -> Parse<Span> {
        let span = self.span();
        if self.eat_word(word) {
            return Ok(span);
        }
        let mut problem = self.unexpected(&format!("`{word}`"), context);
        if problem.fixes.is_empty() {
            problem.fixes.extend(self.keyword_fix(word));
        }
        Err(self.report(problem))
    }

    /// Whether two tokens touch, the first being `ahead` tokens ahead.
    fn touches_next(&self, ahead: usize) -> bool {
        self.token(ahead).1.end == self.token(ahead + 1).1.start
            && self.token(ahead + 1).0 != Kind::End
    }

    fn report(&mut self, problem: Diagnostic) -> Reported {
        self.diagnostics.push(problem);
        Reported
    }

    fn error(&mut self, span: Span, message: impl Into<String>) -> Reported {
        self.report(Diagnostic::error(span, message))
    }

    fn error_hint(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Reported {
        self.report(Diagnostic::error(span, message).hint(hint))
    }

    /// Reports what was expected here and what was found.
    fn expected(&mut self, what: &str, context: &str) -> Reported {
        let problem = self.unexpected(what, context);
        self.report(problem)
    }

    /// What was expected here and what was found.
    fn unexpected(&self, what: &str, context: &str) -> Diagnostic {
        let message = format!("expected {what} {context}, found {}", self.found());
        self.with_habit(Diagnostic::error(self.span(), message))
    }

    fn found(&self) -> String {
        match self.kind() {
            Kind::End => "the end of the query".to_owned(),
            Kind::String => "a string".to_owned(),
            _ => format!("`{}`", self.text().lines().next().unwrap_or("")),
        }
    }

    /// Runs a rule one level deeper.
    fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= DEPTH_LIMIT {
            let span = self.span();
            // Nothing after this place can be trusted: stop here rather than report a hundred missing brackets.
            self.at = self.tokens.len();
            let message = format!("the query nests more than {DEPTH_LIMIT} levels deep");
            return Err(self.error_hint(span, message, "name parts of it with `let`"));
        }
        self.depth += 1;
        let result = self.apart(|parser| {
            let result = rule(parser)?;
            parser.grow(1, parser.span())?;
            Ok(result)
        });
        self.depth -= 1;
        result
    }

    /// Runs a rule whose tree stands beside what was parsed before, not above it.
    fn apart<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        let beside = std::mem::take(&mut self.height);
        let result = rule(self);
        self.height = self.height.max(beside);
        result
    }

    /// Puts so many levels above what was parsed. What walks the tree later does so recursively.
    fn grow(&mut self, levels: usize, span: Span) -> Parse<()> {
        self.height += levels;
        if self.height <= HEIGHT_LIMIT {
            return Ok(());
        }
        self.at = self.tokens.len();
        let message = format!("the query builds up more than {HEIGHT_LIMIT} levels deep");
        Err(self.error_hint(span, message, "name parts of it with `extend` or `let`"))
    }

    /// Skips to a `|`, `;` or closing bracket that belongs to the enclosing rule.
    fn skip_operator(&mut self) {
        self.skip_operator_within(0);
    }

    /// The same, where `left` brackets have been opened and may be closed.
    fn skip_operator_within(&mut self, mut left: usize) {
        let mut open = 0usize;
        while self.kind() != Kind::End {
            if self.kind() == Kind::Punctuation {
                match self.text() {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" if open == 0 && left > 0 => left -= 1,
                    ")" | "]" | "}" if open == 0 => return,
                    ")" | "]" | "}" => open -= 1,
                    "|" | ";" if open == 0 => return,
                    _ => {}
                }
            }
            self.at += 1;
        }
    }

    /// One or more of a rule with commas between.
    fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![rule(self)?];
        while self.eat_mark(",") {
            items.push(rule(self)?);
        }
        Ok(items)
    }

    /// Any number of a rule with commas between, up to a closing mark, which is eaten. A last comma is allowed.
    fn list_until<T>(
        &mut self,
        close: &str,
        context: &str,
        mut rule: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat_mark(close) {
            items.push(rule(self)?);
            if !self.eat_mark(",") {
                self.expect_mark(close, context)?;
                break;
            }
        }
        Ok(items)
    }
}
