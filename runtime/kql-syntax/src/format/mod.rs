//! KQL laid out: `spoor kql format` and the page call it. It changes space and nothing else: the
//! result has the same tokens and comments in the same order, and parses as the text did.
//!
//! The rules are those of published queries: an operator of a pipe begins its line with `|`; what does
//! not fit a line has its list items on lines of their own, four deeper; a subquery with a pipe of
//! its own stands between its parentheses' lines, four deeper; comments stay where they are.

mod layout;
mod spacing;

use crate::lexer::{Kind, Token, lex};
use crate::parser::parse;

/// How long a line can be, in characters, where its text can be broken.
const WIDTH: usize = 100;

/// The text laid out, ending in a line break; `None` if it does not parse.
///
/// ```
/// let laid_out = spoor_kql_syntax::format("T|where A>1|summarize count() by B");
/// assert_eq!(laid_out.as_deref(), Some("T\n| where A > 1\n| summarize count() by B\n"));
/// ```
pub fn format(source: &str) -> Option<String> {
    if !parse(source).diagnostics.is_empty() {
        return None;
    }
    let (tokens, _) = lex(source);
    let laid_out = layout::lay_out(source, &tokens, WIDTH);
    // What must never happen is not left to the rules above.
    let same = texts(source, &tokens).eq(texts(&laid_out, &lex(&laid_out).0));
    if same && parse(&laid_out).diagnostics.is_empty() {
        Some(laid_out)
    } else {
        Some(source.to_owned())
    }
}

fn texts<'a>(source: &'a str, tokens: &[Token]) -> impl Iterator<Item = &'a str> {
    tokens
        .iter()
        .filter(|token| token.kind != Kind::End)
        .map(|token| text_of(source, token))
        .collect::<Vec<_>>()
        .into_iter()
}

fn text_of<'a>(source: &'a str, token: &Token) -> &'a str {
    source.get(token.span.range()).unwrap_or("").trim_end()
}
