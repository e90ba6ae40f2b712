//! What a field of a row can be: Rust's types as columns of Kusto's, and as options.

use serde_json::Value;
use spoor_plugin_abi::Type;

use crate::column::{Column, ColumnBuilder};

/// An instant in UTC, in ticks of 100 ns since 0001-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datetime(pub i64);

/// A length of time in ticks of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan(pub i64);

/// A decimal number, in units of 10^-12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub i128);

/// A JSON value as text: `dynamic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<S>(pub S);

/// A type that a column of the input is read as.
pub trait FromColumn<'a>: Sized {
    /// The column types that it takes.
    const TYPES: &'static [Type];
    /// Whether a null is a value of it.
    const NULLABLE: bool = false;

    /// The value in a row; `None` where there is none that fits, so that the row is passed over.
    fn get(column: &Column<'a>, row: usize) -> Option<Self>;
}

/// A type that a column of the answer is made of.
pub trait IntoColumn {
    /// The column's type.
    const TYPE: Type;

    /// Appends the value.
    fn push(self, column: &mut ColumnBuilder);
}

/// A type that an option is read as.
pub trait FromOption: Sized {
    /// The option's type.
    const TYPE: Type;

    /// The value of an option; `None` where the JSON is no such value.
    fn from_json(value: &Value) -> Option<Self>;
}

impl<'a> FromColumn<'a> for &'a str {
    const TYPES: &'static [Type] = &[Type::String, Type::Guid, Type::Dynamic];

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        column.text(row)
    }
}

impl<'a> FromColumn<'a> for Json<&'a str> {
    const TYPES: &'static [Type] = &[Type::Dynamic];

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        column.text(row).map(Json)
    }
}

impl<'a> FromColumn<'a> for String {
    const TYPES: &'static [Type] = <&str>::TYPES;

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        column.text(row).map(String::from)
    }
}

impl<'a> FromColumn<'a> for bool {
    const TYPES: &'static [Type] = &[Type::Bool];

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        column.bit(row)
    }
}

impl<'a> FromColumn<'a> for i64 {
    const TYPES: &'static [Type] = &[Type::Long, Type::Int];

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        match column.fixed(row) {
            Some(bytes) => Some(i64::from_le_bytes(bytes)),
            None => column
                .fixed(row)
                .map(|bytes| i32::from_le_bytes(bytes).into()),
        }
    }
}

impl<'a, T: FromColumn<'a>> FromColumn<'a> for Option<T> {
    const TYPES: &'static [Type] = T::TYPES;
    const NULLABLE: bool = true;

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        Some(T::get(column, row))
    }
}

/// Types whose values are little-endian bytes in a column.
macro_rules! fixed {
    ($($ty:ty: $kusto:ident, |$bytes:ident| $read:expr, |$value:ident| $write:expr;)*) => {$(
        impl IntoColumn for $ty {
            const TYPE: Type = Type::$kusto;

            fn push(self, column: &mut ColumnBuilder) {
                let $value = self;
                column.push_fixed(&$write.to_le_bytes());
            }
        }

        impl<'a> FromColumn<'a> for $ty {
            const TYPES: &'static [Type] = &[Type::$kusto];

            fn get(column: &Column<'a>, row: usize) -> Option<Self> {
                let $bytes = column.fixed(row)?;
                Some($read)
            }
        }
    )*};
}

fixed! {
    i32: Int, |bytes| i32::from_le_bytes(bytes), |value| value;
    f64: Real, |bytes| f64::from_le_bytes(bytes), |value| value;
    Datetime: DateTime, |bytes| Datetime(i64::from_le_bytes(bytes)), |value| value.0;
    Timespan: TimeSpan, |bytes| Timespan(i64::from_le_bytes(bytes)), |value| value.0;
    Decimal: Decimal, |bytes| Decimal(i128::from_le_bytes(bytes)), |value| value.0;
}

impl IntoColumn for i64 {
    const TYPE: Type = Type::Long;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_fixed(&self.to_le_bytes());
    }
}

impl IntoColumn for bool {
    const TYPE: Type = Type::Bool;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_bit(self);
    }
}

impl IntoColumn for &str {
    const TYPE: Type = Type::String;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_text(self);
    }
}

impl IntoColumn for String {
    const TYPE: Type = Type::String;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_text(&self);
    }
}

impl IntoColumn for std::borrow::Cow<'_, str> {
    const TYPE: Type = Type::String;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_text(&self);
    }
}

impl<S: AsRef<str>> IntoColumn for Json<S> {
    const TYPE: Type = Type::Dynamic;

    fn push(self, column: &mut ColumnBuilder) {
        column.push_text(self.0.as_ref());
    }
}

impl<T: IntoColumn> IntoColumn for Option<T> {
    const TYPE: Type = T::TYPE;

    fn push(self, column: &mut ColumnBuilder) {
        match self {
            Some(value) => value.push(column),
            None => column.push_null(),
        }
    }
}

/// Types that are one of JSON's.
macro_rules! options {
    ($($ty:ty: $kusto:ident, |$value:ident| $read:expr;)*) => {$(
        impl FromOption for $ty {
            const TYPE: Type = Type::$kusto;

            fn from_json($value: &Value) -> Option<Self> {
                $read
            }
        }
    )*};
}

options! {
    bool: Bool, |value| value.as_bool();
    i32: Int, |value| value.as_i64()?.try_into().ok();
    i64: Long, |value| value.as_i64();
    f64: Real, |value| value.as_f64();
    Datetime: DateTime, |value| value.as_i64().map(Datetime);
    Timespan: TimeSpan, |value| value.as_i64().map(Timespan);
    String: String, |value| value.as_str().map(String::from);
    Value: Dynamic, |value| Some(value.clone());
}

impl<T: FromOption> FromOption for Option<T> {
    const TYPE: Type = T::TYPE;

    fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_json(value).map(Some),
        }
    }
}
