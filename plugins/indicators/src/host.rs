//! Hosts: names under a public suffix and IPv4 addresses, also defanged (`evil[.]example(dot)com`).
//!
//! Whether a name can be a host's is decided by the Public Suffix List (<https://publicsuffix.org>), as the crate `psl`
//! has it: its last labels have to be a rule of the list. The list's unknown `*` rule is not taken, so that `cmd.exe`,
//! `System.Management` and `dc01.corp.local` are none.

use std::borrow::Cow;
use std::ops::Range;

use psl::{List, Psl, Type};

use crate::bytes::{
    self, ALPHANUMERIC, Class, DOT, HEX_LETTER, HIGH, HYPHEN, LETTER, UNDERSCORE, byte, is, slice,
};

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const NAME_BYTES: usize = 253;
/// The longest label (the same).
const LABEL_BYTES: usize = 63;

/// A run of a host's bytes as it stands in text, and what it says when refanged.
#[derive(Clone, Debug)]
pub struct Host<'t> {
    /// As it is meant: without brackets.
    pub text: Cow<'t, str>,
    /// Where it ends in the text.
    pub end: usize,
    /// Classes of the bytes of `text`: see [`crate::bytes`].
    pub has: Class,
    /// Whether it was written with brackets.
    pub defanged: bool,
}

impl<'t> Host<'t> {
    /// A run without brackets: from `start` to `end`, with `has` in it.
    #[inline]
    pub fn plain(text: &'t str, start: usize, end: usize, has: Class) -> Self {
        Host {
            text: Cow::Borrowed(slice(text, start, end)),
            end,
            has,
            defanged: false,
        }
    }
}

/// A host's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'n> {
    /// In lower case.
    pub text: Cow<'n, str>,
    /// Where in `text` the registered domain begins: the public suffix and one label. `None` where the name is itself a
    /// suffix that people register under (`github.io`).
    pub registered: Option<usize>,
}

/// The length of a defanged dot at a place, 0 where there is none. Some write the first bracket alone: `evil[.com`.
pub fn dot(text: &str, at: usize) -> usize {
    match bracketed(text, at, &[".", "dot"]) {
        0 if bytes::stands(text, at, "[.") => 2,
        length => length,
    }
}

/// The length of a defanged `@` at a place, 0 where there is none.
pub fn at_sign(text: &str, at: usize) -> usize {
    bracketed(text, at, &["@", "at"])
}

/// The length of one of `words` in brackets of one kind; 0 where it is not there.
pub fn bracketed(text: &str, at: usize, words: &[&str]) -> usize {
    let close = match byte(text, at) {
        b'[' => b']',
        b'(' => b')',
        b'{' => b'}',
        _ => return 0,
    };
    let found = words
        .iter()
        .find(|word| bytes::stands(text, at + 1, word) && byte(text, at + 1 + word.len()) == close);
    found.map_or(0, |word| word.len() + 2)
}

/// Reads the run at `start`, which ends at `end` and has `has`, and what follows it after defanged dots.
pub fn read<'t>(text: &'t str, start: usize, end: usize, has: Class) -> Host<'t> {
    let mut host = Host::plain(text, start, end, has);
    // A name with more dots than a name can have is none, however it goes on.
    for _ in 0..NAME_BYTES / 2 {
        let length = dot(text, host.end);
        let from = host.end + length;
        if length == 0 || !is(byte(text, from), ALPHANUMERIC | HIGH) {
            break;
        }
        let (end, more) = bytes::run(text, from);
        let refanged = host.text.to_mut();
        refanged.push('.');
        refanged.push_str(slice(text, from, end));
        host.end = end;
        host.has |= more | DOT;
        host.defanged = true;
        if refanged.len() > NAME_BYTES {
            break;
        }
    }
    host
}

