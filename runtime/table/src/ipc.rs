//! Tables as Arrow IPC streams, with Kusto's types in field metadata, so that datetimes and timespans, which are plain
//! `Int64` ticks there, find back. Other Arrow streams are read too: their types are converted.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use crate::convert;
use crate::table::{Table, TableError};
use crate::types::{Column, KustoType};

/// The key of a field's metadata that names its Kusto type.
pub const TYPE_KEY: &str = "kusto.type";

/// Rows of a piece: some milliseconds of writing.
const PIECE: usize = 1 << 14;

/// The table as an Arrow IPC stream, uncompressed.
pub fn to_stream(table: &Table) -> Result<Vec<u8>, TableError> {
    let mut bytes = Vec::new();
    write_stream(table, &mut bytes)?;
    Ok(bytes)
}

/// Writes the table as an Arrow IPC stream, uncompressed, batch by batch.
pub fn write_stream(table: &Table, out: impl Write) -> Result<(), TableError> {
    let fields: Vec<Field> = table.columns().iter().map(tagged_field).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut writer = StreamWriter::try_new(out, &schema)?;
    for batch in table.batches() {
        writer.write(&RecordBatch::try_new(
            schema.clone(),
            batch.columns().to_vec(),
        )?)?;
    }
    Ok(writer.finish()?)
}

/// A table on its way to an Arrow IPC stream, uncompressed: written piece by piece, so that whoever writes it can do
/// other things between, and cut where it would pass a limit of bytes.
pub struct Stream {
    table: Table,
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
    limit: usize,
    /// The next row of the table, as its batch and the row in it.
    batch: usize,
    row: usize,
    rows: usize,
}

impl Stream {
    /// A stream of at most `limit` bytes, of which nothing but the schema is written. Fails when there is no memory for
    /// it, which is asked for here and not as it grows.
    pub fn new(table: Table, limit: usize) -> Result<Self, TableError> {
        let fields: Vec<Field> = table.columns().iter().map(tagged_field).collect();
        let mut bytes = Vec::new();
        let room = stream_bytes(&table)?.min(limit);
        bytes.try_reserve_exact(room).map_err(|_| {
            TableError::Unsupported(format!("there is no memory for a stream of {room} bytes"))
        })?;
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            writer: StreamWriter::try_new(bytes, &schema)?,
            schema,
            table,
            limit,
            batch: 0,
            row: 0,
            rows: 0,
        })
    }

    /// Writes some thousands of rows. `false` when nothing is left to write: at the table's end, or at the limit.
    pub fn write_piece(&mut self) -> Result<bool, TableError> {
        let Some(batch) = self.table.batches().get(self.batch) else {
            return Ok(false);
        };
        let wanted = PIECE.min(batch.num_rows() - self.row);
        let (piece, rows) = self.fitting(&batch.slice(self.row, wanted))?;
        let last = rows < wanted;
        if rows > 0 {
            self.writer.write(&piece)?;
        }
        self.rows += rows;
        self.row += rows;
        if self.row == batch.num_rows() {
            (self.batch, self.row) = (self.batch + 1, 0);
        }
        if last {
            self.batch = self.table.batches().len();
        }
        Ok(self.batch < self.table.batches().len())
    }

    /// The first rows of a piece that fit, with the stream's own schema, and how many they are.
    fn fitting(&self, piece: &RecordBatch) -> Result<(RecordBatch, usize), TableError> {
        let room = self.limit.saturating_sub(self.writer.get_ref().len());
        let (mut fit, mut over) = (0, piece.num_rows() + 1);
        while over - fit > 1 {
            // All of them is the first guess, and most often right.
            let middle = if over > piece.num_rows() {
                over - 1
            } else {
                fit.midpoint(over)
            };
            if message_bytes(&piece.slice(0, middle))? <= room {
                fit = middle;
            } else {
                over = middle;
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(fit));
        let columns = piece.slice(0, fit).columns().to_vec();
        let piece = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        Ok((piece, fit))
    }

    /// The stream's bytes and how many rows are in it.
    pub fn finish(mut self) -> Result<(Vec<u8>, usize), TableError> {
        self.writer.finish()?;
        Ok((self.writer.into_inner()?, self.rows))
    }
}

