//! Pieces of text that look encoded. What they hold decides later whether they were.

use std::ops::Range;

/// How a piece looks encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The argument of PowerShell's `-EncodedCommand`: base64 of UTF-16.
    PowerShell,
    /// Base64 with `+` and `/` (RFC 4648, section 4), maybe in lines.
    Base64,
    /// Base64 with `-` and `_` (section 5).
    Base64Url,
    /// Hexadecimal digits, or bytes as `\x41` or `0x41,`.
    Hex,
    /// `%41` (RFC 3986, section 2.1).
    Url,
}

impl Encoding {
    /// Its name in a chain.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::PowerShell => "powershell",
            Encoding::Base64 => "base64",
            Encoding::Base64Url => "base64url",
            Encoding::Hex => "hex",
            Encoding::Url => "url",
        }
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How it looks encoded.
    pub encoding: Encoding,
    /// Where it lies in the text, in bytes.
    pub range: Range<usize>,
}

/// The shortest base64 and the shortest hexadecimal digits that are tried: what is shorter is a word by chance too often.
pub const SHORTEST: usize = 16;
/// The shortest where PowerShell's parameter says what it is.
const SHORTEST_COMMAND: usize = 4;
/// How many escapes of URL-encoding a word has at least: fewer hide nothing.
const ESCAPES: usize = 3;
/// The least length of the lines that base64 may be broken into.
const LINE: usize = 60;

/// The next piece of a text from a place on; `None` where there is none.
///
/// Pieces do not overlap; the caller goes on after the piece, or, where it turned out not to be encoded, calls
/// [`within`] for its parts.
pub fn next(text: &str, from: usize) -> Option<Piece> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut word = from;
    // A word is looked at once for its escapes.
    let mut checked = from;
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'0' | b'\\')
            && let Some(piece) = escaped_bytes(bytes, at)
        {
            return Some(piece);
        }
        if is_digit(*byte) {
            let end = run(bytes, at);
            if let Some(piece) = of_run(bytes, at, end) {
                return Some(piece);
            }
            at = end;
            continue;
        }
        if byte.is_ascii_whitespace() {
            word = at + 1;
        } else if *byte == b'%' && at >= checked {
            let start = word.max(from);
            let end = word_end(bytes, at);
            checked = end;
            if escapes(bytes, at, end) >= ESCAPES {
                return Some(Piece {
                    encoding: Encoding::Url,
                    range: start_of_url(bytes, start, at)..end,
                });
            }
        }
        at += 1;
    }
    None
}

/// Where a word that is URL-encoded begins: after the last quote before its first escape.
fn start_of_url(bytes: &[u8], word: usize, escape: usize) -> usize {
    let before = bytes.get(word..escape).unwrap_or(&[]);
    let quote = before.iter().rposition(|byte| is_quote(*byte));
    word + quote.map_or(0, |at| at + 1)
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')')
}

/// The end of a word: whitespace or a quote.
fn word_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let length = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || is_quote(*byte));
    at + length.unwrap_or(rest.len())
}

/// How many `%41` there are in a range.
fn escapes(bytes: &[u8], start: usize, end: usize) -> usize {
    bytes
        .get(start..end)
        .unwrap_or(&[])
        .windows(3)
        .filter(|window| {
            matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
        })
        .count()
}

/// Whether each byte is a digit of either base64.
const DIGITS: [bool; 256] = digits();

