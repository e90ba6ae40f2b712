//! Finding text in text: anywhere, or as whole terms, with and without case. One needle is prepared once and tried on
//! many rows.
//!
//! A term is a run of letters and digits. `has` asks for the needle with no letter or digit right before or behind it.

/// Where in a text a needle must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Place {
    /// Anywhere.
    Anywhere,
    /// As a whole term.
    Term,
    /// At the start of a term.
    Prefix,
    /// At the end of a term.
    Suffix,
    /// At the start of the text.
    Start,
    /// At the end of the text.
    End,
}

/// A text to look for.
#[derive(Debug)]
pub(in crate::functions) struct Needle {
    place: Place,
    /// Folded when case does not count.
    text: String,
    ignore_case: bool,
    /// Position of its rarest byte, and that byte in both cases.
    rare: (usize, u8, u8),
}

impl Needle {
    pub(in crate::functions) fn new(text: &str, place: Place, ignore_case: bool) -> Needle {
        let text: String = if ignore_case {
            text.chars().map(super::fold_char).collect()
        } else {
            text.to_owned()
        };
        let rarest = text.bytes().enumerate().max_by_key(|(_, b)| rarity(*b));
        let (at, byte) = rarest.unwrap_or((0, 0));
        let rare = match ignore_case {
            true => (at, byte.to_ascii_lowercase(), byte.to_ascii_uppercase()),
            false => (at, byte, byte),
        };
        Needle {
            place,
            text,
            ignore_case,
            rare,
        }
    }

    /// Whether the needle stands in `text`. The empty needle stands everywhere.
    pub(in crate::functions) fn is_in(&self, text: &str) -> bool {
        if self.text.is_empty() {
            return true;
        }
        if self.ignore_case && !(self.text.is_ascii() && text.is_ascii()) {
            let folded: String = text.chars().map(super::fold_char).collect();
            return self.find_in(&folded, false);
        }
        self.find_in(text, self.ignore_case)
    }

    fn find_in(&self, text: &str, ignore_case: bool) -> bool {
        let (bytes, needle) = (text.as_bytes(), self.text.as_bytes());
        let equal = |start: usize| {
            bytes
                .get(start..start + needle.len())
                .is_some_and(|found| match ignore_case {
                    true => found.eq_ignore_ascii_case(needle),
                    false => found == needle,
                })
        };
        match self.place {
            Place::Start => equal(0),
            Place::End => bytes.len().checked_sub(needle.len()).is_some_and(equal),
            _ => {
                let (offset, low, high) = self.rare;
                let mut from = offset;
                while let Some(rest) = bytes.get(from..) {
                    let Some(found) = memchr::memchr2(low, high, rest) else {
                        return false;
                    };
                    let start = from + found - offset;
                    if equal(start) && self.fits(text, start) {
                        return true;
                    }
                    from += found + 1;
                }
                false
            }
        }
    }

    /// Whether what stands around an occurrence is right.
    fn fits(&self, text: &str, start: usize) -> bool {
        let end = start + self.text.len();
        match self.place {
            Place::Term => self.begins(text, start) && self.ends(text, end),
            Place::Prefix => self.begins(text, start),
            Place::Suffix => self.ends(text, end),
            _ => true,
        }
    }

    /// Whether the needle's first term begins at `at`. A needle that begins with something else may stand anywhere.
    fn begins(&self, text: &str, at: usize) -> bool {
        !self.text.starts_with(char::is_alphanumeric) || ends_before(text, at)
    }

    /// Whether the needle's last term ends at `at`.
    fn ends(&self, text: &str, at: usize) -> bool {
        !self.text.ends_with(char::is_alphanumeric) || starts_after(text, at)
    }
}

/// Whether no term reaches up to `at`.
fn ends_before(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_none_or(|c| !c.is_alphanumeric())
}

/// Whether no term goes on at `at`.
fn starts_after(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|after| after.chars().next())
        .is_none_or(|c| !c.is_alphanumeric())
}

/// A rough guess at how seldom a byte occurs in logs; greater is rarer.
fn rarity(byte: u8) -> u8 {
    match byte.to_ascii_lowercase() {
        b' ' | b'e' | b'\\' | b'.' | b'0' => 0,
        b's' | b't' | b'i' | b'o' | b'n' | b'r' | b'a' | b'1' | b'-' | b'/' => 1,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' | b'2'..=b'9' | b':' | b'"' | b'_' => 2,
        b'w' | b'h' | b'f' | b'g' | b'b' | b'y' | b'v' => 3,
        b'x' | b'k' => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needle: &str, place: Place, ignore_case: bool, text: &str) -> bool {
        Needle::new(needle, place, ignore_case).is_in(text)
    }

    #[test]
    fn terms_are_whole() {
        assert!(found("cat", Place::Term, true, "the CAT sat"));
        assert!(found("cat", Place::Term, true, "scatter cat"));
        assert!(!found("cat", Place::Term, true, "category"));
        assert!(!found("cat", Place::Term, false, "CAT"));
        assert!(found("a.exe", Place::Term, true, r"C:\a.exe -k"));
        assert!(found("cat", Place::Prefix, true, "a category"));
        assert!(!found("cat", Place::Prefix, true, "scat"));
        assert!(found("cat", Place::Suffix, true, "scat."));
        assert!(!found("привет", Place::Term, true, "ПриветМир"));
        assert!(found("привет", Place::Term, true, "Привет Мир"));
    }

    #[test]
    fn edges_and_the_empty_needle() {
        assert!(found("", Place::Anywhere, true, ""));
        assert!(found("AB", Place::Start, true, "abc") && !found("b", Place::Start, true, "abc"));
        assert!(found("C", Place::End, true, "abc") && !found("abcd", Place::End, true, "abc"));
        assert!(found("aab", Place::Anywhere, false, "aaab"));
        assert!(!found("é", Place::Anywhere, false, "e"));
    }
}
