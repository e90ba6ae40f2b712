//! JSON text as most of it is, read into a builder front to back. What is out of the ordinary is left to serde_json, a string or a
//! number at a time or the whole text, so that there is one answer to every text: serde_json's.

use serde::de::DeserializeSeed;

use super::{Builder, JsonSeed};

/// Containers in one another; serde_json reads more.
const MAX_DEPTH: usize = 64;

/// Writes the one value of `text`; none for text that is no JSON or must be read with more care, and then the builder is as it was.
pub(super) fn read(text: &str, builder: &mut Builder) -> Option<()> {
    let held = builder.held();
    let mut reader = Reader { text, at: 0 };
    let read = reader.value(builder, MAX_DEPTH).filter(|()| {
        reader.space();
        reader.at == text.len()
    });
    if read.is_none() {
        builder.release(held);
    }
    read
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes a byte, if it comes next but for space.
    fn passes(&mut self, byte: u8) -> bool {
        self.space();
        let passes = self.peek() == Some(byte);
        self.at += usize::from(passes);
        passes
    }

    fn value(&mut self, builder: &mut Builder, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'{' => self.object(builder, depth.checked_sub(1)?)?,
            b'[' => self.array(builder, depth.checked_sub(1)?)?,
            b'"' => match self.string()? {
                Token::Plain(text) => builder.string(text),
                Token::Other(token) => delegate(token, builder)?,
            },
            b'-' | b'0'..=b'9' => self.number(builder)?,
            b't' => self.word("true").map(|()| builder.bool(true))?,
            b'f' => self.word("false").map(|()| builder.bool(false))?,
            b'n' => self.word("null").map(|()| builder.null())?,
            _ => return None,
        }
        Some(())
    }

    fn object(&mut self, builder: &mut Builder, depth: usize) -> Option<()> {
        self.at += 1;
        let mark = builder.begin_object();
        let mut more = !self.passes(b'}');
        while more {
            self.space();
            match self.string()? {
                Token::Plain(key) => builder.key(&mark, key),
                Token::Other(token) => {
                    builder.key(&mark, &serde_json::from_str::<String>(token).ok()?);
                }
            }
            self.passes(b':').then_some(())?;
            self.value(builder, depth)?;
            builder.item(&mark);
            more = self.goes_on(b'}', builder)?;
        }
        builder.end(mark);
        Some(())
    }

    fn array(&mut self, builder: &mut Builder, depth: usize) -> Option<()> {
        self.at += 1;
        let mark = builder.begin_array();
        let mut more = !self.passes(b']');
        while more {
            self.value(builder, depth)?;
            builder.item(&mark);
            more = self.goes_on(b']', builder)?;
        }
        builder.end(mark);
        Some(())
    }

    /// Whether another element follows; not if the container ends.
    fn goes_on(&mut self, end: u8, builder: &Builder) -> Option<bool> {
        if builder.is_over() {
            return None;
        }
        if self.passes(b',') {
            return Some(true);
        }
        self.passes(end).then_some(false)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?;
        found.starts_with(word.as_bytes()).then_some(())?;
        self.at += word.len();
        Some(())
    }

    /// A string with its quotation marks, or its text where that is between them as it is.
    fn string(&mut self) -> Option<Token<'t>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        (self.peek()? == b'"').then_some(())?;
        let (mut end, mut plain) = (start + 1, true);
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    end += 2;
                }
                0..0x20 => return None,
                _ => end += 1,
            }
        }
        self.at = end + 1;
        Some(match plain {
            true => Token::Plain(self.text.get(start + 1..end)?),
            false => Token::Other(self.text.get(start..=end)?),
        })
    }

    fn number(&mut self, builder: &mut Builder) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = rest.bytes().position(|byte| !digit(byte));
        let token = rest.get(..end.unwrap_or(rest.len()))?;
        self.at += token.len();
        match whole(token) {
            Some(value) => builder.long(value),
            None => delegate(token, builder)?,
        }
        Some(())
    }
}

enum Token<'t> {
    Plain(&'t str),
    Other(&'t str),
}

/// A number of up to eighteen digits and no sign, without zeros before them.
fn whole(token: &str) -> Option<i64> {
    let bytes = token.as_bytes();
    let plain = bytes.len() <= 18 && (bytes.first() != Some(&b'0') || bytes.len() == 1);
    plain.then_some(())?;
    bytes.iter().try_fold(0, |value: i64, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + i64::from(digit))
    })
}

fn delegate(token: &str, builder: &mut Builder) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(token);
    JsonSeed(builder).deserialize(&mut reader).ok()?;
    reader.end().ok()
}
