//! What all the text of a column could be: the inference behind CSV's types and JSON's timestamps. A column gets a
//! type only if every value that is not empty has it.

use spoor_table::parse;

/// Which types every text seen so far has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whether there was a text that is not empty; without one the other facts mean nothing.
    pub(crate) seen: bool,
    pub(crate) bool: bool,
    pub(crate) long: bool,
    pub(crate) real: bool,
    pub(crate) datetime: bool,
}

impl Facts {
    /// For formats in which everything is text.
    pub(crate) const UNTYPED: Facts = Facts {
        seen: false,
        bool: true,
        long: true,
        real: true,
        datetime: true,
    };

    /// For formats whose strings are strings, but for timestamps.
    pub(crate) const STRINGS: Facts = Facts {
        seen: false,
        bool: false,
        long: false,
        real: false,
        datetime: true,
    };

    /// For text that stands for several types.
    pub(crate) const MIXED: Facts = Facts {
        seen: true,
        bool: false,
        long: false,
        real: false,
        datetime: false,
    };

    /// Takes another text into account.
    pub(crate) fn note(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.seen = true;
        self.bool = self.bool && boolean(text).is_some();
        self.long = self.long && long(text).is_some();
        self.real = self.real && real(text).is_some();
        self.datetime = self.datetime && timestamp(text).is_some();
    }

    /// Whether no further text can change anything.
    pub(crate) fn settled(self) -> bool {
        self.seen && !(self.bool || self.long || self.real || self.datetime)
    }

    /// What holds for the texts of both.
    pub(crate) fn and(self, other: Facts) -> Facts {
        match (self.seen, other.seen) {
            (_, false) => self,
            (false, true) => other,
            (true, true) => Facts {
                seen: true,
                bool: self.bool && other.bool,
                long: self.long && other.long,
                real: self.real && other.real,
                datetime: self.datetime && other.datetime,
            },
        }
    }
}

/// `true` or `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A whole number that reads back as the same text: no plus, no leading zero (those are codes, not quantities).
pub(crate) fn long(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !is_plain_integer(digits) {
        return None;
    }
    text.parse().ok()
}

fn is_plain_integer(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let plain = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    plain && (bytes.len() == 1 || bytes.first() != Some(&b'0'))
}

/// A finite number, or `NaN`. Whole numbers beyond a long are refused: a real would lose their digits.
pub(crate) fn real(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    let code = whole.len() > 1 && whole.starts_with('0');
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if code || !begins || is_plain_integer(digits) && long(text).is_none() {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// An ISO 8601 instant, in ticks: a full date, alone or with a time after `T` or a space; no zone means UTC. What is
/// below 100 ns is dropped, as Kusto does.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let date = bytes.get(..10)?;
    let is_date = date.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let is_time = match bytes.get(10..) {
        Some([]) => true,
        Some([b'T' | b't' | b' ', hour, _, b':', ..]) => hour.is_ascii_digit(),
        _ => false,
    };
    if !is_date || !is_time || bytes.len() > 40 {
        return None;
    }
    parse::datetime(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_quantities_only() {
        for (text, is_long, is_real) in [
            ("0", true, true),
            ("-12", true, true),
            ("007", false, false),
            ("+1", false, false),
            ("1.50", false, true),
            ("00.5", false, false),
            ("1e3", false, true),
            ("1e999", false, false),
            ("9223372036854775808", false, false),
            ("NaN", false, true),
            ("infinity", false, false),
            ("0x1f", false, false),
            ("-", false, false),
            ("1,5", false, false),
        ] {
            assert_eq!(
                (long(text).is_some(), real(text).is_some()),
                (is_long, is_real),
                "{text}"
            );
        }
    }

    #[test]
    fn timestamps_are_iso_alone() {
        let noon = timestamp("2020-10-09T12:00:00Z");
        assert!(noon.is_some());
        for same in [
            "2020-10-09 12:00:00",
            "2020-10-09T12:00",
            "2020-10-09 14:00:00.0000000+02:00",
            "2020-10-09T12:00:00.000000099Z",
            "2020-10-09T10:30:00-01:30",
        ] {
            assert_eq!(timestamp(same), noon, "{same}");
        }
        for other in [
            "2020-13-09",
            "2020-02-30",
            "09/10/2020",
            "2020-10-09 noon",
            "2020-10-09T",
            "10.0.0.1",
            "20201009",
        ] {
            assert_eq!(timestamp(other), None, "{other}");
        }
    }
}
