//! KQL in colours: the notebook's renderer, the page and the terminal call it. It works on tokens alone, so it never fails and is
//! as good on half a query as on a whole one.

use std::ops::Range;

use crate::ast::{BinaryOp, ListOp};
use crate::lexer::{Kind, Token, lex};
use crate::parser::OPERATORS;

/// What a piece of KQL is, for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// `// ...`
    Comment,
    /// A tabular operator or a word of one's syntax.
    Keyword,
    /// `==`, `has`, `and`...
    Operator,
    /// A name before `(`.
    Function,
    /// A column, a table, a variable.
    Name,
    /// A type's name.
    Type,
    /// Any form of string.
    String,
    /// A number, a timespan.
    Number,
    /// `true`, `datetime(...)`, a guid.
    Literal,
    /// Brackets, commas, `|`.
    Punctuation,
    /// No token of the language.
    Error,
}

/// The coloured pieces of a text, in order, without the space between them.
pub fn highlight(source: &str) -> Vec<(Range<usize>, TokenKind)> {
    let (tokens, _) = lex(source);
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let hyphens = operator_length(source, &tokens, at);
        if hyphens > 1 {
            let end = tokens
                .get(at + hyphens - 1)
                .map_or(token.span.end, |last| last.span.end);
            pieces.push((token.span.start..end, TokenKind::Keyword));
            at += hyphens;
            continue;
        }
        if token.kind != Kind::End {
            pieces.push((token.span.range(), classify(source, &tokens, at)));
        }
        at += 1;
    }
    pieces
}

/// The tokens of a hyphenated operator's name that starts here; 1 where none does.
pub(crate) fn operator_length(source: &str, tokens: &[Token], at: usize) -> usize {
    let text = |from: usize, to: usize| {
        let (first, last) = (tokens.get(from)?, tokens.get(to)?);
        source.get(first.span.start..last.span.end)
    };
    [7, 5, 3]
        .into_iter()
        .find(|length| text(at, at + length - 1).is_some_and(|name| OPERATORS.contains(&name)))
        .unwrap_or(1)
}

fn classify(source: &str, tokens: &[Token], at: usize) -> TokenKind {
    let Some(token) = tokens.get(at) else {
        return TokenKind::Error;
    };
    let text = source.get(token.span.range()).unwrap_or("");
    match token.kind {
        Kind::Comment => TokenKind::Comment,
        Kind::String => TokenKind::String,
        Kind::Long | Kind::Real | Kind::TimeSpan => TokenKind::Number,
        Kind::Typed | Kind::RawGuid => TokenKind::Literal,
        Kind::Unknown | Kind::End => TokenKind::Error,
        Kind::Punctuation if BinaryOp::from_text(text).is_some() || matches!(text, "=" | "<>") => {
            TokenKind::Operator
        }
        Kind::Punctuation => TokenKind::Punctuation,
        Kind::Word => classify_word(source, text, tokens, at),
    }
}

fn classify_word(source: &str, text: &str, tokens: &[Token], at: usize) -> TokenKind {
    let neighbour = |token: Option<&Token>| {
        token
            .and_then(|token| source.get(token.span.range()))
            .unwrap_or("")
    };
    let before = neighbour(at.checked_sub(1).and_then(|at| tokens.get(at)));
    let after = neighbour(tokens.get(at + 1));
    if before == "." {
        return if after == "(" {
            TokenKind::Function
        } else {
            TokenKind::Name
        };
    }
    if matches!(text, "true" | "false" | "null") {
        return TokenKind::Literal;
    }
    if is_operator_word(text) {
        return TokenKind::Operator;
    }
    if before == "|" && OPERATORS.contains(&text) || is_keyword(text) {
        return TokenKind::Keyword;
    }
    if after == "(" {
        return TokenKind::Function;
    }
    if before == ":" && is_type(text) {
        TokenKind::Type
    } else {
        TokenKind::Name
    }
}

fn is_operator_word(text: &str) -> bool {
    let known = BinaryOp::from_text(text).is_some() || ListOp::from_text(text).is_some();
    known || matches!(text, "between" | "!between" | "matches" | "regex")
}

fn is_keyword(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "asc",
        "by",
        "datatable",
        "declare",
        "desc",
        "dynamic",
        "extend",
        "externaldata",
        "from",
        "invoke",
        "join",
        "kind",
        "let",
        "materialize",
        "nulls",
        "of",
        "on",
        "order",
        "parse",
        "print",
        "project",
        "set",
        "sort",
        "step",
        "summarize",
        "take",
        "to",
        "toscalar",
        "top",
        "typeof",
        "union",
        "view",
        "where",
        "with",
    ];
    WORDS.contains(&text)
}

fn is_type(text: &str) -> bool {
    const TYPES: &[&str] = &[
        "bool", "boolean", "date", "datetime", "decimal", "double", "dynamic", "guid", "int",
        "long", "real", "string", "time", "timespan",
    ];
    TYPES.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_classified() {
        let source = "T | project-away x // c\n| where f(a) has 'b' and y == 1d";
        let shown: Vec<_> = highlight(source)
            .into_iter()
            .map(|(span, kind)| (&source[span], kind))
            .collect();
        use TokenKind::*;
        let expected = [
            ("T", Name),
            ("|", Punctuation),
            ("project-away", Keyword),
            ("x", Name),
            ("// c", Comment),
            ("|", Punctuation),
            ("where", Keyword),
            ("f", Function),
            ("(", Punctuation),
            ("a", Name),
            (")", Punctuation),
            ("has", Operator),
            ("'b'", String),
            ("and", Operator),
            ("y", Name),
            ("==", Operator),
            ("1d", Number),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn any_text_is_coloured() {
        for source in ["", "'open", "\u{1F600} § ```", "!", "datetime(", "1.2.3..4"] {
            for (span, _) in highlight(source) {
                assert!(source.get(span).is_some());
            }
        }
    }
}
