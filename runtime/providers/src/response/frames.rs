//! Cuts an array of objects, of which parts come over time, into its objects. It looks at brackets and quotation marks only;
//! whether an object is JSON is for its reader to say.

use super::DecodeError;

/// Brackets within brackets: more than the parser takes.
const MOST_DEPTH: usize = 1_000;

/// Where in the array the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before its bracket.
    #[default]
    Start,
    /// Between two objects.
    Between,
    /// In an object, so deep, and perhaps in a text of it.
    Inside { depth: usize, text: Text },
    /// Behind its bracket.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
}

/// Cuts what is pushed into it.
#[derive(Debug, Default)]
pub(super) struct Frames {
    at: At,
    /// The beginning of an object that goes on in the next part.
    begun: Vec<u8>,
}

impl Frames {
    /// Takes the next bytes, and calls `each` with every object that they end. An object may have `limit` bytes.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        limit: usize,
        mut each: impl FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let (mut start, mut index) = (0, 0);
        while let Some(byte) = bytes.get(index) {
            let before = self.at;
            self.at = before.step(*byte)?;
            match (before, self.at) {
                (At::Between, At::Inside { .. }) => start = index,
                (At::Inside { .. }, At::Between) => {
                    let rest = bytes.get(start..=index).unwrap_or_default();
                    self.object(rest, limit, &mut each)?;
                }
                _ => {}
            }
            index += 1;
            index += self.at.uneventful(bytes.get(index..).unwrap_or_default());
        }
        if matches!(self.at, At::Inside { .. }) {
            self.extend(bytes.get(start..).unwrap_or_default(), limit)?;
        }
        Ok(())
    }

    fn object(
        &mut self,
        rest: &[u8],
        limit: usize,
        each: &mut impl FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.begun.is_empty() {
            if rest.len() > limit {
                return Err(DecodeError::TooLarge { limit });
            }
            return each(rest);
        }
        self.extend(rest, limit)?;
        let whole = std::mem::take(&mut self.begun);
        each(&whole)?;
        // Its memory is used again.
        self.begun = whole;
        self.begun.clear();
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8], limit: usize) -> Result<(), DecodeError> {
        if self.begun.len().saturating_add(bytes.len()) > limit {
            return Err(DecodeError::TooLarge { limit });
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether the array has ended.
    pub(super) fn is_whole(&self) -> bool {
        self.at == At::End
    }
}

impl At {
    /// How many of the next bytes change nothing: most are in texts, and in numbers.
    fn uneventful(self, bytes: &[u8]) -> usize {
        let event = match self {
            At::Inside {
                text: Text::Inside, ..
            } => memchr::memchr2(b'"', b'\\', bytes),
            At::Inside {
                text: Text::Outside,
                ..
            } => bytes
                .iter()
                .position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}')),
            _ => Some(0),
        };
        event.unwrap_or(bytes.len())
    }

    fn step(self, byte: u8) -> Result<At, DecodeError> {
        Ok(match (self, byte) {
            (
                At::Inside {
                    depth,
                    text: Text::Outside,
                },
                _,
            ) => return inside(depth, byte),
            (
                At::Inside {
                    depth,
                    text: Text::Escape,
                },
                _,
            ) => At::Inside {
                depth,
                text: Text::Inside,
            },
            (
                At::Inside {
                    depth,
                    text: Text::Inside,
                },
                b'\\',
            ) => At::Inside {
                depth,
                text: Text::Escape,
            },
            (
                At::Inside {
                    depth,
                    text: Text::Inside,
                },
                b'"',
            ) => At::Inside {
                depth,
                text: Text::Outside,
            },
            (At::Inside { .. }, _) => self,
            (_, b' ' | b'\t' | b'\r' | b'\n') => self,
            (At::Start, b'[') => At::Between,
            (At::Between, b'{') => At::Inside {
                depth: 1,
                text: Text::Outside,
            },
            (At::Between, b',') => At::Between,
            (At::Between, b']') => At::End,
            _ => return Err(unexpected(byte)),
        })
    }
}

fn inside(depth: usize, byte: u8) -> Result<At, DecodeError> {
    let depth = match byte {
        b'{' | b'[' if depth < MOST_DEPTH => depth + 1,
        b'{' | b'[' => {
            return Err(DecodeError::Shape(
                "its values are nested too deep".to_owned(),
            ));
        }
        b'}' | b']' if depth == 1 => return Ok(At::Between),
        b'}' | b']' => depth - 1,
        _ => depth,
    };
    let text = if byte == b'"' {
        Text::Inside
    } else {
        Text::Outside
    };
    Ok(At::Inside { depth, text })
}

fn unexpected(byte: u8) -> DecodeError {
    let byte = std::ascii::escape_default(byte);
    DecodeError::Shape(format!("'{byte}' stands between its frames"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cut(text: &str, part: usize) -> Result<(Vec<String>, bool), DecodeError> {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for part in text.as_bytes().chunks(part) {
            frames.push(part, 1_000, |frame| {
                found.push(String::from_utf8_lossy(frame).into_owned());
                Ok(())
            })?;
        }
        Ok((found, frames.is_whole()))
    }

    #[test]
    fn parts_of_any_length_give_the_same_objects() {
        let text = r#" [ {"a":"}\"]{"},
            {"b":[{},[1]],"c\\":"\\"} ,{}
        ] "#;
        for part in 1..text.len() {
            let (found, whole) = cut(text, part).unwrap();
            assert_eq!(
                found,
                [r#"{"a":"}\"]{"}"#, r#"{"b":[{},[1]],"c\\":"\\"}"#, "{}"],
                "{part}"
            );
            assert!(whole);
        }
        assert_eq!(
            cut(r#"[{"a":1}"#, 3).unwrap(),
            (vec![r#"{"a":1}"#.into()], false)
        );
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for text in ["x", "{}", "[1]", "[[]]", "[{}] x", "[\"a\"]"] {
            assert!(cut(text, 1).is_err(), "{text}");
        }
        assert!(cut(&format!("[{{\"a\":{}", "[".repeat(5_000)), 100).is_err());
        let long = format!("[{{\"a\":\"{}\"}}]", "x".repeat(2_000));
        assert!(matches!(
            cut(&long, 7),
            Err(DecodeError::TooLarge { limit: 1_000 })
        ));
        assert!(matches!(
            cut(&long, 5_000),
            Err(DecodeError::TooLarge { limit: 1_000 })
        ));
    }
}
