//! An Arrow IPC stream's messages against the bytes that are there, before Arrow decodes any.
//!
//! Arrow's reader validates values; this sees to it that what it is given cannot claim more than it has: every message,
//! node and buffer is within the stream, as long as its rows need, and of a type that a plugin may answer with.

use arrow::datatypes::DataType;
use arrow_ipc::{Field, Message, MessageHeader, MetadataVersion, RecordBatch, Schema};

use super::Bounds;
use super::fault::{AnswerRule, Fault, brief};
use super::schema::width;

/// Walks the stream, and answers with how many rows its batches claim. What passes can be given to Arrow's reader.
pub(super) fn check(stream: &[u8], columns: Option<usize>, bounds: &Bounds) -> Result<u64, Fault> {
    let mut walk = Walk { stream, at: 0 };
    let (message, body, place) = walk
        .next()?
        .ok_or_else(|| fault(0, "the stream is empty"))?;
    let schema = message
        .header_as_schema()
        .ok_or_else(|| fault(place, "it does not begin with a schema"))?;
    if !body.is_empty() {
        return Err(fault(place, "the schema has a body"));
    }
    let types = types(&schema, columns, bounds, place)?;
    let mut rows = 0u64;
    let mut batches = 0;
    while let Some((message, body, place)) = walk.next()? {
        let batch = batch(&message, place)?;
        rows = rows.saturating_add(check_batch(&batch, &types, body.len() as u64, place)?);
        batches += 1;
        if rows > bounds.rows || batches > bounds.batches {
            let words = format!(
                "it has {rows} rows in {batches} batches or more, and {} in {} are allowed",
                bounds.rows, bounds.batches
            );
            return Err(Fault::new(AnswerRule::Rows, place, words));
        }
    }
    Ok(rows)
}

/// The messages of a stream.
struct Walk<'a> {
    stream: &'a [u8],
    at: usize,
}

/// A message, its body, and where it begins.
type Step<'a> = (Message<'a>, &'a [u8], usize);

impl<'a> Walk<'a> {
    /// The next message; `None` at the end.
    fn next(&mut self) -> Result<Option<Step<'a>>, Fault> {
        let place = self.at;
        let Some(head) = self
            .stream
            .get(place..)
            .and_then(|rest| rest.first_chunk::<8>())
        else {
            return match self.stream.len() - place.min(self.stream.len()) {
                0 => Err(fault(place, "it ends without an end-of-stream mark")),
                left => Err(fault(place, &format!("{left} bytes are no message"))),
            };
        };
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if word(0) != u32::MAX {
            return Err(fault(
                place,
                "a message does not begin with the continuation mark",
            ));
        }
        let size = word(4) as usize;
        if size == 0 {
            return self.finish(place + 8);
        }
        let metadata = self.take(place + 8, size as u64, "metadata")?;
        let message = arrow_ipc::root_as_message(metadata).map_err(|error| {
            fault(
                place + 8,
                &format!("the message's metadata is broken: {}", brief(&error)),
            )
        })?;
        if message.version() != MetadataVersion::V5 {
            return Err(fault(place, "the message is not of metadata version 5"));
        }
        let length = u64::try_from(message.bodyLength())
            .map_err(|_| fault(place, "the body's length is negative"))?;
        let body = self.take(place + 8 + size, length, "a body")?;
        self.at = place + 8 + size + body.len();
        Ok(Some((message, body, place)))
    }

    fn finish<T>(&self, end: usize) -> Result<Option<T>, Fault> {
        match self.stream.len() - end {
            0 => Ok(None),
            left => Err(fault(
                end,
                &format!("{left} bytes follow the end-of-stream mark"),
            )),
        }
    }

    fn take(&self, start: usize, length: u64, what: &str) -> Result<&'a [u8], Fault> {
        let rest = self.stream.get(start..).unwrap_or_default();
        usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or_else(|| {
                fault(
                    start,
                    &format!(
                        "{what} of {length} bytes is said to follow, and {} bytes are left",
                        rest.len()
                    ),
                )
            })
    }
}

/// The types of the columns, each one that a plugin may answer with.
fn types(
    schema: &Schema<'_>,
    columns: Option<usize>,
    bounds: &Bounds,
    place: usize,
) -> Result<Vec<DataType>, Fault> {
    if schema.endianness() != arrow_ipc::Endianness::Little {
        return Err(Fault::new(AnswerRule::Encoding, place, "it is big-endian"));
    }
    let fields = schema
        .fields()
        .ok_or_else(|| fault(place, "the schema has no fields"))?;
    let most = columns.unwrap_or(bounds.columns);
    if fields.len() > most || columns.is_some_and(|columns| fields.len() < columns) {
        let words = match columns {
            Some(columns) => format!(
                "it has {} columns, and the manifest declares {columns}",
                fields.len()
            ),
            None => format!("it has {} columns, and {most} are allowed", fields.len()),
        };
        return Err(Fault::new(AnswerRule::Schema, place, words));
    }
    fields
        .iter()
        .enumerate()
        .map(|(at, field)| column_type(&field, at, place))
        .collect()
}

fn column_type(field: &Field<'_>, at: usize, place: usize) -> Result<DataType, Fault> {
    let refuse = |words: &str| {
        Err(Fault::new(
            AnswerRule::Encoding,
            place,
            format!("column {at} {words}"),
        ))
    };
    if field.dictionary().is_some() {
        return refuse("is dictionary-encoded");
    }
    if field
        .children()
        .is_some_and(|children| !children.is_empty())
    {
        return refuse("is nested");
    }
    match plain(field) {
        Some(ty) => Ok(ty),
        None => refuse("is of a type that no Kusto type has"),
    }
}

