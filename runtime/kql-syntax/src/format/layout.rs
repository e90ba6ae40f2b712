//! Lines: where they break and how deep they begin.

use super::spacing::spaces;
use super::text_of;
use crate::lexer::{Kind, Token};

/// Columns by which each level is deeper.
const INDENT: usize = 4;

/// The whole text, ending in a line break.
pub(super) fn lay_out(source: &str, tokens: &[Token], width: usize) -> String {
    let tokens: &[Token] = match tokens {
        [rest @ .., last] if last.kind == Kind::End => rest,
        all => all,
    };
    let mut layout = Layout {
        source,
        tokens,
        spaces: spaces(source, tokens),
        partners: partners(source, tokens),
        width,
        out: String::new(),
        column: 0,
    };
    layout.statements(0..tokens.len(), 0);
    let mut out = layout.out.trim().to_owned();
    out.push('\n');
    out
}

/// For each opening bracket, its closing one.
fn partners(source: &str, tokens: &[Token]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match text_of(source, token) {
            "(" | "[" | "{" => open.push(at),
            ")" | "]" | "}" => {
                if let Some(opened) = open.pop() {
                    partners[opened] = Some(at);
                }
            }
            _ => {}
        }
    }
    partners
}

type Range = std::ops::Range<usize>;

struct Layout<'a> {
    source: &'a str,
    tokens: &'a [Token],
    spaces: Vec<bool>,
    partners: Vec<Option<usize>>,
    width: usize,
    out: String,
    /// Characters in the line so far.
    column: usize,
}

