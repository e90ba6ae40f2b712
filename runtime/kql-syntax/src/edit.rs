//! What an editor needs to know of a text while it is typed, without a query engine: brackets, statements and their pipes,
//! comments and indentation. It works on tokens, so it is as good on half a query as on a whole one.

use std::ops::Range;

use crate::fix::Fix;
use crate::lexer::{Kind, Token, lex};

/// One statement and the parts of its outermost pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// From its first token to its last, without the `;`.
    pub span: Range<usize>,
    /// The source, then each operator from its `|` on.
    pub parts: Vec<Range<usize>>,
}

/// The places of brackets that belong together, in the order of the closing ones. Brackets in texts and comments are none.
pub fn brackets(source: &str) -> Vec<(usize, usize)> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut pairs = Vec::new();
    for (token, text) in marks(source, &lex(source).0) {
        match text {
            "(" => open.push((')', token.start)),
            "[" => open.push((']', token.start)),
            "{" => open.push(('}', token.start)),
            ")" | "]" | "}" => {
                // One that is missing inside does not part those around it.
                if let Some(at) = open.iter().rposition(|(close, _)| text.starts_with(*close)) {
                    pairs.push((open[at].1, token.start));
                    open.truncate(at);
                }
            }
            _ => {}
        }
    }
    pairs
}

/// The statements of a text with the parts of their pipes, for "run this" and for folding.
pub fn segments(source: &str) -> Vec<Segments> {
    let (tokens, _) = lex(source);
    let mut found: Vec<Segments> = Vec::new();
    let mut current: Option<Segments> = None;
    let mut depth = 0usize;
    for token in tokens.iter().filter(|token| is_code(token)) {
        let text = source.get(token.span.range()).unwrap_or("");
        let mark = token.kind == Kind::Punctuation;
        match text {
            "(" | "[" | "{" if mark => depth += 1,
            ")" | "]" | "}" if mark => depth = depth.saturating_sub(1),
            ";" if mark && depth == 0 => {
                found.extend(current.take());
                continue;
            }
            _ => {}
        }
        let span = token.span.range();
        let statement = current.get_or_insert_with(|| Segments {
            span: span.clone(),
            parts: vec![span.clone()],
        });
        if mark && text == "|" && depth == 0 && statement.span != span {
            statement.parts.push(span.clone());
        }
        statement.span.end = span.end;
        if let Some(part) = statement.parts.last_mut() {
            part.end = span.end;
        }
    }
    found.extend(current);
    found
}

/// The query up to and with the operator at a place, after the definitions before it: what to run to see the rows that the
/// operator gives. `None` where no statement is.
pub fn query_until(source: &str, offset: usize) -> Option<String> {
    let statements = segments(source);
    let at = statements
        .iter()
        .rposition(|statement| statement.span.start <= offset)?;
    let (definitions, statement) = (statements.get(..at)?, statements.get(at)?);
    let last = statement
        .parts
        .iter()
        .rev()
        .find(|part| part.start <= offset)?;
    let mut query = String::new();
    for definition in definitions {
        let text = source.get(definition.span.clone())?;
        if ["let", "set", "declare"].contains(&first_word(text)) {
            query.push_str(text);
            query.push_str(";\n");
        }
    }
    query.push_str(source.get(statement.span.start..last.end)?);
    Some(query)
}

/// Makes comments of the lines that a range touches, or code again if all of them are comments.
pub fn toggle_comments(source: &str, range: Range<usize>) -> Fix {
    let lines: Vec<(usize, &str)> = lines_of(source, &range)
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    let commented = |(_, line): &(usize, &str)| line.trim_start().starts_with("//");
    let indent = |line: &str| line.len() - line.trim_start().len();
    if !lines.is_empty() && lines.iter().all(commented) {
        let edits = lines.iter().map(|(start, line)| {
            let from = start + indent(line);
            let space = line[indent(line)..].starts_with("// ");
            (from..from + if space { 3 } else { 2 }, String::new())
        });
        return toggled("uncomment", edits.collect());
    }
    let column = lines.iter().map(|(_, line)| indent(line)).min();
    let edits = lines.iter().map(|(start, line)| {
        // An indentation of wider characters than spaces may have no boundary at the common column.
        let mut at = column.unwrap_or(0);
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        (start + at..start + at, "// ".to_owned())
    });
    toggled("comment", edits.collect())
}

