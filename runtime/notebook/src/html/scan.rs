//! Highlighting of code: one scanner driven by a small table per language. Made for reading, not
//! for parsing: it never fails, and it is fast enough that a page is done in the time in which a
//! grammar-based highlighter compiles its first regular expressions.

use std::ops::Range;

/// What a stretch of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word of the language.
    Keyword,
    /// A constant or a name that comes with the language.
    Builtin,
    /// A name that is called or defined.
    Function,
    /// Text in quotes.
    String,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// A decorator, or a command to the notebook.
    Magic,
    /// An operator.
    Operator,
}

/// How text in quotes begins and ends.
pub(crate) struct Quote {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    /// What takes the meaning from the character after it.
    pub(crate) escape: Option<char>,
    /// Whether it may hold line ends.
    pub(crate) is_long: bool,
}

/// What the scanner knows of a language.
pub(crate) struct Syntax {
    pub(crate) keywords: &'static [&'static str],
    pub(crate) builtins: &'static [&'static str],
    pub(crate) line_comments: &'static [&'static str],
    pub(crate) block_comment: Option<(&'static str, &'static str)>,
    pub(crate) quotes: &'static [Quote],
    /// Letters that may stand before a quote and belong to it.
    pub(crate) prefixes: &'static str,
    /// Characters that are part of names beside letters, digits and `_`.
    pub(crate) name_marks: &'static str,
    pub(crate) ignores_case: bool,
    /// Whether `@name`, and `%magic` and `!command` at the beginning of a line, are marked.
    pub(crate) has_magics: bool,
}

/// The stretches of `code` that are not plain, in order.
pub(crate) fn scan(code: &str, syntax: &Syntax) -> Vec<(Range<usize>, Token)> {
    let mut scanner = Scanner {
        code,
        at: 0,
        syntax,
        defines: false,
        tokens: Vec::new(),
    };
    while scanner.at < code.len() {
        scanner.step();
    }
    scanner.tokens
}

struct Scanner<'a> {
    code: &'a str,
    at: usize,
    syntax: &'a Syntax,
    /// Whether the word before was `def`, `class` or `function`.
    defines: bool,
    tokens: Vec<(Range<usize>, Token)>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.code[self.at..]
    }

    fn take(&mut self, len: usize, token: Token) {
        let end = self.at + len;
        self.tokens.push((self.at..end, token));
        self.at = end;
    }

    fn step(&mut self) {
        let Some(c) = self.rest().chars().next() else {
            return;
        };
        if c.is_whitespace() {
            self.at += c.len_utf8();
        } else if self.magic(c) || self.comment() || self.quote(0) {
            self.defines = false;
        } else if c.is_ascii_digit() {
            let len = number_len(self.rest());
            self.take(len, Token::Number);
        } else if self.is_name(c) {
            self.word();
        } else {
            self.defines = false;
            let operator = "+-*/%=<>!&|^~@?".contains(c);
            if operator {
                self.take(c.len_utf8(), Token::Operator);
            } else {
                self.at += c.len_utf8();
            }
        }
    }

    fn is_name(&self, c: char) -> bool {
        c.is_alphanumeric() || c == '_' || self.syntax.name_marks.contains(c)
    }

    fn magic(&mut self, c: char) -> bool {
        let is_mark = matches!(c, '%' | '!' | '@');
        if !self.syntax.has_magics || !is_mark || !self.begins_line() {
            return false;
        }
        let rest = self.rest();
        let end = match c {
            '@' => rest.find(|c: char| !(c.is_alphanumeric() || "@._".contains(c))),
            '!' => rest.find('\n'),
            _ => rest.find(char::is_whitespace),
        };
        let len = end.unwrap_or(rest.len());
        if len < 2 {
            return false;
        }
        self.take(len, Token::Magic);
        true
    }

    fn begins_line(&self) -> bool {
        let before = self.code[..self.at].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with('\n')
    }

    fn comment(&mut self) -> bool {
        let rest = self.rest();
        if self
            .syntax
            .line_comments
            .iter()
            .any(|open| rest.starts_with(open))
        {
            let len = rest.find('\n').unwrap_or(rest.len());
            self.take(len, Token::Comment);
            return true;
        }
        let Some((open, close)) = self
            .syntax
            .block_comment
            .filter(|(open, _)| rest.starts_with(open))
        else {
            return false;
        };
        let len = rest[open.len()..]
            .find(close)
            .map_or(rest.len(), |at| open.len() + at + close.len());
        self.take(len, Token::Comment);
        true
    }

    /// Text in quotes, the quote `prefix` bytes ahead.
    fn quote(&mut self, prefix: usize) -> bool {
        let rest = &self.rest()[prefix..];
        let Some(quote) = self
            .syntax
            .quotes
            .iter()
            .find(|quote| rest.starts_with(quote.open))
        else {
            return false;
        };
        self.take(prefix + quote_len(rest, quote), Token::String);
        true
    }

    fn word(&mut self) {
        let rest = self.rest();
        let len = rest.find(|c: char| !self.is_name(c)).unwrap_or(rest.len());
        let word = &rest[..len];
        let is_prefix = len <= 2 && word.chars().all(|c| self.syntax.prefixes.contains(c));
        if is_prefix && self.quote(len) {
            return;
        }
        let token = self.word_token(word, &rest[len..]);
        let defines = std::mem::replace(
            &mut self.defines,
            matches!(word, "def" | "class" | "function" | "fn"),
        );
        match token {
            Some(token) => self.take(len, token),
            None if defines => self.take(len, Token::Function),
            None => self.at += len,
        }
    }

    fn word_token(&self, word: &str, after: &str) -> Option<Token> {
        let is_attribute = self.code[..self.at].ends_with('.');
        let matches = |known: &&str| {
            if self.syntax.ignores_case {
                known.eq_ignore_ascii_case(word)
            } else {
                *known == word
            }
        };
        if !is_attribute && self.syntax.keywords.iter().any(&matches) {
            Some(Token::Keyword)
        } else if !is_attribute && self.syntax.builtins.iter().any(matches) {
            Some(Token::Builtin)
        } else {
            after.starts_with('(').then_some(Token::Function)
        }
    }
}

fn quote_len(rest: &str, quote: &Quote) -> usize {
    let mut at = quote.open.len();
    while let Some(c) = rest.get(at..).and_then(|rest| rest.chars().next()) {
        if rest[at..].starts_with(quote.close) {
            return at + quote.close.len();
        }
        if c == '\n' && !quote.is_long {
            return at;
        }
        at += c.len_utf8();
        if Some(c) == quote.escape {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    rest.len()
}

fn number_len(rest: &str) -> usize {
    let mut previous = ' ';
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let end = rest.find(|c: char| {
        let is_sign = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !is_hex;
        let goes_on = c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || is_sign;
        previous = c;
        !goes_on
    });
    end.unwrap_or(rest.len())
}
