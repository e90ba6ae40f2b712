//! Checks an Arrow IPC file's numbers before its reader believes them: `arrow-ipc` allocates what a message claims and
//! slices where it points, and panics when that lies outside. Nothing is decoded here.
//!
//! Source: Arrow's columnar format, "Encapsulated message format" and "IPC File Format".

use arrow_ipc::{
    DateUnit, Endianness, Field, IntervalUnit, MessageHeader, Precision, RecordBatch, Schema,
    TimeUnit, Type, root_as_message,
};

/// The marker that precedes a message's length since format version 0.15.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Types nest no deeper than this.
const MOST_LEVELS: u32 = 64;

/// The part of an Arrow file that is a stream of messages: a file is the stream between a magic word and a footer.
pub(crate) fn stream_of(bytes: &[u8]) -> Result<&[u8], String> {
    let Some(rest) = bytes.strip_prefix(b"ARROW1\0\0") else {
        return Ok(bytes);
    };
    let inner = rest.strip_suffix(b"ARROW1").ok_or("its end is missing")?;
    let (inner, length) = inner
        .split_last_chunk::<4>()
        .ok_or("its footer is missing")?;
    let footer = usize::try_from(i32::from_le_bytes(*length))
        .map_err(|_| "its footer has a negative length")?;
    let end = inner
        .len()
        .checked_sub(footer)
        .ok_or("its footer is longer than the file")?;
    let mut stream = &inner[..end];
    // Some writers align the first message further than to the eight bytes of the magic word.
    while let Some(aligned) = stream.strip_prefix(&[0; 8]) {
        stream = aligned;
    }
    Ok(stream)
}

/// Checks every message, and adds up how many bytes the compressed buffers claim to unpack to.
pub(crate) fn check(stream: &[u8]) -> Result<u64, String> {
    let mut rest = stream;
    let mut claimed = 0_u64;
    while let Some((metadata, after)) = next_message(rest)? {
        let message = root_as_message(metadata)
            .map_err(|error| format!("a message is malformed: {error}"))?;
        let length = size(message.bodyLength())?;
        let body = after.get(..length).ok_or("a message's body is cut short")?;
        claimed = claimed.saturating_add(match message.header_type() {
            MessageHeader::Schema => schema(message.header_as_schema()).map(|()| 0)?,
            MessageHeader::RecordBatch => batch(message.header_as_record_batch(), body)?,
            MessageHeader::DictionaryBatch => {
                let dictionary = message.header_as_dictionary_batch();
                batch(dictionary.and_then(|dictionary| dictionary.data()), body)?
            }
            _ => 0,
        });
        rest = &after[length..];
    }
    Ok(claimed)
}

/// A message's metadata, and what follows it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// The next message; `None` at the end of the stream.
fn next_message(stream: &[u8]) -> Result<Option<Split<'_>>, String> {
    let stream = stream.strip_prefix(&CONTINUATION).unwrap_or(stream);
    let Some((length, rest)) = stream.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = size(i64::from(i32::from_le_bytes(*length)))?;
    if length == 0 {
        return Ok(None);
    }
    rest.split_at_checked(length)
        .map(Some)
        .ok_or_else(|| "a message is cut short".to_owned())
}

/// The reader has no word for a type that it does not know, only a panic.
fn schema(schema: Option<Schema<'_>>) -> Result<(), String> {
    let schema = schema.ok_or("a schema has no description")?;
    let fields = schema.fields().ok_or("the schema has no fields")?;
    if schema.endianness() == Endianness::Big {
        return Err("its numbers are big-endian".to_owned());
    }
    fields.iter().try_for_each(|each| field(each, 0))
}

fn field(each: Field<'_>, level: u32) -> Result<(), String> {
    let children = each.children().map_or(0, |children| children.len());
    let index = each
        .dictionary()
        .and_then(|dictionary| dictionary.indexType());
    let indexed = index.is_none_or(|index| is_width(index.bitWidth()));
    if level > MOST_LEVELS || !indexed || is_known(each, children) != Some(true) {
        let name = each.name().unwrap_or_default();
        return Err(format!("the column `{name}` has a type that is not known"));
    }
    each.children()
        .iter()
        .flatten()
        .try_for_each(|child| field(child, level + 1))
}

/// Whether a field's type is one that the reader knows; `None` if its description is missing.
fn is_known(field: Field<'_>, children: usize) -> Option<bool> {
    Some(match field.type_type() {
        Type::Null | Type::Bool | Type::Binary | Type::BinaryView | Type::LargeBinary => true,
        Type::Utf8 | Type::Utf8View | Type::LargeUtf8 | Type::Struct_ => true,
        Type::Int => is_width(field.type_as_int()?.bitWidth()),
        Type::FloatingPoint => field.type_as_floating_point()?.precision() <= Precision::DOUBLE,
        Type::FixedSizeBinary => field.type_as_fixed_size_binary()?.byteWidth() >= 0,
        Type::Date => field.type_as_date()?.unit() <= DateUnit::MILLISECOND,
        Type::Time => {
            let time = field.type_as_time()?;
            let width = if time.unit() <= TimeUnit::MILLISECOND {
                32
            } else {
                64
            };
            is_unit(time.unit()) && time.bitWidth() == width
        }
        Type::Timestamp => is_unit(field.type_as_timestamp()?.unit()),
        Type::Duration => is_unit(field.type_as_duration()?.unit()),
        Type::Interval => field.type_as_interval()?.unit() <= IntervalUnit::MONTH_DAY_NANO,
        Type::Decimal => {
            let decimal = field.type_as_decimal()?;
            let scaled =
                (1..=76).contains(&decimal.precision()) && i8::try_from(decimal.scale()).is_ok();
            scaled && matches!(decimal.bitWidth(), 32 | 64 | 128 | 256)
        }
        Type::List | Type::LargeList | Type::ListView | Type::LargeListView | Type::Map => {
            children == 1
        }
        Type::FixedSizeList => children == 1 && field.type_as_fixed_size_list()?.listSize() >= 0,
        Type::RunEndEncoded => children == 2,
        _ => false,
    })
}

fn is_width(bits: i32) -> bool {
    matches!(bits, 8 | 16 | 32 | 64)
}

fn is_unit(unit: TimeUnit) -> bool {
    (TimeUnit::SECOND..=TimeUnit::NANOSECOND).contains(&unit)
}

/// Checks a batch; gives the bytes that its compressed buffers claim.
fn batch(batch: Option<RecordBatch<'_>>, body: &[u8]) -> Result<u64, String> {
    let batch = batch.ok_or("a batch has no description")?;
    size(batch.length())?;
    for node in batch.nodes().iter().flatten() {
        if size(node.null_count())? > size(node.length())? {
            return Err("a column has more nulls than rows".to_owned());
        }
    }
    let compressed = batch.compression().is_some();
    let mut all = 0_u64;
    for buffer in batch.buffers().iter().flatten() {
        let (start, length) = (size(buffer.offset())?, size(buffer.length())?);
        let bytes = start
            .checked_add(length)
            .and_then(|end| body.get(start..end));
        let bytes = bytes.ok_or("a buffer lies outside its message")?;
        if compressed && !bytes.is_empty() {
            let claimed = bytes
                .first_chunk::<8>()
                .map(|chunk| i64::from_le_bytes(*chunk));
            all = all.saturating_add(match claimed {
                // It is not compressed after all.
                Some(-1) => 0,
                Some(claimed @ 0..) => claimed.unsigned_abs(),
                _ => return Err("a compressed buffer has no length".to_owned()),
            });
        }
    }
    Ok(all)
}

fn size(number: i64) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| format!("a length is {number}"))
}
