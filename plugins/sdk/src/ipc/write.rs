//! Writes the stream of an answer's table.

use spoor_plugin_abi::Type;

use super::flat::{Slot, Writer};
use super::{ALIGN, CONTINUATION, header, kind};
use crate::column::ColumnBuilder;

/// A column of an answer: its name, its type (none for the index, an unsigned word) and its rows.
pub struct Field<'a> {
    /// The name.
    pub name: &'a str,
    /// The type; none for `_row`.
    pub ty: Option<Type>,
    /// The values.
    pub column: &'a ColumnBuilder,
}

/// Metadata version 5, which every Arrow since 1.0 writes.
const VERSION: u16 = 4;

/// The stream of a table of `rows` rows.
pub fn write(rows: usize, fields: &[Field<'_>]) -> Vec<u8> {
    let buffers: Vec<&[u8]> = fields.iter().flat_map(|f| f.column.parts().1).collect();
    let body = buffers.iter().map(|buffer| padded(buffer.len())).sum();
    let mut stream = Vec::with_capacity(body + 1024 + 256 * fields.len());
    put_metadata(&mut stream, schema(fields));
    put_metadata(&mut stream, batch(rows, fields, &buffers, body));
    for buffer in buffers {
        stream.extend_from_slice(buffer);
        stream.resize(padded(stream.len()), 0);
    }
    stream.extend_from_slice(&CONTINUATION);
    stream.extend_from_slice(&[0; 4]);
    stream
}

const fn padded(length: usize) -> usize {
    length.next_multiple_of(ALIGN)
}

fn put_metadata(stream: &mut Vec<u8>, metadata: Writer) {
    let metadata = metadata.finish();
    stream.extend_from_slice(&CONTINUATION);
    stream.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
    stream.extend_from_slice(&metadata);
}

/// The beginning of a message's metadata, and the slot of its header.
fn message(of: u8, body: usize) -> (Writer, Slot) {
    let mut flat = Writer::default();
    let root = flat.slot();
    flat.fill_table(root, 4);
    flat.table(24, &[4, 6, 8, 16]);
    flat.put(&VERSION.to_le_bytes());
    flat.put(&[of, 0]);
    let header = flat.slot();
    flat.put(&[0; 4]);
    flat.put(&(body as u64).to_le_bytes());
    (flat, header)
}

fn schema(fields: &[Field<'_>]) -> Writer {
    let (mut flat, header) = message(header::SCHEMA, 0);
    flat.fill_table(header, 2);
    flat.table(8, &[0, 4]);
    let vector = flat.slot();
    flat.fill_vector(vector);
    flat.vector(fields.len());
    let slots: Vec<Slot> = fields.iter().map(|_| flat.slot()).collect();
    for (slot, field) in slots.into_iter().zip(fields) {
        flat.fill_table(slot, 6);
        one_field(&mut flat, field);
    }
    flat
}

fn one_field(flat: &mut Writer, field: &Field<'_>) {
    flat.table(20, &[4, 16, 17, 8, 0, 12]);
    let (name, ty, children) = (flat.slot(), flat.slot(), flat.slot());
    flat.put(&[u8::from(field.ty.is_some()), kind(field.ty), 0, 0]);
    flat.fill_vector(name);
    flat.text(field.name);
    // Readers refuse a field without this vector, though it is empty.
    flat.fill_vector(children);
    flat.vector(0);
    type_table(flat, ty, field.ty);
}

fn kind(ty: Option<Type>) -> u8 {
    match ty {
        None | Some(Type::Int | Type::Long | Type::DateTime | Type::TimeSpan) => kind::INT,
        Some(Type::Bool) => kind::BOOL,
        Some(Type::Real) => kind::FLOATING_POINT,
        Some(Type::Decimal) => kind::DECIMAL,
        Some(Type::String | Type::Guid | Type::Dynamic) => kind::UTF8,
    }
}

fn type_table(flat: &mut Writer, slot: Slot, ty: Option<Type>) {
    match ty {
        None => int(flat, slot, 32, false),
        Some(Type::Int) => int(flat, slot, 32, true),
        Some(Type::Long | Type::DateTime | Type::TimeSpan) => int(flat, slot, 64, true),
        Some(Type::Real) => {
            flat.fill_table(slot, 1);
            flat.table(8, &[4]);
            flat.put(&[2, 0, 0, 0]);
        }
        Some(Type::Decimal) => {
            flat.fill_table(slot, 2);
            flat.table(12, &[4, 8]);
            flat.put(&38u32.to_le_bytes());
            flat.put(&12u32.to_le_bytes());
        }
        Some(Type::Bool | Type::String | Type::Guid | Type::Dynamic) => {
            flat.fill_table(slot, 0);
            flat.table(4, &[]);
        }
    }
}

fn int(flat: &mut Writer, slot: Slot, bits: u32, signed: bool) {
    flat.fill_table(slot, 2);
    flat.table(12, &[4, 8]);
    flat.put(&bits.to_le_bytes());
    flat.put(&[u8::from(signed), 0, 0, 0]);
}

fn batch(rows: usize, fields: &[Field<'_>], buffers: &[&[u8]], body: usize) -> Writer {
    let (mut flat, header) = message(header::RECORD_BATCH, body);
    flat.fill_table(header, 3);
    // The long comes first after padding: a table begins at a multiple of 8.
    flat.table(24, &[8, 16, 20]);
    flat.put(&[0; 4]);
    flat.put(&(rows as u64).to_le_bytes());
    let (nodes, places) = (flat.slot(), flat.slot());
    flat.fill_vector(nodes);
    flat.vector(fields.len());
    for field in fields {
        flat.put(&(rows as u64).to_le_bytes());
        flat.put(&(field.column.parts().0 as u64).to_le_bytes());
    }
    flat.fill_vector(places);
    flat.vector(buffers.len());
    let mut at = 0;
    for buffer in buffers {
        flat.put(&(at as u64).to_le_bytes());
        flat.put(&(buffer.len() as u64).to_le_bytes());
        at += padded(buffer.len());
    }
    flat
}
