//! Text as bytes: what kind of byte each is, and reads that never fail.

/// What a byte is: one of this module's constants or several.
pub type Class = u16;

/// A letter `a` to `f`, either case.
pub const HEX_LETTER: Class = 1;
/// Any other letter.
pub const LETTER: Class = 1 << 1;
/// A decimal digit.
pub const DIGIT: Class = 1 << 2;
/// A full stop.
pub const DOT: Class = 1 << 3;
/// A hyphen.
pub const HYPHEN: Class = 1 << 4;
/// An underscore.
pub const UNDERSCORE: Class = 1 << 5;
/// A byte of a character outside ASCII.
pub const HIGH: Class = 1 << 6;
/// What an indicator may begin with, or that means something after a name.
pub const MARK: Class = 1 << 7;
/// A space.
pub const SPACE: Class = 1 << 8;
/// An apostrophe.
pub const APOSTROPHE: Class = 1 << 9;
/// What no name in a path of Windows has.
pub const PATH_END: Class = 1 << 10;
/// What keeps a path after it apart from what is before it.
pub const APART: Class = 1 << 11;
/// What is not of [`NAME`].
pub const OUTSIDE: Class = 1 << 12;

/// What opens a bracket, and `@`: a name may go on after it.
pub const JOIN: Class = 1 << 13;

/// Where the scan stops: without one of these, what is no longer than a word is nothing.
pub const STOP: Class = DOT | HYPHEN | MARK | JOIN;
/// A letter or a digit of ASCII.
pub const ALPHANUMERIC: Class = HEX_LETTER | LETTER | DIGIT;
/// What a run of a host's name is made of.
pub const NAME: Class = ALPHANUMERIC | DOT | HYPHEN | UNDERSCORE | HIGH;

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = kind(byte as u8) | bounds(byte as u8);
        if classes[byte] & NAME == 0 {
            classes[byte] |= OUTSIDE;
        }
        byte += 1;
    }
    classes
}

const fn kind(byte: u8) -> Class {
    match byte {
        b'a'..=b'f' | b'A'..=b'F' => HEX_LETTER,
        b'g'..=b'z' | b'G'..=b'Z' => LETTER,
        b'0'..=b'9' => DIGIT,
        b'.' => DOT,
        b'-' => HYPHEN,
        b'_' => UNDERSCORE,
        b' ' => SPACE,
        b'\'' => APOSTROPHE,
        b'/' | b'\\' | b'%' | b':' | b'~' => MARK,
        0x80.. => HIGH,
        _ => 0,
    }
}

const fn bounds(byte: u8) -> Class {
    match byte {
        0..=0x1F | b'"' | b'*' | b':' | b'<' | b'>' | b'|' => PATH_END | APART,
        b'/' | b'?' | b'\\' | 0x7F => PATH_END,
        b'(' | b'[' | b'{' | b'@' => APART | JOIN,
        b' ' | b'\'' | b'`' | b'=' | b',' | b';' | b'&' | b'!' | b'+' => APART,
        _ => 0,
    }
}

/// What a byte is.
#[inline]
pub fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Whether a byte is one of `classes`.
#[inline]
pub fn is(byte: u8, classes: Class) -> bool {
    class(byte) & classes != 0
}

/// The byte at a place; 0 outside the text.
#[inline]
pub fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

/// The byte before a place; 0 at the start.
#[inline]
pub fn before(text: &str, at: usize) -> u8 {
    match at.checked_sub(1) {
        Some(previous) => byte(text, previous),
        None => 0,
    }
}

/// The text of a range; empty where there is no such range.
#[inline]
pub fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

/// What follows a place.
#[inline]
pub fn rest(text: &str, at: usize) -> &[u8] {
    text.as_bytes().get(at..).unwrap_or(&[])
}

/// Whether `word` stands at a place, in any case of its letters.
pub fn stands(text: &str, at: usize, word: &str) -> bool {
    rest(text, at)
        .get(..word.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
}

/// How many bytes from a place on `f` takes.
#[inline]
pub fn count(text: &str, at: usize, f: impl Fn(u8) -> bool) -> usize {
    let rest = rest(text, at);
    rest.iter().position(|byte| !f(*byte)).unwrap_or(rest.len())
}

/// How many bytes come before one of `stop`, and what they are.
#[inline]
pub fn until(bytes: &[u8], stop: Class) -> (usize, Class) {
    let mut has = 0;
    let mut length = 0;
    // Four at a time: a loop's round is paid for in a metered module.
    for four in bytes.as_chunks::<4>().0 {
        let [a, b, c, d] = *four;
        let all = class(a) | class(b) | class(c) | class(d);
        if all & stop != 0 {
            break;
        }
        has |= all;
        length += 4;
    }
    for byte in bytes.get(length..).unwrap_or(&[]) {
        let class = class(*byte);
        if class & stop != 0 {
            break;
        }
        has |= class;
        length += 1;
    }
    (length, has)
}

/// How many bytes come before one of `stop`.
#[inline]
pub fn skip(bytes: &[u8], stop: Class) -> usize {
    let mut length = 0;
    for eight in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *eight;
        let first = class(a) | class(b) | class(c) | class(d);
        let last = class(e) | class(f) | class(g) | class(h);
        if (first | last) & stop != 0 {
            break;
        }
        length += 8;
    }
    let rest = bytes.get(length..).unwrap_or(&[]);
    let (more, _) = until(rest, stop);
    length + more
}

/// Where the run of [`NAME`] bytes that ends at `end` begins; not before `least`.
#[inline]
pub fn run_back(text: &str, least: usize, end: usize) -> usize {
    let bytes = text.as_bytes().get(least..end).unwrap_or(&[]);
    let outside = bytes.iter().rposition(|byte| is(*byte, OUTSIDE));
    outside.map_or(least, |at| least + at + 1)
}

/// The end of the run of [`NAME`] bytes from `start` on, and what the run has.
#[inline]
pub fn run(text: &str, start: usize) -> (usize, Class) {
    let (length, has) = until(rest(text, start), OUTSIDE);
    (start + length, has)
}
