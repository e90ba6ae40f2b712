//! The frame that a call and its answer travel in: a table of segments and the segments. Segment 0 is JSON; every other
//! one is an Arrow IPC stream.
//!
//! Little-endian: `u32` number of segments, `u32` zero, then an `(u32 offset, u32 length)` of each segment, then the
//! segments. Offsets count from the frame's start and are multiples of [`FRAME_ALIGN`]; segments lie in order and do
//! not overlap.

use alloc::vec::Vec;
use core::fmt;

/// What every segment's offset, and the pointer that `alloc` returns, is a multiple of, in bytes.
pub const FRAME_ALIGN: usize = 8;

/// The most segments of a frame.
pub const MAX_SEGMENTS: usize = 64;

const HEAD: usize = 8;
const ENTRY: usize = 8;

/// Why bytes are not a frame, or cannot become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The bytes end before the table of segments does.
    Short {
        /// Bytes that the table takes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The second word is not zero.
    Reserved(u32),
    /// There is no segment, or there are more than [`MAX_SEGMENTS`].
    Count(usize),
    /// A segment does not begin at a multiple of [`FRAME_ALIGN`].
    Unaligned {
        /// Which segment.
        segment: usize,
        /// Its offset.
        offset: u32,
    },
    /// A segment begins before the end of what precedes it.
    Overlap {
        /// Which segment.
        segment: usize,
        /// Its offset.
        offset: u32,
        /// Where it may begin.
        least: usize,
    },
    /// A segment ends after the frame does.
    Outside {
        /// Which segment.
        segment: usize,
        /// Where it ends.
        end: u64,
        /// Bytes of the frame.
        have: usize,
    },
    /// The frame would be 4 GiB or more.
    TooLarge,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { need, have } => write!(
                f,
                "the frame's table of segments takes {need} bytes and {have} are there: check the length that was packed"
            ),
            Self::Reserved(word) => write!(f, "the word at offset 4 is {word}: it has to be 0"),
            Self::Count(count) => write!(
                f,
                "the frame has {count} segments (offset 0): 1 to {MAX_SEGMENTS} are allowed"
            ),
            Self::Unaligned { segment, offset } => write!(
                f,
                "segment {segment} begins at {offset} (said at offset {}): pad to a multiple of {FRAME_ALIGN}",
                entry(*segment)
            ),
            Self::Overlap {
                segment,
                offset,
                least,
            } => write!(
                f,
                "segment {segment} begins at {offset} (said at offset {}), inside what precedes it: it may begin at {least}",
                entry(*segment)
            ),
            Self::Outside { segment, end, have } => write!(
                f,
                "segment {segment} ends at {end} (said at offset {}), after the frame's {have} bytes",
                entry(*segment)
            ),
            Self::TooLarge => {
                f.write_str("the frame takes 4 GiB or more: send fewer rows at a time")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// A frame that was checked, over the bytes that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Frame<'a> {
    /// Reads a frame, copying nothing. Bytes between and after the segments are ignored.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        if bytes.len() < HEAD {
            return Err(FrameError::Short {
                need: HEAD,
                have: bytes.len(),
            });
        }
        match word(bytes, 4) {
            0 => {}
            other => return Err(FrameError::Reserved(other)),
        }
        let count = word(bytes, 0) as usize;
        if count == 0 || count > MAX_SEGMENTS {
            return Err(FrameError::Count(count));
        }
        let mut least = HEAD + count * ENTRY;
        if bytes.len() < least {
            return Err(FrameError::Short {
                need: least,
                have: bytes.len(),
            });
        }
        for segment in 0..count {
            least = check(bytes, segment, least)?;
        }
        Ok(Frame { bytes, count })
    }

    /// Segment 0, which is JSON.
    pub fn header(&self) -> &'a [u8] {
        self.segment(0).unwrap_or_default()
    }

    /// How many tables there are.
    pub fn table_count(&self) -> usize {
        self.count - 1
    }

    /// The tables, each an Arrow IPC stream, in order.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let frame = *self;
        (1..frame.count).map(move |at| frame.segment(at).unwrap_or_default())
    }

    /// Segment `at`; `None` past the last.
    pub fn segment(&self, at: usize) -> Option<&'a [u8]> {
        if at >= self.count {
            return None;
        }
        let (offset, length) = place(self.bytes, at);
        let start = offset as usize;
        self.bytes.get(start..start.checked_add(length as usize)?)
    }
}

