//! Lines for people on standard error, coloured where that is wanted, and the tables printed at
//! the end.
//!
//! Names and text come from files and notebooks, which may be a stranger's. A terminal obeys
//! control characters, so none of them reaches one as it is.

use std::fmt::{Display, Write as _};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Whether a stream takes colours: a terminal, and `NO_COLOR` is not set.
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One line on standard error, without control characters. Nobody is left to tell if that fails.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", visible(&text.to_string()));
}

/// `error: ...`
pub fn error(text: impl Display) {
    labelled("error", "\x1b[1;31m", text);
}

/// `warning: ...`
pub fn warning(text: impl Display) {
    labelled("warning", "\x1b[1;33m", text);
}

fn labelled(label: &str, colour: &str, text: impl Display) {
    let text = visible(&text.to_string());
    let (on, off) = if colours(&std::io::stderr()) {
        (colour, "\x1b[0m")
    } else {
        ("", "")
    };
    let _ = writeln!(std::io::stderr(), "{on}{label}:{off} {text}");
}

/// Whether a terminal would obey the character, or show what follows in another order.
fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes what a terminal would obey as an escape, `\u{1b}` for one. Line ends and tabs stay.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\n' || c == '\r' && chars.peek() == Some(&'\n');
        if ends_line || c == '\t' || !commands(c) {
            out.push(c);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "{}", c.escape_unicode());
        }
    }
    out
}

/// A path for a terminal, on one line.
pub fn path(path: &Path) -> String {
    visible(&path.to_string_lossy())
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

/// Removes what a terminal would obey: escape sequences and control characters.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\x1b' && chars.next_if_eq(&'[').is_some() {
            // A control sequence ends with a byte from @ to ~.
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        } else if !commands(c) {
            out.push(c);
        }
    }
    out
}

/// `text` cut to `width` characters.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// A count with thousands set apart: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 1234567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(plain("a\x1b[31mb\x1b[0m\r\x07c"), "abc");
    }

    #[test]
    fn what_a_terminal_would_obey_is_seen() {
        assert_eq!(
            visible("a\x1b]0;title\x07\tb\r\nc\rd\u{9b}e\u{202e}f\n"),
            "a\\u{1b}]0;title\\u{7}\tb\r\nc\\u{d}d\\u{9b}e\\u{202e}f\n"
        );
        assert_eq!(path(Path::new("x\x1b[2J\n.csv")), "x\\u{1b}[2J\\n.csv");
        assert_eq!(plain("a\u{202e}b"), "ab");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
