//! What the pages of a Parquet file claim to hold, from their headers alone: the reader believes them and makes room
//! before it decodes. Nothing is decompressed here.
//!
//! The `parquet` crate keeps its page headers to itself. Source: Parquet's `parquet.thrift` (`PageHeader`) and Thrift's
//! compact protocol.

use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;

/// Bytes that a nested value's levels take while it is read.
const LEVEL_BYTES: u64 = 4;

/// Thrift structures nest no deeper than this in a header.
const MOST_LEVELS: u32 = 16;

/// Thrift's compact type of 32-bit numbers.
const I32: u8 = 5;

/// Thrift's compact type of structures.
const STRUCT: u8 = 12;

/// What all pages of a file claim together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Bytes after decompression.
    pub(crate) unpacked: u64,
    /// Bytes of the decoded values, without text.
    pub(crate) decoded: u64,
}

/// Adds up the claims of column chunks, each with its bytes.
pub(crate) fn claims<'a>(
    chunks: impl Iterator<Item = (&'a ColumnChunkMetaData, &'a [u8])>,
) -> Result<Claims, String> {
    let mut sum = Claims::default();
    for (chunk, bytes) in chunks {
        let mut pages = Compact(bytes);
        let width = width(chunk);
        while !pages.0.is_empty() {
            let page = pages.header().ok_or_else(|| {
                format!(
                    "a page header of the column `{}` is malformed",
                    chunk.column_path().string()
                )
            })?;
            sum.unpacked = sum.unpacked.saturating_add(page.unpacked);
            sum.decoded = sum
                .decoded
                .saturating_add(page.values.saturating_mul(width));
            pages.0 = pages.0.get(page.packed..).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// What a column chunk says that it will claim, before its pages are there.
pub(crate) fn announced(chunk: &ColumnChunkMetaData) -> Claims {
    let values = u64::try_from(chunk.num_values()).unwrap_or(u64::MAX);
    Claims {
        unpacked: u64::try_from(chunk.uncompressed_size()).unwrap_or(u64::MAX),
        decoded: values.saturating_mul(width(chunk)),
    }
}

/// A column chunk's bytes of a whole file. They lie within it.
pub(crate) fn bytes_of<'a>(chunk: &ColumnChunkMetaData, file: &'a [u8]) -> &'a [u8] {
    let (start, length) = chunk.byte_range();
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(length).ok());
    range
        .and_then(|(start, length)| file.get(start..start.checked_add(length)?))
        .unwrap_or_default()
}

/// Bytes that a decoded value of a column takes. Text is read as views of its page, and its own bytes are counted when
/// it is copied; a row of a nested column can have any number of them.
fn width(chunk: &ColumnChunkMetaData) -> u64 {
    let column = chunk.column_descr();
    let nested = column.max_rep_level() > 0;
    let value = match column.physical_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT => 4,
        Type::INT64 | Type::DOUBLE | Type::INT96 => 8,
        Type::BYTE_ARRAY if nested => 16,
        Type::BYTE_ARRAY => 4,
        Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(column.type_length()).unwrap_or(0).max(1),
    };
    if nested { value + LEVEL_BYTES } else { value }
}

/// The parts of a page header that say how much comes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    /// Bytes after decompression.
    unpacked: u64,
    /// Bytes of the page behind its header.
    packed: usize,
    values: u64,
}

/// Reads Thrift's compact protocol. Everything gives `None` where the bytes end or make no sense.
struct Compact<'a>(&'a [u8]);

