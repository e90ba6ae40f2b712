//! JSON documents as rows. serde_json reads each object straight into the columns, with no tree in between, so one pass
//! both infers and loads. Takes objects one a line or anywhere, arrays of objects, and an object whose only key holds
//! the array (`{"Records": [...]}`, as cloud providers write their logs). A row that the parser refuses is tried again
//! as `mend.rs` writes it.

mod rows;

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::error::Category;

use crate::assembly::Assembly;
use crate::error::{Place, Problem, Trouble};
use crate::mend::mended;
use crate::{Deadline, MOST_ROW_BYTES};
use rows::{Chunk, RowSeed};

/// Rows between two looks at the clock.
const ROWS_A_LOOK: usize = 64;

/// Reads one JSON file.
pub(crate) struct JsonReader {
    bytes: Vec<u8>,
    at: usize,
    nesting: Nesting,
    phase: Phase,
    chunk: Chunk,
}

/// What surrounds the next value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// Nothing: values follow one another.
    Top,
    /// An array whose first element comes next, or its end.
    ArrayStart,
    /// An array; a comma comes before the next element.
    Array,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Finding out whether the document is an object around one array, which begins at the offset.
    Probe { array: usize },
    /// Reading the rows of such an array.
    Wrapped,
    /// Reading rows.
    Rows,
}

