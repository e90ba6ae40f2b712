//! Completion and hover: what may stand at a place of a query, and what a word there means. The kernel and the page call it. Both
//! work on text that does not parse: what stands before the place is bound as far as it can be.

use std::ops::Range;

use spoor_kql_syntax::{OPERATORS, TokenKind, highlight, is_reserved, parse};
use spoor_table::KustoType;

use super::documentation::{CHARTS, JOIN_KINDS, operator_documentation};
use super::scope::Entity;
use super::{BindInput, Catalogue, Shape, shape};
use crate::functions;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    /// The bytes that a completion replaces: the word before the place.
    pub range: Range<usize>,
    /// Best first.
    pub items: Vec<Completion>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to insert.
    pub text: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A type, a signature; may be empty.
    pub detail: String,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// A table of the catalogue or of the query.
    Table,
    /// A column in scope.
    Column,
    /// A tabular operator.
    Operator,
    /// A scalar function.
    Function,
    /// An aggregate function.
    Aggregate,
    /// A scalar that `let` defines.
    Variable,
    /// A word of an operator's syntax, an option's value, a type.
    Keyword,
}

/// What a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub range: Range<usize>,
    /// A signature or a name with its type.
    pub title: String,
    /// A sentence or more; may be empty.
    pub text: String,
}

/// What may stand at `offset`, a byte of the text.
pub fn complete(text: &str, offset: usize, catalogue: &Catalogue) -> Completions {
    let place = Place::new(text, offset);
    let mut items = place.candidates(catalogue);
    let prefix = place.prefix().to_lowercase();
    items.retain(|item| {
        item.text
            .trim_start_matches("['")
            .to_lowercase()
            .starts_with(&prefix)
    });
    items.dedup_by(|a, b| a.text == b.text);
    Completions {
        range: place.word.clone(),
        items,
    }
}

/// What the word at `offset` means, if it is known.
pub fn hover(text: &str, offset: usize, catalogue: &Catalogue) -> Option<Hover> {
    let (range, kind) = word_at(text, offset)?;
    let word = text.get(range.clone())?;
    let place = Place::new(text, range.start);
    let (title, text) = match kind {
        TokenKind::Keyword => {
            operator_documentation(word).map(|d| (d.signature.to_owned(), d.summary.to_owned()))?
        }
        _ => meaning(word, kind, &place, catalogue)?,
    };
    Some(Hover { range, title, text })
}

fn meaning(
    word: &str,
    kind: TokenKind,
    place: &Place<'_>,
    catalogue: &Catalogue,
) -> Option<(String, String)> {
    let shape = place.shape(catalogue);
    if kind != TokenKind::Function {
        if let Some(column) = shape
            .as_ref()
            .and_then(|shape| shape.columns.iter().find(|c| c.name == word))
        {
            return Some((format!("{word}: {}", column.ty), "a column".to_owned()));
        }
        if let Some(table) = catalogue.get(word) {
            let columns = table
                .columns
                .iter()
                .map(|column| (column.name.as_str(), column.ty));
            return Some((word.to_owned(), columns_text(columns)));
        }
        match shape.as_ref().and_then(|shape| shape.scope.get(word)) {
            Some(Entity::Scalar(typed)) => {
                return Some((
                    format!("{word}: {}", typed.ty),
                    "defined by `let`".to_owned(),
                ));
            }
            Some(Entity::Table(table)) => {
                let columns = table
                    .columns
                    .iter()
                    .map(|column| (column.name.as_str(), column.ty));
                return Some((word.to_owned(), columns_text(columns)));
            }
            _ => {}
        }
    }
    let documentation = functions::scalar(word)
        .map(|f| f.docs)
        .or_else(|| functions::aggregate(word).map(|f| f.docs));
    documentation
        .or_else(|| operator_documentation(word))
        .map(|docs| (docs.signature.to_owned(), docs.summary.to_owned()))
}

fn columns_text<'c>(columns: impl Iterator<Item = (&'c str, KustoType)>) -> String {
    let lines: Vec<String> = columns.map(|(name, ty)| format!("{name}: {ty}")).collect();
    lines.join("\n")
}

fn word_at(text: &str, offset: usize) -> Option<(Range<usize>, TokenKind)> {
    highlight(text).into_iter().find(|(span, kind)| {
        span.start <= offset
            && offset <= span.end
            && matches!(
                kind,
                TokenKind::Keyword | TokenKind::Function | TokenKind::Name | TokenKind::Operator
            )
    })
}