impl Compact<'_> {
    fn header(&mut self) -> Option<Header> {
        let mut header = Header::default();
        let (mut sized, mut last) = (false, 0);
        while let Some((id, kind)) = self.field(&mut last)? {
            match (id, kind) {
                (2, I32) => header.unpacked = u64::try_from(self.number()?).ok()?,
                (3, I32) => {
                    header.packed = usize::try_from(self.number()?).ok()?;
                    sized = true;
                }
                // The headers of data, of a dictionary, and of data in the second version.
                (5 | 7 | 8, STRUCT) => header.values = self.values()?,
                (_, kind) => self.skip(kind, 0)?,
            }
        }
        sized.then_some(header)
    }

    /// The number of values, which is the first field in each kind of header.
    fn values(&mut self) -> Option<u64> {
        let (mut values, mut last) = (0, 0);
        while let Some((id, kind)) = self.field(&mut last)? {
            match (id, kind) {
                (1, I32) => values = u64::try_from(self.number()?).ok()?,
                (_, kind) => self.skip(kind, 1)?,
            }
        }
        Some(values)
    }

    /// The next field's number and type; `Some(None)` at the end of the structure.
    fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        let (step, kind) = (byte >> 4, byte & 0x0f);
        if byte == 0 {
            return Some(None);
        }
        *last = match step {
            0 => self.number()?,
            step => last.checked_add(i64::from(step))?,
        };
        Some(Some((*last, kind)))
    }

    fn skip(&mut self, kind: u8, level: u32) -> Option<()> {
        if level > MOST_LEVELS {
            return None;
        }
        match kind {
            // A field of these types has no more than its type.
            1 | 2 => Some(()),
            3 => self.byte().map(drop),
            4..=6 => self.varint().map(drop),
            7 => self.bytes(8),
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.bytes(length)
            }
            9 | 10 => self.skip_list(level),
            11 => self.skip_map(level),
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, level + 1)?;
                }
                Some(())
            }
            13 => self.bytes(16),
            _ => None,
        }
    }

    fn skip_list(&mut self, level: u32) -> Option<()> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        (0..count).try_for_each(|_| self.skip_item(byte & 0x0f, level))
    }

    fn skip_map(&mut self, level: u32) -> Option<()> {
        let count = self.varint()?;
        if count == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        (0..count).try_for_each(|_| {
            self.skip_item(kinds >> 4, level)?;
            self.skip_item(kinds & 0x0f, level)
        })
    }

    /// Truth values have a byte of their own in lists and maps, so every item takes one at least.
    fn skip_item(&mut self, kind: u8, level: u32) -> Option<()> {
        match kind {
            1 | 2 => self.byte().map(drop),
            kind => self.skip(kind, level + 1),
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number: zigzag, so that small negative ones are short.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of 300 values, 1,000 bytes in 50, with a checksum and statistics.
    const PAGE: [u8; 24] = [
        0x15, 0x00, // type: data
        0x15, 0xd0, 0x0f, // unpacked: 1000
        0x15, 0x64, // packed: 50
        0x15, 0x02, // checksum: 1
        0x1c, 0x15, 0xd8, 0x04, // data header: values: 300
        0x15, 0x00, // encoding
        0x3c, 0x18, 0x03, b'm', b'a', b'x', 0x11, 0x00, // statistics: text, true
        0x00, // end of the data header
    ];

    #[test]
    fn a_header_tells_how_much_comes() {
        let bytes = [&PAGE[..], &[0x00, 0xff]].concat();
        let mut compact = Compact(&bytes);
        let expected = Header {
            unpacked: 1000,
            packed: 50,
            values: 300,
        };
        assert_eq!(compact.header(), Some(expected));
        assert_eq!(compact.0, [0xff]);
    }

    #[test]
    fn a_broken_header_is_none() {
        let whole = [&PAGE[..], &[0x00]].concat();
        for length in 0..whole.len() {
            assert_eq!(Compact(&whole[..length]).header(), None, "{length}");
        }
        for broken in [
            &[0x00][..],
            &[0x15, 0x00, 0x15, 0x01, 0x15, 0x02, 0x00],
            &[0x1e],
            &[0x1c; 100],
            &[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x0f],
        ] {
            assert_eq!(Compact(broken).header(), None, "{broken:?}");
        }
    }
}
