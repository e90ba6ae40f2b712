//! Recordings: everything that went into a session's kernel and everything that came out.
//!
//! `session` writes one, `replay` reads it. The file is append-only, so what a killed process
//! leaves is good up to its last whole record:
//!
//! ```text
//! spoor-recording 1\n
//! {"spoor":"0.1.0","protocol":1,"kernel":"<sha256 of kernel.wasm>"}\n
//! record*        record = tag (one byte)  length (u32, little-endian)  payload
//! ```
//!
//! | tag | payload | meaning |
//! | --- | --- | --- |
//! | `I` | none | a kernel instance is started |
//! | `E` | frame of an event | the event is given to the kernel |
//! | `A` | frame of effects | the kernel's answer |
//! | `T` | UTF-8 | the kernel broke instead: why |
//! | `W` | seconds u64, nanoseconds u32 | a draw from the wall clock |
//! | `M` | nanoseconds u64 | a draw from the monotonic clock |
//! | `R` | bytes | a draw of randomness |
//!
//! Draws stand after the `I` or `E` that caused them, in order, before the `A` or `T`. An
//! instance that failed to start has a `T` after its `I`. Recordings hold the data that queries
//! read and whatever the cells printed: share one as you would the notebook with its data.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use spoor_protocol::PROTOCOL_VERSION;

use crate::ambient::Draw;
use crate::error::Error;

const FIRST_LINE: &str = "spoor-recording 1\n";

/// What the file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of spoor that recorded.
    pub spoor: String,
    /// The version of the protocol.
    pub protocol: u32,
    /// The SHA-256 of the kernel.wasm that answered.
    pub kernel: String,
}

/// One record, draws aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A kernel instance is started.
    Instance,
    /// An event frame.
    Event(Vec<u8>),
    /// The effects frame that answered.
    Answer(Vec<u8>),
    /// The kernel broke.
    Broke(String),
    /// A clock reading or random bytes.
    Draw(Draw),
}

/// Writes a recording.
pub struct Recorder {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Recorder {
    /// Begins a recording at `path`, which must not exist: a recording is never overwritten.
    pub fn create(path: &Path, kernel_sha256: &str) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::file("cannot begin the recording", path))?;
        let mut recorder = Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
        };
        let header = Header {
            spoor: env!("CARGO_PKG_VERSION").into(),
            protocol: PROTOCOL_VERSION,
            kernel: kernel_sha256.into(),
        };
        recorder.put(|out| {
            out.write_all(FIRST_LINE.as_bytes())?;
            serde_json::to_writer(&mut *out, &header)?;
            out.write_all(b"\n")
        })?;
        Ok(recorder)
    }

    /// Adds records, and hands them to the system.
    pub fn write(&mut self, records: impl IntoIterator<Item = Record>) -> Result<(), Error> {
        self.put(|out| {
            records
                .into_iter()
                .try_for_each(|record| write_record(out, &record))
        })
    }

    fn put(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Error> {
        let done = write(&mut self.out).and_then(|()| self.out.flush());
        done.map_err(Error::file("cannot go on with the recording", &self.path))
    }
}

fn write_record(out: &mut impl Write, record: &Record) -> io::Result<()> {
    match record {
        Record::Instance => put_record(out, b'I', &[&[]]),
        Record::Event(bytes) => put_record(out, b'E', &[bytes]),
        Record::Answer(bytes) => put_record(out, b'A', &[bytes]),
        Record::Broke(why) => put_record(out, b'T', &[why.as_bytes()]),
        Record::Draw(Draw::Wall(time)) => put_record(
            out,
            b'W',
            &[
                &time.as_secs().to_le_bytes(),
                &time.subsec_nanos().to_le_bytes(),
            ],
        ),
        Record::Draw(Draw::Monotonic(nanos)) => put_record(out, b'M', &[&nanos.to_le_bytes()]),
        Record::Draw(Draw::Random(bytes)) => put_record(out, b'R', &[bytes]),
    }
}

fn put_record(out: &mut impl Write, tag: u8, parts: &[&[u8]]) -> io::Result<()> {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let len = u32::try_from(len).map_err(io::Error::other)?;
    out.write_all(&[tag])?;
    out.write_all(&len.to_le_bytes())?;
    parts.iter().try_for_each(|part| out.write_all(part))
}

/// Reads a recording, record by record.
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    header: Header,
    left: u64,
}

