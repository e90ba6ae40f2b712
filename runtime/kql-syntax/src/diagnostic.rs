//! What the parser and the binder have to say about a query, and how it is shown.

use std::fmt::Write as _;
use std::ops::Range;

use crate::fix::Fix;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The query does not run.
    Error,
    /// It runs.
    Warning,
}

/// One message about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where: bytes of the source.
    pub span: Range<usize>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Edits that put it right, the likeliest first; often none is known.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: impl Into<Range<usize>>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: span.into(),
            hint: None,
            fixes: Vec::new(),
        }
    }

    /// A warning about a place.
    pub fn warning(span: impl Into<Range<usize>>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(span, message)
        }
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a way to put it right.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Asks whether a known name was meant, and offers `text`, the name as a query writes it, in place of what stands at `span`.
    pub fn meant(
        self,
        name: &str,
        span: impl Into<Range<usize>>,
        text: &str,
        written: &str,
    ) -> Self {
        let mut fix = Fix::replace(span, text);
        fix.safe = written.to_lowercase() == name.to_lowercase();
        self.hint(format!("did you mean `{name}`?")).fix(fix)
    }

    /// Whether it keeps the query from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl From<crate::ast::Span> for Range<usize> {
    fn from(span: crate::ast::Span) -> Self {
        span.range()
    }
}

/// Line and column of a byte offset, both counted from 1; columns are characters.
pub fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source
        .get(..floor_boundary(source, offset))
        .unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

/// Diagnostics as text for people: for each the message, `line:column`, the line, carets under the place, the hint.
pub fn render(source: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for (at, diagnostic) in diagnostics.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        render_one(source, diagnostic, &mut out);
    }
    out
}

fn render_one(source: &str, diagnostic: &Diagnostic, out: &mut String) {
    let (line, column) = line_column(source, diagnostic.span.start);
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = source.lines().nth(line - 1).unwrap_or("");
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let (shown, indent) = window(text, column - 1);
    let carets = "^".repeat(caret_count(
        source,
        diagnostic,
        shown.chars().count().saturating_sub(indent),
    ));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{severity}: {}", diagnostic.message);
    let _ = writeln!(out, "{gutter}--> {line}:{column}");
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {shown}");
    let _ = writeln!(out, "{gutter} | {}{carets}", " ".repeat(indent));
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "{gutter} = hint: {hint}");
    }
}

/// The part of a line to show, at most 160 characters around a column, tabs as spaces; and the column within it.
fn window(text: &str, column: usize) -> (String, usize) {
    const BEFORE: usize = 80;
    const WIDTH: usize = 160;
    let start = column.saturating_sub(BEFORE);
    let shown = text
        .chars()
        .skip(start)
        .take(WIDTH)
        .map(|c| if c == '\t' { ' ' } else { c })
        .collect();
    (shown, column - start)
}

fn caret_count(source: &str, diagnostic: &Diagnostic, room: usize) -> usize {
    let start = floor_boundary(source, diagnostic.span.start);
    let end = floor_boundary(source, diagnostic.span.end).max(start);
    let marked = source.get(start..end).unwrap_or("");
    marked
        .lines()
        .next()
        .unwrap_or("")
        .chars()
        .count()
        .min(room)
        .max(1)
}

fn floor_boundary(source: &str, offset: usize) -> usize {
    let mut at = offset.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The candidate that a misspelt name most likely means: the same but for case, or few edits away.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let most = match wanted.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| {
            (
                distance(&wanted, &candidate.to_lowercase(), most),
                candidate,
            )
        })
        .filter(|(edits, _)| *edits <= most)
        .min_by_key(|(edits, candidate)| (*edits, candidate.len(), *candidate))
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?` where a candidate is near.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    suggest(name, candidates).map(|found| format!("did you mean `{found}`?"))
}

/// Edits (insert, delete, replace, swap neighbours) from one text to another; more than `most` comes back as `most + 1`.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let swapped = i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y;
            let mut cost = (rows[i][j] + usize::from(x != y))
                .min(rows[i][j + 1] + 1)
                .min(row[j] + 1);
            if swapped {
                cost = cost.min(rows[i - 1][j - 1] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_line_carets_and_hint() {
        let source = "T\n| where Acount == 'x'";
        let diagnostic = Diagnostic::error(10..16, "no column is called `Acount`")
            .hint("did you mean `Account`?");
        let expected = "error: no column is called `Acount`\n --> 2:9\n  |\n2 | | where Acount == 'x'\n  |         ^^^^^^\n  = hint: did you mean `Account`?\n";
        assert_eq!(render(source, &[diagnostic]), expected);
    }

    #[test]
    fn places_outside_the_text_or_inside_a_character_do_not_panic() {
        let source = "é";
        for span in [0..0, 1..2, 5..9] {
            assert!(render(source, &[Diagnostic::error(span, "x")]).contains("^"));
        }
    }

    #[test]
    fn suggestions_are_near() {
        let names = ["summarize", "sum", "sort", "project", "TimeGenerated"];
        assert_eq!(suggest("sumarize", names), Some("summarize"));
        assert_eq!(suggest("timegenerated", names), Some("TimeGenerated"));
        assert_eq!(suggest("porject", names), Some("project"));
        assert_eq!(suggest("xyz", names), None);
    }
}