const fn digits() -> [bool; 256] {
    let mut digits = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let of_both = (byte as u8).is_ascii_alphanumeric();
        digits[byte] = of_both || matches!(byte as u8, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    digits
}

#[inline]
fn is_digit(byte: u8) -> bool {
    DIGITS[usize::from(byte)]
}

/// The end of a run of base64's digits.
fn run(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let mut length = 0;
    // Four at a time: a loop's round is paid for in a metered module.
    for [a, b, c, d] in rest.as_chunks::<4>().0 {
        if !(is_digit(*a) & is_digit(*b) & is_digit(*c) & is_digit(*d)) {
            break;
        }
        length += 4;
    }
    let more = rest.get(length..).unwrap_or(&[]);
    at + length + more.iter().take_while(|byte| is_digit(**byte)).count()
}

/// What a run of base64's digits looks like.
fn of_run(bytes: &[u8], start: usize, end: usize) -> Option<Piece> {
    let piece = |encoding, range| Some(Piece { encoding, range });
    if end - start >= SHORTEST_COMMAND && is_command(bytes, start) {
        return piece(Encoding::PowerShell, start..padded(bytes, end));
    }
    let digits = bytes.get(start..end).unwrap_or(&[]);
    if digits.len() < SHORTEST || is_guid(digits) {
        return None;
    }
    // What follows `0x` is hexadecimal; the run has both.
    let skip = if digits.starts_with(b"0x") { 2 } else { 0 };
    let hex = digits.get(skip..).unwrap_or(&[]);
    if hex.len() >= SHORTEST && hex.iter().all(u8::is_ascii_hexdigit) {
        return piece(Encoding::Hex, start + skip..end);
    }
    let encoding = match digits.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        true => Encoding::Base64Url,
        false => Encoding::Base64,
    };
    piece(encoding, start..padded(bytes, lines(bytes, start, end)))
}

/// The end of base64 that goes on in further lines.
fn lines(bytes: &[u8], start: usize, end: usize) -> usize {
    let (mut start, mut end) = (start, end);
    while end - start >= LINE && (end - start).is_multiple_of(4) {
        let rest = bytes.get(end..).unwrap_or(&[]);
        let breaks = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => break,
        };
        let after = run(bytes, end + breaks);
        if after == end + breaks {
            break;
        }
        (start, end) = (end + breaks, after);
    }
    end
}

/// The end with up to two `=`.
fn padded(bytes: &[u8], end: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or(&[]);
    end + rest
        .iter()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count()
}

