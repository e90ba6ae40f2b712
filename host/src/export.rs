//! A query's result as files that other tools read: Parquet and Arrow IPC, with Arrow's own types
//! for time.
//!
//! `spoor query --format` calls this. What goes between kernel and page is `spoor_table::ipc`'s,
//! which keeps Kusto's ticks.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationNanosecondType, Field, Int64Type, Schema,
    TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use spoor_table::ipc::TYPE_KEY;
use spoor_table::{Cell, Column, KustoType, Table, format, ticks};

use crate::error::Error;

/// The table as a Parquet file, compressed with zstd.
pub fn parquet(table: &Table) -> Result<Vec<u8>, Error> {
    let batch = natural(table)?;
    let compression = parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default());
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(compression)
        .build();
    let failed = |e: parquet::errors::ParquetError| {
        Error::Export(format!("the result cannot be written as Parquet: {e}"))
    };
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))
            .map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.into_inner().map_err(failed)
}

/// The table as an Arrow IPC file.
pub fn arrow(table: &Table) -> Result<Vec<u8>, Error> {
    let batch = natural(table)?;
    let write = || {
        let mut writer = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    write().map_err(unwritable)
}

fn unwritable(error: ArrowError) -> Error {
    Error::Export(format!("the result cannot be written as Arrow: {error}"))
}

/// The table with Arrow's types: datetimes are timestamps in UTC and timespans durations, in
/// nanoseconds where all values of the column fit and in microseconds otherwise; dynamic values
/// are JSON text. These and guids say so in their fields' metadata, so that our readers find them
/// back.
fn natural(table: &Table) -> Result<RecordBatch, Error> {
    let batch = table.concat().map_err(|e| Error::Export(e.to_string()))?;
    let columns = table.columns().iter().zip(batch.columns());
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .map(|(column, array)| {
            let array = natural_array(column.ty, array);
            (natural_field(column, array.data_type()), array)
        })
        .unzip();
    let options =
        arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(unwritable)
}

fn natural_field(column: &Column, ty: &DataType) -> Field {
    let field = Field::new(&column.name, ty.clone(), true);
    match column.ty {
        // Text to Arrow, which has no type for them.
        KustoType::Dynamic | KustoType::Guid => {
            let tag = (TYPE_KEY.to_owned(), column.ty.name().to_owned());
            field.with_metadata(HashMap::from([tag]))
        }
        _ => field,
    }
}

fn natural_array(ty: KustoType, array: &ArrayRef) -> ArrayRef {
    match ty {
        KustoType::DateTime => timestamps(array.as_primitive()),
        KustoType::TimeSpan => durations(array.as_primitive()),
        KustoType::Dynamic => json_text(array),
        _ => array.clone(),
    }
}

fn timestamps(values: &Int64Array) -> ArrayRef {
    let since_1970 = |t: i64| t.saturating_sub(ticks::UNIX_EPOCH);
    match values.try_unary::<_, Int64Type, _>(|t| nanos(since_1970(t))) {
        Ok(nanos) => Arc::new(
            nanos
                .reinterpret_cast::<TimestampNanosecondType>()
                .with_timezone("UTC"),
        ) as ArrayRef,
        Err(_) => {
            let micros: Int64Array = values.unary(|t| since_1970(t).div_euclid(10));
            Arc::new(
                micros
                    .reinterpret_cast::<TimestampMicrosecondType>()
                    .with_timezone("UTC"),
            )
        }
    }
}

fn durations(values: &Int64Array) -> ArrayRef {
    match values.try_unary::<_, Int64Type, _>(nanos) {
        Ok(nanos) => Arc::new(nanos.reinterpret_cast::<DurationNanosecondType>()) as ArrayRef,
        Err(_) => {
            let micros: Int64Array = values.unary(|t| t.div_euclid(10));
            Arc::new(micros.reinterpret_cast::<DurationMicrosecondType>())
        }
    }
}

fn nanos(ticks: i64) -> Result<i64, ArrowError> {
    ticks
        .checked_mul(100)
        .ok_or_else(|| ArrowError::ComputeError("out of range".into()))
}

fn json_text(array: &ArrayRef) -> ArrayRef {
    let text = |row| match Cell::of(array, KustoType::Dynamic, row) {
        Cell::Null => None,
        cell => {
            let mut out = String::new();
            format::push_json(&mut out, cell);
            Some(out)
        }
    };
    Arc::new((0..array.len()).map(text).collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{
        DurationMicrosecondArray, DurationNanosecondArray, TimestampMicrosecondArray,
        TimestampNanosecondArray,
    };
    use arrow::datatypes::TimeUnit;
    use spoor_table::{Dynamic, Value};

    use super::*;

    fn table(datetime: i64) -> Table {
        let columns = [
            Column::new("t", KustoType::DateTime),
            Column::new("d", KustoType::TimeSpan),
            Column::new("j", KustoType::Dynamic),
            Column::new("s", KustoType::String),
            Column::new("g", KustoType::Guid),
        ];
        let row = vec![
            Value::DateTime(datetime),
            Value::TimeSpan(15),
            Value::Dynamic(Dynamic::parse("{\"a\":[1,null]}").unwrap()),
            Value::String("x".into()),
            Value::Guid("74be27de-1e4e-49d9-b579-fe0b331d3642".into()),
        ];
        Table::from_values(columns, &[row]).unwrap()
    }

    #[test]
    fn time_has_arrows_types() {
        let batch = natural(&table(ticks::UNIX_EPOCH + 5)).unwrap();
        let nanos = |unit| DataType::Timestamp(unit, Some("UTC".into()));
        assert_eq!(batch.column(0).data_type(), &nanos(TimeUnit::Nanosecond));
        assert_eq!(
            batch
                .column(0)
                .as_any()
                .downcast_ref::<TimestampNanosecondArray>()
                .unwrap()
                .value(0),
            500
        );
        assert_eq!(
            batch
                .column(1)
                .as_any()
                .downcast_ref::<DurationNanosecondArray>()
                .unwrap()
                .value(0),
            1500
        );
        assert_eq!(
            batch.column(2).as_string::<i32>().value(0),
            "{\"a\":[1,null]}"
        );
    }

    #[test]
    fn far_times_are_in_microseconds() {
        let batch = natural(&table(ticks::DATETIME_MAX)).unwrap();
        let far = batch
            .column(0)
            .as_any()
            .downcast_ref::<TimestampMicrosecondArray>()
            .unwrap()
            .value(0);
        assert_eq!(far, (ticks::DATETIME_MAX - ticks::UNIX_EPOCH) / 10);
        assert!(
            batch
                .column(1)
                .as_any()
                .downcast_ref::<DurationMicrosecondArray>()
                .is_none()
        );
    }

    #[test]
    fn our_own_readers_take_both_files() {
        let table = table(ticks::UNIX_EPOCH + 5);
        for (bytes, name) in [
            (parquet(&table).unwrap(), "r.parquet"),
            (arrow(&table).unwrap(), "r.arrow"),
        ] {
            let read = spoor_data::read(name, None, bytes, spoor_data::Limits::default()).unwrap();
            let types: Vec<_> = read.columns().iter().map(|c| c.ty).collect();
            assert_eq!(
                types,
                [
                    KustoType::DateTime,
                    KustoType::TimeSpan,
                    KustoType::Dynamic,
                    KustoType::String,
                    KustoType::Guid
                ],
                "{name}"
            );
            assert_eq!(format::csv(&read), format::csv(&table), "{name}");
        }
    }
}
