//! Modifiers that make other values of a value: encodings, and the dashes of Windows' command lines.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::pattern::{Part, Pattern};

/// Values that one value may become.
const MOST_VALUES: usize = 1_000;
/// What Windows' programs take for a dash.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// What is done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Every dash that begins a parameter, as each of the letters that stand for one.
    Windash,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// UTF-16, low byte first, after its mark.
    Utf16Bom,
    /// Base64.
    Base64,
    /// Base64 as it is inside of something longer, at each of the three offsets.
    Base64Offset,
}

/// A value on its way through the modifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Draft {
    Text(Pattern),
    Bytes(Vec<u8>),
}

/// What a value becomes. The message says what stands in the way.
pub fn encode(value: Pattern, encodings: &[Encoding]) -> Result<Vec<Pattern>, String> {
    let mut drafts = vec![Draft::Text(value)];
    for encoding in encodings {
        let mut next = Vec::new();
        for draft in drafts {
            next.extend(draft.encode(*encoding)?);
        }
        if next.len() > MOST_VALUES {
            return Err(format!("a value becomes more than {MOST_VALUES} others"));
        }
        drafts = next;
    }
    Ok(drafts.into_iter().map(Draft::pattern).collect())
}

impl Draft {
    fn encode(self, encoding: Encoding) -> Result<Vec<Draft>, String> {
        Ok(match encoding {
            Encoding::Windash => match self {
                Draft::Text(pattern) => windash(&pattern)?.into_iter().map(Draft::Text).collect(),
                Draft::Bytes(_) => return Err("`windash` comes before encodings".into()),
            },
            Encoding::Utf16Le => vec![Draft::Bytes(self.utf16(u16::to_le_bytes)?)],
            Encoding::Utf16Be => vec![Draft::Bytes(self.utf16(u16::to_be_bytes)?)],
            Encoding::Utf16Bom => {
                let mut bytes = vec![0xff, 0xfe];
                bytes.extend(self.utf16(u16::to_le_bytes)?);
                vec![Draft::Bytes(bytes)]
            }
            Encoding::Base64 => {
                let text = STANDARD.encode(self.bytes()?);
                vec![Draft::Text(Pattern::plain(text))]
            }
            Encoding::Base64Offset => {
                let bytes = self.bytes()?;
                let texts = (0..3).map(|offset| at_offset(&bytes, offset));
                texts
                    .filter(|text| !text.is_empty())
                    .map(|text| Draft::Text(Pattern::plain(text)))
                    .collect()
            }
        })
    }

    fn plain(&self) -> Result<&str, String> {
        match self {
            Draft::Text(pattern) => pattern
                .as_plain()
                .ok_or_else(|| "a value with wildcards cannot be encoded".into()),
            Draft::Bytes(_) => Err("a value can be made UTF-16 once".into()),
        }
    }

    fn utf16(&self, order: fn(u16) -> [u8; 2]) -> Result<Vec<u8>, String> {
        Ok(self.plain()?.encode_utf16().flat_map(order).collect())
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Draft::Bytes(bytes) => Ok(bytes),
            text => Ok(text.plain()?.as_bytes().to_vec()),
        }
    }

    /// Bytes that stayed bytes are looked for as letters of the same number.
    fn pattern(self) -> Pattern {
        match self {
            Draft::Text(pattern) => pattern,
            Draft::Bytes(bytes) => {
                Pattern::plain(bytes.into_iter().map(char::from).collect::<String>())
            }
        }
    }
}

/// The letters of base64 that depend on nothing but `bytes`, when `offset` bytes are before them and any after.
fn at_offset(bytes: &[u8], offset: usize) -> String {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(bytes);
    let text = STANDARD.encode(&padded);
    // The first letters hold bits of what is before, the last of what follows.
    let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let end = match padded.len() % 3 {
        0 => text.len(),
        1 => text.len().saturating_sub(3),
        _ => text.len().saturating_sub(2),
    };
    text.get(start..end).unwrap_or_default().to_owned()
}

/// A pattern with each of its dashes as each letter: those that begin a word, as in `-enc` or `/c`.
fn windash(pattern: &Pattern) -> Result<Vec<Pattern>, String> {
    let mut found = vec![Vec::<Part>::new()];
    let mut before = None;
    for part in pattern.parts() {
        let Part::Plain(text) = part else {
            found.iter_mut().for_each(|parts| parts.push(part.clone()));
            before = None;
            continue;
        };
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let begins = before.is_none_or(|c: char| !is_word(c));
            let is_dash = DASHES.contains(&letter)
                && begins
                && letters.peek().is_some_and(|next| is_word(*next));
            let choices: &[char] = if is_dash { &DASHES } else { &[letter] };
            found = times(found, choices)?;
            before = Some(letter);
        }
    }
    Ok(found.into_iter().map(Pattern::of).collect())
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Every beginning with every letter after it.
fn times(mut beginnings: Vec<Vec<Part>>, letters: &[char]) -> Result<Vec<Vec<Part>>, String> {
    if let [only] = letters {
        beginnings.iter_mut().for_each(|parts| append(parts, *only));
        return Ok(beginnings);
    }
    if beginnings.len() * letters.len() > MOST_VALUES {
        return Err(format!(
            "`windash` makes more than {MOST_VALUES} values of one: it has too many dashes"
        ));
    }
    let longer = beginnings.iter().flat_map(|parts| {
        letters.iter().map(|letter| {
            let mut longer = parts.clone();
            append(&mut longer, *letter);
            longer
        })
    });
    Ok(longer.collect())
}

fn append(parts: &mut Vec<Part>, letter: char) {
    match parts.last_mut() {
        Some(Part::Plain(text)) => text.push(letter),
        _ => parts.push(Part::Plain(letter.to_string())),
    }
}