impl JsonReader {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let mut reader = JsonReader {
            bytes,
            at: 0,
            nesting: Nesting::Top,
            phase: Phase::Rows,
            chunk: Chunk::default(),
        };
        if let Some(array) = wrapped_array(&reader.bytes) {
            reader.begin_array(array, Phase::Probe { array });
        }
        reader
    }

    fn begin_array(&mut self, bracket: usize, phase: Phase) {
        self.at = bracket + 1;
        self.nesting = Nesting::ArrayStart;
        self.phase = phase;
    }

    /// Reads rows until the deadline; `true` at the end of the file.
    pub(crate) fn step(
        &mut self,
        assembly: &mut Assembly,
        deadline: &Deadline,
    ) -> Result<bool, Trouble> {
        loop {
            for _ in 0..ROWS_A_LOOK {
                if !self.advance(assembly)? {
                    let mut chunk = std::mem::take(&mut self.chunk);
                    self.close(&mut chunk, assembly, self.at)?;
                    return Ok(true);
                }
            }
            if deadline.passed() {
                return Ok(false);
            }
        }
    }

    /// Reads a value; `false` at the end of the file.
    fn advance(&mut self, assembly: &mut Assembly) -> Result<bool, Trouble> {
        let more = self.find_value()?;
        match (self.phase, more) {
            (Phase::Probe { .. }, true) => {
                if self.value(PhantomData::<IgnoredAny>).is_err()
                    && !matches!(self.again(PhantomData::<IgnoredAny>), Some((_, Ok(()))))
                {
                    // Reading it as rows will tell what is wrong, and where.
                    self.restart();
                }
            }
            (Phase::Probe { array }, false) => match self.peek() {
                Some(b'}') if self.rest_is_blank(1) => self.begin_array(array, Phase::Wrapped),
                _ => self.restart(),
            },
            (_, true) => self.row(assembly)?,
            (_, false) => return Ok(false),
        }
        Ok(true)
    }

    fn restart(&mut self) {
        self.at = 0;
        self.nesting = Nesting::Top;
        self.phase = Phase::Rows;
    }

    /// Moves to the next value, through brackets and commas; `false` where there is none.
    fn find_value(&mut self) -> Result<bool, Trouble> {
        loop {
            let next = self.peek();
            self.nesting = match (self.nesting, next) {
                (Nesting::Top, None) => return Ok(false),
                (Nesting::Top, Some(b'[')) => Nesting::ArrayStart,
                (Nesting::ArrayStart | Nesting::Array, None) => {
                    return Err(self.trouble(self.at, Problem::JsonCut));
                }
                (Nesting::ArrayStart | Nesting::Array, Some(b']')) => Nesting::Top,
                (Nesting::Array, Some(b',')) => {
                    self.at += 1;
                    // Whatever comes now must be a value: serde_json refuses a bracket or another comma.
                    self.peek();
                    return Ok(true);
                }
                (Nesting::Array, Some(_)) => {
                    let cause = "expected `,` or `]` after a value".to_owned();
                    return Err(self.trouble(self.at, Problem::Json { cause }));
                }
                (Nesting::Top | Nesting::ArrayStart, Some(_)) => return Ok(true),
            };
            self.at += 1;
            let ended = self.nesting == Nesting::Top;
            if ended && self.phase != Phase::Rows {
                self.peek();
                return Ok(false);
            }
        }
    }

    /// Skips space and looks at the next byte.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.at += blank;
        rest.get(blank).copied()
    }

    fn rest_is_blank(&self, skip: usize) -> bool {
        let rest = self.bytes.get(self.at + skip..).unwrap_or_default();
        rest.iter().all(u8::is_ascii_whitespace)
    }

    fn row(&mut self, assembly: &mut Assembly) -> Result<(), Trouble> {
        let start = self.at;
        let mut chunk = std::mem::take(&mut self.chunk);
        let read = self.value(RowSeed {
            chunk: &mut chunk,
            assembly,
        });
        if let Err(error) = read {
            self.mended_row(&mut chunk, assembly, &error)?;
        }
        chunk.rows += 1;
        if chunk.is_full() {
            self.close(&mut chunk, assembly, start)?;
        }
        self.chunk = chunk;
        Ok(())
    }

    /// Reads the row at hand as it is when mended, where that is another.
    fn mended_row(
        &mut self,
        chunk: &mut Chunk,
        assembly: &mut Assembly,
        error: &serde_json::Error,
    ) -> Result<(), Trouble> {
        let start = self.at;
        if chunk.problem.is_some() || error.is_eof() {
            return Err(self.explain(start, error, chunk.problem.take()));
        }
        chunk.is_mended = true;
        let again = self.again(RowSeed { chunk, assembly });
        chunk.is_mended = false;
        match again {
            Some((_, Ok(()))) => Ok(()),
            Some((is_changed, Err(error))) => {
                let mut trouble = self.explain(start, &error, chunk.problem.take());
                // What was mended may stand before it on its line.
                trouble.place.column = trouble.place.column.filter(|_| !is_changed);
                Err(trouble)
            }
            None => Err(self.explain(start, error, None)),
        }
    }

    /// Hands a chunk over whose last row begins at `at`.
    fn close(&self, chunk: &mut Chunk, assembly: &mut Assembly, at: usize) -> Result<(), Trouble> {
        let on_line = |problem| self.on_line(at, problem);
        chunk.close(assembly).map_err(on_line)
    }

    /// Deserializes the value at hand and moves behind it. What is longer than a row may be looks cut short.
    fn value<S: for<'de> DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(self.row_text());
        seed.deserialize(&mut reader)?;
        let length = reader.into_iter::<IgnoredAny>().byte_offset();
        self.move_behind(length);
        Ok(())
    }

    /// As [`Self::value`], of the value as `mend.rs` has it, and whether that is another; `None` if it finds no end.
    fn again<S: for<'de> DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Option<(bool, Result<(), serde_json::Error>)> {
        let mended = mended(self.row_text())?;
        let mut reader = serde_json::Deserializer::from_slice(&mended.text);
        let read = seed.deserialize(&mut reader).map(drop);
        if read.is_ok() {
            self.move_behind(mended.length);
        }
        Some((mended.is_changed, read))
    }

    /// The text at hand, as long as a row may be.
    fn row_text(&self) -> &[u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.get(..MOST_ROW_BYTES).unwrap_or(rest)
    }

    fn move_behind(&mut self, length: usize) {
        self.at += length;
        if self.nesting != Nesting::Top {
            self.nesting = Nesting::Array;
        }
    }

    /// What a failed row says, with lines and columns counted in the whole file.
    fn explain(&self, start: usize, error: &serde_json::Error, noted: Option<Problem>) -> Trouble {
        if error.is_eof() && self.bytes.len().saturating_sub(start) > MOST_ROW_BYTES {
            let limit = MOST_ROW_BYTES;
            return self.on_line(start, Problem::RowTooLong { limit });
        }
        let mut place = self.place(start);
        let first = place.line;
        if error.line() > 1 {
            place.line = first.map(|line| line + error.line() as u64 - 1);
            // An error at a line break has column 0 of the line it ends.
            place.column = Some(error.column() as u64).filter(|column| *column > 0);
            place.since = first;
        } else {
            place.column = place
                .column
                .map(|column| column + error.column().saturating_sub(1) as u64);
        }
        if error.is_eof() {
            place.column = None;
            return Problem::JsonCut.at(place);
        }
        let problem = noted.unwrap_or_else(|| Problem::Json {
            cause: cause(error),
        });
        problem.at(place)
    }

    fn trouble(&self, at: usize, problem: Problem) -> Trouble {
        problem.at(self.place(at))
    }

    /// A problem with a whole row, or with all rows so far.
    fn on_line(&self, at: usize, problem: Problem) -> Trouble {
        let line = self.place(at).line;
        problem.at(Place {
            line,
            ..Place::default()
        })
    }

    /// The line and column of an offset.
    fn place(&self, at: usize) -> Place {
        let before = self.bytes.get(..at).unwrap_or(&self.bytes);
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|b| **b != b'\n').count();
        Place {
            line: Some(line as u64),
            column: Some(column as u64),
            ..Place::default()
        }
    }
}

/// The parser's message without the position that it ends with.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.classify() != Category::Io => text[..end].to_owned(),
        _ => text,
    }
}

/// Where the array begins in a document that starts with `{"key": [{`.
fn wrapped_array(bytes: &[u8]) -> Option<usize> {
    let key = behind(bytes, 0, b'{').and_then(|at| behind(bytes, at, b'"'))?;
    let length = bytes
        .get(key..)?
        .iter()
        .position(|b| matches!(b, b'"' | b'\\'))?;
    let colon = behind(bytes, key + length, b'"').and_then(|at| behind(bytes, at, b':'))?;
    let array = behind(bytes, colon, b'[')?;
    behind(bytes, array, b'{')?;
    Some(array - 1)
}

/// The offset behind `wanted`, if that is what comes next after space.
fn behind(bytes: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
    (*rest.get(blank)? == wanted).then_some(at + blank + 1)
}
