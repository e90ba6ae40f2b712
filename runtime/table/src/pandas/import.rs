//! From pandas' buffers to a table. The header and the buffers come from the Python guest, so every number in them is
//! checked before it is used.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Decimal128Builder, Float64Array, Int32Array, Int64Array,
    RecordBatch, RecordBatchOptions, StringBuilder,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use serde_json::Value as Json;

use super::NOT_A_TIME;
use crate::dynamic::{Builder, parse_json_into};
use crate::parse;
use crate::table::{Table, TableError};
use crate::ticks;
use crate::types::{Column, KustoType};

/// The table that a header and its buffers describe; an error names the column and what is wrong with it.
pub fn import(header: &Json, buffers: &[&[u8]]) -> Result<Table, TableError> {
    let rows = header["rows"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    let rows = rows.ok_or_else(|| broken("", "\"rows\" must be a count"))?;
    let entries = header["columns"]
        .as_array()
        .ok_or_else(|| broken("", "\"columns\" must be a list"))?;
    let mut columns = Vec::with_capacity(entries.len());
    let mut arrays = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = entry["name"].as_str().unwrap_or_default();
        let ty = entry["type"].as_str().and_then(KustoType::from_name);
        let ty = ty.ok_or_else(|| broken(name, "\"type\" must be one of Kusto's types"))?;
        let source = Source {
            name,
            ty,
            rows,
            entry,
            buffers,
        };
        arrays.push(source.array()?);
        columns.push(Column::new(name, ty));
    }
    let mut table = Table::empty(columns);
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    table.push(RecordBatch::try_new_with_options(
        table.schema().clone(),
        arrays,
        &options,
    )?)?;
    Ok(table)
}

fn broken(name: &str, what: &str) -> TableError {
    TableError::Unsupported(format!(
        "a frame from Python cannot be read: column '{name}': {what}"
    ))
}

struct Source<'a> {
    name: &'a str,
    ty: KustoType,
    rows: usize,
    entry: &'a Json,
    buffers: &'a [&'a [u8]],
}

impl<'a> Source<'a> {
    fn error(&self, what: &str) -> TableError {
        broken(self.name, what)
    }

