//! Frames: a small JSON header beside raw buffers, in one run of bytes.
//!
//! Layout, all integers little-endian u32:
//!
//! ```text
//! "SPR1"  header_len  n_buffers  buffer_len[n_buffers]  header  pad  buffer 0  pad  buffer 1 ...
//! ```
//!
//! The header is UTF-8 JSON. Each buffer starts at a multiple of 8 bytes from the frame's start,
//! so that Arrow IPC and numpy can read it in place.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest header, in bytes. Bulk data belongs in buffers.
pub const MAX_HEADER: usize = 64 << 20;
/// The most buffers one frame carries.
pub const MAX_BUFFERS: usize = 1 << 16;

const MAGIC: [u8; 4] = *b"SPR1";
const ALIGN: usize = 8;

/// A header of type `T` and the buffers beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<T> {
    /// The message itself.
    pub header: T,
    /// Raw bytes that the header refers to by index.
    pub buffers: Vec<Vec<u8>>,
}

/// Why bytes are not a frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The first four bytes are not `SPR1`.
    #[error("not a Spoor frame: it does not begin with SPR1")]
    Magic,
    /// The bytes end before the part named.
    #[error("the frame ends inside its {0}")]
    Truncated(&'static str),
    /// A count or length is over its limit.
    #[error("the frame's {what} is {got}, over the limit of {limit}")]
    TooLarge {
        /// Which figure.
        what: &'static str,
        /// What the frame said.
        got: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The header is not the JSON that was expected.
    #[error("the frame's header does not read: {0}")]
    Header(#[from] serde_json::Error),
    /// The header names a buffer that is not there.
    #[error("the frame has {have} buffers; its header names buffer {index}")]
    NoBuffer {
        /// The index asked for.
        index: usize,
        /// How many there are.
        have: usize,
    },
}

impl<T> Frame<T> {
    /// A frame without buffers.
    pub fn new(header: T) -> Self {
        Self {
            header,
            buffers: Vec::new(),
        }
    }

    /// A frame with buffers.
    pub fn with(header: T, buffers: Vec<Vec<u8>>) -> Self {
        Self { header, buffers }
    }

    /// Buffer `index`, or the error that says it is missing.
    pub fn buffer(&self, index: usize) -> Result<&[u8], FrameError> {
        self.buffers
            .get(index)
            .map(Vec::as_slice)
            .ok_or(FrameError::NoBuffer {
                index,
                have: self.buffers.len(),
            })
    }
}

impl<T: Serialize> Frame<T> {
    /// The frame's bytes. Fails only where the header cannot be written as JSON or a part is over
    /// its limit.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let header = serde_json::to_vec(&self.header)?;
        within("header", header.len(), MAX_HEADER)?;
        within("number of buffers", self.buffers.len(), MAX_BUFFERS)?;
        let total: usize = self.buffers.iter().map(|b| b.len() + ALIGN).sum();
        let mut out =
            Vec::with_capacity(12 + 4 * self.buffers.len() + header.len() + ALIGN + total);
        out.extend_from_slice(&MAGIC);
        push_len(&mut out, "header", header.len())?;
        push_len(&mut out, "number of buffers", self.buffers.len())?;
        for buffer in &self.buffers {
            push_len(&mut out, "buffer", buffer.len())?;
        }
        out.extend_from_slice(&header);
        for buffer in &self.buffers {
            out.resize(out.len().next_multiple_of(ALIGN), 0);
            out.extend_from_slice(buffer);
        }
        Ok(out)
    }
}

impl<T: DeserializeOwned> Frame<T> {
    /// Reads a frame. Every length is checked against the bytes that are there before it is used.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut rest = Reader { bytes, at: 0 };
        if rest.take(4, "magic")? != MAGIC {
            return Err(FrameError::Magic);
        }
        let header_len = within("header", rest.length("header length")?, MAX_HEADER)?;
        let count = within(
            "number of buffers",
            rest.length("buffer count")?,
            MAX_BUFFERS,
        )?;
        let lengths = (0..count)
            .map(|_| rest.length("buffer lengths"))
            .collect::<Result<Vec<_>, _>>()?;
        let header = serde_json::from_slice(rest.take(header_len, "header")?)?;
        let mut buffers = Vec::with_capacity(count);
        for length in lengths {
            rest.align()?;
            buffers.push(rest.take(length, "buffers")?.to_vec());
        }
        Ok(Self { header, buffers })
    }
}

fn within(what: &'static str, got: usize, limit: usize) -> Result<usize, FrameError> {
    if got > limit {
        Err(FrameError::TooLarge { what, got, limit })
    } else {
        Ok(got)
    }
}

fn push_len(out: &mut Vec<u8>, what: &'static str, len: usize) -> Result<(), FrameError> {
    let limit = u32::MAX as usize;
    let len = u32::try_from(len).map_err(|_| FrameError::TooLarge {
        what,
        got: len,
        limit,
    })?;
    out.extend_from_slice(&len.to_le_bytes());
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], FrameError> {
        let end = self
            .at
            .checked_add(len)
            .ok_or(FrameError::Truncated(what))?;
        let part = self
            .bytes
            .get(self.at..end)
            .ok_or(FrameError::Truncated(what))?;
        self.at = end;
        Ok(part)
    }

    fn length(&mut self, what: &'static str) -> Result<usize, FrameError> {
        let word = self.take(4, what)?;
        Ok(u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize)
    }

    fn align(&mut self) -> Result<(), FrameError> {
        let pad = self.at.next_multiple_of(ALIGN) - self.at;
        self.take(pad, "padding").map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_frame_survives_the_trip() {
        let frame = Frame::with(
            "header".to_string(),
            vec![vec![1, 2, 3], vec![], vec![9; 17]],
        );
        let bytes = frame.encode().unwrap();
        assert_eq!(Frame::<String>::decode(&bytes).unwrap(), frame);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = Frame::with(7u32, vec![vec![1; 20], vec![2; 3]])
            .encode()
            .unwrap();
        for len in 0..bytes.len() {
            assert!(
                Frame::<u32>::decode(&bytes[..len]).is_err(),
                "{len} bytes were accepted"
            );
        }
    }

    #[test]
    fn lying_lengths_are_refused_before_any_allocation() {
        let mut bytes = Frame::with(7u32, vec![vec![1; 20]]).encode().unwrap();
        for at in [4, 8, 12] {
            let kept = bytes[at..at + 4].to_vec();
            bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(Frame::<u32>::decode(&bytes).is_err());
            bytes[at..at + 4].copy_from_slice(&kept);
        }
    }
}
