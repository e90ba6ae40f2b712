//! The insides of literals: strings and their escapes, timespans with a unit. The lexer and the parser call it.

use crate::ast::Span;
use crate::fix::Fix;

/// What is wrong inside a string literal, with its places relative to the literal's start.
pub(crate) struct Problem {
    pub span: Span,
    pub message: String,
    pub hint: Option<String>,
    pub fixes: Vec<Fix>,
}

impl Problem {
    /// Offers to make the literal verbatim, where every backslash of it stands for itself.
    fn perhaps_verbatim(mut self, literal: &str) -> Self {
        let escaped = ["\\\\", "\\\"", "\\'"];
        if literal.starts_with(['"', '\'']) && !escaped.iter().any(|e| literal.contains(e)) {
            let fix = Fix::insert(0, "@").titled("make it a verbatim string");
            self.fixes.insert(0, fix);
        }
        self
    }
}

/// The quotes of strings that may span lines.
const FENCES: [&str; 2] = ["```", "~~~"];

/// The length in bytes of the string literal at the start of the text, and what is wrong with it. The text must start with
/// one: a quote, or `h`, `@` and a quote.
pub(crate) fn scan_string(text: &str) -> (usize, Option<Problem>) {
    let (prefix, verbatim) = prefix(text);
    let body = &text[prefix..];
    if let Some(fence) = FENCES.iter().find(|fence| body.starts_with(**fence)) {
        return match body[fence.len()..].find(*fence) {
            Some(at) => (prefix + at + 2 * fence.len(), None),
            None => (text.len(), Some(unterminated(text.len(), fence))),
        };
    }
    scan_quoted(text, prefix, verbatim)
}

fn scan_quoted(text: &str, prefix: usize, verbatim: bool) -> (usize, Option<Problem>) {
    let mut problem = None;
    let quote = text[prefix..].chars().next().unwrap_or('"');
    let mut at = prefix + quote.len_utf8();
    while let Some(next) = text[at..].chars().next() {
        let after = at + next.len_utf8();
        if next == quote {
            if verbatim && text[after..].starts_with(quote) {
                at = after + 1;
                continue;
            }
            return (
                after,
                problem.map(|p: Problem| p.perhaps_verbatim(&text[..after])),
            );
        }
        if next == '\n' || next == '\r' {
            break;
        }
        if next == '\\' && !verbatim {
            match escape(&text[at..]) {
                Some((length, _)) => at += length,
                None => {
                    let on_its_line = |c: &char| !matches!(c, '\n' | '\r');
                    let Some(escaped) = text[after..].chars().next().filter(on_its_line) else {
                        at = after;
                        break;
                    };
                    problem = problem.or_else(|| Some(unknown_escape(at, escaped)));
                    at = after + escaped.len_utf8();
                }
            }
            continue;
        }
        at = after;
    }
    let missing = unterminated(at, &quote.to_string());
    (at, problem.or(Some(missing)))
}

fn unterminated(end: usize, quote: &str) -> Problem {
    let hint = match quote.len() {
        1 => {
            Some("a string ends on its line; one between three backticks may span lines".to_owned())
        }
        _ => None,
    };
    Problem {
        span: Span::new(0, end),
        message: format!("this string has no closing {quote}"),
        hint,
        fixes: vec![Fix::insert(end, quote).titled(format!("close the string with {quote}"))],
    }
}

fn unknown_escape(at: usize, next: char) -> Problem {
    Problem {
        span: Span::new(at, at + 1 + next.len_utf8()),
        message: format!("\\{next} is no escape sequence"),
        hint: Some("write \\\\ for a backslash, or use a verbatim string: @\"...\"".to_owned()),
        fixes: vec![Fix::insert(at, "\\").titled("write two backslashes")],
    }
}

/// The length of what stands before the quote, and whether backslashes are plain.
fn prefix(text: &str) -> (usize, bool) {
    let obfuscated = usize::from(text.starts_with(['h', 'H']));
    let verbatim = text[obfuscated..].starts_with('@');
    (obfuscated + usize::from(verbatim), verbatim)
}

/// The value of a string literal.
pub(crate) fn string_value(literal: &str) -> String {
    let (start, verbatim) = prefix(literal);
    let body = &literal[start..];
    for fence in FENCES {
        if let Some(inner) = body.strip_prefix(fence) {
            return inner.strip_suffix(fence).unwrap_or(inner).to_owned();
        }
    }
    let Some(quote) = body.chars().next() else {
        return String::new();
    };
    let inner = &body[quote.len_utf8()..];
    if verbatim {
        let inner = inner.strip_suffix(quote).unwrap_or(inner);
        return inner.replace(&format!("{quote}{quote}"), &quote.to_string());
    }
    unescape(inner, quote)
}

