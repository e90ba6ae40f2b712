//! Any Arrow data as a Kusto table: the readers of Parquet, Arrow, CSV and JSON end here.
//!
//! Whole numbers of up to 32 signed bits are `int`, wider ones `long` (unsigned 64 bits beyond its range are null, but
//! see [`exact`]); floats are `real`; timestamps of any unit and zone are `datetime` (Arrow keeps instants in UTC), dates
//! too, and null outside the years 1 to 9999, as what Kusto ingests; durations and times of day are `timespan`; text in
//! any of Arrow's layouts, and dictionaries of it, are `string`; binary is `string`: text where all values of the column are UTF-8,
//! else base16 for all of them; lists, structs and maps are `dynamic`.

mod bytes;
mod exact;
mod nested;
mod views;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

pub use bytes::{guids, is_binary, is_text, text_of};
pub use exact::{exact, is_settled};
pub use views::texts_of_views;

use crate::ipc::tagged_type;
use crate::table::{Table, TableError};
use crate::ticks;
use crate::types::{Column, KustoType};

/// The Kusto type that an Arrow type becomes; `None` when there is none (intervals of months, unions).
pub fn kusto_type(ty: &DataType) -> Option<KustoType> {
    Some(match ty {
        DataType::Boolean => KustoType::Bool,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            KustoType::Int
        }
        DataType::UInt32 | DataType::Int64 | DataType::UInt64 => KustoType::Long,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => KustoType::Real,
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => KustoType::Decimal,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => KustoType::DateTime,
        DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => KustoType::TimeSpan,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            KustoType::String
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => KustoType::String,
        DataType::Dictionary(_, value) => kusto_type(value)?,
        DataType::RunEndEncoded(_, value) => kusto_type(value.data_type())?,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Map(..) => KustoType::Dynamic,
        DataType::Interval(_) | DataType::Union(..) => return None,
    })
}

/// The columns that a table read from data of this schema has. A field that our own streams tagged keeps its type.
pub fn columns(schema: &Schema) -> Result<Vec<Column>, TableError> {
    schema
        .fields()
        .iter()
        .map(|field| {
            let ty = tagged_type(field).or_else(|| kusto_type(field.data_type()));
            let ty = ty.ok_or_else(|| {
                TableError::Unsupported(format!(
                    "column '{}' has the Arrow type {}, which has no Kusto form: leave the column out or cast it",
                    field.name(),
                    field.data_type()
                ))
            })?;
            Ok(Column::new(field.name(), ty))
        })
        .collect()
}

