//! Text into tokens. The parser and the highlighter call it; it never fails: what is no token is `Kind::Unknown`, and what
//! is wrong inside a token (an unknown escape, a missing quote) is a diagnostic beside it.
//!
//! Words are not split into keywords here: whether `count` is an operator, a function or a column depends on where it stands.

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::fix::Fix;
use crate::text;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword; `!has`, `in~` and `!in~` too.
    Word,
    /// Any form of string; `string_value` decodes it.
    String,
    /// `12`, `0x1f`.
    Long,
    /// `1.5`, `1e3`.
    Real,
    /// `1d`, `1.5h`.
    TimeSpan,
    /// `datetime(...)`, `long(...)`: a type's name and, up to the closing parenthesis, raw text.
    Typed,
    /// A guid outside `guid(...)`.
    RawGuid,
    /// `(`, `==`, `..`...
    Punctuation,
    /// No token of the language.
    Unknown,
    /// A comment, up to the end of its line; the parser does not see it.
    Comment,
    /// The end of the text.
    End,
}

/// All tokens of a text, comments included, and `Kind::End`; with what is wrong inside them.
pub(crate) fn lex(source: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        source,
        at: 0,
        tokens: Vec::new(),
        diagnostics: Vec::new(),
    };
    while lexer.token() {}
    (lexer.tokens, lexer.diagnostics)
}

/// The types whose literals are `type(raw text)`.
const TYPED: &[&str] = &[
    "bool", "boolean", "int", "long", "real", "double", "decimal", "datetime", "date", "timespan",
    "time", "guid",
];

/// Punctuation, longest first where one begins another.
const PUNCTUATION: &[&str] = &[
    "..", "==", "=>", "=~", "!=", "!~", "<=", ">=", "<>", "<|", "-->", "<--", "&&", "||", "(", ")",
    "[", "]", "{", "}", "|", ".", "+", "-", "*", "/", "%", "<", ">", "=", ":", ";", ",", "?",
];

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
}

