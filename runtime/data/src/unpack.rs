//! Takes compressed bytes apart, a slice at a time: gzip, zstd, and zip with its members. The loader asks for one
//! member after another and parses each before the next is unpacked. Limits stop decompression bombs early.

mod names;

use std::io::{Cursor, Read};
use std::sync::Arc;

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use spoor_names::is_data;
use zip::CompressionMethod;

use crate::error::{Problem, Trouble};
use crate::format::{Compression, OFFICE, OFFICE_MEMBER, compression};
use crate::line::LineWatch;
use crate::{Deadline, Limits, MOST_ROW_BYTES};
use names::{is_about, is_clutter};

/// Output bytes that a decoder is asked for at once.
const PIECE: usize = 256 * 1024;

/// Below this much output no ratio counts as a bomb's.
const RATIO_FLOOR: u64 = 32 << 20;

/// Members of an archive that are looked at.
const MOST_MEMBERS: usize = 4_096;

/// One file: the whole input, or a member of an archive.
pub(crate) struct Member {
    /// Its name inside the archive.
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// What a slice of unpacking came to.
pub(crate) enum Unpacked {
    More,
    Member(Member),
    End,
}

/// Unpacks an input into its members.
pub(crate) struct Unpacker {
    limits: Limits,
    /// Output so far, over all members.
    produced: u64,
    /// Members still to unpack, last first.
    waiting: Vec<Packed>,
    open: Option<Open>,
}

/// A member that has not been unpacked.
struct Packed {
    name: Option<String>,
    source: Source,
    method: Method,
    /// The checksum of the output, where a zip archive gives it.
    crc: Option<u32>,
    /// Compression layers that may still be found inside.
    layers: u8,
}

impl Packed {
    /// Whether the bytes are the member as they are, with nothing to decode or check.
    fn is_plain(&self) -> bool {
        self.method == Method::Stored && self.crc.is_none()
    }

    /// A plain member's bytes, copied only if an archive shares them.
    fn into_member(self) -> Member {
        let bytes =
            Arc::try_unwrap(self.source.bytes).unwrap_or_else(|shared| shared.as_ref().clone());
        Member {
            name: self.name,
            bytes,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflate,
    Gzip,
    Zstd,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Gzip => "gzip",
            Method::Zstd => "zstd",
            Method::Stored | Method::Deflate => "zip",
        }
    }
}

/// A range of shared bytes: a member's data without a copy of it.
#[derive(Clone)]
struct Source {
    bytes: Arc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl AsRef<[u8]> for Source {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// A member that is being unpacked.
struct Open {
    packed: Packed,
    decoder: Decoder,
    output: Vec<u8>,
    watch: LineWatch,
}

enum Decoder {
    Stored(Cursor<Source>),
    Deflate(DeflateDecoder<Cursor<Source>>),
    Gzip(MultiGzDecoder<Cursor<Source>>),
    Zstd(Zstd),
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Decoder::Stored(source) => source.read(buffer),
            Decoder::Deflate(decoder) => decoder.read(buffer),
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// Frames of zstd one after another, skippable ones skipped (RFC 8878, section 3.1).
enum Zstd {
    Between(Cursor<Source>),
    Frame(Box<StreamingDecoder<Cursor<Source>, FrameDecoder>>),
    Moving,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match std::mem::replace(self, Zstd::Moving) {
                Zstd::Between(source) => match next_frame(source)? {
                    Some(frame) => *self = Zstd::Frame(Box::new(frame)),
                    None => return Ok(0),
                },
                Zstd::Frame(mut frame) => {
                    let count = frame.read(buffer)?;
                    if count > 0 {
                        *self = Zstd::Frame(frame);
                        return Ok(count);
                    }
                    *self = Zstd::Between(frame.into_parts().0);
                }
                Zstd::Moving => return Ok(0),
            }
        }
    }
}

/// Opens the next frame; `None` at the end of the input.
fn next_frame(
    mut source: Cursor<Source>,
) -> std::io::Result<Option<StreamingDecoder<Cursor<Source>, FrameDecoder>>> {
    use ReadFrameHeaderError::SkipFrame;
    while source.position() < source.get_ref().as_ref().len() as u64 {
        match StreamingDecoder::new(source.clone()) {
            Ok(frame) => return Ok(Some(frame)),
            Err(FrameDecoderError::ReadFrameHeaderError(SkipFrame { length, .. })) => {
                let header = 8;
                source.set_position(source.position().saturating_add(header + u64::from(length)));
            }
            Err(error) => return Err(std::io::Error::other(error)),
        }
    }
    Ok(None)
}

impl Unpacker {
    pub(crate) fn new(bytes: Vec<u8>, limits: Limits) -> Result<Self, Trouble> {
        let mut unpacker = Unpacker {
            limits,
            produced: 0,
            waiting: Vec::new(),
            open: None,
        };
        let end = bytes.len();
        let source = Source {
            bytes: Arc::new(bytes),
            start: 0,
            end,
        };
        // A zip of gzip files is the deepest that honest data nests.
        unpacker.add(None, source, 2)?;
        Ok(unpacker)
    }