/// A place in a text and the tokens before it.
struct Place<'t> {
    text: &'t str,
    /// The word that ends at the place; empty where none does.
    word: Range<usize>,
    /// The tokens before that word.
    before: Vec<(Range<usize>, TokenKind)>,
    inert: bool,
}

impl<'t> Place<'t> {
    fn new(text: &'t str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut before = highlight(text.get(..end).unwrap_or(""));
        let last = before.last().cloned();
        let inert = last.as_ref().is_some_and(|(span, kind)| {
            matches!(kind, TokenKind::Comment | TokenKind::String) && span.end == end
        });
        let word = match last {
            Some((span, kind)) if span.end == end && is_word(&text[span.clone()], kind) => {
                before.pop();
                span
            }
            _ => end..end,
        };
        before.retain(|(_, kind)| *kind != TokenKind::Comment);
        Self {
            text,
            word,
            before,
            inert,
        }
        .with_hyphens()
    }

    /// Takes `project-aw` after a `|` as one word.
    fn with_hyphens(mut self) -> Self {
        loop {
            let count = self.before.len();
            let Some([(pipe, _), (head, _), (hyphen, _)]) =
                self.before.get(count.saturating_sub(3)..count)
            else {
                return self;
            };
            let joined = self.piece(hyphen) == "-"
                && hyphen.end == self.word.start
                && head.end == hyphen.start;
            let operator = self.piece(pipe) == "|" || self.piece(pipe) == "-";
            if !joined || !operator {
                return self;
            }
            self.word.start = head.start;
            self.before.truncate(count - 2);
        }
    }

    fn piece(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or("")
    }