/// Reads a host's name; `None` where it is none. Takes no note of where it stands.
pub fn name(text: &str) -> Option<Name<'_>> {
    if text.len() > NAME_BYTES || !may_be_name(text) || !has_labels(text) {
        return None;
    }
    if !text.is_ascii() {
        let text = text.to_lowercase();
        let registered = registered(&text)?;
        let text = Cow::Owned(text);
        return Some(Name { text, registered });
    }
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let registered = registered(text)?;
        let text = Cow::Borrowed(text);
        return Some(Name { text, registered });
    }
    // Most names in capitals are none (NTDLL.DLL): nothing is allocated for those.
    let mut lower = [0; NAME_BYTES];
    let lower = lower.get_mut(..text.len())?;
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    let lower = std::str::from_utf8(lower).ok()?;
    let registered = registered(lower)?;
    let text = Cow::Owned(lower.to_owned());
    Some(Name { text, registered })
}

/// Whether the last label can be a suffix: at least two bytes, the first a letter, after a dot. Cheap, and enough to
/// leave numbers and words.
pub fn may_be_name(text: &str) -> bool {
    let top = text.bytes().rev().take_while(|byte| *byte != b'.').count();
    let first = text.len() - top;
    top >= 2 && first > 0 && is(byte(text, first), LETTER | HEX_LETTER | HIGH)
}

/// The name of a host without the punctuation at its end; borrowed from the text that the host is borrowed from.
pub fn name_of<'t>(host: &Cow<'t, str>) -> Option<Name<'t>> {
    const PUNCTUATION: [char; 3] = ['.', '-', '_'];
    match host {
        Cow::Borrowed(host) => name(host.trim_end_matches(PUNCTUATION)),
        Cow::Owned(host) => name(host.trim_end_matches(PUNCTUATION)).map(Name::into_owned),
    }
}

impl Name<'_> {
    /// The same, borrowed from nothing.
    pub fn into_owned<'t>(self) -> Name<'t> {
        Name {
            text: Cow::Owned(self.text.into_owned()),
            registered: self.registered,
        }
    }
}

/// Whether what is between dots are labels; underscores are in some (`_dmarc`).
fn has_labels(text: &str) -> bool {
    let mut length = 0;
    let mut last = b'.';
    for byte in text.bytes() {
        let ends = byte == b'.';
        if ends && !is_end(length, last) || byte == b'-' && length == 0 {
            return false;
        }
        if !ends && !is(byte, ALPHANUMERIC | HIGH | HYPHEN | UNDERSCORE) {
            return false;
        }
        length = if ends { 0 } else { length + 1 };
        last = byte;
    }
    is_end(length, last)
}

/// Whether a label of this many bytes can end in a byte.
fn is_end(length: usize, last: u8) -> bool {
    (1..=LABEL_BYTES).contains(&length) && last != b'-'
}

/// Where the registered domain begins, within `Some` of a known suffix; `Some(None)` where the name is a suffix of the
/// list's private part.
fn registered(name: &str) -> Option<Option<usize>> {
    let (length, kind) = suffix(name)?;
    let Some(before) = name.len().checked_sub(length + 1) else {
        return (kind == Type::Private).then_some(None);
    };
    let head = slice(name, 0, before);
    let (_, label) = ends_of(head);
    // Registries take no underscores.
    (!label.as_bytes().contains(&b'_')).then_some(Some(before - label.len()))
}

/// The length of the known public suffix of a name in lower case, and which part of the list it is from.
fn suffix(name: &str) -> Option<(usize, Type)> {
    let info = List.find(name.as_bytes().rsplit(|byte| *byte == b'.'));
    if let Some(kind) = info.typ {
        return Some((info.len, kind));
    }
    // The list has labels of other scripts as they are written, not in Punycode.
    let (_, top) = ends_of(name);
    let decoded = idna::punycode::decode_to_string(top.strip_prefix("xn--")?)?;
    List.find(std::iter::once(decoded.as_bytes()))
        .typ
        .map(|kind| (top.len(), kind))
}

/// The ranges of IPv4 addresses in a run: between hyphens and underscores, nothing but four numbers up to 255.
pub fn ipv4(run: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    run.split(['-', '_']).filter_map(move |piece| {
        let trimmed = piece.trim_matches('.');
        let from = start + (piece.len() - piece.trim_start_matches('.').len());
        start += piece.len() + 1;
        is_ipv4(trimmed).then_some(from..from + trimmed.len())
    })
}