impl Lexer<'_> {
    /// Reads one token; false at the end.
    fn token(&mut self) -> bool {
        self.skip_space();
        let start = self.at;
        let Some(first) = self.peek() else {
            self.push(Kind::End, start);
            return false;
        };
        let kind = self.scan(first);
        self.push(kind, start);
        true
    }

    fn scan(&mut self, first: char) -> Kind {
        if self.rest().starts_with("//") {
            self.eat_while(|c| c != '\n');
            return Kind::Comment;
        }
        if self.starts_string() {
            return self.string();
        }
        if first.is_ascii_hexdigit() && is_guid(self.rest()) {
            self.at += 36;
            return Kind::RawGuid;
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if is_word_start(first) {
            return self.word();
        }
        if first == '!' && self.rest()[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.at += 1;
            self.eat_while(is_word);
            self.eat_in_tilde();
            return Kind::Word;
        }
        if let Some(found) = PUNCTUATION.iter().find(|p| self.rest().starts_with(**p)) {
            self.at += found.len();
            return Kind::Punctuation;
        }
        self.at += first.len_utf8();
        Kind::Unknown
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        self.bump();
        self.eat_while(is_word);
        self.eat_in_tilde();
        let word = &self.source[start..self.at];
        if TYPED.contains(&word) && self.rest().starts_with('(') {
            return self.typed();
        }
        Kind::Word
    }

    fn eat_in_tilde(&mut self) {
        let word_end = self.at;
        if self.rest().starts_with('~') && self.source[..word_end].ends_with("in") {
            self.at += 1;
        }
    }

    /// Raw text up to the closing parenthesis, which must stand on the same line.
    fn typed(&mut self) -> Kind {
        let start = self.at;
        self.at += 1;
        let quoted = self
            .rest()
            .trim_start()
            .chars()
            .next()
            .filter(|c| *c == '"' || *c == '\'');
        if let Some(quote) = quoted {
            self.eat_while(|c| c != quote && c != '\n');
            self.bump();
            self.eat_while(|c| c != quote && c != '\n');
        }
        self.eat_while(|c| c != ')' && c != '\n');
        if self.rest().starts_with(')') {
            self.at += 1;
        } else {
            let problem = Diagnostic::error(start..self.at, "this literal has no closing `)`");
            self.diagnostics
                .push(problem.fix(Fix::insert(self.at, ")")));
        }
        Kind::Typed
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        for (scan, kind) in [
            (scan_real as fn(&str) -> usize, Kind::Real),
            (scan_timespan, Kind::TimeSpan),
            (scan_long, Kind::Long),
        ] {
            let length = scan(self.rest());
            if length > 0 {
                self.at += length;
                return kind;
            }
        }
        self.eat_while(is_word);
        // A word of digits alone was a number above, so this one is a name such as `4xx`.
        debug_assert!(self.at > start);
        Kind::Word
    }

    fn starts_string(&self) -> bool {
        let rest = self.rest();
        let rest = rest.strip_prefix(['h', 'H']).unwrap_or(rest);
        let rest = rest.strip_prefix('@').unwrap_or(rest);
        rest.starts_with(['"', '\'']) || rest.starts_with("```") || rest.starts_with("~~~")
    }

    fn string(&mut self) -> Kind {
        let start = self.at;
        let (length, problem) = text::scan_string(self.rest());
        self.at += length;
        if let Some(problem) = problem {
            let place = start + problem.span.start..start + problem.span.end;
            let mut diagnostic = Diagnostic::error(place, problem.message);
            diagnostic.hint = problem.hint;
            diagnostic.fixes = problem.fixes;
            for (range, _) in diagnostic.fixes.iter_mut().flat_map(|fix| &mut fix.edits) {
                *range = start + range.start..start + range.end;
            }
            self.diagnostics.push(diagnostic);
        }
        Kind::String
    }

    fn skip_space(&mut self) {
        self.eat_while(|c| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.tokens.push(Token {
            kind,
            span: Span::new(start, self.at),
        });
    }
}

/// Whether a name may begin with it.
fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

/// Whether a name may hold it.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the text begins with 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 36
        && bytes
            .iter()
            .take(36)
            .enumerate()
            .all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn ends_word(text: &str, at: usize) -> bool {
    !text[at..].starts_with(is_word)
}

/// The length of a real at the start of the text, 0 for none. `1..2` is a range and no real.
fn scan_real(text: &str) -> usize {
    let mut at = digits(text);
    let dot = text[at..].starts_with('.') && !text[at..].starts_with("..");
    if dot {
        at += 1 + digits(&text[at + 1..]);
    }
    let exponent = scan_exponent(&text[at..]);
    if !dot && exponent == 0 {
        return 0;
    }
    at += exponent;
    if ends_word(text, at) { at } else { 0 }
}

fn scan_exponent(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let sign = usize::from(rest.starts_with(['+', '-']));
    let count = digits(&rest[sign..]);
    if count == 0 { 0 } else { 1 + sign + count }
}

fn scan_long(text: &str) -> usize {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let length = match hex {
        Some(rest) => 2 + rest.bytes().take_while(u8::is_ascii_hexdigit).count(),
        None => digits(text),
    };
    if length == 2 && hex.is_some() || !ends_word(text, length) {
        0
    } else {
        length
    }
}

fn scan_timespan(text: &str) -> usize {
    let mut at = digits(text);
    if text[at..].starts_with('.') {
        let fraction = digits(&text[at + 1..]);
        at += if fraction > 0 { 1 + fraction } else { 0 };
    }
    let unit: usize = text[at..]
        .bytes()
        .take_while(u8::is_ascii_alphabetic)
        .count();
    let known = crate::text::ticks_per_unit(&text[at..at + unit]).is_some();
    if known && ends_word(text, at + unit) {
        at + unit
    } else {
        0
    }
}
