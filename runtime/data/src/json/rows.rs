//! One object as one row: its values straight into the columns of a chunk.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use spoor_table::dynamic::{Builder, JsonSeed};

use crate::assembly::{Assembly, CHUNK_ROWS};
use crate::cells::{Cells, Scalar};
use crate::error::Problem;

/// Bytes after which a chunk is closed, however few its rows.
const CHUNK_BYTES: usize = 8 << 20;

/// Numbers from here on may be whole ones that no long holds, of which the parser keeps the first digits: 2^63.
const LARGE: f64 = 9_223_372_036_854_775_808.0;

/// The rows since the last whole chunk.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) rows: usize,
    /// Columns by the assembly's index.
    cells: Vec<Cells>,
    scratch: Builder,
    /// Bytes of nested values, which may be several times longer than their text.
    nested: usize,
    /// What was wrong with the row, when it was not its syntax.
    pub(super) problem: Option<Problem>,
    /// Whether the row at hand is read as it was mended: its numbers are what they seem.
    pub(super) is_mended: bool,
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

    pub(super) fn is_full(&self) -> bool {
        self.rows >= CHUNK_ROWS
            || self.nested > CHUNK_BYTES
            || self.rows.is_multiple_of(64) && self.size() > CHUNK_BYTES
    }

    fn size(&self) -> usize {
        self.cells.iter().map(|cells| cells.size(self.rows)).sum()
    }

    /// Hands the rows over.
    pub(super) fn close(&mut self, assembly: &mut Assembly) -> Result<(), Problem> {
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
pub(super) struct RowSeed<'a> {
    pub(super) chunk: &'a mut Chunk,
    pub(super) assembly: &'a mut Assembly,
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

/// Keeps a problem for the reader to tell and gives the error that stops the parser.
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
