//! What programs write for JSON and JSON does not have: numbers that are none, numbers too large, and halves of
//! characters. `json.rs` asks for it where its parser refuses a row, so that a row without them costs nothing.

/// A row's text as the parser takes it, and how long it was.
pub(crate) struct Mended {
    pub(crate) text: Vec<u8>,
    pub(crate) length: usize,
    /// Whether anything in it is another.
    pub(crate) is_changed: bool,
}

/// The object or array that `text` begins with, mended:
/// - `NaN`, `Infinity` and numbers that no real holds (`1e400`) become null;
/// - a whole number that no long holds becomes text with all of its digits, if it stands in the row itself;
/// - half a surrogate pair becomes U+FFFD.
///
/// Line breaks stay where they are. `None` if there is no end to it.
pub(crate) fn mended(text: &[u8]) -> Option<Mended> {
    let mut scan = Scan {
        text,
        at: 0,
        depth: 0,
        is_changed: false,
        out: Vec::with_capacity(text.len().min(1 << 12)),
    };
    while scan.step()? {}
    Some(Mended {
        text: scan.out,
        length: scan.at,
        is_changed: scan.is_changed,
    })
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// Brackets that are open.
    depth: usize,
    is_changed: bool,
    out: Vec<u8>,
}

impl Scan<'_> {
    /// Copies one thing; `Some(false)` behind the last bracket.
    fn step(&mut self) -> Option<bool> {
        let byte = *self.text.get(self.at)?;
        match byte {
            b'"' => self.string()?,
            b'{' | b'[' => {
                self.depth += 1;
                self.copy(1)?;
            }
            b'}' | b']' => {
                self.depth = self.depth.checked_sub(1)?;
                self.copy(1)?;
            }
            byte if is_word(byte) => self.word()?,
            _ => self.copy(1)?,
        }
        Some(self.depth > 0)
    }

    fn copy(&mut self, count: usize) -> Option<()> {
        let end = self.at.checked_add(count)?;
        self.out.extend_from_slice(self.text.get(self.at..end)?);
        self.at = end;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.copy(1)?;
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
            self.copy(plain)?;
            if rest.get(plain) == Some(&b'"') {
                return self.copy(1);
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        match unit(rest) {
            Some(0xd800..=0xdbff) => match rest.get(6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => self.copy(12),
                _ => self.replace(6, br"\ufffd"),
            },
            Some(0xdc00..=0xdfff) => self.replace(6, br"\ufffd"),
            Some(_) => self.copy(6),
            None => self.copy(2),
        }
    }

    fn replace(&mut self, count: usize, with: &[u8]) -> Option<()> {
        self.is_changed = true;
        self.out.extend_from_slice(with);
        self.at += count;
        Some(())
    }

    /// A number, or a word.
    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let length = rest.iter().take_while(|b| is_word(**b)).count();
        let word = std::str::from_utf8(rest.get(..length)?).ok()?;
        if is_null(word) {
            self.replace(length, b"null")
        } else if self.depth == 1 && is_beyond_long(word) {
            self.out.push(b'"');
            self.copy(length)?;
            self.replace(0, b"\"")
        } else {
            self.copy(length)
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// The UTF-16 unit of an escape.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|_| is_number)
}

/// Whether a word stands for no number, or for one that no real holds.
fn is_null(word: &str) -> bool {
    let plain = word.strip_prefix('-').unwrap_or(word);
    let is_number = plain.starts_with(|c: char| c.is_ascii_digit());
    matches!(plain, "NaN" | "Infinity")
        || is_number && !is_whole(plain) && word.parse().is_ok_and(f64::is_infinite)
}

fn is_beyond_long(word: &str) -> bool {
    let plain = word.strip_prefix('-').unwrap_or(word);
    is_whole(plain) && !plain.starts_with('0') && word.parse::<i64>().is_err()
}

fn is_whole(plain: &str) -> bool {
    !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_json_does_not_have_is_replaced() {
        for (text, wanted) in [
            (r#"{"a":NaN} x"#, r#"{"a":null}"#),
            (r#"{"a":-Infinity,"b":[1e400]}"#, r#"{"a":null,"b":[null]}"#),
            (r#"{"a":"NaN \" 1e400"}"#, r#"{"a":"NaN \" 1e400"}"#),
            (
                r#"{"a":18446744073709551616,"b":-7,"c":[18446744073709551616]}"#,
                r#"{"a":"18446744073709551616","b":-7,"c":[18446744073709551616]}"#,
            ),
            (
                r#"{"a":"\ud83d\ude00 \ud83d \ude00\\ud83d"}"#,
                r#"{"a":"\ud83d\ude00 \ufffd \ufffd\\ud83d"}"#,
            ),
            (
                r#"{"a":1e300,"b":1e-400,"c":1.5}"#,
                r#"{"a":1e300,"b":1e-400,"c":1.5}"#,
            ),
            (r#"{"a":nan}"#, r#"{"a":nan}"#),
            (r#"{"a":"é\n"}"#, r#"{"a":"é\n"}"#),
        ] {
            let mended = mended(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(&mended.text), wanted);
            assert!(text.as_bytes()[..mended.length].ends_with(b"}"));
        }
    }

    #[test]
    fn what_has_no_end_stays() {
        for text in [
            "",
            "{",
            r#"{"a":"x}"#,
            r#"{"a":"\"#,
            r#"{"a":"\u12"#,
            "}",
            r#"{"a":1"#,
        ] {
            assert!(mended(text.as_bytes()).is_none(), "{text}");
        }
    }
}
