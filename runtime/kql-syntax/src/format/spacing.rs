//! The space between two tokens that stand on one line.

use super::text_of;
use crate::highlight::operator_length;
use crate::lexer::{Kind, Token};

/// Options that are written `name=value`, without space, as Kusto's documentation does.
const OPTIONS: &[&str] = &[
    "kind",
    "cycles",
    "with_component_id",
    "with_node_id",
    "with_source_id",
    "with_target_id",
    "withsource",
    "with_source",
    "with_itemindex",
    "isfuzzy",
    "bagexpansion",
    "decodeblocks",
    "flags",
];

/// For each token, whether a space stands before it when it follows another on its line.
pub(super) fn spaces(source: &str, tokens: &[Token]) -> Vec<bool> {
    let tight = tight_names(source, tokens);
    (0..tokens.len())
        .map(|at| at > 0 && !tight[at] && spaced(source, tokens, at))
        .collect()
}

/// The tokens that continue a name: `project-away`, `hint.strategy`.
fn tight_names(source: &str, tokens: &[Token]) -> Vec<bool> {
    let mut tight = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        let length = operator_length(source, tokens, at);
        tight[at + 1..(at + length).min(tokens.len())].fill(true);
        at += length;
    }
    tight
}

fn spaced(source: &str, tokens: &[Token], at: usize) -> bool {
    let (before, here) = (&tokens[at - 1], &tokens[at]);
    let apart = before.span.end < here.span.start;
    if in_pattern(source, tokens, at) {
        return apart;
    }
    match (text_of(source, before), text_of(source, here)) {
        ("(" | "[", _) | (_, ")" | "]" | "," | ";" | ".") | (".", _) => false,
        ("," | ";" | "|", _) | (_, "|" | "{" | "}") | ("{" | "}", _) => true,
        (_, "==" | "!=" | "=~" | "!~" | "<=" | ">=" | "<>" | "=>" | ".." | "<|") => true,
        ("==" | "!=" | "=~" | "!~" | "<=" | ">=" | "<>" | "=>" | ".." | "<|", _) => true,
        (_, "=") => !is_option(source, tokens, at - 1),
        ("=", _) => !is_option(source, tokens, at.saturating_sub(2)),
        (_, "<" | ">") | ("<" | ">", _) => true,
        // A call, an index, a sign, a wildcard, a type: as they were written.
        _ => apart || is_comment(before) || is_comment(here),
    }
}

/// Whether the token at `at` and the one before it are of an edge of a graph's pattern: `(a)<-[e*1..3]-(b)`.
fn in_pattern(source: &str, tokens: &[Token], at: usize) -> bool {
    let text = |ahead: isize| {
        let at = at.checked_add_signed(ahead);
        at.and_then(|at| tokens.get(at))
            .map_or("", |token| text_of(source, token))
    };
    let range = |dots: isize| {
        text(dots) == ".."
            && text(dots - 2) == "*"
            && (text(dots - 3) == "[" || text(dots - 4) == "[")
    };
    match (text(-1), text(0)) {
        (")", "<") => text(1) == "-" && text(2) == "[",
        ("<", "-") => text(1) == "[" && text(-2) == ")",
        ("-", ">") => text(-2) == "]",
        (">", "(") => text(-2) == "-" && text(-3) == "]",
        (_, "..") => range(0),
        ("..", _) => range(-1),
        _ => false,
    }
}

/// Whether the word at `at` is the name of an option: of those, or one with a dot, or within `with (...)`, or after the `with` of
/// `reduce`.
fn is_option(source: &str, tokens: &[Token], at: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| text_of(source, token));
    if OPTIONS.contains(&text(at)) || at > 0 && text(at - 1) == "." {
        return true;
    }
    if text(at) == "output" && at > 0 && text(at - 1) == "paths" {
        return true;
    }
    let of_reduce = matches!(text(at), "threshold" | "characters");
    let mut depth = 0_usize;
    for back in (0..at).rev() {
        match text(back) {
            ")" => depth += 1,
            "(" if depth == 0 => return back > 0 && text(back - 1) == "with",
            "(" => depth -= 1,
            "with" if depth == 0 && of_reduce => return true,
            "|" | ";" => return false,
            _ => {}
        }
    }
    false
}

fn is_comment(token: &Token) -> bool {
    token.kind == Kind::Comment
}