    /// Queues bytes under the compression that they announce.
    fn add(&mut self, name: Option<String>, source: Source, layers: u8) -> Result<(), Trouble> {
        let found = if layers == 0 {
            None
        } else {
            compression(source.as_ref())
        };
        let method = match found {
            Some(Compression::Zip) => return self.add_archive(name, source, layers - 1),
            Some(Compression::Gzip) => Method::Gzip,
            Some(Compression::Zstd) => Method::Zstd,
            None => Method::Stored,
        };
        self.waiting.push(Packed {
            name,
            source,
            method,
            crc: None,
            layers: layers.saturating_sub(1),
        });
        Ok(())
    }

    fn add_archive(
        &mut self,
        within: Option<String>,
        source: Source,
        layers: u8,
    ) -> Result<(), Trouble> {
        let damaged = |error: zip::result::ZipError| {
            Problem::Compression {
                method: "zip",
                cause: error.to_string(),
            }
            .whole()
        };
        let mut archive = zip::ZipArchive::new(Cursor::new(source.clone())).map_err(damaged)?;
        if archive.len() > MOST_MEMBERS {
            return Err(member_problem(
                within,
                format!("more than {MOST_MEMBERS} files in one archive"),
            ));
        }
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(damaged)?;
            let name = entry.name().map_err(damaged)?.into_owned();
            if !entry.is_dir() && !is_clutter(&name) {
                entries.push((index, name));
            }
        }
        if entries.iter().any(|(_, name)| name == OFFICE_MEMBER) {
            let (what, advice) = OFFICE;
            return Err(named(Problem::Unsupported { what, advice }, within));
        }
        // What lies beside data files is no data, as in a folder: a README, a licence.
        if entries.iter().any(|(_, name)| is_data(name)) {
            entries.retain(|(_, name)| is_data(name) || !is_about(name));
        }
        let mut members = Vec::new();
        for (index, name) in entries {
            let entry = archive.by_index_raw(index).map_err(damaged)?;
            let full = match &within {
                Some(outer) => format!("{outer}/{name}"),
                None => name,
            };
            members.push(packed(&entry, full, &source, layers)?);
        }
        // The last is unpacked first, so the first goes last.
        self.waiting.extend(members.into_iter().rev());
        Ok(())
    }

    /// Unpacks until a member is whole, or the deadline.
    pub(crate) fn step(&mut self, deadline: &Deadline) -> Result<Unpacked, Trouble> {
        loop {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.waiting.pop() {
                    Some(packed) if packed.is_plain() => {
                        return Ok(Unpacked::Member(packed.into_member()));
                    }
                    Some(packed) => begin(packed),
                    None => return Ok(Unpacked::End),
                },
            };
            while self.grow(&mut open)? {
                if deadline.passed() {
                    self.open = Some(open);
                    return Ok(Unpacked::More);
                }
            }
            if let Some(member) = self.close(open)? {
                return Ok(Unpacked::Member(member));
            }
        }
    }

    /// Decodes one piece; `false` at the end of the member.
    fn grow(&mut self, open: &mut Open) -> Result<bool, Trouble> {
        self.make_room(&mut open.output);
        let read = open
            .decoder
            .by_ref()
            .take(PIECE as u64)
            .read_to_end(&mut open.output);
        let name = || open.packed.name.clone();
        let read = read.map_err(|error| {
            let cause = error.to_string();
            named(
                Problem::Compression {
                    method: open.packed.method.name(),
                    cause,
                },
                name(),
            )
        })?;
        self.produced += read as u64;
        if self.produced > self.limits.output_bytes {
            return Err(named(
                Problem::TooLarge {
                    limit: self.limits.output_bytes,
                },
                name(),
            ));
        }
        let input = open.packed.source.as_ref().len() as u64;
        let output = open.output.len() as u64;
        if output > RATIO_FLOOR && output / input.max(1) > self.limits.ratio {
            return Err(named(
                Problem::Bomb {
                    ratio: self.limits.ratio,
                },
                name(),
            ));
        }
        open.watch.look(&open.output).map_err(|line| {
            let limit = MOST_ROW_BYTES;
            let mut trouble = Problem::RowTooLong { limit }.on_line(line);
            trouble.place.member = name();
            trouble
        })?;
        Ok(read > 0)
    }

