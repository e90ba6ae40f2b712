//! Whether what was decoded was encoded, or came out by chance.

use crate::content::Content;
use crate::piece::Encoding;

/// Whether what came out of a piece is more than chance.
pub fn is_likely(encoded: &str, encoding: Encoding, content: &Content) -> bool {
    match (content, encoding) {
        (Content::Text(text), Encoding::Url) => text != encoded,
        (_, Encoding::Url) => false,
        (Content::Text(text), _) => is_likely_text(text),
        (Content::Utf16(_) | Content::File(_), _) => true,
        (_, Encoding::Hex) => encoded.contains('x') || encoded.len() >= 256,
        (_, Encoding::Base64 | Encoding::Base64Url) => is_likely_base64(encoded),
        (_, Encoding::PowerShell) => false,
    }
}

/// Sixteen digits of base64 are text by chance about once in 100,000 words; with mostly letters, digits and spaces, still
/// less often.
fn is_likely_text(text: &str) -> bool {
    const SHORT: usize = 24;
    let letters = text
        .chars()
        .filter(|l| l.is_alphanumeric() || *l == ' ')
        .count();
    let all = text.chars().count();
    all >= 6
        && (text.len() >= SHORT && letters * 3 >= all || text.is_ascii() && letters * 4 >= all * 3)
}

/// Whether digits that gave neither text nor a file are still base64 and no path or name: long, with all sorts of digits,
/// and no more of the rarer ones than there would be.
fn is_likely_base64(encoded: &str) -> bool {
    const LONG: usize = 64;
    let bytes = encoded.as_bytes();
    let has = |f: fn(&u8) -> bool| bytes.iter().any(f);
    let rare = bytes
        .iter()
        .filter(|byte| matches!(byte, b'/' | b'-' | b'_' | b'+'))
        .count();
    bytes.len() >= LONG
        && rare * 12 <= bytes.len()
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}
