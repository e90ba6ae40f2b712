//! Kusto's scalar types and what a column is. Everyone who handles tables uses these; the Arrow type of a column
//! follows from its Kusto type and never the other way round (datetime, timespan and long are all `Int64`).

use std::fmt;

use arrow::datatypes::{DataType, Field};

/// Digits after the point that a `decimal` keeps.
///
/// Kusto's decimal gives every value its own scale within 38 digits; an Arrow column has one scale for all. Twenty-six
/// digits before the point hold every `long` and what `parse_version` makes of four parts; twelve are left after it.
pub const DECIMAL_SCALE: i8 = 12;

/// Significant digits of a `decimal`.
pub const DECIMAL_PRECISION: u8 = 38;

/// One of Kusto's ten scalar types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KustoType {
    /// `true` or `false`.
    Bool,
    /// A 32-bit integer.
    Int,
    /// A 64-bit integer.
    Long,
    /// A 64-bit floating-point number.
    Real,
    /// A decimal number of [`DECIMAL_PRECISION`] digits, [`DECIMAL_SCALE`] of them after the point.
    Decimal,
    /// An instant in UTC, in ticks of 100 ns since 0001-01-01.
    DateTime,
    /// A length of time in ticks of 100 ns.
    TimeSpan,
    /// Text, never null.
    String,
    /// A 128-bit identifier, kept as lower-case text.
    Guid,
    /// A JSON-like value: see [`crate::dynamic`].
    Dynamic,
}

impl KustoType {
    /// Every type, in the order in which Kusto's documentation lists them.
    pub const ALL: [KustoType; 10] = [
        KustoType::Bool,
        KustoType::DateTime,
        KustoType::Decimal,
        KustoType::Dynamic,
        KustoType::Guid,
        KustoType::Int,
        KustoType::Long,
        KustoType::Real,
        KustoType::String,
        KustoType::TimeSpan,
    ];

    /// The type's name as Kusto prints it.
    pub const fn name(self) -> &'static str {
        match self {
            KustoType::Bool => "bool",
            KustoType::Int => "int",
            KustoType::Long => "long",
            KustoType::Real => "real",
            KustoType::Decimal => "decimal",
            KustoType::DateTime => "datetime",
            KustoType::TimeSpan => "timespan",
            KustoType::String => "string",
            KustoType::Guid => "guid",
            KustoType::Dynamic => "dynamic",
        }
    }

    /// The type that a name or one of its aliases stands for; `None` for anything else.
    pub fn from_name(name: &str) -> Option<KustoType> {
        Some(match name {
            "bool" | "boolean" => KustoType::Bool,
            "int" | "int32" => KustoType::Int,
            "long" | "int64" => KustoType::Long,
            "real" | "double" => KustoType::Real,
            "decimal" => KustoType::Decimal,
            "datetime" | "date" => KustoType::DateTime,
            "timespan" | "time" => KustoType::TimeSpan,
            "string" => KustoType::String,
            "guid" | "uuid" | "uniqueid" => KustoType::Guid,
            "dynamic" => KustoType::Dynamic,
            _ => return None,
        })
    }

    /// The Arrow type that holds a column of this type.
    pub const fn arrow(self) -> DataType {
        match self {
            KustoType::Bool => DataType::Boolean,
            KustoType::Int => DataType::Int32,
            KustoType::Long | KustoType::DateTime | KustoType::TimeSpan => DataType::Int64,
            KustoType::Real => DataType::Float64,
            KustoType::Decimal => DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
            KustoType::String | KustoType::Guid => DataType::Utf8,
            KustoType::Dynamic => DataType::Binary,
        }
    }

    /// Whether values are numbers that arithmetic widens: int, long, real, decimal.
    pub const fn is_numeric(self) -> bool {
        matches!(
            self,
            KustoType::Int | KustoType::Long | KustoType::Real | KustoType::Decimal
        )
    }

    /// Whether values are whole numbers: int and long.
    pub const fn is_integer(self) -> bool {
        matches!(self, KustoType::Int | KustoType::Long)
    }
}

impl fmt::Display for KustoType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column of a table: its name and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The name, as written by whoever made the table.
    pub name: String,
    /// The type of every value in it.
    pub ty: KustoType,
}

impl Column {
    /// A column called `name` of type `ty`.
    pub fn new(name: impl Into<String>, ty: KustoType) -> Self {
        Column {
            name: name.into(),
            ty,
        }
    }

    /// The Arrow field for it. Always nullable: a join or an aggregate may add nulls anywhere but in a final table.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.ty.arrow(), true)
    }
}
