//! What the fixes of the parser's diagnostics make of a query, case by case, and that each puts right what it is for.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use spoor_kql_syntax::{Diagnostic, Fix, parse};

fn all(query: &str) -> Vec<Diagnostic> {
    let parsed = parse(query);
    parsed
        .diagnostics
        .into_iter()
        .chain(parsed.warnings)
        .collect()
}

fn describe(query: &str) -> String {
    let mut text = String::new();
    for diagnostic in all(query) {
        writeln!(text, "{}", diagnostic.message).unwrap();
        for fix in &diagnostic.fixes {
            let mark = if fix.safe { "!" } else { "" };
            writeln!(text, "  {}{mark}:", fix.title).unwrap();
            for line in fix.apply(query).unwrap().lines() {
                writeln!(text, "    {line}").unwrap();
            }
        }
    }
    text
}

/// Where a byte of a text is after a fix.
fn moved(fix: &Fix, at: usize) -> usize {
    let before = fix.edits.iter().filter(|(range, _)| range.end <= at);
    before.fold(at, |at, (range, text)| at + text.len() - range.len())
}

fn check_fixes(query: &str) {
    for diagnostic in all(query) {
        for fix in &diagnostic.fixes {
            let fixed = fix.apply(query).unwrap();
            let same = |other: &Diagnostic| {
                other.message == diagnostic.message
                    && other.span.start == moved(fix, diagnostic.span.start)
            };
            assert!(
                !all(&fixed).iter().any(same),
                "{query}\n{}\n{fixed}",
                diagnostic.message
            );
        }
    }
}

/// The queries of `fixes.md` with what is expected of each. `UPDATE_EXPECT=1` rewrites the file.
#[test]
fn fixes_read_well_and_put_right_what_they_are_for() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixes.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks: Vec<String> = text.split("\n```").map(str::to_owned).collect();
    let mut count = 0;
    for at in 0..blocks.len() {
        let Some(query) = blocks[at].strip_prefix("kql\n").map(str::to_owned) else {
            continue;
        };
        count += 1;
        check_fixes(&query);
        blocks[at + 2] = format!("text\n{}", describe(&query).trim_end());
    }
    assert!(count > 30, "only {count} cases were found");
    let actual = blocks.join("\n```");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    assert_eq!(text, actual);
}

/// Queries with a character or a word taken out have mistakes of every kind: no fix may leave its diagnostic where it is.
#[test]
fn fixes_of_broken_queries_put_right_what_they_are_for() {
    let query = "let f = (a: long) { T | where x has 'é' and a between (1 .. 2) };\n\
                 T | where a == 1 and (b in ('x', \"y\")) | join kind=inner (U | take 5) on k\n\
                 | parse x with * 'a' b: long * | summarize n = count() by bin(t, 1h) | sort by n desc\n\
                 | render timechart with (title='x')";
    assert_eq!(all(query), []);
    for (at, character) in query.char_indices() {
        check_fixes(&query[..at]);
        check_fixes(&format!(
            "{}{}",
            &query[..at],
            &query[at + character.len_utf8()..]
        ));
    }
    let words: Vec<&str> = query.split(' ').collect();
    for left_out in 0..words.len() {
        let mut fewer = words.clone();
        fewer.remove(left_out);
        check_fixes(&fewer.join(" "));
    }
}
