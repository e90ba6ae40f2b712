//! Tables as Arrow IPC streams, with Kusto's types in field metadata, so that datetimes and timespans, which are plain
//! `Int64` ticks there, find back. Other Arrow streams are read too: their types are converted.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use crate::convert;
use crate::table::{Table, TableError};
use crate::types::{Column, KustoType};

/// The key of a field's metadata that names its Kusto type.
pub const TYPE_KEY: &str = "kusto.type";

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
}