/// The type of a field that is one of Kusto's types, or `_row`'s.
fn plain(field: &Field<'_>) -> Option<DataType> {
    use arrow_ipc::{Precision, Type};
    match field.type_type() {
        Type::Bool => Some(DataType::Boolean),
        Type::Utf8 => Some(DataType::Utf8),
        Type::Int => {
            let int = field.type_as_int()?;
            match (int.bitWidth(), int.is_signed()) {
                (32, true) => Some(DataType::Int32),
                (32, false) => Some(DataType::UInt32),
                (64, true) => Some(DataType::Int64),
                _ => None,
            }
        }
        Type::FloatingPoint => {
            let float = field.type_as_floating_point()?;
            (float.precision() == Precision::DOUBLE).then_some(DataType::Float64)
        }
        Type::Decimal => {
            let decimal = field.type_as_decimal()?;
            let fits = (decimal.precision(), decimal.scale(), decimal.bitWidth()) == (38, 12, 128);
            fits.then_some(DataType::Decimal128(38, 12))
        }
        _ => None,
    }
}

fn batch<'a>(message: &Message<'a>, place: usize) -> Result<RecordBatch<'a>, Fault> {
    if message.header_type() == MessageHeader::DictionaryBatch {
        return Err(Fault::new(
            AnswerRule::Encoding,
            place,
            "there is a dictionary",
        ));
    }
    let batch = message
        .header_as_record_batch()
        .ok_or_else(|| fault(place, "a message is no record batch"))?;
    if batch.compression().is_some() {
        return Err(Fault::new(
            AnswerRule::Encoding,
            place,
            "a record batch is compressed",
        ));
    }
    Ok(batch)
}

/// A batch's nodes and buffers against its body; answers with its rows.
fn check_batch(
    batch: &RecordBatch<'_>,
    types: &[DataType],
    body: u64,
    place: usize,
) -> Result<u64, Fault> {
    let rows =
        u64::try_from(batch.length()).map_err(|_| fault(place, "a batch has less than no rows"))?;
    let nodes = batch
        .nodes()
        .ok_or_else(|| fault(place, "a batch has no nodes"))?;
    let buffers = batch
        .buffers()
        .ok_or_else(|| fault(place, "a batch has no buffers"))?;
    let wanted: usize = types.iter().map(buffer_count).sum();
    if nodes.len() != types.len() || buffers.len() != wanted {
        let words = format!(
            "a batch has {} nodes and {} buffers, and the schema makes {} and {wanted}",
            nodes.len(),
            buffers.len(),
            types.len()
        );
        return Err(fault(place, &words));
    }
    if batch
        .variadicBufferCounts()
        .is_some_and(|counts| !counts.is_empty())
    {
        return Err(fault(
            place,
            "a batch has variadic buffers, and no column of that kind",
        ));
    }
    let mut lengths = Vec::with_capacity(wanted);
    let mut end = 0u64;
    for buffer in buffers {
        let (start, length) = (buffer.offset(), buffer.length());
        let range = u64::try_from(start).ok().zip(u64::try_from(length).ok());
        let (start, length) = range
            .filter(|(start, length)| *start >= end && start.saturating_add(*length) <= body)
            .ok_or_else(|| {
                let words = format!("a buffer at {start} of {length} bytes is not in its place in the body of {body}");
                fault(place, &words)
            })?;
        end = start + length;
        lengths.push(length);
    }
    let mut lengths = &lengths[..];
    for (at, (node, ty)) in nodes.iter().zip(types).enumerate() {
        let (own, rest) = lengths.split_at(buffer_count(ty));
        lengths = rest;
        let nulls = u64::try_from(node.null_count())
            .ok()
            .filter(|nulls| *nulls <= rows);
        if u64::try_from(node.length()) != Ok(rows) || nulls.is_none() {
            let words = format!(
                "column {at} has {} rows and {} nulls in a batch of {rows} rows",
                node.length(),
                node.null_count()
            );
            return Err(fault(place, &words));
        }
        check_lengths(own, ty, rows, nulls != Some(0), at, place)?;
    }
    Ok(rows)
}

/// The bytes that a column's buffers have against those that its rows need.
fn check_lengths(
    own: &[u64],
    ty: &DataType,
    rows: u64,
    nulls: bool,
    column: usize,
    place: usize,
) -> Result<(), Fault> {
    let bits = |width: u64| rows.checked_mul(width).map(|bits| bits.div_ceil(8));
    let values = match width(ty) {
        Some(width) => bits(width),
        None if rows == 0 => Some(0),
        None => rows
            .checked_add(1)
            .and_then(|offsets| offsets.checked_mul(4)),
    };
    let validity = if nulls { bits(1) } else { Some(0) };
    for (have, need) in own.iter().zip([validity, values]) {
        if need.is_none_or(|need| *have < need) {
            let words =
                format!("a buffer of column {column} has {have} bytes, too few for {rows} rows");
            return Err(fault(place, &words));
        }
    }
    Ok(())
}

/// Validity and values; text has offsets between them.
fn buffer_count(ty: &DataType) -> usize {
    if *ty == DataType::Utf8 { 3 } else { 2 }
}

fn fault(place: usize, words: &str) -> Fault {
    Fault::new(AnswerRule::Stream, place, words)
}
