//! Single values: borrowed from a column ([`Cell`]) or owned ([`Value`]), and building columns from values.
//! Whole columns are handled as Arrow arrays; this is for constants, display and small tables.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Decimal128Builder, Float64Builder,
    Int32Builder, Int64Builder, StringBuilder,
};
use arrow::datatypes::{Decimal128Type, Float64Type, Int32Type, Int64Type};

use crate::dynamic::{Builder, Dynamic, DynamicRef};
use crate::types::{DECIMAL_PRECISION, DECIMAL_SCALE, KustoType};

/// One value of a column, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// A null of any type but string.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 32-bit integer.
    Int(i32),
    /// A 64-bit integer.
    Long(i64),
    /// A floating-point number.
    Real(f64),
    /// A decimal, in units of 10^-[`DECIMAL_SCALE`].
    Decimal(i128),
    /// An instant, in ticks.
    DateTime(i64),
    /// A length of time, in ticks.
    TimeSpan(i64),
    /// Text.
    String(&'a str),
    /// A guid's text.
    Guid(&'a str),
    /// A dynamic value that is not null.
    Dynamic(DynamicRef<'a>),
}

impl<'a> Cell<'a> {
    /// The value at `row` of a column of type `ty`; null when `row` is past the end or the array is not of that type.
    pub fn of(array: &'a dyn Array, ty: KustoType, row: usize) -> Cell<'a> {
        let string = ty == KustoType::String;
        if row >= array.len() || array.data_type() != &ty.arrow() || array.is_null(row) {
            return if string { Cell::String("") } else { Cell::Null };
        }
        match ty {
            KustoType::Bool => Cell::Bool(array.as_boolean().value(row)),
            KustoType::Int => Cell::Int(array.as_primitive::<Int32Type>().value(row)),
            KustoType::Long => Cell::Long(array.as_primitive::<Int64Type>().value(row)),
            KustoType::Real => Cell::Real(array.as_primitive::<Float64Type>().value(row)),
            KustoType::Decimal => Cell::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
            KustoType::DateTime => Cell::DateTime(array.as_primitive::<Int64Type>().value(row)),
            KustoType::TimeSpan => Cell::TimeSpan(array.as_primitive::<Int64Type>().value(row)),
            KustoType::String => Cell::String(array.as_string::<i32>().value(row)),
            KustoType::Guid => Cell::Guid(array.as_string::<i32>().value(row)),
            KustoType::Dynamic => {
                let value = DynamicRef::new(array.as_binary::<i32>().value(row));
                if value.is_null() {
                    Cell::Null
                } else {
                    Cell::Dynamic(value)
                }
            }
        }
    }

    /// Whether it is null. A string never is.
    pub fn is_null(self) -> bool {
        matches!(self, Cell::Null)
    }

    /// Writes it as a dynamic value.
    pub fn write_dynamic(self, out: &mut Builder) {
        match self {
            Cell::Null => out.null(),
            Cell::Bool(value) => out.bool(value),
            Cell::Int(value) => out.long(i64::from(value)),
            Cell::Long(value) => out.long(value),
            Cell::Real(value) => out.real(value),
            Cell::Decimal(value) => out.decimal(value),
            Cell::DateTime(value) => out.datetime(value),
            Cell::TimeSpan(value) => out.timespan(value),
            Cell::String(value) => out.string(value),
            Cell::Guid(value) => out.guid(value),
            Cell::Dynamic(value) => out.value(value),
        }
    }
}

/// One value, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A null of a type; never of string.
    Null(KustoType),
    /// A truth value.
    Bool(bool),
    /// A 32-bit integer.
    Int(i32),
    /// A 64-bit integer.
    Long(i64),
    /// A floating-point number.
    Real(f64),
    /// A decimal, in units of 10^-[`DECIMAL_SCALE`].
    Decimal(i128),
    /// An instant, in ticks.
    DateTime(i64),
    /// A length of time, in ticks.
    TimeSpan(i64),
    /// Text.
    String(String),
    /// A guid's canonical text.
    Guid(String),
    /// A dynamic value.
    Dynamic(Dynamic),
}

impl Value {
    /// The null of a type; the empty string for string.
    pub fn null(ty: KustoType) -> Value {
        match ty {
            KustoType::String => Value::String(String::new()),
            _ => Value::Null(ty),
        }
    }

    /// The value's type.
    pub fn ty(&self) -> KustoType {
        match self {
            Value::Null(ty) => *ty,
            Value::Bool(_) => KustoType::Bool,
            Value::Int(_) => KustoType::Int,
            Value::Long(_) => KustoType::Long,
            Value::Real(_) => KustoType::Real,
            Value::Decimal(_) => KustoType::Decimal,
            Value::DateTime(_) => KustoType::DateTime,
            Value::TimeSpan(_) => KustoType::TimeSpan,
            Value::String(_) => KustoType::String,
            Value::Guid(_) => KustoType::Guid,
            Value::Dynamic(_) => KustoType::Dynamic,
        }
    }

    /// Whether it is null: also a dynamic null.
    pub fn is_null(&self) -> bool {
        self.cell().is_null()
    }

    /// A borrowed view.
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Value::Null(_) => Cell::Null,
            Value::Bool(value) => Cell::Bool(*value),
            Value::Int(value) => Cell::Int(*value),
            Value::Long(value) => Cell::Long(*value),
            Value::Real(value) => Cell::Real(*value),
            Value::Decimal(value) => Cell::Decimal(*value),
            Value::DateTime(value) => Cell::DateTime(*value),
            Value::TimeSpan(value) => Cell::TimeSpan(*value),
            Value::String(value) => Cell::String(value),
            Value::Guid(value) => Cell::Guid(value),
            Value::Dynamic(value) if value.view().is_null() => Cell::Null,
            Value::Dynamic(value) => Cell::Dynamic(value.view()),
        }
    }

    /// The value at `row` of a column: see [`Cell::of`].
    pub fn of(array: &dyn Array, ty: KustoType, row: usize) -> Value {
        match Cell::of(array, ty, row) {
            Cell::Null => Value::null(ty),
            Cell::Bool(value) => Value::Bool(value),
            Cell::Int(value) => Value::Int(value),
            Cell::Long(value) => Value::Long(value),
            Cell::Real(value) => Value::Real(value),
            Cell::Decimal(value) => Value::Decimal(value),
            Cell::DateTime(value) => Value::DateTime(value),
            Cell::TimeSpan(value) => Value::TimeSpan(value),
            Cell::String(value) => Value::String(value.to_owned()),
            Cell::Guid(value) => Value::Guid(value.to_owned()),
            Cell::Dynamic(value) => Value::Dynamic(value.to_owned()),
        }
    }

    /// The value as a dynamic one.
    pub fn to_dynamic(&self) -> Dynamic {
        let mut out = Builder::new();
        self.cell().write_dynamic(&mut out);
        out.finish()
    }
}

