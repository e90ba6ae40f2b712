//! Hashes and CVE numbers: what a run has of digits.

use std::borrow::Cow;

use super::{Indicator, Scan};
use crate::bytes::{
    self, ALPHANUMERIC, Class, DIGIT, DOT, HEX_LETTER, HYPHEN, LETTER, OUTSIDE, UNDERSCORE, before,
    byte, is, slice, until,
};
use crate::kind::Kind;

/// The length of `CVE-1999-0001`.
pub(super) const SHORTEST_CVE: usize = 13;

impl<'t, F: FnMut(Indicator<'t>)> Scan<'t, F> {
    /// Hashes and CVE numbers in a range that has `has`.
    pub(super) fn digits(&mut self, start: usize, end: usize, has: Class) {
        if end - start >= 32 {
            self.hashes(start, end);
        }
        // CVE has a letter that no hexadecimal number has; the identifiers of all sorts have none.
        if has & HYPHEN != 0 && has & LETTER != 0 {
            self.cves(start, end);
        }
    }

    /// Hashes between what is neither letter nor digit in a range.
    fn hashes(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let run = slice(self.text, at, end).as_bytes();
            let (length, has) = until(run, OUTSIDE | DOT | HYPHEN | UNDERSCORE);
            // Of three million random hashes of 32 digits one has no letter.
            let hexadecimal = has & !(HEX_LETTER | DIGIT) == 0 && has & HEX_LETTER != 0;
            if hexadecimal && matches!(length, 32 | 40 | 64) {
                self.hash(at, at + length);
            }
            at += length + 1;
        }
    }

    fn hash(&mut self, start: usize, end: usize) {
        let digits = slice(self.text, start, end);
        let import = start
            .checked_sub("imphash=".len())
            .is_some_and(|at| bytes::stands(self.text, at, "imphash="));
        let kind = match end - start {
            32 if import => Kind::Imphash,
            32 => Kind::Md5,
            40 => Kind::Sha1,
            _ => Kind::Sha256,
        };
        let value = match digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(digits.to_ascii_lowercase()),
            false => Cow::Borrowed(digits),
        };
        if self.wanted(start).has(kind) {
            self.tell(kind, value, false, start);
        }
    }

    /// CVE numbers in a range: `CVE-`, a year, and four to nineteen digits (CVE's record format).
    fn cves(&mut self, start: usize, end: usize) {
        if end - start < SHORTEST_CVE || !self.wanted(start).has(Kind::Cve) {
            return;
        }
        for at in start..=end - SHORTEST_CVE {
            if !matches!(byte(self.text, at), b'c' | b'C') || !bytes::stands(self.text, at, "cve-")
            {
                continue;
            }
            let year = slice(self.text, at + 4, at + 8);
            let digits = bytes::count(self.text, at + 9, |byte| byte.is_ascii_digit());
            let whole = !is(before(self.text, at), ALPHANUMERIC)
                && ("1999"..="2999").contains(&year)
                && year.bytes().all(|byte| byte.is_ascii_digit())
                && byte(self.text, at + 8) == b'-'
                && (4..=19).contains(&digits)
                && !is(byte(self.text, at + 9 + digits), ALPHANUMERIC);
            if whole {
                let raw = slice(self.text, at, at + 9 + digits);
                let value = match raw.starts_with("CVE") {
                    true => Cow::Borrowed(raw),
                    false => Cow::Owned(raw.to_ascii_uppercase()),
                };
                self.tell(Kind::Cve, value, false, at);
            }
        }
    }
}
