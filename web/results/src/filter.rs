//! Which rows a view has: filters of columns, read by the columns' types, and a search over all of them.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, RecordBatch};
use spoor_messages::results::{Filter, Test};
use spoor_table::{Cell, Column, KustoType, Value, format, parse};

use crate::data::Data;
use crate::error::ResultsError;
use crate::order::compare;

/// A view's conditions, ready to be asked.
pub(crate) struct Conditions {
    filters: Vec<(usize, KustoType, Condition)>,
    search: Option<Needle>,
    types: Vec<KustoType>,
}

enum Condition {
    Contains(Needle, bool),
    Compares(fn(Ordering) -> bool, Value),
    Differs(Value),
    Between(Value, Value),
    Empty(bool),
    OneOf(HashSet<String>),
}

impl Conditions {
    /// Reads filters and a search. Fails where a text is no value of its column's type.
    pub(crate) fn new(data: &Data, filters: &[Filter], search: &str) -> Result<Self, ResultsError> {
        let filters = filters.iter().map(|filter| -> Result<_, ResultsError> {
            let (at, column) = data.column(filter.column)?;
            Ok((at, column.ty, condition(&filter.test, column)?))
        });
        Ok(Self {
            filters: filters.collect::<Result<_, _>>()?,
            search: (!search.is_empty()).then(|| Needle::new(search)),
            types: data.columns().iter().map(|column| column.ty).collect(),
        })
    }

    /// Which rows of a range of a batch fulfil them all, by their place in the range.
    pub(crate) fn passing(&self, batch: &RecordBatch, range: Range<usize>) -> Vec<usize> {
        let mut left: Vec<usize> = range.clone().collect();
        let mut text = String::new();
        for (at, ty, condition) in &self.filters {
            let array = batch.column(*at);
            left.retain(|row| condition.holds(cell(array, *ty, *row), &mut text));
        }
        if let Some(needle) = &self.search {
            left.retain(|row| self.found(needle, batch, *row, &mut text));
        }
        left.iter().map(|row| row - range.start).collect()
    }

    fn found(&self, needle: &Needle, batch: &RecordBatch, row: usize, text: &mut String) -> bool {
        let mut columns = batch.columns().iter().zip(&self.types);
        columns.any(|(array, ty)| needle.is_in(cell(array, *ty, row), text))
    }
}

fn cell(array: &ArrayRef, ty: KustoType, row: usize) -> Cell<'_> {
    Cell::of(array as &dyn Array, ty, row)
}

fn condition(test: &Test, column: &Column) -> Result<Condition, ResultsError> {
    let value = |text: &str| value(text, column);
    Ok(match test {
        Test::Contains(text) => Condition::Contains(Needle::new(text), true),
        Test::NotContains(text) => Condition::Contains(Needle::new(text), false),
        Test::Equals(text) => Condition::Compares(Ordering::is_eq, value(text)?),
        Test::NotEquals(text) => Condition::Differs(value(text)?),
        Test::Greater(text) => Condition::Compares(Ordering::is_gt, value(text)?),
        Test::AtLeast(text) => Condition::Compares(Ordering::is_ge, value(text)?),
        Test::Less(text) => Condition::Compares(Ordering::is_lt, value(text)?),
        Test::AtMost(text) => Condition::Compares(Ordering::is_le, value(text)?),
        Test::Between(low, high) => Condition::Between(value(low)?, value(high)?),
        Test::Empty => Condition::Empty(true),
        Test::NotEmpty => Condition::Empty(false),
        Test::OneOf(texts) => Condition::OneOf(texts.iter().cloned().collect()),
    })
}