macro_rules! build {
    ($builder:expr, $values:expr, $($pattern:pat $(if $guard:expr)? => $value:expr),+) => {{
        let mut builder = $builder;
        for value in $values {
            match value {
                $($pattern $(if $guard)? => builder.append_value($value),)+
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish()) as ArrayRef
    }};
}

/// A column of type `ty` from values. A value of another type is a null, except that an int widens to a long.
pub fn array_of<'a>(ty: KustoType, values: impl IntoIterator<Item = &'a Value>) -> ArrayRef {
    match ty {
        KustoType::Bool => build!(BooleanBuilder::new(), values, Value::Bool(v) => *v),
        KustoType::Int => build!(Int32Builder::new(), values, Value::Int(v) => *v),
        KustoType::Long => {
            build!(Int64Builder::new(), values, Value::Long(v) => *v, Value::Int(v) => i64::from(*v))
        }
        KustoType::DateTime => build!(Int64Builder::new(), values, Value::DateTime(v) => *v),
        KustoType::TimeSpan => build!(Int64Builder::new(), values, Value::TimeSpan(v) => *v),
        KustoType::Real => build!(Float64Builder::new(), values, Value::Real(v) => *v),
        KustoType::Decimal => {
            let builder = Decimal128Builder::new().with_data_type(
                arrow::datatypes::DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
            );
            build!(builder, values, Value::Decimal(v) => *v)
        }
        KustoType::String => {
            let mut builder = StringBuilder::new();
            for value in values {
                match value {
                    Value::String(v) => builder.append_value(v),
                    _ => builder.append_value(""),
                }
            }
            Arc::new(builder.finish())
        }
        KustoType::Guid => build!(StringBuilder::new(), values, Value::Guid(v) => v),
        KustoType::Dynamic => {
            build!(BinaryBuilder::new(), values, Value::Dynamic(v) if !v.view().is_null() => v.as_bytes())
        }
    }
}
