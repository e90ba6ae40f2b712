//! The schema that an answer has to have: the manifest's types as Arrow's.

use arrow::datatypes::{DataType, Field, Schema};
use spoor_plugin_abi::{Output, ROW_COLUMN, RowMode, Type};

/// What a column of a Kusto type is in Arrow, between the engine and a plugin. `dynamic` is JSON text.
pub const fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int32,
        Type::Long | Type::DateTime | Type::TimeSpan => DataType::Int64,
        Type::Real => DataType::Float64,
        Type::Decimal => DataType::Decimal128(38, 12),
        Type::String | Type::Guid | Type::Dynamic => DataType::Utf8,
    }
}

/// The schema of a function's first table: the declared columns, all nullable, and before them `_row` (`UInt32`, never
/// null) where the answer is `indexed`.
pub fn declared_schema(output: &Output) -> Schema {
    let index =
        (output.rows == RowMode::Indexed).then(|| Field::new(ROW_COLUMN, DataType::UInt32, false));
    let columns = output
        .columns
        .iter()
        .map(|column| Field::new(&column.name, arrow_type(column.ty), true));
    Schema::new(index.into_iter().chain(columns).collect::<Vec<_>>())
}

/// Bits of a value of a fixed width; `None` for text.
pub(super) fn width(ty: &DataType) -> Option<u64> {
    match ty {
        DataType::Boolean => Some(1),
        DataType::Utf8 => None,
        other => other.primitive_width().map(|bytes| bytes as u64 * 8),
    }
}
