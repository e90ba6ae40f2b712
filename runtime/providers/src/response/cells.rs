//! One column as it is filled, straight from the JSON parser: each protocol's spelling of each of Kusto's types.
//!
//! What services send, and what is made of it:
//! - `null` is null, and an empty string in a string column, where Kusto has no null. Empty text in any other column is null.
//! - Truth values are `true` and `false`, or 0 and 1 (Kusto's version 1 calls that type `SByte`).
//! - `real` is a number, or one of the texts `NaN`, `Infinity` and `-Infinity`, for which JSON has no numbers.
//! - `decimal` is text. Where a service sends a JSON number, it is read as the number that its digits stand for in 64 bits.
//!   Digits that a decimal column has no room for are rounded away, which makes the result partial.
//! - `timespan` is text (`[-][d.]hh:mm:ss[.fffffff]`); a whole number counts ticks, as Microsoft's clients read it.
//! - `dynamic` is JSON within text, or nested JSON. Text that is no JSON is a dynamic string. Services that send a dynamic string
//!   without its quotation marks cannot be told from those that send JSON: `"5"` is then the number 5, as Microsoft's clients
//!   take it too. Kusto has two options about it (`response_dynamic_serialization` and the same with `_2`), of which nothing but
//!   the names of their values is documented; they are left as the service has them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, Float64Builder, Int32Builder,
    Int64Builder, StringBuilder,
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use spoor_table::dynamic::{Builder, DynamicRef, JsonSeed, parse_json_into};
use spoor_table::{Column, DECIMAL_PRECISION, DECIMAL_SCALE, KustoType, parse};

use super::Cause;
use super::budget::Budget;

/// Beyond this a 64-bit float has no fractions, and may not be the number that was meant.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Bytes of one nested value as it is held. Kusto's own limit is a mebibyte of text.
const MOST_NESTED: usize = 16 << 20;

/// The values of a column since the last batch.
pub(super) enum Cells {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Decimal(Decimal128Builder),
    DateTime(Int64Builder),
    TimeSpan(Int64Builder),
    String(StringBuilder),
    Guid(StringBuilder),
    Dynamic(BinaryBuilder, Builder),
}

impl Cells {
    /// An empty column. Nothing is allocated before there is a value.
    pub(super) fn new(ty: KustoType) -> Self {
        match ty {
            KustoType::Bool => Cells::Bool(BooleanBuilder::with_capacity(0)),
            KustoType::Int => Cells::Int(Int32Builder::with_capacity(0)),
            KustoType::Long => Cells::Long(Int64Builder::with_capacity(0)),
            KustoType::Real => Cells::Real(Float64Builder::with_capacity(0)),
            KustoType::Decimal => Cells::Decimal(decimals()),
            KustoType::DateTime => Cells::DateTime(Int64Builder::with_capacity(0)),
            KustoType::TimeSpan => Cells::TimeSpan(Int64Builder::with_capacity(0)),
            KustoType::String => Cells::String(StringBuilder::with_capacity(0, 0)),
            KustoType::Guid => Cells::Guid(StringBuilder::with_capacity(0, 0)),
            KustoType::Dynamic => Cells::Dynamic(
                BinaryBuilder::with_capacity(0, 0),
                Builder::within(MOST_NESTED),
            ),
        }
    }

    pub(super) fn null(&mut self) {
        match self {
            Cells::Bool(values) => values.append_null(),
            Cells::Int(values) => values.append_null(),
            Cells::Long(values) | Cells::DateTime(values) | Cells::TimeSpan(values) => {
                values.append_null()
            }
            Cells::Real(values) => values.append_null(),
            Cells::Decimal(values) => values.append_null(),
            Cells::String(values) => values.append_value(""),
            Cells::Guid(values) => values.append_null(),
            Cells::Dynamic(values, _) => values.append_null(),
        }
    }

    /// The values so far as an array; the column is empty then.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Cells::Bool(values) => Arc::new(values.finish()),
            Cells::Int(values) => Arc::new(values.finish()),
            Cells::Long(values) | Cells::DateTime(values) | Cells::TimeSpan(values) => {
                Arc::new(values.finish())
            }
            Cells::Real(values) => Arc::new(values.finish()),
            Cells::Decimal(values) => Arc::new(values.finish()),
            Cells::String(values) | Cells::Guid(values) => Arc::new(values.finish()),
            Cells::Dynamic(values, _) => Arc::new(values.finish()),
        }
    }
}

fn decimals() -> Decimal128Builder {
    let ty = KustoType::Decimal.arrow();
    debug_assert_eq!(
        ty,
        arrow::datatypes::DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE)
    );
    Decimal128Builder::with_capacity(0).with_data_type(ty)
}

/// Bytes that a value takes in every case: its width, or its offset.
pub(super) const fn width(ty: KustoType) -> usize {
    match ty {
        KustoType::Bool => 1,
        KustoType::Int | KustoType::String | KustoType::Dynamic => 4,
        KustoType::Long | KustoType::Real | KustoType::DateTime | KustoType::TimeSpan => 8,
        KustoType::Decimal => 16,
        KustoType::Guid => 40,
    }
}

/// Reads one value into a column.
pub(super) struct CellSeed<'a> {
    pub(super) cells: &'a mut Cells,
    pub(super) column: &'a Column,
    pub(super) budget: &'a mut Budget,
    /// The row, from 1, for messages.
    pub(super) row: usize,
}