    /// The buffer that `key` points at, if it points at one.
    fn optional(&self, key: &str) -> Result<Option<&'a [u8]>, TableError> {
        match &self.entry[key] {
            Json::Null => Ok(None),
            index => {
                let index = index.as_u64().and_then(|n| usize::try_from(n).ok());
                let buffer = index.and_then(|i| self.buffers.get(i)).copied();
                buffer
                    .map(Some)
                    .ok_or_else(|| self.error(&format!("no buffer for \"{key}\"")))
            }
        }
    }

    fn buffer(&self, key: &str) -> Result<&'a [u8], TableError> {
        self.optional(key)?
            .ok_or_else(|| self.error(&format!("\"{key}\" is missing")))
    }

    /// `count` little-endian values of `N` bytes.
    fn values<const N: usize, T>(
        &self,
        key: &str,
        count: usize,
        read: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, TableError> {
        let bytes = self.buffer(key)?;
        if Some(bytes.len()) != count.checked_mul(N) {
            return Err(self.error(&format!(
                "\"{key}\" has {} bytes for {count} values",
                bytes.len()
            )));
        }
        let (chunks, _) = bytes.as_chunks::<N>();
        Ok(chunks.iter().copied().map(read).collect())
    }

    fn nulls(&self) -> Result<Option<NullBuffer>, TableError> {
        let Some(bytes) = self.optional("validity")? else {
            return Ok(None);
        };
        if bytes.len() != self.rows {
            return Err(self.error("\"validity\" must have a byte a row"));
        }
        Ok(Some(NullBuffer::from_iter(bytes.iter().map(|b| *b != 0))))
    }

    fn array(&self) -> Result<ArrayRef, TableError> {
        match self.entry["encoding"].as_str() {
            Some("fixed") => self.fixed(),
            Some("utf8") => self.utf8(),
            Some("dictionary") => self.dictionary(),
            _ => Err(self.error("\"encoding\" must be fixed, utf8 or dictionary")),
        }
    }

    fn fixed(&self) -> Result<ArrayRef, TableError> {
        let rows = self.rows;
        Ok(match self.ty {
            KustoType::Bool => {
                let bytes = self.values("data", rows, |[b]: [u8; 1]| b != 0)?;
                Arc::new(BooleanArray::new(BooleanBuffer::from(bytes), self.nulls()?))
            }
            KustoType::Int => {
                let values = self.values("data", rows, i32::from_le_bytes)?;
                Arc::new(Int32Array::new(ScalarBuffer::from(values), self.nulls()?))
            }
            KustoType::Long => {
                let values = self.values("data", rows, i64::from_le_bytes)?;
                Arc::new(Int64Array::new(ScalarBuffer::from(values), self.nulls()?))
            }
            KustoType::Real => {
                let values = self.values("data", rows, f64::from_le_bytes)?;
                // NaN is how pandas says that a number is missing.
                let nulls = NullBuffer::from_iter(values.iter().map(|value| !value.is_nan()));
                Arc::new(Float64Array::new(ScalarBuffer::from(values), Some(nulls)))
            }
            KustoType::DateTime | KustoType::TimeSpan => self.times()?,
            _ => return Err(self.error("this type cannot have the fixed encoding")),
        })
    }

    fn times(&self) -> Result<ArrayRef, TableError> {
        let nanos = match self.entry["unit"].as_str() {
            Some("ns") => 1,
            Some("us") => 1_000,
            Some("ms") => 1_000_000,
            Some("s") => 1_000_000_000_i128,
            _ => return Err(self.error("\"unit\" must be ns, us, ms or s")),
        };
        let values = self.values("data", self.rows, i64::from_le_bytes)?;
        let datetime = self.ty == KustoType::DateTime;
        let ticks = values.into_iter().map(|value| {
            (value != NOT_A_TIME).then(|| {
                let ticks = (i128::from(value) * nanos).div_euclid(100);
                if datetime {
                    ticks::clamp_datetime(ticks + i128::from(ticks::UNIX_EPOCH))
                } else {
                    ticks::clamp_timespan(ticks)
                }
            })
        });
        Ok(Arc::new(ticks.collect::<Int64Array>()))
    }

    /// The texts between `count + 1` offsets.
    fn texts(&self, count: usize) -> Result<Vec<&'a str>, TableError> {
        let slots = count
            .checked_add(1)
            .ok_or_else(|| self.error("too many rows"))?;
        let offsets = self.values("offsets", slots, i32::from_le_bytes)?;
        let data = self.buffer("data")?;
        let text = std::str::from_utf8(data).map_err(|_| self.error("the text is not UTF-8"))?;
        offsets
            .windows(2)
            .map(|pair| {
                let (start, end) = (usize::try_from(pair[0]), usize::try_from(pair[1]));
                let span = start
                    .ok()
                    .zip(end.ok())
                    .and_then(|(start, end)| text.get(start..end));
                span.ok_or_else(|| self.error("an offset points outside the text"))
            })
            .collect()
    }

    fn utf8(&self) -> Result<ArrayRef, TableError> {
        let texts = self.texts(self.rows)?;
        let nulls = self.nulls()?;
        let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
        self.build(
            texts
                .into_iter()
                .enumerate()
                .map(|(row, text)| valid(row).then_some(text)),
        )
    }

    fn dictionary(&self) -> Result<ArrayRef, TableError> {
        let codes = self.values("codes", self.rows, i32::from_le_bytes)?;
        let count = (self.buffer("offsets")?.len() / 4).saturating_sub(1);
        let texts = self.texts(count)?;
        let picked: Result<Vec<Option<&str>>, TableError> = codes
            .into_iter()
            .map(|code| match usize::try_from(code) {
                Err(_) => Ok(None),
                Ok(code) => match texts.get(code) {
                    Some(text) => Ok(Some(*text)),
                    None => Err(self.error("a code points outside the dictionary")),
                },
            })
            .collect();
        self.build(picked?.into_iter())
    }

    /// Texts as the column's type: dynamic parses JSON, decimal and guid their own forms. Text that is not one is an error.
    fn build(&self, texts: impl Iterator<Item = Option<&'a str>>) -> Result<ArrayRef, TableError> {
        match self.ty {
            KustoType::String => {
                let mut out = StringBuilder::new();
                texts.for_each(|text| out.append_value(text.unwrap_or_default()));
                Ok(Arc::new(out.finish()))
            }
            KustoType::Guid => {
                let mut out = StringBuilder::new();
                for text in texts {
                    out.append_option(text.map(|t| self.parsed(parse::guid(t))).transpose()?);
                }
                Ok(Arc::new(out.finish()))
            }
            KustoType::Decimal => {
                let mut out = Decimal128Builder::new().with_data_type(KustoType::Decimal.arrow());
                for text in texts {
                    out.append_option(text.map(|t| self.parsed(parse::decimal(t))).transpose()?);
                }
                Ok(Arc::new(out.finish()))
            }
            KustoType::Dynamic => self.dynamics(texts),
            _ => Err(self.error("this type cannot have a text encoding")),
        }
    }

    fn parsed<T>(&self, value: Option<T>) -> Result<T, TableError> {
        value.ok_or_else(|| self.error(&format!("a value is not a {}", self.ty)))
    }

    fn dynamics(
        &self,
        texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<ArrayRef, TableError> {
        let mut out = BinaryBuilder::new();
        let mut builder = Builder::new();
        for text in texts {
            let Some(text) = text else {
                out.append_null();
                continue;
            };
            builder.clear();
            if !parse_json_into(text, &mut builder) {
                return Err(self.error("a value is not JSON"));
            }
            out.append_value(builder.bytes());
        }
        Ok(Arc::new(out.finish()))
    }
}