/// The frame of a header and its tables. Fails when there are more than [`MAX_SEGMENTS`] of them or 4 GiB.
pub fn encode_frame(header: &[u8], tables: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    let count = tables.len() + 1;
    if count > MAX_SEGMENTS {
        return Err(FrameError::Count(count));
    }
    let table = HEAD + count * ENTRY;
    let segments = || core::iter::once(header).chain(tables.iter().copied());
    let total = segments()
        .try_fold(table, |sum, part| {
            sum.checked_next_multiple_of(FRAME_ALIGN)?
                .checked_add(part.len())
        })
        .filter(|total| u32::try_from(*total).is_ok())
        .ok_or(FrameError::TooLarge)?;
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
    bytes.extend_from_slice(&0u32.to_le_bytes());
    let mut at = table;
    for part in segments() {
        at = at.next_multiple_of(FRAME_ALIGN);
        bytes.extend_from_slice(&(at as u32).to_le_bytes());
        bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        at += part.len();
    }
    for part in segments() {
        bytes.resize(bytes.len().next_multiple_of(FRAME_ALIGN), 0);
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Checks one segment of a frame whose table is complete, and answers where it ends.
fn check(bytes: &[u8], segment: usize, least: usize) -> Result<usize, FrameError> {
    let (offset, length) = place(bytes, segment);
    if !(offset as usize).is_multiple_of(FRAME_ALIGN) {
        return Err(FrameError::Unaligned { segment, offset });
    }
    if (offset as usize) < least {
        return Err(FrameError::Overlap {
            segment,
            offset,
            least,
        });
    }
    let end = u64::from(offset) + u64::from(length);
    if end > bytes.len() as u64 {
        return Err(FrameError::Outside {
            segment,
            end,
            have: bytes.len(),
        });
    }
    Ok(end as usize)
}

/// Offset and length of a segment, as the table says.
fn place(bytes: &[u8], segment: usize) -> (u32, u32) {
    let at = entry(segment);
    (word(bytes, at), word(bytes, at + 4))
}

/// Where the table says a segment's place.
const fn entry(segment: usize) -> usize {
    HEAD + segment * ENTRY
}

/// The little-endian word at `at`; 0 past the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        Some(word) => u32::from_le_bytes(*word),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn the_worked_example_of_the_documentation() {
        let bytes = encode_frame(b"{}", &[b"abc"]).unwrap();
        let mut expected = vec![2, 0, 0, 0, 0, 0, 0, 0];
        expected.extend([24, 0, 0, 0, 2, 0, 0, 0, 32, 0, 0, 0, 3, 0, 0, 0]);
        expected.extend(*b"{}\0\0\0\0\0\0abc");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let bytes = encode_frame(b"{}", &[b"abc"]).unwrap();
        let with = |at: usize, value: u32| {
            let mut bytes = bytes.clone();
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            Frame::decode(&bytes).map(|_| ()).unwrap_err().to_string()
        };
        assert!(with(0, 0).contains("0 segments"));
        assert!(with(0, u32::MAX).contains("4294967295 segments"));
        assert!(with(0, 60).contains("takes 488 bytes and 35 are there"));
        assert!(with(4, 1).contains("offset 4 is 1"));
        assert!(with(8, 20).contains("segment 0 begins at 20 (said at offset 8)"));
        assert!(with(8, 16).contains("may begin at 24"));
        assert!(with(16, 24).contains("segment 1 begins at 24"));
        assert!(with(16, 0xFFFF_FFF8).contains("ends at 4294967291"));
        assert!(with(20, u32::MAX).contains("after the frame's 35 bytes"));
    }

    proptest! {
        #[test]
        fn frames_round_trip(
            header: Vec<u8>,
            tables in prop::collection::vec(any::<Vec<u8>>(), 0..MAX_SEGMENTS),
        ) {
            let parts: Vec<&[u8]> = tables.iter().map(Vec::as_slice).collect();
            let bytes = encode_frame(&header, &parts).unwrap();
            let frame = Frame::decode(&bytes).unwrap();
            prop_assert_eq!(frame.header(), &header[..]);
            prop_assert_eq!(frame.table_count(), parts.len());
            prop_assert_eq!(frame.tables().collect::<Vec<_>>(), parts);
            prop_assert_eq!(frame.segment(tables.len() + 1), None);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(frame) = Frame::decode(&bytes) {
                let _ = (frame.header(), frame.tables().map(<[u8]>::len).sum::<usize>());
            }
        }

        #[test]
        fn no_change_of_a_frame_panics(at in 0usize..64, value: u8, cut in 0usize..64) {
            let mut bytes = encode_frame(b"{\"function\":\"f\"}", &[b"12345678", b"9"]).unwrap();
            let length = bytes.len();
            bytes[at % length] = value;
            bytes.truncate(length - cut % length);
            if let Ok(frame) = Frame::decode(&bytes) {
                let total: usize = frame.tables().map(<[u8]>::len).sum();
                prop_assert!(frame.header().len() + total <= bytes.len());
            }
        }
    }
}
