//! Reads the stream of an input table. The host wrote it, yet nothing here takes a length on trust.

use super::flat;
use super::{CONTINUATION, header, kind};
use crate::column::{Column, Layout};

/// A table of the input: its columns by name.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    /// How many rows there are.
    pub rows: usize,
    /// The columns, in order.
    pub columns: Vec<(&'a str, Column<'a>)>,
}

impl<'a> Table<'a> {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<Column<'a>> {
        self.columns
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, column)| *column)
    }
}

/// Why a stream was not read. A host that keeps to ABI.md never causes one of these.
type Refusal = &'static str;

/// A message: what its metadata says, and its body.
struct Message<'a> {
    kind: u8,
    header: flat::Table<'a>,
    body: &'a [u8],
}

/// The table in a stream of one record batch.
pub fn read(stream: &[u8]) -> Result<Table<'_>, Refusal> {
    let (schema, rest) = message(stream)?;
    if schema.kind != header::SCHEMA {
        return Err("the stream does not begin with a schema");
    }
    let (batch, _) = message(rest)?;
    if batch.kind != header::RECORD_BATCH {
        return Err("what follows the schema is no record batch");
    }
    if batch.header.table(3).is_some() {
        return Err("the record batch is compressed");
    }
    columns(schema.header, batch)
}

/// The first message of a stream, and what follows it.
fn message(stream: &[u8]) -> Result<(Message<'_>, &[u8]), Refusal> {
    const SHORT: Refusal = "the stream ends inside a message";
    let rest = stream
        .strip_prefix(&CONTINUATION)
        .ok_or("a message does not begin with FF FF FF FF")?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let (metadata, rest) = rest
        .split_at_checked(u32::from_le_bytes(*length) as usize)
        .ok_or(SHORT)?;
    let read = || {
        let root = flat::Table::root(metadata)?;
        let [kind] = root.number(1);
        Some((kind, root.table(2)?, root.count(3)?))
    };
    let (kind, header, body) = read().ok_or("a message's metadata is broken")?;
    let (body, rest) = rest.split_at_checked(body).ok_or(SHORT)?;
    Ok((Message { kind, header, body }, rest))
}

fn columns<'a>(schema: flat::Table<'a>, batch: Message<'a>) -> Result<Table<'a>, Refusal> {
    const BROKEN: Refusal = "the record batch's metadata is broken";
    let fields = schema.tables(1).ok_or("the schema has no fields")?;
    let rows = batch.header.count(0).ok_or(BROKEN)?;
    let nodes = batch.header.vector(1, 16).ok_or(BROKEN)?;
    let places = batch.header.vector(2, 16).ok_or(BROKEN)?;
    let mut nodes = nodes.as_chunks().0.iter().map(pair);
    let mut buffers = places.as_chunks().0.iter().map(|place| {
        let (start, length) = pair(place)?;
        batch.body.get(start..start.checked_add(length)?)
    });
    let mut next = || {
        let found = buffers.next().flatten();
        found.ok_or("a column's buffer does not lie in the record batch")
    };
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        let field = field.ok_or("a field of the schema is broken")?;
        let layout = layout(field).ok_or("a column has a type that the ABI does not have")?;
        let (_, nulls) = nodes.next().flatten().ok_or(BROKEN)?;
        let validity = next()?;
        let column = Column {
            layout,
            rows,
            validity: (nulls > 0).then_some(validity),
            offsets: match layout {
                Layout::Text => next()?,
                Layout::Bits | Layout::Fixed(_) => &[],
            },
            values: next()?,
            text: "",
        };
        if !holds_its_rows(&column) {
            return Err("a column's buffers are too short for its rows");
        }
        columns.push((field.text(0).unwrap_or_default(), text(column)?));
    }
    let rows = if columns.is_empty() { 0 } else { rows };
    Ok(Table { rows, columns })
}

/// Two `i64` that count something.
fn pair(bytes: &[u8; 16]) -> Option<(usize, usize)> {
    let (first, second) = bytes.split_first_chunk::<8>()?;
    let second = second.first_chunk::<8>()?;
    let count = |bytes: &[u8; 8]| usize::try_from(i64::from_le_bytes(*bytes)).ok();
    Some((count(first)?, count(second)?))
}

/// Whether the buffers have room for as many rows as are claimed: a loop over rows ends.
fn holds_its_rows(column: &Column<'_>) -> bool {
    let rows = column.rows;
    let (have, need) = match column.layout {
        Layout::Bits => (column.values.len(), rows.div_ceil(8)),
        Layout::Fixed(width) => (column.values.len(), rows.saturating_mul(width)),
        Layout::Text if rows == 0 => return true,
        Layout::Text => (
            column.offsets.len(),
            rows.saturating_add(1).saturating_mul(4),
        ),
    };
    let valid = column
        .validity
        .is_none_or(|bits| bits.len() >= rows.div_ceil(8));
    valid && have >= need
}

/// The column with its text checked, once for all rows.
fn text(column: Column<'_>) -> Result<Column<'_>, Refusal> {
    if column.layout != Layout::Text {
        return Ok(column);
    }
    let text = core::str::from_utf8(column.values).map_err(|_| "a text column is not UTF-8")?;
    Ok(Column { text, ..column })
}

fn layout(field: flat::Table<'_>) -> Option<Layout> {
    let [of] = field.number(2);
    Some(match of {
        kind::BOOL => Layout::Bits,
        kind::INT => match i32::from_le_bytes(field.table(3)?.number(0)) {
            32 => Layout::Fixed(4),
            64 => Layout::Fixed(8),
            _ => return None,
        },
        kind::FLOATING_POINT => match u16::from_le_bytes(field.table(3)?.number(0)) {
            2 => Layout::Fixed(8),
            _ => return None,
        },
        kind::DECIMAL => Layout::Fixed(16),
        kind::UTF8 => Layout::Text,
        _ => return None,
    })
}