/// At least as many bytes as a batch takes in a stream: its buffers, each padded, and a header with some words for
/// each of them.
fn message_bytes(batch: &RecordBatch) -> Result<usize, TableError> {
    let mut bytes = 512;
    for column in batch.columns() {
        bytes += column.to_data().get_slice_memory_size()? + 512;
    }
    Ok(bytes)
}

/// At least as many bytes as the table's stream has.
fn stream_bytes(table: &Table) -> Result<usize, TableError> {
    let names: usize = table.columns().iter().map(|c| c.name.len() + 256).sum();
    let mut bytes = 1024 + names;
    for batch in table.batches() {
        bytes += message_bytes(batch)? + batch.num_rows() / PIECE * 512 * (batch.num_columns() + 1);
    }
    Ok(bytes)
}

fn tagged_field(column: &Column) -> Field {
    let tag = HashMap::from([(TYPE_KEY.to_owned(), column.ty.name().to_owned())]);
    column.field().with_metadata(tag)
}

/// A table from an Arrow IPC stream, ours or any other.
pub fn from_stream(bytes: &[u8]) -> Result<Table, TableError> {
    let reader = StreamReader::try_new(Cursor::new(bytes), None)?;
    let schema = reader.schema();
    let batches: Result<Vec<RecordBatch>, _> = reader.collect();
    convert::from_arrow(&schema, &batches?)
}

/// The Kusto type that a field's metadata names, if it names one that fits the field's Arrow type.
pub fn tagged_type(field: &Field) -> Option<KustoType> {
    let ty = KustoType::from_name(field.metadata().get(TYPE_KEY)?)?;
    (field.data_type() == &ty.arrow()).then_some(ty)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Value;

    #[test]
    fn types_and_values_survive() {
        let columns: Vec<Column> = KustoType::ALL
            .iter()
            .map(|ty| Column::new(ty.name(), *ty))
            .collect();
        let row: Vec<Value> = vec![
            Value::Bool(true),
            Value::DateTime(123),
            Value::Decimal(5),
            Value::Dynamic(crate::Dynamic::parse("[1]").unwrap()),
            Value::Guid("74be27de-1e4e-49d9-b579-fe0b331d3642".into()),
            Value::Int(1),
            Value::Long(2),
            Value::Real(2.5),
            Value::String("s".into()),
            Value::TimeSpan(-7),
        ];
        let table = Table::from_values(columns, &[row.clone(), vec![]]).unwrap();
        let back = from_stream(&to_stream(&table).unwrap()).unwrap();
        assert_eq!(back.columns(), table.columns());
        let read: Vec<Value> = (0..row.len()).map(|column| back.value(0, column)).collect();
        assert_eq!(read, row);
        assert!(back.value(1, 0).is_null());
    }

    #[test]
    fn a_limit_keeps_the_first_rows_that_fit() {
        let columns = vec![
            Column::new("n", KustoType::Long),
            Column::new("s", KustoType::String),
        ];
        let rows: Vec<Vec<Value>> = (0..50_000)
            .map(|n| vec![Value::Long(n), Value::String(n.to_string())])
            .collect();
        let table = Table::from_values(columns, &rows).unwrap();
        let whole = to_stream(&table).unwrap();
        assert_eq!(from_stream(&whole).unwrap().rows(), 50_000);
        assert!(stream_bytes(&table).unwrap() >= whole.len());
        for limit in [100_000, 400_000, 700_000] {
            let mut stream = Stream::new(table.clone(), limit).unwrap();
            while stream.write_piece().unwrap() {}
            let (bytes, rows) = stream.finish().unwrap();
            assert!(
                bytes.len() <= limit && bytes.len() + 8192 > limit,
                "{limit}: {}",
                bytes.len()
            );
            let back = from_stream(&bytes).unwrap();
            assert_eq!(back.rows(), rows);
            assert_eq!(back.value(rows - 1, 0), Value::Long(rows as i64 - 1));
        }
        let mut none = Stream::new(table, 10).unwrap();
        assert!(!none.write_piece().unwrap());
        assert_eq!(none.finish().unwrap().1, 0);
    }

    #[test]
    fn a_table_without_columns_or_rows_is_a_stream_too() {
        let table = Table::empty(vec![Column::new("n", KustoType::Long)]);
        let back = from_stream(&to_stream(&table).unwrap()).unwrap();
        assert_eq!((back.rows(), back.columns().len()), (0, 1));
    }
}
