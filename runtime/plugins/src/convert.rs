//! Columns on their way to a plugin and back: the engine's arrays and the ABI's differ in `dynamic` alone, which the ABI has as
//! JSON text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Decimal128Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{Decimal128Type, Field, Int64Type, Schema};
use spoor_gate::answer::arrow_type;
use spoor_plugin_abi::Type;
use spoor_table::{Dynamic, DynamicRef, KustoType, Value, parse, ticks};

use crate::Failure;

/// The ABI's name for a type of Kusto's.
pub const fn abi_type(ty: KustoType) -> Type {
    match ty {
        KustoType::Bool => Type::Bool,
        KustoType::Int => Type::Int,
        KustoType::Long => Type::Long,
        KustoType::Real => Type::Real,
        KustoType::Decimal => Type::Decimal,
        KustoType::DateTime => Type::DateTime,
        KustoType::TimeSpan => Type::TimeSpan,
        KustoType::String => Type::String,
        KustoType::Guid => Type::Guid,
        KustoType::Dynamic => Type::Dynamic,
    }
}

/// The type of Kusto's that the ABI has under this name.
pub const fn kusto_type(ty: Type) -> KustoType {
    match ty {
        Type::Bool => KustoType::Bool,
        Type::Int => KustoType::Int,
        Type::Long => KustoType::Long,
        Type::Real => KustoType::Real,
        Type::Decimal => KustoType::Decimal,
        Type::DateTime => KustoType::DateTime,
        Type::TimeSpan => KustoType::TimeSpan,
        Type::String => KustoType::String,
        Type::Guid => KustoType::Guid,
        Type::Dynamic => KustoType::Dynamic,
    }
}

/// The type that a column of type `has` is given as to a parameter that takes `wanted`: its own, or a number that holds
/// all of its values. `None` where it does not fit.
pub fn fitting(has: KustoType, wanted: &[Type]) -> Option<Type> {
    let own = abi_type(has);
    let wider: &[Type] = match own {
        Type::Int => &[Type::Int, Type::Long, Type::Real],
        Type::Long => &[Type::Long, Type::Real],
        _ => &[own],
    };
    if wanted.contains(&own) {
        return Some(own);
    }
    wider.iter().copied().find(|ty| wanted.contains(ty))
}

/// A column as the ABI has it.
pub(crate) fn to_abi(array: &ArrayRef, ty: Type) -> Result<ArrayRef, Failure> {
    if ty == Type::Dynamic {
        return Ok(json_text(array));
    }
    let wanted = arrow_type(ty);
    if *array.data_type() == wanted {
        return Ok(array.clone());
    }
    Ok(cast(array, &wanted)?)
}

fn json_text(array: &ArrayRef) -> ArrayRef {
    let Some(values) = array.as_binary_opt::<i32>() else {
        return array.clone();
    };
    let mut out = StringBuilder::with_capacity(values.len(), values.value_data().len());
    for value in values {
        match value.map(DynamicRef::new).filter(|value| !value.is_null()) {
            Some(value) => out.append_value(value.to_json()),
            None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

/// A column that a plugin answered as the engine has it. What is no value of the type becomes null.
pub(crate) fn from_abi(array: &ArrayRef, ty: Type) -> ArrayRef {
    match ty {
        Type::Dynamic => dynamics(array.as_string()),
        Type::Guid => {
            let guids = array.as_string::<i32>().iter();
            Arc::new(StringArray::from_iter(
                guids.map(|text| text.and_then(parse::guid)),
            ))
        }
        Type::DateTime => {
            let known = |ticks: i64| (0..=ticks::DATETIME_MAX).contains(&ticks).then_some(ticks);
            let times: Int64Array = array.as_primitive::<Int64Type>().unary_opt(known);
            Arc::new(times)
        }
        Type::Decimal => {
            let numbers: &Decimal128Array = array.as_primitive::<Decimal128Type>();
            Arc::new(numbers.null_if_overflow_precision(numbers.precision()))
        }
        _ => array.clone(),
    }
}

/// Text that is no JSON is a dynamic of text.
fn dynamics(texts: &StringArray) -> ArrayRef {
    let mut out = BinaryBuilder::with_capacity(texts.len(), texts.value_data().len());
    for text in texts {
        match text {
            Some(text) => {
                let value = Dynamic::parse(text)
                    .unwrap_or_else(|| Value::String(text.to_owned()).to_dynamic());
                out.append_value(value.as_bytes());
            }
            None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

/// A table as plugins are sent one: an Arrow IPC stream of one batch.
///
/// # Errors
/// Arrow fails, as on columns of different lengths.
pub fn stream(columns: &[(&str, ArrayRef)], rows: usize) -> Result<Vec<u8>, Failure> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)?;
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(writer.into_inner()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use spoor_table::array_of;

    use super::*;

    #[test]
    fn numbers_widen_and_nothing_else_changes_its_type() {
        assert_eq!(
            fitting(KustoType::Int, &[Type::Real, Type::Long]),
            Some(Type::Long)
        );
        assert_eq!(fitting(KustoType::Long, &[Type::Int]), None);
        assert_eq!(fitting(KustoType::DateTime, &[Type::Long]), None);
        assert_eq!(
            fitting(KustoType::Guid, &[Type::String, Type::Guid]),
            Some(Type::Guid)
        );
    }

    #[test]
    fn dynamics_travel_as_json() {
        let value = Value::Dynamic(Dynamic::parse(r#"{"a":[1,null]}"#).unwrap());
        let array = array_of(
            KustoType::Dynamic,
            [&value, &Value::Null(KustoType::Dynamic)],
        );
        let text = to_abi(&array, Type::Dynamic).unwrap();
        assert_eq!(text.as_string::<i32>().value(0), r#"{"a":[1,null]}"#);
        assert!(text.is_null(1));
        let back = from_abi(&text, Type::Dynamic);
        assert_eq!(Value::of(&back, KustoType::Dynamic, 0), value);
        let odd: ArrayRef = Arc::new(StringArray::from(vec!["{no json"]));
        let odd = Value::of(&from_abi(&odd, Type::Dynamic), KustoType::Dynamic, 0);
        let text = Value::String("{no json".into()).to_dynamic();
        assert_eq!(odd, Value::Dynamic(text));
    }

    #[test]
    fn what_no_type_holds_is_null() {
        let times: ArrayRef = Arc::new(Int64Array::from(vec![-1, 5, i64::MAX]));
        let times = from_abi(&times, Type::DateTime);
        assert_eq!((times.null_count(), times.is_null(1)), (2, false));
        let guids: ArrayRef = Arc::new(StringArray::from(vec!["no guid"]));
        assert!(from_abi(&guids, Type::Guid).is_null(0));
    }
}
