//! Text as bytes: what kind of byte each is, and reads that never fail.

/// A letter `a` to `f`, either case.
pub const HEX_LETTER: u8 = 1;
/// Any other letter.
pub const LETTER: u8 = 2;
/// A decimal digit.
pub const DIGIT: u8 = 4;
/// A full stop.
pub const DOT: u8 = 8;
/// A hyphen.
pub const HYPHEN: u8 = 16;
/// An underscore.
pub const UNDERSCORE: u8 = 32;
/// A byte of a character outside ASCII.
pub const HIGH: u8 = 64;
/// What an indicator may begin with, or that means something after a name.
pub const MARK: u8 = 128;

/// A letter or a digit of ASCII.
pub const ALPHANUMERIC: u8 = HEX_LETTER | LETTER | DIGIT;
/// What a run of a host's name is made of.
pub const NAME: u8 = ALPHANUMERIC | DOT | HYPHEN | UNDERSCORE | HIGH;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'f' | b'A'..=b'F' => HEX_LETTER,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'-' => HYPHEN,
            b'_' => UNDERSCORE,
            b'/' | b'\\' | b'%' | b':' | b'~' => MARK,
            0x80.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// What a byte is: one of this module's constants, or 0.
#[inline]
pub fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// Whether a byte is one of `classes`.
#[inline]
pub fn is(byte: u8, classes: u8) -> bool {
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

/// The end of the run of [`NAME`] bytes from `start` on, and what the run has.
#[inline]
pub fn run(text: &str, start: usize) -> (usize, u8) {
    let mut has = 0;
    let mut end = start;
    for byte in rest(text, start) {
        let class = class(*byte);
        if class & NAME == 0 {
            break;
        }
        has |= class;
        end += 1;
    }
    (end, has)
}