    fn prefix(&self) -> &'t str {
        self.piece(&self.word)
    }

    /// The `n`th piece before the word, from 0.
    fn back(&self, n: usize) -> &'t str {
        let at = self.before.len().checked_sub(n + 1);
        at.and_then(|at| self.before.get(at))
            .map_or("", |(span, _)| self.piece(span))
    }

    fn candidates(&self, catalogue: &Catalogue) -> Vec<Completion> {
        if self.inert {
            return Vec::new();
        }
        let shape = self.shape(catalogue);
        match self.back(0) {
            "|" => return operators(),
            "" | ";" => return start_of_query(catalogue, shape.as_ref()),
            "render" => return keywords(CHARTS),
            ":" if self.operator() != "where" => {
                return keywords(&KustoType::ALL.map(KustoType::name));
            }
            "(" if self.back(1) == "typeof" => {
                return keywords(&KustoType::ALL.map(KustoType::name));
            }
            "=" if self.back(1) == "kind" => return keywords(self.kinds()),
            _ => {}
        }
        if self.takes_table() {
            return tables(catalogue, shape.as_ref());
        }
        self.in_expression(catalogue, shape.as_ref())
    }

    fn in_expression(&self, catalogue: &Catalogue, shape: Option<&Shape>) -> Vec<Completion> {
        let mut items: Vec<Completion> = Vec::new();
        for column in shape.map_or(&[][..], |shape| &shape.columns) {
            items.push(item(
                &bracketed(&column.name),
                CompletionKind::Column,
                column.ty.name(),
            ));
        }
        items.extend(variables(shape));
        items.extend(keywords(self.clause_words()));
        let aggregates = matches!(self.operator(), "summarize" | "make-series" | "top-nested")
            && !self.after_by();
        items.extend(all_functions(aggregates));
        if self.open_bracket() {
            items.extend(tables(catalogue, shape));
        }
        items
    }

    /// The name of the operator that the place is in; before the first `|`, that of a statement which begins with one.
    fn operator(&self) -> &'t str {
        let at = self.last_pipe().map_or(self.statement(), |at| at + 1);
        let name = self.before.get(at).map_or("", |(span, _)| self.piece(span));
        let named = OPERATORS.contains(&name);
        if named { name } else { "" }
    }

    /// Where the tokens of the statement that the place is in begin.
    fn statement(&self) -> usize {
        let ends = |(span, _): &(Range<usize>, TokenKind)| self.piece(span) == ";";
        self.before.iter().rposition(ends).map_or(0, |at| at + 1)
    }

    /// The tokens of the operator that the place is in.
    fn clause(&self) -> &[(Range<usize>, TokenKind)] {
        self.last_pipe()
            .and_then(|at| self.before.get(at..))
            .unwrap_or(&self.before)
    }

    fn after_by(&self) -> bool {
        self.clause()
            .iter()
            .any(|(span, _)| self.piece(span) == "by")
    }

    /// The place of the innermost pipe's last `|`.
    fn last_pipe(&self) -> Option<usize> {
        let mut open = 0usize;
        for (at, (span, _)) in self.before.iter().enumerate().rev() {
            match self.piece(span) {
                ")" | "]" | "}" => open += 1,
                "(" | "[" | "{" => open = open.saturating_sub(1),
                "|" if open == 0 => return Some(at),
                ";" if open == 0 => return None,
                _ => {}
            }
        }
        None
    }

    fn kinds(&self) -> &'static [&'static str] {
        match self.operator() {
            "join" => JOIN_KINDS,
            "lookup" => &["inner", "leftouter"],
            "union" => &["inner", "outer"],
            "parse" | "parse-where" => &["regex", "relaxed", "simple"],
            "mv-expand" => &["array", "bag"],
            _ => &["default", "stacked", "stacked100", "unstacked"],
        }
    }

    fn clause_words(&self) -> &'static [&'static str] {
        match self.operator() {
            "summarize" if !self.after_by() => &["by"],
            "sort" | "order" | "top" => &["asc", "by", "desc", "nulls first", "nulls last"],
            "join" | "lookup" => &["kind=", "on"],
            "mv-expand" => &["kind=", "limit", "to typeof(", "with_itemindex="],
            "parse" | "parse-where" => &["kind=", "with"],
            "where" | "filter" => &[
                "and",
                "between",
                "contains",
                "endswith",
                "has",
                "has_any",
                "in",
                "in~",
                "or",
                "startswith",
            ],
            _ => &[],
        }
    }

    /// Whether a table must stand here.
    fn takes_table(&self) -> bool {
        let before = self.back(0);
        match self.operator() {
            "join" | "lookup" => {
                before == "join" || before == "lookup" || before == "(" && !self.clause_has("on")
            }
            "union" => matches!(before, "union" | ","),
            _ => {
                before == "union"
                    || before == "(" && matches!(self.back(1), "materialize" | "toscalar" | "table")
            }
        }
    }

    fn clause_has(&self, word: &str) -> bool {
        self.clause()
            .iter()
            .any(|(span, _)| self.piece(span) == word)
    }

    fn open_bracket(&self) -> bool {
        matches!(self.back(0), "(")
    }

    /// What is in scope: the text before the place's operator, bound as far as it binds.
    fn shape(&self, catalogue: &Catalogue) -> Option<Shape> {
        let input = BindInput {
            catalogue,
            now_ticks: 0,
            stages: &[],
        };
        let definitions = self.definitions();
        let pieces = self.pipe_pieces();
        let bound = |count: usize| {
            let text = format!("{definitions}{}", pieces.get(..count)?.join(" | "));
            let parsed = parse(&text);
            let whole = parsed.diagnostics.is_empty();
            whole.then(|| shape(&parsed.query, &input)).flatten()
        };
        if !pieces.is_empty()
            && let Some(whole) = bound(pieces.len())
        {
            return Some(whole);
        }
        // What binds with an operator binds without it: the longest part that does is found by halving.
        let (mut good, mut bad, mut best) = (0, pieces.len(), None);
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            match bound(middle) {
                Some(found) => (best, good) = (Some(found), middle),
                None => bad = middle,
            }
        }
        best.or_else(|| shape(&parse(&definitions).query, &input))
    }

    /// The statements before the one that the place is in.
    fn definitions(&self) -> String {
        let mut open = 0usize;
        let mut end = 0;
        for (span, _) in &self.before {
            match self.piece(span) {
                "(" | "[" | "{" => open += 1,
                ")" | "]" | "}" => open = open.saturating_sub(1),
                ";" if open == 0 => end = span.end,
                _ => {}
            }
        }
        self.text.get(..end).unwrap_or("").to_owned()
    }

    /// The operators of the innermost pipe before the place's own, the source first.
    fn pipe_pieces(&self) -> Vec<&'t str> {
        let Some(last) = self.last_pipe() else {
            return Vec::new();
        };
        let mut cuts = vec![self.before.get(last).map_or(0, |(span, _)| span.start)];
        let mut start = 0;
        let mut open = 0usize;
        for (span, _) in self.before.get(..last).unwrap_or(&[]).iter().rev() {
            match self.piece(span) {
                ")" | "]" | "}" => open += 1,
                "(" | "[" | "{" if open == 0 => {
                    start = span.end;
                    break;
                }
                "(" | "[" | "{" => open -= 1,
                ";" | "=" if open == 0 && (self.piece(span) == ";" || self.is_let(span)) => {
                    start = span.end;
                    break;
                }
                "|" if open == 0 => cuts.push(span.start),
                _ => {}
            }
        }
        cuts.reverse();
        let mut from = start;
        let mut pieces = Vec::new();
        for cut in cuts {
            pieces.push(self.text.get(from..cut).unwrap_or("").trim());
            from = cut + 1;
        }
        pieces
    }

    /// Whether the `=` at a place is that of `let name =`.
    fn is_let(&self, span: &Range<usize>) -> bool {
        let at = self.before.iter().position(|(other, _)| other == span);
        at.and_then(|at| at.checked_sub(2))
            .and_then(|at| self.before.get(at))
            .is_some_and(|(s, _)| self.piece(s) == "let")
    }
}