impl CellSeed<'_> {
    fn wrong<E: Error>(&self, found: impl fmt::Display) -> E {
        let (row, name, ty) = (self.row, &self.column.name, self.column.ty);
        let found: String = found.to_string().chars().take(60).collect();
        E::custom(format_args!(
            "column '{name}' is {ty}, but row {row} has {found}"
        ))
    }

    fn whole<E: Error>(mut self, value: i128) -> Result<(), E> {
        let long = i64::try_from(value).ok();
        match (&mut self.cells, long) {
            (Cells::Bool(values), Some(value @ 0..=1)) => values.append_value(value == 1),
            (Cells::Int(values), Some(value)) if i32::try_from(value).is_ok() => {
                values.append_value(value as i32)
            }
            (Cells::Long(values) | Cells::TimeSpan(values), Some(value)) => {
                values.append_value(value)
            }
            (Cells::Real(values), _) => values.append_value(value as f64),
            (Cells::Decimal(values), _) => {
                values.append_value(value * 10_i128.pow(u32::from(DECIMAL_SCALE.unsigned_abs())))
            }
            (Cells::String(_), _) => return self.text(&value.to_string()),
            (Cells::Dynamic(_, builder), Some(value)) => {
                builder.clear();
                builder.long(value);
                self.built();
            }
            (Cells::Dynamic(_, builder), None) => {
                builder.clear();
                builder.real(value as f64);
                self.built();
            }
            _ => return Err(self.wrong(value)),
        }
        Ok(())
    }

    /// Text of a string column.
    fn text<E>(self, text: &str) -> Result<(), E> {
        if let Cells::String(values) = self.cells {
            let fits = self.budget.bytes(text.len());
            values.append_value(if fits { text } else { "" });
        }
        Ok(())
    }

    /// Takes what the scratch of a dynamic column holds.
    fn built(&mut self) {
        if let Cells::Dynamic(values, builder) = &mut self.cells {
            let bytes = builder.bytes();
            let null = DynamicRef::new(bytes).is_null();
            if null || !self.budget.bytes(bytes.len()) {
                values.append_null();
            } else {
                values.append_value(bytes);
            }
        }
    }

    /// Nested JSON: as it is in a dynamic column, as its text in a string column.
    fn nested<E: Error>(
        mut self,
        read: impl FnOnce(JsonSeed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.cells {
            Cells::Dynamic(_, builder) => {
                builder.clear();
                read(JsonSeed(builder))?;
                self.built();
                Ok(())
            }
            Cells::String(_) => {
                let mut builder = Builder::within(MOST_NESTED);
                read(JsonSeed(&mut builder))?;
                let json = builder.finish().view().to_json();
                self.text(&json)
            }
            _ => Err(self.wrong("nested values")),
        }
    }

    fn parsed<E: Error>(mut self, text: &str) -> Result<(), E> {
        let done = match &mut self.cells {
            Cells::Bool(values) => parse::boolean(text).map(|value| values.append_value(value)),
            Cells::Int(values) => whole_text::<i32>(text).map(|value| values.append_value(value)),
            Cells::Long(values) => whole_text::<i64>(text).map(|value| values.append_value(value)),
            Cells::Real(values) => parse::real(text).map(|value| values.append_value(value)),
            Cells::Decimal(values) => {
                decimal(text, self.budget).map(|value| values.append_value(value))
            }
            Cells::DateTime(values) => {
                parse::datetime(text).map(|value| values.append_value(value))
            }
            Cells::TimeSpan(values) => {
                parse::timespan(text).map(|value| values.append_value(value))
            }
            Cells::Guid(values) => parse::guid(text).map(|value| values.append_value(value)),
            Cells::String(_) => return self.text(text),
            Cells::Dynamic(_, builder) => {
                builder.clear();
                if !parse_json_into(text, builder) {
                    if builder.is_over() {
                        return Err(self.wrong("a value that takes more memory than it may"));
                    }
                    builder.clear();
                    builder.string(text);
                }
                self.built();
                Some(())
            }
        };
        done.ok_or_else(|| self.wrong(format_args!("'{text}'")))
    }
}

/// A decimal; of one that has more digits than a column holds, it is said that they are missing.
fn decimal(text: &str, budget: &mut Budget) -> Option<i128> {
    let (value, rounded) = parse::decimal_or_rounded(text)?;
    if rounded && budget.takes_errors() {
        let told =
            format!("decimals with more than {DECIMAL_SCALE} digits behind the point are rounded");
        budget.errors.note(Cause::Limit, told);
    }
    Some(value)
}

fn whole_text<T: TryFrom<i64>>(text: &str) -> Option<T> {
    T::try_from(parse::long(text)?).ok()
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a value of column '{}', which is {}",
            self.column.name, self.column.ty
        )
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.cells.null();
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        match &mut self.cells {
            Cells::Bool(values) => values.append_value(value),
            Cells::Int(values) => values.append_value(i32::from(value)),
            Cells::Long(values) => values.append_value(i64::from(value)),
            Cells::String(_) => return self.text(if value { "true" } else { "false" }),
            Cells::Dynamic(_, builder) => {
                builder.clear();
                builder.bool(value);
                self.built();
            }
            _ => return Err(self.wrong(value)),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.whole(i128::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.whole(i128::from(value))
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        match &mut self.cells {
            Cells::Real(values) => values.append_value(value),
            Cells::Decimal(values) => match decimal(&value.to_string(), self.budget) {
                Some(value) => values.append_value(value),
                None => return Err(self.wrong(value)),
            },
            Cells::Dynamic(_, builder) => {
                builder.clear();
                builder.real(value);
                self.built();
            }
            Cells::String(_) => return self.text(&value.to_string()),
            Cells::Int(_) | Cells::Long(_) if value.fract() == 0.0 && value.abs() < EXACT => {
                return self.whole(value as i128);
            }
            _ => return Err(self.wrong(value)),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() {
            return self.visit_unit();
        }
        match self.cells {
            Cells::String(_) => self.text(text),
            _ => self.parsed(text),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.nested(|seed| seed.visit_seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.nested(|seed| seed.visit_map(entries))
    }
}