/// Whether PowerShell's `-EncodedCommand`, or what it takes for that, is before a place: each beginning of the word,
/// and `-ec`, after a hyphen, a dash or a slash.
fn is_command(bytes: &[u8], at: usize) -> bool {
    const WORD: &[u8] = b"encodedcommand";
    let before = bytes.get(at.saturating_sub(32)..at).unwrap_or(&[]);
    let before = before
        .strip_suffix(b"\"")
        .or(before.strip_suffix(b"'"))
        .unwrap_or(before);
    let spaced = before.trim_ascii_end();
    if spaced.len() == before.len() {
        return false;
    }
    let letters = spaced
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let (head, word) = spaced.split_at(spaced.len() - letters.count());
    let marked = head.ends_with(b"-")
        || head.ends_with(b"/")
        || head.ends_with("\u{2013}".as_bytes())
        || head.ends_with("\u{2014}".as_bytes());
    let begins = |of: &[u8]| {
        of.get(..word.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
    };
    marked && !word.is_empty() && (begins(WORD) || word.eq_ignore_ascii_case(b"ec"))
}

/// Whether digits are a GUID, which is in every log and never base64.
fn is_guid(digits: &[u8]) -> bool {
    digits.len() == 36
        && digits.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Bytes written one by one: `\x41\x42`, `0x41, 0x42`.
fn escaped_bytes(bytes: &[u8], at: usize) -> Option<Piece> {
    let first = bytes.get(at..at + 2)?;
    if first != b"\\x" && first != b"0x" {
        return None;
    }
    let least = 8;
    let mut end = at;
    let mut count = 0;
    let mut next = at;
    while let Some(after) = one_byte(bytes, next, first) {
        count += 1;
        end = after;
        next = between(bytes, after);
    }
    (count >= least).then_some(Piece {
        encoding: Encoding::Hex,
        range: at..end,
    })
}

/// The end of `\x41` or `0x41` at a place.
fn one_byte(bytes: &[u8], at: usize, first: &[u8]) -> Option<usize> {
    let four = bytes.get(at..at + 4)?;
    let digits = four.get(2..)?.iter().all(u8::is_ascii_hexdigit);
    let more = bytes.get(at + 4).is_some_and(u8::is_ascii_hexdigit) && first == b"0x";
    (four.starts_with(first) && digits && !more).then_some(at + 4)
}

/// Past a comma and spaces, or nothing.
fn between(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let length = rest
        .iter()
        .take(8)
        .take_while(|byte| matches!(byte, b',' | b' ' | b'\r' | b'\n'))
        .count();
    at + length
}

/// The parts of a piece of base64 that was none as a whole, between slashes, hyphens and underscores: what is left of
/// the path `/a/QmFzZTY0/b`.
pub fn within(text: &str, piece: &Piece) -> Vec<Piece> {
    if !matches!(piece.encoding, Encoding::Base64 | Encoding::Base64Url) {
        return Vec::new();
    }
    let bytes = text.as_bytes();
    let whole = bytes.get(piece.range.clone()).unwrap_or(&[]);
    let mut at = piece.range.start;
    let mut parts = Vec::new();
    for part in whole.split(|byte| matches!(byte, b'/' | b'-' | b'_')) {
        let range = at..at + part.len();
        at = range.end + 1;
        if part.len() < SHORTEST || range == piece.range {
            continue;
        }
        let hex = part.iter().all(u8::is_ascii_hexdigit);
        let encoding = if hex { Encoding::Hex } else { Encoding::Base64 };
        parts.push(Piece { encoding, range });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Encoding, &str)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(piece) = next(text, at) {
            at = piece.range.end;
            found.push((piece.encoding, &text[piece.range]));
        }
        found
    }

    #[test]
    fn pieces_are_found() {
        use Encoding::*;
        for (text, pieces) in [
            (
                "echo aGVsbG8gd29ybGQh | base64 -d",
                vec![(Base64, "aGVsbG8gd29ybGQh")],
            ),
            (
                "x=aGVsbG8gd29ybGQhIQ==;",
                vec![(Base64, "aGVsbG8gd29ybGQhIQ==")],
            ),
            (
                "powershell -nop -e dwBoAG8A",
                vec![(PowerShell, "dwBoAG8A")],
            ),
            (
                "pwsh /EncodedCommand \"dwBoAG8A\"",
                vec![(PowerShell, "dwBoAG8A")],
            ),
            ("cmd -exe dwBoAG8A", vec![]),
            (
                "0x48656c6c6f2c20776f726c64",
                vec![(Hex, "48656c6c6f2c20776f726c64")],
            ),
            (
                r"a\x41\x42\x43\x44\x45\x46\x47\x48b",
                vec![(Hex, r"\x41\x42\x43\x44\x45\x46\x47\x48")],
            ),
            (
                "@(0x4d,0x5a, 0x90,0x00,0x03,0x00,0x00,0x00)",
                vec![(Hex, "0x4d,0x5a, 0x90,0x00,0x03,0x00,0x00,0x00")],
            ),
            ("q='%3Cscript%3E' %TEMP%", vec![]),
            ("q='%3Cscript%3Ea%2F' 100%", vec![(Url, "%3Cscript%3Ea%2F")]),
            ("", vec![]),
            ("%", vec![]),
        ] {
            assert_eq!(all(text), pieces, "{text}");
        }
    }

    #[test]
    fn base64_goes_on_in_lines() {
        let line = "QUJD".repeat(19);
        let text = format!("-----\n{line}\r\n{line}\nQUJDRA==\n\nQUJD");
        let wanted = format!("{line}\r\n{line}\nQUJDRA==");
        assert_eq!(all(&text), [(Encoding::Base64, wanted.as_str())]);
    }
}