fn toggled(title: &str, edits: Vec<(Range<usize>, String)>) -> Fix {
    Fix {
        title: title.to_owned(),
        edits,
        safe: true,
    }
}

/// What to put after the line break at a place: the space that the line before begins with, and four more behind an open
/// bracket; a pipe goes on where its operators stand.
pub fn indentation(source: &str, offset: usize) -> String {
    let before = source.get(..offset).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[start..];
    let mut indent: String = line
        .chars()
        .take_while(|c| *c == ' ' || *c == '\t')
        .collect();
    let (tokens, _) = lex(before);
    let opened = marks(before, &tokens)
        .filter(|(token, _)| token.start >= start)
        .fold(0i64, |open, (_, text)| match text {
            "(" | "[" | "{" => open + 1,
            ")" | "]" | "}" => open - 1,
            _ => open,
        });
    if opened > 0 {
        indent.push_str("    ");
    }
    indent
}

fn marks<'s>(
    source: &'s str,
    tokens: &[Token],
) -> impl Iterator<Item = (crate::ast::Span, &'s str)> {
    tokens
        .iter()
        .filter(|token| token.kind == Kind::Punctuation)
        .map(|token| (token.span, source.get(token.span.range()).unwrap_or("")))
}

fn is_code(token: &Token) -> bool {
    !matches!(token.kind, Kind::Comment | Kind::End)
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !crate::lexer::is_word(c))
        .next()
        .unwrap_or("")
}

/// The lines that a range touches, each with the place of its first byte.
fn lines_of<'s>(source: &'s str, range: &Range<usize>) -> impl Iterator<Item = (usize, &'s str)> {
    let (first, last) = (range.start, range.end);
    source
        .split('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        })
        .filter(move |(start, line)| *start <= last && first <= start + line.len())
        // A selection that ends where a line begins does not mean that line.
        .filter(move |(start, _)| *start < last || first == last || *start == first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn brackets_pair_outside_texts_and_comments() {
        let source = "f(a[0], '(') // )\n| where (b";
        assert_eq!(brackets(source), [(3, 5), (1, 11)]);
        assert_eq!(brackets("f([a)"), [(1, 4)]);
        assert_eq!(brackets(")]}"), []);
    }

    #[test]
    fn statements_have_their_pipes_parts() {
        let source =
            "let a = (U | take 1); // note; here\nT\n| where x == ';' | join (V | count) on k;";
        let shown: Vec<Vec<&str>> = segments(source)
            .into_iter()
            .map(|statement| statement.parts.into_iter().map(|p| &source[p]).collect())
            .collect();
        assert_eq!(
            shown,
            [
                vec!["let a = (U | take 1)"],
                vec!["T", "| where x == ';'", "| join (V | count) on k"]
            ]
        );
        assert_eq!(segments(" // nothing"), []);
    }

    #[test]
    fn a_query_is_cut_after_the_operator_at_a_place() {
        let source = "let n = 5;\nT | where a\n| take n | count";
        let until = |needle: &str| query_until(source, source.find(needle).unwrap());
        assert_eq!(until("where").unwrap(), "let n = 5;\nT | where a");
        assert_eq!(
            until("take n").unwrap(),
            "let n = 5;\nT | where a\n| take n"
        );
        assert_eq!(until("let").unwrap(), "let n = 5");
        assert_eq!(query_until("", 0), None);
    }

    #[test]
    fn comments_come_and_go() {
        let source = "T\n  | where a\n\n    | take 1";
        let commented = toggle_comments(source, 2..source.len())
            .apply(source)
            .unwrap();
        assert_eq!(commented, "T\n  // | where a\n\n  //   | take 1");
        let back = toggle_comments(&commented, 2..commented.len());
        assert_eq!(back.apply(&commented).unwrap(), source);
        // The selection ends where the second line begins.
        assert_eq!(
            toggle_comments("a\nb", 0..2).apply("a\nb").unwrap(),
            "// a\nb"
        );
    }

    #[test]
    fn a_new_line_goes_on_where_the_last_began() {
        assert_eq!(indentation("  | where a", 11), "  ");
        assert_eq!(indentation("| join (", 8), "    ");
        assert_eq!(indentation("| where f('(')", 14), "");
        assert_eq!(indentation("", 0), "");
    }
}