fn unescape(inner: &str, quote: char) -> String {
    let mut value = String::with_capacity(inner.len());
    let mut at = 0;
    while let Some(next) = inner[at..].chars().next() {
        if next == quote {
            break;
        }
        match if next == '\\' {
            escape(&inner[at..])
        } else {
            None
        } {
            Some((length, decoded)) => {
                value.push(decoded);
                at += length;
            }
            None => {
                value.push(next);
                at += next.len_utf8();
            }
        }
    }
    value
}

/// The escape sequence at the start of the text: its length in bytes and its character.
fn escape(text: &str) -> Option<(usize, char)> {
    let kind = text.get(1..)?.chars().next()?;
    let simple = match kind {
        '\\' | '\'' | '"' => kind,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'u' => return hexadecimal(text, 4),
        'U' => return hexadecimal(text, 8),
        'x' => return hexadecimal(text, 2),
        '0'..='7' => return octal(text),
        _ => return None,
    };
    Some((2, simple))
}

/// `\u0041`, where a surrogate pair is two escapes.
fn hexadecimal(text: &str, digits: usize) -> Option<(usize, char)> {
    let read = |at: usize| {
        let digits_text = text.get(at + 2..at + 2 + digits)?;
        digits_text
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits_text, 16).ok())?
    };
    let code = read(0)?;
    if let Some(character) = char::from_u32(code) {
        return Some((2 + digits, character));
    }
    let second = 2 + digits;
    if (0xD800..0xDC00).contains(&code) && text.get(second..)?.starts_with("\\u") {
        let low = read(second)?
            .checked_sub(0xDC00)
            .filter(|low| *low < 0x400)?;
        let character = char::from_u32(0x10000 + ((code - 0xD800) << 10) + low)?;
        return Some((2 * second, character));
    }
    Some((2 + digits, char::REPLACEMENT_CHARACTER))
}

fn octal(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes().get(1..)?;
    let most = if bytes.first().is_some_and(|b| *b <= b'3') {
        3
    } else {
        2
    };
    let digits = bytes
        .iter()
        .take(most)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let code = u32::from_str_radix(text.get(1..1 + digits)?, 8).ok()?;
    Some((1 + digits, char::from_u32(code)?))
}

/// Ticks of 100 ns in a unit of timespan literals; `None` for an unknown unit. A nanosecond is a hundredth of a tick.
pub(crate) fn ticks_per_unit(unit: &str) -> Option<f64> {
    const SECOND: f64 = 1e7;
    Some(match unit {
        "d" | "day" | "days" => 86_400.0 * SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0 * SECOND,
        "m" | "min" | "minute" | "minutes" => 60.0 * SECOND,
        "s" | "sec" | "second" | "seconds" => SECOND,
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => SECOND / 1e3,
        "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => SECOND / 1e6,
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds" => SECOND / 1e9,
        "tick" | "ticks" => 1.0,
        _ => return None,
    })
}

/// The ticks of `1.5h`; `None` where it is none or out of range.
pub(crate) fn timespan_ticks(text: &str) -> Option<i64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let scale = ticks_per_unit(unit)?;
    if let Ok(whole) = number.parse::<i64>()
        && scale >= 1.0
    {
        return whole.checked_mul(scale as i64);
    }
    let ticks = (number.parse::<f64>().ok()? * scale).round();
    (ticks.abs() < 9.2e18).then_some(ticks as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_decode_in_every_form() {
        let cases = [
            (r#""a\tb""#, "a\tb"),
            (r#"'it\'s'"#, "it's"),
            (r#"@'C:\dir'"#, r"C:\dir"),
            (r#"@"say ""x""""#, r#"say "x""#),
            (r#"h'secret'"#, "secret"),
            (r#"h@'\s'"#, r"\s"),
            ("```two\nlines```", "two\nlines"),
            (r#""\u0041\x42\103""#, "ABC"),
            (r#""\ud83d\ude00""#, "😀"),
        ];
        for (literal, value) in cases {
            let (length, problem) = scan_string(literal);
            assert_eq!(length, literal.len(), "{literal}");
            assert!(problem.is_none(), "{literal}");
            assert_eq!(string_value(literal), value, "{literal}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_string_has_a_place() {
        let (length, problem) = scan_string(r#""a\Wb" + c"#);
        assert_eq!(length, 6);
        assert_eq!(problem.map(|p| (p.span.start, p.span.end)), Some((2, 4)));
        let (length, problem) = scan_string("'open\nnext");
        assert_eq!(length, 5);
        assert_eq!(
            problem.map(|p| p.message),
            Some("this string has no closing '".to_owned())
        );
    }

    #[test]
    fn timespans_count_ticks() {
        assert_eq!(timespan_ticks("1d"), Some(864_000_000_000));
        assert_eq!(timespan_ticks("1.5h"), Some(54_000_000_000));
        assert_eq!(timespan_ticks("10microseconds"), Some(100));
        assert_eq!(timespan_ticks("1tick"), Some(1));
        assert_eq!(timespan_ticks("99999999999d"), None);
        assert_eq!(timespan_ticks("1us"), None);
    }
}