    /// Room for a piece. Doubles as vectors do, but never beyond what the limit lets in.
    fn make_room(&self, output: &mut Vec<u8>) {
        if output.capacity() - output.len() >= PIECE {
            return;
        }
        let left = self.limits.output_bytes.saturating_sub(self.produced);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        output.reserve_exact(output.len().min(left).max(PIECE));
    }

    /// A finished member, unless it turned out to be compressed once more: then its inside is queued.
    fn close(&mut self, open: Open) -> Result<Option<Member>, Trouble> {
        let Open { packed, output, .. } = open;
        if let Some(wanted) = packed.crc {
            let mut crc = Crc::new();
            crc.update(&output);
            if crc.sum() != wanted {
                let cause = "its checksum does not match".to_owned();
                return Err(named(
                    Problem::Compression {
                        method: "zip",
                        cause,
                    },
                    packed.name,
                ));
            }
        }
        if packed.layers > 0 && compression(&output).is_some() {
            let end = output.len();
            let source = Source {
                bytes: Arc::new(output),
                start: 0,
                end,
            };
            self.add(packed.name, source, packed.layers)?;
            return Ok(None);
        }
        Ok(Some(Member {
            name: packed.name,
            bytes: output,
        }))
    }
}

/// Opens a decoder on a member.
fn begin(packed: Packed) -> Open {
    let source = Cursor::new(packed.source.clone());
    let decoder = match packed.method {
        Method::Stored => Decoder::Stored(source),
        Method::Deflate => Decoder::Deflate(DeflateDecoder::new(source)),
        Method::Gzip => Decoder::Gzip(MultiGzDecoder::new(source)),
        Method::Zstd => Decoder::Zstd(Zstd::Between(source)),
    };
    Open {
        packed,
        decoder,
        output: Vec::new(),
        watch: LineWatch::default(),
    }
}

/// A zip entry as a range of the archive's bytes.
fn packed(
    entry: &zip::read::ZipFile<'_, Cursor<Source>>,
    name: String,
    archive: &Source,
    layers: u8,
) -> Result<Packed, Trouble> {
    if entry.encrypted() {
        return Err(member_problem(Some(name), "it is encrypted".to_owned()));
    }
    let method = match entry.compression() {
        CompressionMethod::Stored => Method::Stored,
        CompressionMethod::Deflated => Method::Deflate,
        other => {
            return Err(member_problem(
                Some(name),
                format!("its compression method is {other}"),
            ));
        }
    };
    let range = entry.data_start().and_then(|start| {
        let start = usize::try_from(start).ok()?.checked_add(archive.start)?;
        let end = start.checked_add(usize::try_from(entry.compressed_size()).ok()?)?;
        (end <= archive.end).then_some((start, end))
    });
    let Some((start, end)) = range else {
        return Err(member_problem(
            Some(name),
            "its data lies outside the archive".to_owned(),
        ));
    };
    let source = Source {
        bytes: archive.bytes.clone(),
        start,
        end,
    };
    Ok(Packed {
        name: Some(name),
        source,
        method,
        crc: Some(entry.crc32()),
        layers,
    })
}

fn named(problem: Problem, member: Option<String>) -> Trouble {
    let mut trouble = problem.whole();
    trouble.place.member = member;
    trouble
}

fn member_problem(name: Option<String>, cause: String) -> Trouble {
    named(Problem::Member { cause }, name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[test]
    fn output_has_no_more_room_than_the_limit_lets_in() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&vec![b' '; 5 << 20]).unwrap();
        let limits = Limits {
            output_bytes: 5 << 20,
            ..Limits::default()
        };
        let mut unpacker = Unpacker::new(encoder.finish().unwrap(), limits).unwrap();
        let unpacked = unpacker.step(&Deadline::after(Duration::MAX)).unwrap();
        let Unpacked::Member(member) = unpacked else {
            unreachable!("without a deadline there is a member");
        };
        assert_eq!(member.bytes.len(), 5 << 20);
        assert!(member.bytes.capacity() <= (5 << 20) + 2 * PIECE);
    }
}