impl Layout<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens
            .get(at)
            .map_or("", |token| text_of(self.source, token))
    }

    fn is_comment(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.kind == Kind::Comment)
    }

    /// Statements, each ending in `;`. One empty line between two of them is kept.
    fn statements(&mut self, range: Range, indent: usize) {
        for (index, statement) in self.split(range, ";", true).into_iter().enumerate() {
            if index > 0 {
                self.line(indent);
                self.keep_empty_line(statement.start, indent);
            }
            self.pipe(statement, indent);
        }
    }

    /// A source and its operators, each on its line.
    fn pipe(&mut self, range: Range, indent: usize) {
        for (index, segment) in self.split(range, "|", false).into_iter().enumerate() {
            if index > 0 {
                self.line(indent);
                self.keep_empty_line(segment.start, indent);
            }
            self.segment(segment, indent);
        }
    }

    /// One operator: on one line if it fits, else its list items on lines of their own.
    fn segment(&mut self, range: Range, indent: usize) {
        let apart = !self.fits(range.clone(), indent) && self.has_list(range.clone());
        self.run(range, indent, apart);
    }

    /// Tokens one after the other; `apart`: what follows a comma, or is a clause, begins a line.
    fn run(&mut self, range: Range, indent: usize, apart: bool) {
        let mut at = range.start;
        // Comments before and after are as deep as what they are about.
        let first = range.clone().find(|at| !self.is_comment(*at));
        let last = range.clone().rfind(|at| !self.is_comment(*at));
        let within = first.unwrap_or(range.end) + 1..=last.unwrap_or(range.end);
        while at < range.end {
            let deeper = indent + if within.contains(&at) { INDENT } else { 0 };
            self.before(at, at == range.start, deeper, apart);
            match self.partners.get(at).copied().flatten() {
                Some(close) if close < range.end => {
                    let deeper = if apart { indent + INDENT } else { indent };
                    self.group(at, close, deeper);
                    at = close + 1;
                }
                _ => {
                    self.put(at);
                    at += 1;
                }
            }
        }
    }

    /// The space or the line break before a token of a run; a line begins `indent` deep.
    fn before(&mut self, at: usize, starts: bool, indent: usize, apart: bool) {
        let own_line = self.is_comment(at) && self.begins_line(at);
        if own_line || !starts && self.is_comment(at - 1) {
            return self.line(indent);
        }
        if starts {
            return;
        }
        let item = self.text(at - 1) == "," && !self.is_comment(at);
        let clause = matches!(self.text(at), "by" | "on");
        if apart && (item || clause) {
            self.line(indent);
        } else if self.spaces.get(at) == Some(&true) {
            self.push(" ");
        }
    }

    /// A bracket and what is inside it.
    fn group(&mut self, open: usize, close: usize, indent: usize) {
        let inside = open + 1..close;
        self.put(open);
        let lines = self.holds_lines(inside.clone());
        if lines && !inside.is_empty() {
            self.line(indent + INDENT);
            self.statements(inside, indent + INDENT);
            self.line(indent);
        } else {
            let long = self.column + self.length(inside.clone()) + 1 > self.width;
            let apart = long && self.text(open) != "[" && self.has_list(inside.clone());
            if apart {
                self.line(indent + INDENT);
                self.items(inside, indent + INDENT);
                self.line(indent);
            } else {
                self.inside(inside, indent);
            }
        }
        if !lines && self.text(close) == "}" && close > open + 1 {
            self.push(" ");
        }
        self.put(close);
    }

    fn inside(&mut self, inside: Range, indent: usize) {
        if self.text(inside.start.saturating_sub(1)) == "{" && !inside.is_empty() {
            self.push(" ");
        }
        self.run(inside, indent, false);
    }

    /// A list's items, each on its line.
    fn items(&mut self, range: Range, indent: usize) {
        for (index, item) in self.split(range, ",", true).into_iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            self.run(item, indent, false);
        }
    }

    /// Whether a bracket's inside has lines of its own: a pipe, statements, or a comment.
    fn holds_lines(&self, inside: Range) -> bool {
        let mut at = inside.start;
        while at < inside.end {
            if matches!(self.text(at), "|" | ";") || self.is_comment(at) {
                return true;
            }
            at = self.after(at, inside.end);
        }
        false
    }

    fn has_list(&self, range: Range) -> bool {
        self.split(range, ",", true).len() > 1
    }

    /// The pieces of a range between marks outside of its brackets; `ends`: the mark ends a piece,
    /// else it begins one. A comment on a mark's line stays with what is before it.
    fn split(&self, range: Range, mark: &str, ends: bool) -> Vec<Range> {
        let (mut pieces, mut start, mut at) = (Vec::new(), range.start, range.start);
        while at < range.end {
            if self.text(at) == mark && !self.is_comment(at) {
                let mut cut = if ends { at + 1 } else { at };
                while cut < range.end && ends && self.is_comment(cut) && !self.begins_line(cut) {
                    cut += 1;
                }
                if !ends {
                    cut = self.own_comments(cut, start);
                }
                if cut > start {
                    pieces.push(start..cut);
                    start = cut;
                }
            }
            at = self.after(at, range.end).max(at + 1);
        }
        if start < range.end {
            pieces.push(start..range.end);
        }
        pieces
    }

    /// Where the comments that stand on lines of their own before a token begin: they belong to it.
    fn own_comments(&self, at: usize, start: usize) -> usize {
        let mut first = at;
        while first > start && self.is_comment(first - 1) && self.begins_line(first - 1) {
            first -= 1;
        }
        first
    }

    /// The token after this one, or after its bracket's end.
    fn after(&self, at: usize, end: usize) -> usize {
        match self.partners.get(at).copied().flatten() {
            Some(close) if close < end => close + 1,
            _ => at + 1,
        }
    }

    fn begins_line(&self, at: usize) -> bool {
        let from = match at.checked_sub(1).and_then(|before| self.tokens.get(before)) {
            Some(before) => before.span.end,
            None => return true,
        };
        let to = self.tokens.get(at).map_or(from, |token| token.span.start);
        self.source.get(from..to).unwrap_or("").contains('\n')
    }

    fn fits(&self, range: Range, indent: usize) -> bool {
        let mut at = range.start;
        let mut length = self.column.max(indent);
        while at < range.end {
            if self.is_comment(at) && at + 1 == range.end {
                break;
            }
            length += self.length(at..at + 1);
            let next = self.after(at, range.end);
            if next > at + 1 {
                let inside = at + 1..next - 1;
                // What has lines of its own ends the line that is measured.
                if self.holds_lines(inside.clone()) {
                    return length <= self.width;
                }
                length += self.length(inside) + 1;
            }
            at = next;
        }
        length <= self.width
    }

    /// How long a range is on one line.
    fn length(&self, range: Range) -> usize {
        range
            .map(|at| self.text(at).chars().count() + usize::from(self.spaces[at]))
            .sum()
    }

    fn put(&mut self, at: usize) {
        let text = self.tokens.get(at).map_or("", |t| text_of(self.source, t));
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(line) => self.column = text[line + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    /// Begins a line, unless this is one already.
    fn line(&mut self, indent: usize) {
        let blank = self.out.trim_end_matches(' ').len();
        self.out.truncate(blank);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// An empty line that the text has before a token.
    fn keep_empty_line(&mut self, at: usize, indent: usize) {
        let (Some(before), Some(here)) = (
            at.checked_sub(1).and_then(|b| self.tokens.get(b)),
            self.tokens.get(at),
        ) else {
            return;
        };
        let between = self.source.get(before.span.end..here.span.start);
        if between.is_some_and(|space| space.matches('\n').count() > 1) {
            let blank = self.out.trim_end_matches(' ').len();
            self.out.truncate(blank);
            self.out.push('\n');
            self.line(indent);
        }
    }
}
