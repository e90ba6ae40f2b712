//! Lines for people on standard error, coloured where that is wanted, and the tables printed at
//! the end.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Whether a stream takes colours: a terminal, and `NO_COLOR` is not set.
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One line on standard error. Nobody is left to tell if that fails.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
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
    if colours(&std::io::stderr()) {
        line(format_args!("{colour}{label}:\x1b[0m {text}"));
    } else {
        line(format_args!("{label}: {text}"));
    }
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
        } else if !c.is_control() {
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
    fn long_text_is_cut() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
