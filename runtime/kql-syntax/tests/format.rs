//! Queries laid out. Each case of `format.md` is a query and what becomes of it.
#![allow(clippy::unwrap_used)]

use spoor_kql_syntax::format;

/// `(before, after)` of each case: two fenced blocks in a row.
fn cases() -> Vec<(String, String)> {
    let text = include_str!("format.md");
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
    let inside = |block: &str| block.split_once('\n').unwrap().1.to_owned();
    blocks
        .chunks(2)
        .map(|pair| (inside(pair[0]), inside(pair[1])))
        .collect()
}

#[test]
fn queries_are_laid_out() {
    assert!(cases().len() > 10);
    for (before, after) in cases() {
        assert_eq!(format(&before).as_deref(), Some(after.as_str()), "{before}");
    }
}

#[test]
fn what_is_laid_out_stays() {
    for (_, after) in cases() {
        assert_eq!(format(&after).as_deref(), Some(after.as_str()));
    }
}

#[test]
fn what_does_not_parse_is_left_alone() {
    assert_eq!(format("T | where ("), None);
    assert_eq!(format("T | wher x > 1"), None);
}
