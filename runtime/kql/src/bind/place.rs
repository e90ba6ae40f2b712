//! A place in a query that is being typed: the tokens before it, the operator that it is in, and what is in scope there. It works on
//! text that does not parse: what stands before the place is bound as far as it can be.

use std::ops::Range;

use spoor_kql_syntax::{OPERATORS, TokenKind, highlight, parse};

use super::{BindInput, Catalogue, Shape, shape};

/// Begin statements, and hold expressions as operators do.
const BEGINNINGS: [&str; 5] = ["datatable", "let", "print", "range", "union"];

/// A place in a text and the tokens before it.
pub(super) struct Place<'t> {
    pub text: &'t str,
    /// The word that ends at the place; empty where none does.
    pub word: Range<usize>,
    /// The tokens before that word.
    before: Vec<(Range<usize>, TokenKind)>,
    /// Whether it is inside a text or a comment.
    pub inert: bool,
}

impl<'t> Place<'t> {
    pub(super) fn new(text: &'t str, offset: usize) -> Self {
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

    pub(super) fn prefix(&self) -> &'t str {
        self.piece(&self.word)
    }

    /// The `n`th piece before the word, from 0.
    pub(super) fn back(&self, n: usize) -> &'t str {
        let at = self.before.len().checked_sub(n + 1);
        at.and_then(|at| self.before.get(at))
            .map_or("", |(span, _)| self.piece(span))
    }

    /// The name of the operator that the place is in; before the first `|`, that of a statement which begins with one.
    pub(super) fn operator(&self) -> &'t str {
        let at = self.last_pipe().map_or(self.statement(), |at| at + 1);
        let name = self.before.get(at).map_or("", |(span, _)| self.piece(span));
        let named = OPERATORS.contains(&name) || BEGINNINGS.contains(&name);
        if named { name } else { "" }
    }

    /// Where the tokens of the statement that the place is in begin.
    fn statement(&self) -> usize {
        let ends = |(span, _): &(Range<usize>, TokenKind)| self.piece(span) == ";";
        self.before.iter().rposition(ends).map_or(0, |at| at + 1)
    }

    /// The tokens of the operator that the place is in.
    fn clause(&self) -> &[(Range<usize>, TokenKind)] {
        let start = self.last_pipe().unwrap_or(self.statement());
        self.before.get(start..).unwrap_or(&[])
    }

    /// Whether a word stands between the operator's name and the place.
    pub(super) fn after_word(&self, word: &str) -> bool {
        self.clause()
            .iter()
            .any(|(span, _)| self.piece(span) == word)
    }

    /// Whether an operand ends before the place, so that what may follow one stands here.
    pub(super) fn after_operand(&self) -> bool {
        self.before.last().is_some_and(|(span, kind)| match kind {
            TokenKind::Name
            | TokenKind::Literal
            | TokenKind::Number
            | TokenKind::String
            | TokenKind::Type => true,
            TokenKind::Punctuation => matches!(self.piece(span), ")" | "]"),
            _ => false,
        })
    }

    /// The name before a `=` or in a list after it, which ends right before the place: `ycolumns` of `ycolumns=a, `.
    pub(super) fn option(&self) -> &'t str {
        let mut tokens = self.before.iter().rev().map(|(span, _)| self.piece(span));
        while let Some(piece) = tokens.next() {
            match piece {
                "=" => return tokens.next().unwrap_or(""),
                "(" | "|" | ";" => return "",
                _ => {}
            }
        }
        ""
    }

    /// The names before the `.` that ends before the place: `a`, `b` of `a.b.`.
    pub(super) fn path(&self) -> Vec<&'t str> {
        let mut names = Vec::new();
        let mut at = 0;
        while self.back(at) == "." {
            names.push(self.back(at + 1));
            at += 2;
        }
        names.reverse();
        names
    }

    /// The text between the last of the operator's words and another: the right side of a join.
    pub(super) fn between(&self, from: &str, to: &str) -> Option<&'t str> {
        let clause = self.clause();
        let place = |word: &str| {
            clause
                .iter()
                .position(|(span, _)| self.piece(span) == word)
                .and_then(|at| clause.get(at))
        };
        let (from, to) = (place(from)?.0.clone(), place(to)?.0.clone());
        self.text.get(from.end..to.start)
    }

    /// What is in scope where only the statements before and a text of the query's are bound.
    pub(super) fn shape_of(&self, text: &str, catalogue: &Catalogue) -> Option<Shape> {
        let input = BindInput {
            catalogue,
            now_ticks: 0,
            stages: &[],
        };
        shape(
            &parse(&format!("{}{text}", self.definitions())).query,
            &input,
        )
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

    /// What is in scope: the text before the place's operator, bound as far as it binds.
    pub(super) fn shape(&self, catalogue: &Catalogue) -> Option<Shape> {
        let input = BindInput {
            catalogue,
            now_ticks: 0,
            stages: &[],
        };
        let definitions = self.definitions();
        let pieces = self.pipe_pieces();
        let bound = |count: usize| {
            let text = format!("{definitions}{}", pieces.get(..count)?.join("\n| "));
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

    /// The statements before the one that the place is in. In a function's body its parameters are defined too, without values.
    fn definitions(&self) -> String {
        let mut open: Vec<usize> = Vec::new();
        let mut end = 0;
        let mut inner = Vec::new();
        for (at, (span, _)) in self.before.iter().enumerate() {
            match self.piece(span) {
                "{" => {
                    open.push(at);
                    inner.push((at, span.end));
                }
                "(" | "[" => open.push(at),
                ")" | "]" | "}" => {
                    let closed = open.pop();
                    inner.retain(|(brace, _)| Some(*brace) != closed);
                }
                ";" if open.is_empty() => end = span.end,
                ";" => {
                    if let Some((brace, end)) = inner.last_mut()
                        && open.last() == Some(&*brace)
                    {
                        *end = span.end;
                    }
                }
                _ => {}
            }
        }
        let mut text = self.text.get(..end).unwrap_or("").to_owned();
        for (brace, end) in inner {
            let start = self.before.get(brace).map_or(end, |(span, _)| span.end);
            text.push_str(&self.parameters(brace));
            text.push_str(self.text.get(start..end).unwrap_or(""));
        }
        text
    }

    /// `let`s for the parameters of the function whose body begins with the token `brace`.
    fn parameters(&self, brace: usize) -> String {
        let mut depth = 0usize;
        let begins = |(span, _): &(Range<usize>, TokenKind)| {
            match self.piece(span) {
                ")" => depth += 1,
                "(" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        };
        let tokens = self.before.get(..brace).unwrap_or(&[]);
        let closed = tokens
            .last()
            .is_some_and(|(span, _)| self.piece(span) == ")");
        let Some(start) = tokens.iter().rposition(begins).filter(|_| closed) else {
            return String::new();
        };
        let mut lets = String::new();
        let mut depth = 0usize;
        for at in start..brace {
            let piece = |ahead: usize| {
                let token = tokens.get(at + ahead);
                token.map_or("", |(span, _)| self.piece(span))
            };
            match piece(0) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                name if depth == 1 && piece(1) == ":" => {
                    lets.push_str(&self.parameter(name, at + 2, piece(2)));
                }
                _ => {}
            }
        }
        lets
    }

    /// A `let` for one parameter, whose type begins with the token `at`.
    fn parameter(&self, name: &str, at: usize, ty: &str) -> String {
        match ty {
            "(" => {
                let rest = self.before.get(at..).unwrap_or(&[]);
                let end = rest.iter().position(|(span, _)| self.piece(span) == ")");
                let span = |token: Option<&(Range<usize>, TokenKind)>| token.map(|t| t.0.clone());
                match (span(rest.first()), span(end.and_then(|end| rest.get(end)))) {
                    (Some(first), Some(last)) => {
                        let schema = self.text.get(first.start..last.end).unwrap_or("");
                        format!("let {name} = datatable{schema}[];")
                    }
                    _ => String::new(),
                }
            }
            "string" => format!("let {name} = \"\";"),
            ty => format!("let {name} = {ty}(null);"),
        }
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
