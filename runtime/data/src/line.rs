//! Limits on how long a line may be, which hold before it is in memory: a line of separated values is read as a whole,
//! and a damaged or hostile file can be one line of gigabytes.

use std::io::{Cursor, Error, Read, Result};

use bytes::Bytes;

use crate::MOST_ROW_BYTES;
use crate::format::{Content, Format, compression, content};

/// Bytes that end at the longest row that may begin where they were last allowed from.
pub(crate) struct Limited {
    bytes: Cursor<Bytes>,
    end: u64,
}

impl Limited {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Limited {
            bytes: Cursor::new(bytes),
            end: MOST_ROW_BYTES as u64,
        }
    }

    /// Lets a row through that begins at the offset.
    pub(crate) fn allow_from(&mut self, start: u64) {
        self.end = start.saturating_add(MOST_ROW_BYTES as u64);
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let at = self.bytes.position();
        if at >= self.end && at < self.bytes.get_ref().len() as u64 {
            return Err(Error::other("the row is too long"));
        }
        self.bytes.read(buffer)
    }
}

/// Watches text that is being unpacked for a line that is longer than a row may be. JSON is not watched: many rows may stand on
/// one of its lines.
#[derive(Default)]
pub(crate) struct LineWatch {
    /// Whether the text is separated values; unknown before its first bytes.
    has_lines: Option<bool>,
    /// Bytes that were looked at.
    seen: usize,
    /// Bytes since the last line break.
    length: usize,
}

impl LineWatch {
    /// Looks at what was added to the output, which is a piece much shorter than a row may be. Fails with the number of
    /// the line that is too long.
    pub(crate) fn look(&mut self, output: &[u8]) -> std::result::Result<(), u64> {
        let has_lines = *self.has_lines.get_or_insert_with(|| has_lines(output));
        let added = output.get(self.seen..).unwrap_or_default();
        self.seen = output.len();
        if !has_lines {
            return Ok(());
        }
        let is_break = |byte: &u8| *byte == b'\n';
        let first = added.iter().position(is_break).unwrap_or(added.len());
        if self.length + first > MOST_ROW_BYTES {
            let before = output.get(..output.len() - added.len()).unwrap_or_default();
            let breaks = before.iter().filter(|byte| is_break(byte)).count();
            return Err(breaks as u64 + 1);
        }
        self.length = match added.iter().rposition(is_break) {
            Some(last) => added.len() - last - 1,
            None => self.length + added.len(),
        };
        Ok(())
    }
}

fn has_lines(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    compression(head).is_none() && content(head, None) == Content::Table(Format::Csv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_found_in_pieces() {
        let mut watch = LineWatch::default();
        let mut output = b"a,b\n1,2\n".to_vec();
        assert_eq!(watch.look(&output), Ok(()));
        output.resize(8 + MOST_ROW_BYTES, b'x');
        assert_eq!(watch.look(&output), Ok(()));
        let mut ended = output.clone();
        ended.extend(b"\nx\n");
        assert_eq!(watch.look(&output), Ok(()));
        assert_eq!(watch.look(&ended), Ok(()));
        let mut watch = LineWatch::default();
        assert_eq!(watch.look(&output), Ok(()));
        output.push(b'x');
        assert_eq!(watch.look(&output), Err(3));
    }

    #[test]
    fn json_may_be_one_line() {
        let mut watch = LineWatch::default();
        let mut output = "\u{feff}[1".as_bytes().to_vec();
        assert_eq!(watch.look(&output), Ok(()));
        output.resize(MOST_ROW_BYTES + 100, b'1');
        assert_eq!(watch.look(&output), Ok(()));
    }
}
