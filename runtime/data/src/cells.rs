//! The values of one column in one chunk of rows while they are being read: starts with no type and widens as values
//! come. JSON's reader fills these; CSV's has only text.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, NullBufferBuilder, StringArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use spoor_table::dynamic::Builder;
use spoor_table::{Cell, KustoType};

use crate::assembly::{Part, scalar_text};
use crate::error::Problem;
use crate::facts::Facts;

/// A column of a chunk.
#[derive(Default)]
pub(crate) struct Cells {
    values: Values,
    /// One bit a row.
    valid: Bits,
}

#[derive(Default)]
enum Values {
    /// Nothing but nulls yet.
    #[default]
    None,
    Bool(Vec<bool>),
    Long(Vec<i64>),
    Real(Vec<f64>),
    Text(Spans),
    /// Text that stands for values of several scalar types.
    Mixed(Spans),
    Dynamic(Spans),
}

/// Which rows have a value.
struct Bits {
    builder: NullBufferBuilder,
}

impl Default for Bits {
    fn default() -> Self {
        Bits {
            builder: NullBufferBuilder::new(0),
        }
    }
}

/// Byte strings end to end, with an end for each.
#[derive(Default)]
pub(crate) struct Spans {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Spans {
    /// Adds a value.
    pub(crate) fn push(&mut self, value: &[u8]) -> Result<(), Problem> {
        let end = i32::try_from(self.bytes.len() + value.len())
            .map_err(|_| Problem::ValueTooLong { bytes: value.len() })?;
        self.bytes.extend_from_slice(value);
        self.ends.push(end);
        Ok(())
    }

    fn pad(&mut self, rows: usize) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.ends.resize(rows, end);
    }

    fn pop(&mut self) {
        self.ends.pop();
        self.bytes
            .truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |end| *end as usize);
        let end = self.ends.get(row).map_or(start, |end| *end as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn into_buffers(self) -> (OffsetBuffer<i32>, Buffer) {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.extend_from_slice(&self.ends);
        let mut bytes = self.bytes;
        bytes.shrink_to_fit();
        (
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Buffer::from_vec(bytes),
        )
    }

    /// The values as strings without nulls. They were all UTF-8 when they were pushed.
    pub(crate) fn into_strings(self) -> Result<StringArray, Problem> {
        let (offsets, bytes) = self.into_buffers();
        StringArray::try_new(offsets, bytes, None).map_err(|_| Problem::Encoding)
    }
}

/// A scalar of JSON that is not null.
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Long(i64),
    /// Beyond a long.
    Unsigned(u64),
    Real(f64),
    Text(&'a str),
}

impl Scalar<'_> {
    /// The scalar's text, as JSON writes it but without quotation marks.
    fn text(&self) -> String {
        match self {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Long(value) => value.to_string(),
            Scalar::Unsigned(value) => value.to_string(),
            Scalar::Real(value) => number_text(*value),
            Scalar::Text(text) => (*text).to_owned(),
        }
    }

    fn write(&self, builder: &mut Builder) {
        match self {
            Scalar::Bool(value) => builder.bool(*value),
            Scalar::Long(value) => builder.long(*value),
            Scalar::Unsigned(value) => builder.real(*value as f64),
            Scalar::Real(value) => builder.real(*value),
            Scalar::Text(text) => builder.string(text),
        }
    }
}

fn number_text(value: f64) -> String {
    scalar_text(Cell::Real(value))
}