/// A text as a value of a column's type.
fn value(text: &str, column: &Column) -> Result<Value, ResultsError> {
    let read = match column.ty {
        KustoType::Bool => parse::boolean(text).map(Value::Bool),
        // A number that does not fit is compared as a long, which `compare` knows.
        KustoType::Int | KustoType::Long => parse::long(text).map(Value::Long),
        KustoType::Real => parse::real(text).map(Value::Real),
        KustoType::Decimal => parse::decimal(text).map(Value::Decimal),
        KustoType::DateTime => parse::datetime(text).map(Value::DateTime),
        KustoType::TimeSpan => parse::timespan(text).map(Value::TimeSpan),
        KustoType::Guid => parse::guid(text).map(Value::Guid),
        KustoType::String | KustoType::Dynamic => Some(Value::String(text.to_owned())),
    };
    read.ok_or_else(|| ResultsError::Value {
        column: column.name.clone(),
        ty: column.ty,
        text: text.to_owned(),
        hint: hint(column.ty),
    })
}

fn hint(ty: KustoType) -> &'static str {
    match ty {
        KustoType::DateTime => "; write it as 2024-01-31 or 2024-01-31T12:30:00Z",
        KustoType::TimeSpan => "; write it as 1d, 2h, 90s or 1.02:03:04",
        KustoType::Bool => "; write true or false",
        KustoType::Guid => "; write its 32 digits",
        _ => "",
    }
}

impl Condition {
    fn holds(&self, cell: Cell<'_>, text: &mut String) -> bool {
        match self {
            Condition::Contains(needle, wanted) => needle.is_in(cell, text) == *wanted,
            Condition::Compares(holds, value) => {
                !cell.is_null() && holds(against(cell, value, text))
            }
            Condition::Differs(value) => cell.is_null() || against(cell, value, text).is_ne(),
            Condition::Between(low, high) => {
                !cell.is_null()
                    && against(cell, low, text).is_ge()
                    && against(cell, high, text).is_le()
            }
            Condition::Empty(wanted) => is_empty(cell) == *wanted,
            Condition::OneOf(texts) => texts.contains(shown(cell, text)),
        }
    }
}

/// Whether a cell is null or the empty string.
pub(crate) fn is_empty(cell: Cell<'_>) -> bool {
    matches!(cell, Cell::Null | Cell::String(""))
}

/// A cell against a filter's value: a dynamic one by the text that is shown.
fn against(cell: Cell<'_>, value: &Value, text: &mut String) -> Ordering {
    match cell {
        Cell::Dynamic(_) => compare(Cell::String(shown(cell, text)), value.cell()),
        Cell::Int(number) => compare(Cell::Long(i64::from(number)), value.cell()),
        cell => compare(cell, value.cell()),
    }
}

/// A cell's text: its own where it is text, else written into `text`.
fn shown<'a>(cell: Cell<'a>, text: &'a mut String) -> &'a str {
    match cell {
        Cell::String(own) | Cell::Guid(own) => own,
        cell => {
            text.clear();
            format::push_text(text, cell);
            text
        }
    }
}

/// A text to find in others without regard to case.
struct Needle {
    lower: String,
    /// The first byte in both cases, if all of it is ASCII.
    first: Option<(u8, u8)>,
}

impl Needle {
    fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let first = lower.bytes().next().filter(|_| lower.is_ascii());
        Self {
            first: first.map(|byte| (byte, byte.to_ascii_uppercase())),
            lower,
        }
    }

    fn is_in(&self, cell: Cell<'_>, text: &mut String) -> bool {
        let text = shown(cell, text);
        match self.first {
            _ if self.lower.is_empty() => true,
            Some((low, high)) => self.is_in_bytes(text.as_bytes(), low, high),
            None => text.to_lowercase().contains(&self.lower),
        }
    }

    fn is_in_bytes(&self, text: &[u8], low: u8, high: u8) -> bool {
        let Some(last) = text.len().checked_sub(self.lower.len()) else {
            return false;
        };
        let starts = text.get(..=last).unwrap_or_default();
        memchr::memchr2_iter(low, high, starts).any(|at| {
            text.get(at..at + self.lower.len())
                .is_some_and(|part| part.eq_ignore_ascii_case(self.lower.as_bytes()))
        })
    }
}
