//! The types of a plugin's columns and options: Kusto's ten, and how each travels.

use core::fmt;

#[cfg(feature = "manifest")]
use alloc::{vec, vec::Vec};
#[cfg(feature = "manifest")]
use serde::{Deserialize, Serialize};

/// One of Kusto's scalar types. What a column of it is in Arrow, and an option of it in JSON:
///
/// | type | Arrow | JSON |
/// | --- | --- | --- |
/// | `bool` | `Boolean` | `true`, `false` |
/// | `int` | `Int32` | integer |
/// | `long` | `Int64` | integer |
/// | `real` | `Float64` | number |
/// | `decimal` | `Decimal128(38, 12)` | string |
/// | `datetime` | `Int64`, 100 ns since 0001-01-01 UTC | integer, the same |
/// | `timespan` | `Int64`, 100 ns | integer, the same |
/// | `string` | `Utf8` | string |
/// | `guid` | `Utf8`, lower case | string |
/// | `dynamic` | `Utf8`, JSON text | any |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "manifest", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "manifest", serde(rename_all = "lowercase"))]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A 32-bit integer.
    Int,
    /// A 64-bit integer.
    Long,
    /// A 64-bit floating-point number.
    Real,
    /// A decimal number of 38 digits, 12 of them after the point.
    Decimal,
    /// An instant in UTC, in ticks of 100 ns since 0001-01-01.
    DateTime,
    /// A length of time in ticks of 100 ns.
    TimeSpan,
    /// Text.
    String,
    /// A 128-bit identifier as lower-case text.
    Guid,
    /// A JSON value as text.
    Dynamic,
}

impl Type {
    /// The type's name as Kusto prints it and the manifest writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Long => "long",
            Type::Real => "real",
            Type::Decimal => "decimal",
            Type::DateTime => "datetime",
            Type::TimeSpan => "timespan",
            Type::String => "string",
            Type::Guid => "guid",
            Type::Dynamic => "dynamic",
        }
    }

    /// Whether a JSON value can be an option of this type. Null can be one of any.
    #[cfg(feature = "manifest")]
    pub fn admits(self, value: &serde_json::Value) -> bool {
        if value.is_null() {
            return true;
        }
        match self {
            Type::Bool => value.is_boolean(),
            Type::Int => value.as_i64().is_some_and(|v| i32::try_from(v).is_ok()),
            Type::Long | Type::DateTime | Type::TimeSpan => value.as_i64().is_some(),
            Type::Real => value.is_number(),
            Type::Decimal | Type::String | Type::Guid => value.is_string(),
            Type::Dynamic => true,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The types that a parameter takes: in JSON one name, or an array of names.
#[cfg(feature = "manifest")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Types {
    /// One type.
    One(Type),
    /// Any of these.
    Any(Vec<Type>),
}

#[cfg(feature = "manifest")]
impl Types {
    /// Whether a value of this type is taken.
    pub fn contains(&self, ty: Type) -> bool {
        self.to_vec().contains(&ty)
    }

    /// All of them, in the manifest's order.
    pub fn to_vec(&self) -> Vec<Type> {
        match self {
            Types::One(ty) => vec![*ty],
            Types::Any(types) => types.clone(),
        }
    }
}