impl Reader {
    /// Opens the recording at `path`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = || Error::file("cannot read the recording", path);
        let file = File::open(path).map_err(unreadable())?;
        let mut left = file.metadata().map_err(unreadable())?.len();
        let mut input = BufReader::new(file);
        let mut line = String::new();
        // A file of another kind may be one long line, or no text at all.
        let mut head = (&mut input).take(4096);
        let first = head
            .read_line(&mut line)
            .ok()
            .filter(|_| line == FIRST_LINE);
        let second = first.and_then(|_| {
            line.clear();
            head.read_line(&mut line).ok()
        });
        let header = second
            .and_then(|_| serde_json::from_str(&line).ok())
            .ok_or_else(|| {
                Error::Recording(format!(
                    "{} is not a recording of version 1",
                    path.display()
                ))
            })?;
        left = left.saturating_sub((FIRST_LINE.len() + line.len()) as u64);
        Ok(Self {
            path: path.to_owned(),
            input,
            header,
            left,
        })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next record; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Record>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let head = self.take(5)?;
        let (tag, len) = (
            head[0],
            u32::from_le_bytes([head[1], head[2], head[3], head[4]]),
        );
        let payload = self.take(len as usize)?;
        parse(tag, payload)
            .map(Some)
            .ok_or_else(|| self.damaged("a record of no known kind"))
    }

    /// Reads exactly `len` bytes, having checked that the file has them.
    fn take(&mut self, len: usize) -> Result<Vec<u8>, Error> {
        if (len as u64) > self.left {
            return Err(self.damaged("an unfinished record"));
        }
        let mut bytes = vec![0; len];
        self.input
            .read_exact(&mut bytes)
            .map_err(Error::file("cannot read the recording", &self.path))?;
        self.left -= len as u64;
        Ok(bytes)
    }

    fn damaged(&self, what: &str) -> Error {
        Error::Recording(format!(
            "{} ends in {what}; what came before it is good",
            self.path.display()
        ))
    }
}

fn parse(tag: u8, payload: Vec<u8>) -> Option<Record> {
    Some(match tag {
        b'I' => Record::Instance,
        b'E' => Record::Event(payload),
        b'A' => Record::Answer(payload),
        b'T' => Record::Broke(String::from_utf8_lossy(&payload).into_owned()),
        b'W' => {
            let (secs, nanos) = payload.split_at_checked(8)?;
            let nanos = u32::from_le_bytes(nanos.try_into().ok()?);
            Record::Draw(Draw::Wall(Duration::new(
                u64::from_le_bytes(secs.try_into().ok()?),
                nanos.min(999_999_999),
            )))
        }
        b'M' => Record::Draw(Draw::Monotonic(u64::from_le_bytes(
            payload.as_slice().try_into().ok()?,
        ))),
        b'R' => Record::Draw(Draw::Random(payload)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn records() -> Vec<Record> {
        vec![
            Record::Instance,
            Record::Draw(Draw::Random(vec![1, 2, 3])),
            Record::Event(b"event".to_vec()),
            Record::Draw(Draw::Wall(Duration::new(5, 7))),
            Record::Draw(Draw::Monotonic(u64::MAX)),
            Record::Answer(vec![]),
            Record::Broke("why".into()),
        ]
    }

    fn read_all(path: &Path) -> Result<Vec<Record>, Error> {
        let mut reader = Reader::open(path)?;
        let mut all = Vec::new();
        while let Some(record) = reader.read()? {
            all.push(record);
        }
        Ok(all)
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        let mut recorder = Recorder::create(&path, "abc").unwrap();
        recorder.write(records()).unwrap();
        assert_eq!(Reader::open(&path).unwrap().header().kernel, "abc");
        assert_eq!(read_all(&path).unwrap(), records());
        assert!(
            Recorder::create(&path, "abc").is_err(),
            "a recording was overwritten"
        );
    }

    #[test]
    fn every_truncation_is_an_error_or_a_shorter_recording() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        Recorder::create(&path, "abc")
            .unwrap()
            .write(records())
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        for len in 0..whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            if let Ok(read) = read_all(&path) {
                assert_eq!(read, records()[..read.len()]);
            }
        }
    }

    #[test]
    fn a_lying_length_is_refused_before_any_allocation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        Recorder::create(&path, "abc").unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(&[b'E', 0xff, 0xff, 0xff, 0xff, 1]);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(read_all(&path), Err(Error::Recording(_))));
    }
}