fn is_word(text: &str, kind: TokenKind) -> bool {
    !matches!(
        kind,
        TokenKind::String | TokenKind::Comment | TokenKind::Number
    ) && text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
}

fn item(text: &str, kind: CompletionKind, detail: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        kind,
        detail: detail.to_owned(),
    }
}

fn bracketed(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain && !is_reserved(name) {
        name.to_owned()
    } else {
        format!("['{}']", name.replace('\'', "\\'"))
    }
}

fn keywords(words: &[&str]) -> Vec<Completion> {
    words
        .iter()
        .map(|word| item(word, CompletionKind::Keyword, ""))
        .collect()
}

fn operators() -> Vec<Completion> {
    let documented = OPERATORS
        .iter()
        .filter_map(|name| Some((name, operator_documentation(name)?)));
    documented
        .map(|(name, docs)| item(name, CompletionKind::Operator, docs.signature))
        .collect()
}

fn tables(catalogue: &Catalogue, shape: Option<&Shape>) -> Vec<Completion> {
    let own = shape.into_iter().flat_map(|shape| shape.scope.names());
    let own = own
        .filter(|(_, entity)| matches!(entity, Entity::Table(_)))
        .map(|(name, _)| name);
    let mut items: Vec<Completion> = own
        .map(|name| item(&bracketed(name), CompletionKind::Table, "let"))
        .collect();
    for (name, table) in catalogue {
        let detail = format!("{} columns", table.columns.len());
        items.push(item(&bracketed(name), CompletionKind::Table, &detail));
    }
    items
}

fn variables(shape: Option<&Shape>) -> Vec<Completion> {
    let names = shape.into_iter().flat_map(|shape| shape.scope.names());
    let items = names.filter_map(|(name, entity)| match entity {
        Entity::Scalar(typed) => Some(item(name, CompletionKind::Variable, typed.ty.name())),
        Entity::Function(_) => Some(item(name, CompletionKind::Function, "let")),
        Entity::Table(_) => None,
    });
    items.collect()
}

fn start_of_query(catalogue: &Catalogue, shape: Option<&Shape>) -> Vec<Completion> {
    let mut items = tables(catalogue, shape);
    items.extend(keywords(&["datatable", "let", "print", "range", "union"]));
    items
}

/// Functions, aggregates first where they may stand.
fn all_functions(aggregates: bool) -> Vec<Completion> {
    let mut names: Vec<&str> = functions::names().collect();
    names.sort_unstable();
    names.dedup();
    let mut items = Vec::new();
    if aggregates {
        let found = names
            .iter()
            .filter_map(|name| Some((name, functions::aggregate(name)?)));
        items
            .extend(found.map(|(name, f)| item(name, CompletionKind::Aggregate, f.docs.signature)));
    }
    let found = names
        .iter()
        .filter_map(|name| Some((name, functions::scalar(name)?)));
    items.extend(found.map(|(name, f)| item(name, CompletionKind::Function, f.docs.signature)));
    items
}
