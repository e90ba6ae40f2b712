//! Which tables a query may read, told from its text alone: the kernel loads them before the query starts.

use std::ops::Range;

use spoor_kql_syntax::{TokenKind, highlight};

use super::columns::wildcard;
use super::parsers::table_of_parser;

/// Those of the `declared` names that a query may read: names that it mentions, that a pattern of its matches, or all where it
/// searches everything. It may name too many, never too few; it works on text that does not parse.
pub fn references(text: &str, declared: &[String]) -> Vec<String> {
    let tokens = highlight(text);
    let mut mentioned: Vec<&str> = mentions(text, &tokens);
    let parsed: Vec<&str> = mentioned
        .iter()
        .filter_map(|name| table_of_parser(name))
        .collect();
    mentioned.extend(parsed);
    let wanted = |name: &str| {
        mentioned
            .iter()
            .any(|mention| *mention == name || mention.contains('*') && wildcard(mention, name))
    };
    declared
        .iter()
        .filter(|name| wanted(name))
        .cloned()
        .collect()
}

/// Words, strings without their quotes, and words with the `*` that touch them.
fn mentions<'t>(text: &'t str, tokens: &[(Range<usize>, TokenKind)]) -> Vec<&'t str> {
    let piece = |span: &Range<usize>| text.get(span.clone()).unwrap_or("");
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((span, kind)) = tokens.get(at) {
        let mut end = span.end;
        if matches!(piece(span), "search" | "find") {
            found.push("*");
        }
        while let Some((next, _)) = tokens
            .get(at + 1)
            .filter(|(next, _)| next.start == end && is_part(piece(next)))
        {
            if !is_part(piece(span)) {
                break;
            }
            end = next.end;
            at += 1;
        }
        let whole = text.get(span.start..end).unwrap_or("");
        match kind {
            TokenKind::String => {
                found.push(whole.trim_matches(|c| c == '"' || c == '\'' || c == '@'))
            }
            TokenKind::Comment | TokenKind::Number | TokenKind::Literal => {}
            // `count(*)` and `a * b` read nothing; `union *` does.
            _ if whole == "*" => found.extend(reads_all(text, tokens, at).then_some("*")),
            _ => found.push(whole),
        }
        at += 1;
    }
    found
}

fn is_part(piece: &str) -> bool {
    piece == "*" || piece.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
}

/// Whether the lone `*` is a list of tables: after `union`, its options or a comma.
fn reads_all(text: &str, tokens: &[(Range<usize>, TokenKind)], at: usize) -> bool {
    let before = tokens.get(..at).unwrap_or(&[]);
    before
        .iter()
        .rev()
        .map(|(span, _)| text.get(span.clone()).unwrap_or(""))
        .take_while(|piece| !matches!(*piece, "|" | ";" | "("))
        .any(|piece| piece == "union")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let declared = ["Alpha", "Beta", "Sec1", "Sec2", "a b"].map(str::to_owned);
        references(text, &declared)
    }

    #[test]
    fn names_patterns_and_strings_are_references() {
        assert_eq!(read("Alpha | join (Beta) on x"), ["Alpha", "Beta"]);
        assert_eq!(read("union Sec* | where x == 1"), ["Sec1", "Sec2"]);
        assert_eq!(read("table('Alpha') | count"), ["Alpha"]);
        assert_eq!(read("['a b'] | take 1"), ["a b"]);
        assert_eq!(read("union withsource=t * | count").len(), 5);
        assert_eq!(read("search 'x'").len(), 5);
    }

    #[test]
    fn products_and_comments_are_none() {
        assert_eq!(read("print 2 * 3 // Alpha"), Vec::<String>::new());
        assert_eq!(read("Beta | summarize arg_max(t, *)"), ["Beta"]);
    }
}