impl Cells {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.valid.builder.len()
    }

    /// Adds nulls until there are `rows`.
    pub(crate) fn pad(&mut self, rows: usize) {
        self.valid
            .builder
            .append_n_nulls(rows.saturating_sub(self.len()));
        match &mut self.values {
            Values::None => {}
            Values::Bool(values) => values.resize(rows, false),
            Values::Long(values) => values.resize(rows, 0),
            Values::Real(values) => values.resize(rows, 0.0),
            Values::Text(spans) | Values::Mixed(spans) | Values::Dynamic(spans) => spans.pad(rows),
        }
    }

    /// Takes back the last row: a key that an object repeats keeps its last value.
    pub(crate) fn pop(&mut self) {
        self.valid.builder.truncate(self.len().saturating_sub(1));
        match &mut self.values {
            Values::None => {}
            Values::Bool(values) => drop(values.pop()),
            Values::Long(values) => drop(values.pop()),
            Values::Real(values) => drop(values.pop()),
            Values::Text(spans) | Values::Mixed(spans) | Values::Dynamic(spans) => spans.pop(),
        }
    }

    /// Adds a scalar as the next row.
    pub(crate) fn push(&mut self, scalar: &Scalar<'_>) -> Result<(), Problem> {
        self.make_room_for(scalar)?;
        match (&mut self.values, scalar) {
            (Values::Bool(values), Scalar::Bool(value)) => values.push(*value),
            (Values::Long(values), Scalar::Long(value)) => values.push(*value),
            (Values::Real(values), Scalar::Long(value)) => values.push(*value as f64),
            (Values::Real(values), Scalar::Real(value)) => values.push(*value),
            (Values::Text(spans) | Values::Mixed(spans), Scalar::Text(text)) => {
                spans.push(text.as_bytes())?
            }
            (Values::Text(spans) | Values::Mixed(spans), other) => {
                spans.push(other.text().as_bytes())?
            }
            (Values::Dynamic(spans), other) => {
                let mut builder = Builder::new();
                other.write(&mut builder);
                spans.push(builder.bytes())?;
            }
            // `make_room_for` leaves no other pairing.
            (Values::None | Values::Bool(_) | Values::Long(_) | Values::Real(_), _) => {
                self.pad(self.len() + 1)
            }
        }
        if self.len() < self.values.len() {
            self.valid.builder.append_non_null();
        }
        Ok(())
    }

    /// Adds a nested value, encoded, as the next row.
    pub(crate) fn push_dynamic(&mut self, encoded: &[u8]) -> Result<(), Problem> {
        if !matches!(self.values, Values::Dynamic(_)) {
            self.become_dynamic()?;
        }
        if let Values::Dynamic(spans) = &mut self.values {
            spans.push(encoded)?;
            self.valid.builder.append_non_null();
        }
        Ok(())
    }

    /// Widens the values until they can take the scalar.
    fn make_room_for(&mut self, scalar: &Scalar<'_>) -> Result<(), Problem> {
        let rows = self.len();
        match (&self.values, scalar) {
            (Values::None, _) => {
                self.values = match scalar {
                    Scalar::Bool(_) => Values::Bool(vec![false; rows]),
                    Scalar::Long(_) => Values::Long(vec![0; rows]),
                    Scalar::Real(_) => Values::Real(vec![0.0; rows]),
                    Scalar::Text(_) => Values::Text(padded(rows)),
                    Scalar::Unsigned(_) => Values::Mixed(padded(rows)),
                };
            }
            (Values::Long(values), Scalar::Real(_)) => {
                self.values = Values::Real(values.iter().map(|value| *value as f64).collect());
            }
            (Values::Bool(_), Scalar::Bool(_))
            | (Values::Long(_), Scalar::Long(_))
            | (Values::Real(_), Scalar::Long(_) | Scalar::Real(_))
            | (Values::Text(_), Scalar::Text(_))
            | (Values::Mixed(_) | Values::Dynamic(_), _) => {}
            // The field is there and empty: that is no reason to give a number's column up.
            (Values::Bool(_) | Values::Long(_) | Values::Real(_), Scalar::Text("")) => {}
            (Values::Text(spans), _) if spans.bytes.is_empty() => {
                self.values = Values::None;
                self.valid.builder = NullBufferBuilder::new(0);
                self.valid.builder.append_n_nulls(rows);
                return self.make_room_for(scalar);
            }
            _ => self.become_mixed()?,
        }
        Ok(())
    }

    fn become_mixed(&mut self) -> Result<(), Problem> {
        let mut spans = Spans::default();
        for row in 0..self.len() {
            match self.scalar(row) {
                Some(Scalar::Text(text)) => spans.push(text.as_bytes())?,
                Some(scalar) => spans.push(scalar.text().as_bytes())?,
                None => spans.push(&[])?,
            }
        }
        self.values = Values::Mixed(spans);
        Ok(())
    }

    fn become_dynamic(&mut self) -> Result<(), Problem> {
        let mut spans = Spans::default();
        let mut builder = Builder::new();
        for row in 0..self.len() {
            builder.clear();
            if let Some(scalar) = self.scalar(row) {
                scalar.write(&mut builder);
            }
            spans.push(builder.bytes())?;
        }
        self.values = Values::Dynamic(spans);
        Ok(())
    }

    /// The scalar of a row; `None` where there is none.
    fn scalar(&self, row: usize) -> Option<Scalar<'_>> {
        if !self.valid.builder.is_valid(row) {
            return None;
        }
        match &self.values {
            Values::None | Values::Dynamic(_) => None,
            Values::Bool(values) => values.get(row).copied().map(Scalar::Bool),
            Values::Long(values) => values.get(row).copied().map(Scalar::Long),
            Values::Real(values) => values.get(row).copied().map(Scalar::Real),
            Values::Text(spans) | Values::Mixed(spans) => {
                std::str::from_utf8(spans.get(row)).ok().map(Scalar::Text)
            }
        }
    }

    /// The finished column of the chunk; `None` if it has no value at all.
    pub(crate) fn finish(mut self) -> Result<Option<Part>, Problem> {
        let nulls = self.valid.builder.finish();
        let typed = |ty, array: ArrayRef| Ok(Some(Part::Typed(ty, array)));
        match self.values {
            Values::None => Ok(None),
            Values::Bool(values) => typed(
                KustoType::Bool,
                Arc::new(BooleanArray::new(values.into(), nulls)),
            ),
            Values::Long(values) => typed(
                KustoType::Long,
                Arc::new(Int64Array::new(values.into(), nulls)),
            ),
            Values::Real(values) => typed(
                KustoType::Real,
                Arc::new(Float64Array::new(values.into(), nulls)),
            ),
            Values::Text(spans) => text_part(spans, Facts::STRINGS).map(Some),
            Values::Mixed(spans) => text_part(spans, Facts::MIXED).map(Some),
            Values::Dynamic(spans) => {
                let (offsets, bytes) = spans.into_buffers();
                typed(
                    KustoType::Dynamic,
                    Arc::new(BinaryArray::new(offsets, bytes, nulls)),
                )
            }
        }
    }

    /// Bytes that the cells take once there are `rows` of them: one value makes room for all.
    pub(crate) fn size(&self, rows: usize) -> usize {
        match &self.values {
            Values::None => 0,
            Values::Bool(_) => rows,
            Values::Long(_) | Values::Real(_) => rows * 8,
            Values::Text(spans) | Values::Mixed(spans) | Values::Dynamic(spans) => {
                spans.bytes.len() + rows * 4
            }
        }
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::None => 0,
            Values::Bool(values) => values.len(),
            Values::Long(values) => values.len(),
            Values::Real(values) => values.len(),
            Values::Text(spans) | Values::Mixed(spans) | Values::Dynamic(spans) => spans.ends.len(),
        }
    }
}

fn padded(rows: usize) -> Spans {
    let mut spans = Spans::default();
    spans.pad(rows);
    spans
}

/// A text column with what its values have in common.
pub(crate) fn text_part(spans: Spans, facts: Facts) -> Result<Part, Problem> {
    let strings = spans.into_strings()?;
    let mut facts = facts;
    for text in strings.iter().flatten() {
        if facts.settled() {
            break;
        }
        facts.note(text);
    }
    Ok(Part::Text(strings, facts))
}