/// A table from Arrow batches of one schema.
pub fn from_arrow(schema: &Schema, batches: &[RecordBatch]) -> Result<Table, TableError> {
    let mut table = Table::empty(columns(schema)?);
    let hexadecimal: Vec<bool> = (0..schema.fields().len())
        .map(|at| !batches.iter().all(|batch| is_text(batch.column(at))))
        .collect();
    for batch in batches {
        let arrays: Result<Vec<ArrayRef>, TableError> = batch
            .columns()
            .iter()
            .zip(table.columns())
            .zip(schema.fields().iter().zip(&hexadecimal))
            .map(|((array, column), (field, hex))| match tagged_type(field) {
                Some(_) => Ok(array.clone()),
                None if *hex => text_of(array, true),
                None => array_to_kusto(array, column.ty),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        table.push(RecordBatch::try_new_with_options(
            table.schema().clone(),
            arrays?,
            &options,
        )?)?;
    }
    Ok(table)
}

/// An array as the representation of `ty`, which must be what [`kusto_type`] says of its type.
pub fn array_to_kusto(array: &ArrayRef, ty: KustoType) -> Result<ArrayRef, TableError> {
    match array.data_type() {
        DataType::Dictionary(_, value) => {
            let plain = cast(array, value)?;
            return array_to_kusto(&plain, ty);
        }
        DataType::RunEndEncoded(_, value) => {
            let plain = cast(array, value.data_type())?;
            return array_to_kusto(&plain, ty);
        }
        _ => {}
    }
    match ty {
        KustoType::DateTime => datetimes(array),
        KustoType::TimeSpan => timespans(array),
        KustoType::String => strings(array),
        KustoType::Dynamic => nested::dynamics(array),
        _ => cast(array, &ty.arrow()),
    }
}

/// Values that do not fit become null, as Kusto's conversions have it.
fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, TableError> {
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    Ok(cast_with_options(array, to, &options)?)
}

fn datetimes(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let from = |per: i64| move |count: i64| ticks::from_unix(count, per);
    let ticks: Int64Array = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => array
            .as_primitive::<TimestampSecondType>()
            .unary_opt(from(ticks::SECOND)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => array
            .as_primitive::<TimestampMillisecondType>()
            .unary_opt(from(ticks::MILLISECOND)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => array
            .as_primitive::<TimestampMicrosecondType>()
            .unary_opt(from(ticks::MICROSECOND)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => array
            .as_primitive::<TimestampNanosecondType>()
            .unary(ticks::from_unix_nanos),
        DataType::Date32 => array
            .as_primitive::<Date32Type>()
            .unary_opt(|days| ticks::from_unix(i64::from(days), ticks::DAY)),
        DataType::Date64 => array
            .as_primitive::<Date64Type>()
            .unary_opt(from(ticks::MILLISECOND)),
        other => return Err(mismatch(other, KustoType::DateTime)),
    };
    Ok(Arc::new(ticks))
}

fn timespans(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let unit = match array.data_type() {
        DataType::Duration(unit) | DataType::Time32(unit) | DataType::Time64(unit) => *unit,
        other => return Err(mismatch(other, KustoType::TimeSpan)),
    };
    // Times of day of 32 bits widen through the 32-bit integer that they are.
    let counts = match array.data_type() {
        DataType::Time32(_) => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(array, &DataType::Int64)?,
    };
    let counts = counts.as_primitive::<Int64Type>();
    let ticks: Int64Array = match unit {
        TimeUnit::Second => counts.unary_opt(|n| n.checked_mul(ticks::SECOND)),
        TimeUnit::Millisecond => counts.unary_opt(|n| n.checked_mul(ticks::MILLISECOND)),
        TimeUnit::Microsecond => counts.unary_opt(|n| n.checked_mul(ticks::MICROSECOND)),
        TimeUnit::Nanosecond => counts.unary(|n| n / 100),
    };
    Ok(Arc::new(ticks))
}

fn strings(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    match array.data_type() {
        DataType::Utf8 => Ok(crate::without_nulls(array)),
        DataType::Null => {
            let mut builder = StringBuilder::new();
            (0..array.len()).for_each(|_| builder.append_value(""));
            Ok(Arc::new(builder.finish()))
        }
        DataType::Utf8View => {
            let texts: ArrayRef = Arc::new(texts_of_views(array.as_string_view())?);
            Ok(crate::without_nulls(&texts))
        }
        DataType::LargeUtf8 => Ok(crate::without_nulls(&cast(array, &DataType::Utf8)?)),
        _ => text_of(array, !is_text(array)),
    }
}

fn mismatch(found: &DataType, wanted: KustoType) -> TableError {
    TableError::Unsupported(format!(
        "Arrow data of type {found} cannot be read as {wanted}"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::format;
    use crate::value::Cell;
    use arrow::array::*;
    use arrow::datatypes::*;

    fn first(array: impl Array + 'static) -> (KustoType, String) {
        let array: ArrayRef = Arc::new(array);
        let ty = kusto_type(array.data_type()).unwrap();
        let converted = array_to_kusto(&array, ty).unwrap();
        (ty, format::text(Cell::of(&converted, ty, 0)))
    }

    #[test]
    fn every_kind_of_array_has_a_kusto_form() {
        use KustoType::{DateTime, Dynamic, Int, Long, Real, String, TimeSpan};
        let dictionary: DictionaryArray<Int8Type> = ["x", "y"].into_iter().collect();
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
        let cases = [
            (first(Int8Array::from(vec![-1])), Int, "-1"),
            (first(UInt32Array::from(vec![u32::MAX])), Long, "4294967295"),
            (first(UInt64Array::from(vec![u64::MAX])), Long, ""),
            (first(Float32Array::from(vec![0.5])), Real, "0.5"),
            (
                first(TimestampMillisecondArray::from(vec![0]).with_timezone("+02:00")),
                DateTime,
                "1970-01-01T00:00:00.0000000Z",
            ),
            (
                first(TimestampSecondArray::from(vec![i64::MAX])),
                DateTime,
                "",
            ),
            (first(Date32Array::from(vec![i32::MIN])), DateTime, ""),
            (
                first(DurationSecondArray::from(vec![i64::MAX])),
                TimeSpan,
                "",
            ),
            (
                first(TimestampNanosecondArray::from(vec![-1])),
                DateTime,
                "1969-12-31T23:59:59.9999999Z",
            ),
            (
                first(Date32Array::from(vec![19_000])),
                DateTime,
                "2022-01-08T00:00:00.0000000Z",
            ),
            (
                first(Time32SecondArray::from(vec![61])),
                TimeSpan,
                "00:01:01",
            ),
            (
                first(DurationMicrosecondArray::from(vec![1_500_000])),
                TimeSpan,
                "00:00:01.5000000",
            ),
            (first(LargeStringArray::from(vec!["l"])), String, "l"),
            (
                first(StringViewArray::from(vec![Some("v"), None])),
                String,
                "v",
            ),
            (first(dictionary), String, "x"),
            (first(BinaryArray::from(vec![&b"\xff"[..]])), String, "ff"),
            (
                first(BinaryArray::from(vec![&b"ok"[..], &b"\xff"[..]])),
                String,
                "6f6b",
            ),
            (first(NullArray::new(1)), String, ""),
            (first(list), Dynamic, "[1,null]"),
        ];
        for ((ty, text), wanted, wanted_text) in cases {
            assert_eq!((ty, text.as_str()), (wanted, wanted_text));
        }
    }

    #[test]
    fn slices_of_lists_and_maps_keep_to_their_rows() {
        let rows = [Some([Some(1), Some(2)]), None, Some([Some(3), Some(4)])];
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(rows);
        assert_eq!(first(list.slice(2, 1)).1, "[3,4]");
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for (key, value) in [("a", 1), ("b", 2)] {
            map.keys().append_value(key);
            map.values().append_value(value);
            map.append(true).unwrap();
        }
        assert_eq!(first(map.finish().slice(1, 1)).1, r#"{"b":2}"#);
    }

    #[test]
    fn structs_and_maps_become_bags() {
        let inner = StructArray::from(vec![
            (
                Arc::new(Field::new("n", DataType::Int64, true)),
                Arc::new(Int64Array::from(vec![1])) as ArrayRef,
            ),
            (
                Arc::new(Field::new("s", DataType::Utf8, true)),
                Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef,
            ),
        ]);
        assert_eq!(first(inner).1, r#"{"n":1,"s":null}"#);
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        map.keys().append_value("k");
        map.values().append_value(7);
        map.append(true).unwrap();
        assert_eq!(first(map.finish()).1, r#"{"k":7}"#);
    }
}
