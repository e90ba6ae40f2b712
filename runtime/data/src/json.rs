//! JSON documents as rows. serde_json reads each object straight into the columns, with no tree in between, so one pass
//! both infers and loads. Takes objects one a line or anywhere, arrays of objects, and an object whose only key holds
//! the array (`{"Records": [...]}`, as cloud providers write their logs). A row that the parser refuses is tried again
//! as `mend.rs` writes it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use spoor_table::dynamic::{Builder, JsonSeed};

use crate::assembly::{Assembly, CHUNK_ROWS};
use crate::cells::{Cells, Scalar};
use crate::error::{Place, Problem, Trouble};
use crate::mend::mended;
use crate::{Deadline, MOST_ROW_BYTES};

/// Numbers from here on may be whole ones that no long holds, of which the parser keeps the first digits: 2^63.
const LARGE: f64 = 9_223_372_036_854_775_808.0;

/// Bytes after which a chunk is closed, however few its rows.
const CHUNK_BYTES: usize = 8 << 20;

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

/// The rows since the last whole chunk.
#[derive(Default)]
struct Chunk {
    rows: usize,
    /// Columns by the assembly's index.
    cells: Vec<Cells>,
    scratch: Builder,
    /// Bytes of nested values, which may be several times longer than their text.
    nested: usize,
    /// What was wrong with the row, when it was not its syntax.
    problem: Option<Problem>,
    /// Whether the row at hand is read as it was mended: its numbers are what they seem.
    is_mended: bool,
}

impl Chunk {
    /// The cells of a column, with all rows before this one.
    fn cells(&mut self, column: usize) -> &mut Cells {
        if self.cells.len() <= column {
            self.cells.resize_with(column + 1, Cells::default);
        }
        // The line above made it.
        let cells = &mut self.cells[column];
        if cells.len() > self.rows {
            cells.pop();
        }
        cells.pad(self.rows);
        cells
    }

    fn is_full(&self) -> bool {
        self.rows >= CHUNK_ROWS
            || self.nested > CHUNK_BYTES
            || self.rows.is_multiple_of(64) && self.size() > CHUNK_BYTES
    }

    fn size(&self) -> usize {
        self.cells.iter().map(|cells| cells.size(self.rows)).sum()
    }

    /// Hands the rows over.
    fn close(&mut self, assembly: &mut Assembly) -> Result<(), Problem> {
        let rows = std::mem::take(&mut self.rows);
        self.nested = 0;
        if rows == 0 {
            return Ok(());
        }
        let mut parts = Vec::new();
        for (column, mut cells) in std::mem::take(&mut self.cells).into_iter().enumerate() {
            cells.pad(rows);
            parts.extend(cells.finish()?.map(|part| (column, part)));
        }
        assembly.push(rows, parts)
    }
}

/// Reads one object as the chunk's next row.
struct RowSeed<'a> {
    chunk: &'a mut Chunk,
    assembly: &'a mut Assembly,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl RowSeed<'_> {
    fn refuse<E: serde::de::Error>(self, found: &'static str) -> Result<(), E> {
        self.chunk.problem = Some(Problem::JsonRow { found });
        Err(E::custom(""))
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(column) = entries.next_key_seed(KeySeed(self.assembly))? {
            let column = column.map_err(|problem| note(&mut self.chunk.problem, problem))?;
            entries.next_value_seed(CellSeed {
                chunk: self.chunk,
                column,
            })?;
        }
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.refuse("null")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.refuse("a truth value")
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.refuse("a string")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.refuse("an array in an array")
    }
}

/// Keeps a problem for [`JsonReader::explain`] and gives the error that stops the parser.
fn note<E: serde::de::Error>(kept: &mut Option<Problem>, problem: Problem) -> E {
    *kept = Some(problem);
    E::custom("")
}

/// Finds a key's column without making a string of it.
struct KeySeed<'a>(&'a mut Assembly);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Result<usize, Problem>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Result<usize, Problem>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.column(key))
    }
}

/// Reads a value into the chunk's column.
struct CellSeed<'a> {
    chunk: &'a mut Chunk,
    column: usize,
}

impl CellSeed<'_> {
    fn push<E: serde::de::Error>(self, scalar: &Scalar<'_>) -> Result<(), E> {
        let pushed = self.chunk.cells(self.column).push(scalar);
        pushed.map_err(|problem| note(&mut self.chunk.problem, problem))
    }

    fn nested<E: serde::de::Error>(
        self,
        write: impl FnOnce(&mut Builder) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scratch = std::mem::take(&mut self.chunk.scratch);
        scratch.clear();
        write(&mut scratch)?;
        self.chunk.nested += scratch.bytes().len();
        let pushed = self.chunk.cells(self.column).push_dynamic(scratch.bytes());
        self.chunk.scratch = scratch;
        pushed.map_err(|problem| note(&mut self.chunk.problem, problem))
    }
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        // Rows without a value are filled up when the next one comes; a repeated key's last value counts, also null.
        self.chunk.cells(self.column);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.push(&Scalar::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.push(&Scalar::Long(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        let scalar = i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Long);
        self.push(&scalar)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        if value.abs() >= LARGE && !self.chunk.is_mended {
            return Err(E::custom("a number that may have more digits"));
        }
        self.push(&Scalar::Real(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.push(&Scalar::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.nested(|out| JsonSeed(out).deserialize(SeqAccessDeserializer::new(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.nested(|out| JsonSeed(out).deserialize(MapAccessDeserializer::new(entries)))
    }
}