/// Whether text is an IPv4 address without leading zeros.
pub fn is_ipv4(text: &str) -> bool {
    if !(7..=15).contains(&text.len()) {
        return false;
    }
    let (mut octets, mut digits, mut value) = (1, 0, 0_u32);
    for byte in text.bytes() {
        match byte {
            b'.' if digits > 0 => (octets, digits, value) = (octets + 1, 0, 0),
            // After a first zero comes no digit.
            b'0'..=b'9' if digits == 0 || value > 0 => {
                digits += 1;
                value = value * 10 + u32::from(byte - b'0');
            }
            _ => return false,
        }
        if value > 255 {
            return false;
        }
    }
    octets == 4 && digits > 0
}

/// The first and the last label.
pub fn ends_of(name: &str) -> (&str, &str) {
    let dot = |byte: &u8| *byte == b'.';
    let first = name.as_bytes().iter().position(dot).unwrap_or(name.len());
    let last = name.as_bytes().iter().rposition(dot).map_or(0, |at| at + 1);
    (slice(name, 0, first), slice(name, last, name.len()))
}

/// The first part of a run that `take` takes, with its offset: the run without what is punctuation at its ends, then,
/// where it has characters outside ASCII, what is between those.
pub fn first_part<'r, T>(
    run: &'r str,
    has: Class,
    take: impl Fn(&'r str, usize) -> Option<T>,
) -> Option<T> {
    let (at, whole) = trimmed(run, 0);
    if let Some(taken) = take(whole, at) {
        return Some(taken);
    }
    if has & HIGH == 0 {
        return None;
    }
    pieces(run).find_map(|(at, part)| take(part, at))
}

/// The parts of ASCII alone.
fn pieces(run: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    run.split(|letter: char| !letter.is_ascii())
        .filter_map(move |piece| {
            // Where a piece lies is what `split` knows and does not say: the pieces and separators add up.
            let at = start;
            let after = at + piece.len();
            let separator = slice(run, after, run.len()).chars().next();
            start = after + separator.map_or(0, char::len_utf8);
            (!piece.is_empty()).then(|| trimmed(piece, at))
        })
}

fn trimmed(part: &str, at: usize) -> (usize, &str) {
    let last = bytes::before(part, part.len());
    if is(byte(part, 0), ALPHANUMERIC | UNDERSCORE) && is(last, ALPHANUMERIC) {
        return (at, part);
    }
    let punctuation = |letter: char| {
        matches!(letter, '.' | '-' | '_') || !letter.is_ascii() && !letter.is_alphanumeric()
    };
    let start = part.trim_start_matches(|letter: char| punctuation(letter) && letter != '_');
    let text = start.trim_end_matches(punctuation);
    (at + part.len() - start.len(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_suffix() {
        let of = |text| name(text).map(|name| name.registered.map(|at| name.text[at..].to_owned()));
        for (text, registered) in [
            ("example.com", Some("example.com")),
            ("a.b.Example.CO.UK", Some("example.co.uk")),
            ("_dmarc.example.com", Some("example.com")),
            ("bücher.example.de", Some("example.de")),
            ("xn--80ak6aa92e.com", Some("xn--80ak6aa92e.com")),
            ("a.xn--e1afmkfd.xn--p1ai", Some("xn--e1afmkfd.xn--p1ai")),
            ("evil.github.io", Some("evil.github.io")),
            ("github.io", None),
        ] {
            assert_eq!(of(text), Some(registered.map(String::from)), "{text}");
        }
        for text in [
            "",
            "com",
            "co.uk",
            "cmd.exe",
            "a..com",
            "-a.com",
            "a-.com",
            "a_b.com",
            "1.2.3.4",
            ".com",
            "dc01.corp.local",
            "a.xn--",
            "a.xn--zzzzzzzzzzzzz",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_four_octets() {
        let of = |text| {
            ipv4(text)
                .map(|range| text[range].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(
            of("ip-10.0.0.1-255.255.255.255."),
            ["10.0.0.1", "255.255.255.255"]
        );
        for text in [
            "10.0.0",
            "10.0.0.0.1",
            "10.0.0.256",
            "10.0.0.01",
            "10.0.19041.1",
            "a.1.2.3.4",
        ] {
            assert!(of(text).is_empty(), "{text}");
        }
    }
}
