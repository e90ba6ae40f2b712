//! Lexer, parser, formatter and what the editor asks: no text makes them panic; what is laid out still parses, and is laid out
//! already; fixes lead to texts.
//!
//! Input whose first byte is even is the text itself; other input changes a query of the cases.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spoor_kql_fuzz::{Case, cases, changed};
use spoor_kql_syntax::{
    brackets, format, highlight, indentation, parse, query_until, segments, toggle_comments,
};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases().0);

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    match kind % 2 {
        0 => tried(&String::from_utf8_lossy(rest)),
        _ => {
            if let Some((text, _)) = changed(rest, &CASES) {
                tried(&text);
            }
        }
    }
});

fn tried(text: &str) {
    for diagnostic in parse(text).diagnostics {
        assert!(
            text.get(diagnostic.span.clone()).is_some(),
            "{diagnostic:?}"
        );
        for fix in &diagnostic.fixes {
            assert!(fix.apply(text).is_some(), "{fix:?}");
        }
    }
    for (range, _) in highlight(text) {
        assert!(text.get(range).is_some());
    }
    if let Some(laid_out) = format(text) {
        assert_eq!(format(&laid_out).as_deref(), Some(laid_out.as_str()));
    }
    brackets(text);
    segments(text);
    let middle = text.floor_char_boundary(text.len() / 2);
    query_until(text, middle);
    indentation(text, middle);
    toggle_comments(text, 0..middle);
}
