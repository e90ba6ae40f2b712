//! What would put a diagnostic right: edits of the query's text. The page offers them under the mark, and `spoor kql check --fix`
//! applies those that leave nothing to choose.

use std::ops::Range;

use crate::ast::Span;

/// One way to put something right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for a menu: ``write `==` ``.
    pub title: String,
    /// Bytes of the source and what takes their place. They do not overlap.
    pub edits: Vec<(Range<usize>, String)>,
    /// Whether it can only be what was meant, so that a tool may apply it unasked.
    pub safe: bool,
}

impl Fix {
    /// Puts a text in place of another.
    pub fn replace(span: impl Into<Range<usize>>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            title: format!("write `{text}`"),
            edits: vec![(span.into(), text)],
            safe: false,
        }
    }

    /// Puts a text between two others.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            title: format!("insert `{}`", text.trim()),
            edits: vec![(at..at, text)],
            safe: false,
        }
    }

    /// Puts texts before and after a place.
    pub fn wrap(span: Span, before: &str, after: &str) -> Self {
        Self {
            title: format!("write `{before}...{after}`"),
            edits: vec![
                (span.start..span.start, before.to_owned()),
                (span.end..span.end, after.to_owned()),
            ],
            safe: false,
        }
    }

    /// Gives it another title.
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Says that it can only be what was meant.
    pub fn safe(mut self) -> Self {
        self.safe = true;
        self
    }

    /// The text with the fix applied; `None` where an edit is not of this text.
    pub fn apply(&self, source: &str) -> Option<String> {
        apply(source, &self.edits)
    }
}

/// Texts in place of others; `None` where a place is not of this text or two of them overlap.
fn apply(source: &str, edits: &[(Range<usize>, String)]) -> Option<String> {
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(source.len());
    let mut done = 0;
    for (range, text) in edits {
        out.push_str(source.get(done..range.start)?);
        source.get(range.clone())?;
        out.push_str(text);
        done = range.end;
    }
    out.push_str(source.get(done..)?);
    Some(out)
}

/// Applies as many fixes as do not touch each other, in the order of the source: the text, and which of them were applied.
pub fn apply_fixes<'f>(
    source: &str,
    fixes: impl IntoIterator<Item = &'f Fix>,
) -> (String, Vec<&'f Fix>) {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut applied = Vec::new();
    for fix in fixes {
        let free = fix.edits.iter().all(|(range, _)| {
            let apart = |(other, _): &(Range<usize>, String)| {
                other.end < range.start || range.end < other.start
            };
            edits.iter().all(apart)
        });
        if free && fix.apply(source).is_some() {
            edits.extend(fix.edits.iter().cloned());
            applied.push(fix);
        }
    }
    match apply(source, &edits) {
        Some(text) => (text, applied),
        None => (source.to_owned(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_whatever_their_order() {
        let fix = Fix {
            title: String::new(),
            edits: vec![(4..4, ")".into()), (0..0, "f(".into()), (1..2, "é".into())],
            safe: false,
        };
        assert_eq!(fix.apply("abcd").as_deref(), Some("f(aécd)"));
    }

    #[test]
    fn what_does_not_fit_the_text_is_refused() {
        for range in [1..2, 0..9, 7..8] {
            assert_eq!(Fix::replace(range, "x").apply("é"), None);
        }
        let overlapping = Fix {
            title: String::new(),
            edits: vec![(0..3, "x".into()), (1..2, "y".into())],
            safe: false,
        };
        assert_eq!(overlapping.apply("abcd"), None);
    }

    #[test]
    fn fixes_that_touch_each_other_wait() {
        let fixes = [
            Fix::replace(0..1, "x"),
            Fix::replace(1..2, "y"),
            Fix::replace(3..4, "z"),
        ];
        let (text, applied) = apply_fixes("abcd", &fixes);
        assert_eq!(text, "xbcz");
        assert_eq!(applied, [&fixes[0], &fixes[2]]);
    }
}
