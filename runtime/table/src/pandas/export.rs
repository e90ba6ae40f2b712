//! From a table to pandas' buffers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use serde_json::{Value as Json, json};

use super::NOT_A_TIME;
use crate::dynamic::{DynamicRef, write_json};
use crate::table::Table;
use crate::ticks;
use crate::types::{Column, KustoType};
use crate::{format, hash};

/// A dictionary is given up when more than one in this many rows brings a new value ...
const ROWS_PER_VALUE: usize = 4;
/// ... looked at once this many rows have been seen.
const SAMPLE: usize = 4096;

/// The table as a header and its buffers, in the form of the module's documentation.
pub fn export(table: &Table) -> (Json, Vec<Vec<u8>>) {
    let mut buffers = Vec::new();
    let columns: Vec<Json> = table
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let arrays: Vec<&ArrayRef> = table.batches().iter().map(|b| b.column(at)).collect();
            let mut entry = column_entry(column.ty, &arrays, table.rows(), &mut buffers);
            describe(&mut entry, column);
            entry
        })
        .collect();
    (json!({"rows": table.rows(), "columns": columns}), buffers)
}

fn describe(entry: &mut Json, column: &Column) {
    entry["name"] = json!(column.name);
    entry["type"] = json!(column.ty.name());
}

fn column_entry(ty: KustoType, arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Json {
    match ty {
        KustoType::Bool => booleans(arrays, rows, out),
        KustoType::Int => numbers::<Int32Type>(arrays, rows, out, |v, b| b.extend(v.to_le_bytes())),
        KustoType::Long => {
            numbers::<Int64Type>(arrays, rows, out, |v, b| b.extend(v.to_le_bytes()))
        }
        KustoType::Real => reals(arrays, rows, out),
        KustoType::DateTime | KustoType::TimeSpan => times(ty, arrays, rows, out),
        KustoType::String | KustoType::Guid | KustoType::Decimal | KustoType::Dynamic => {
            texts(ty, arrays, rows, out)
        }
    }
}

fn push(out: &mut Vec<Vec<u8>>, bytes: Vec<u8>) -> usize {
    out.push(bytes);
    out.len() - 1
}

fn validity(arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Option<usize> {
    if arrays.iter().all(|array| array.null_count() == 0) {
        return None;
    }
    let mut bytes = Vec::with_capacity(rows);
    for array in arrays {
        match array.nulls() {
            Some(nulls) => bytes.extend(nulls.iter().map(u8::from)),
            None => bytes.resize(bytes.len() + array.len(), 1),
        }
    }
    Some(push(out, bytes))
}

fn booleans(arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Json {
    let mut bytes = Vec::with_capacity(rows);
    for array in arrays {
        bytes.extend(array.as_boolean().values().iter().map(u8::from));
    }
    let data = push(out, bytes);
    json!({"encoding": "fixed", "data": data, "validity": validity(arrays, rows, out)})
}

fn numbers<T: ArrowPrimitiveType>(
    arrays: &[&ArrayRef],
    rows: usize,
    out: &mut Vec<Vec<u8>>,
    write: fn(T::Native, &mut Vec<u8>),
) -> Json {
    let mut bytes = Vec::with_capacity(rows * size_of::<T::Native>());
    for array in arrays {
        for value in array.as_primitive::<T>().values() {
            write(*value, &mut bytes);
        }
    }
    let data = push(out, bytes);
    json!({"encoding": "fixed", "data": data, "validity": validity(arrays, rows, out)})
}

/// Reals carry their nulls as NaN, which is what pandas has for them.
fn reals(arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Json {
    let mut bytes = Vec::with_capacity(rows * 8);
    for array in arrays {
        let values = array.as_primitive::<Float64Type>();
        match values.nulls() {
            None => values
                .values()
                .iter()
                .for_each(|v| bytes.extend(v.to_le_bytes())),
            Some(_) => values
                .iter()
                .for_each(|v| bytes.extend(v.unwrap_or(f64::NAN).to_le_bytes())),
        }
    }
    let data = push(out, bytes);
    json!({"encoding": "fixed", "data": data, "validity": null})
}

fn times(ty: KustoType, arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Json {
    let origin = if ty == KustoType::DateTime {
        ticks::UNIX_EPOCH
    } else {
        0
    };
    // Beyond this many ticks from the origin, nanoseconds overflow 64 bits.
    let limit = i64::MAX / 100;
    let fits = arrays.iter().all(|array| {
        let values = array.as_primitive::<Int64Type>();
        let near = |v: i64| {
            v.checked_sub(origin)
                .is_some_and(|v| (-limit..=limit).contains(&v))
        };
        values.iter().flatten().all(near)
    });
    let convert = |ticks: i64| {
        let since = ticks.saturating_sub(origin);
        if fits {
            since * 100
        } else {
            since.div_euclid(10)
        }
    };
    let mut bytes = Vec::with_capacity(rows * 8);
    for array in arrays {
        let values = array.as_primitive::<Int64Type>();
        match values.nulls() {
            None => values
                .values()
                .iter()
                .for_each(|v| bytes.extend(convert(*v).to_le_bytes())),
            Some(_) => values
                .iter()
                .for_each(|v| bytes.extend(v.map_or(NOT_A_TIME, convert).to_le_bytes())),
        }
    }
    let data = push(out, bytes);
    json!({"encoding": "fixed", "unit": if fits { "ns" } else { "us" }, "data": data, "validity": null})
}

/// Text for every row: as a dictionary when values repeat, else end to end.
fn texts(ty: KustoType, arrays: &[&ArrayRef], rows: usize, out: &mut Vec<Vec<u8>>) -> Json {
    let dictionary = match ty {
        KustoType::Dynamic => dictionary(arrays, rows, |array, row| {
            array.as_binary::<i32>().value(row)
        }),
        KustoType::Decimal => None,
        _ => dictionary(arrays, rows, |array, row| {
            array.as_string::<i32>().value(row).as_bytes()
        }),
    };
    if let Some(dictionary) = dictionary {
        return dictionary.entry(ty, out);
    }
    let mut plain = Plain::with_rows(rows);
    for array in arrays {
        match ty {
            KustoType::Dynamic | KustoType::Decimal => plain.append_formatted(ty, array),
            _ => plain.append_strings(array),
        }
    }
    let (offsets, data) = (push(out, plain.offsets), push(out, plain.data));
    json!({"encoding": "utf8", "offsets": offsets, "data": data, "validity": validity(arrays, rows, out)})
}

struct Plain {
    offsets: Vec<u8>,
    data: Vec<u8>,
}

impl Plain {
    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity((rows + 1) * 4);
        offsets.extend(0_i32.to_le_bytes());
        Plain {
            offsets,
            data: Vec::new(),
        }
    }

    fn close(&mut self) {
        // Two gigabytes of text do not fit in the guest's memory.
        self.offsets.extend((self.data.len() as i32).to_le_bytes());
    }

    fn append_strings(&mut self, array: &ArrayRef) {
        let strings = array.as_string::<i32>();
        let ends = strings.value_offsets();
        let (first, last) = (ends[0], ends[strings.len()]);
        let base = self.data.len() as i32 - first;
        self.data
            .extend_from_slice(&strings.value_data()[first as usize..last as usize]);
        for end in &ends[1..] {
            self.offsets.extend((base + end).to_le_bytes());
        }
    }

    fn append_formatted(&mut self, ty: KustoType, array: &ArrayRef) {
        let mut text = String::new();
        for row in 0..array.len() {
            if !array.is_null(row) {
                text.clear();
                match ty {
                    KustoType::Decimal => {
                        format::push_decimal(
                            &mut text,
                            array.as_primitive::<Decimal128Type>().value(row),
                        );
                    }
                    _ => write_json(
                        &mut text,
                        DynamicRef::new(array.as_binary::<i32>().value(row)),
                    ),
                }
                self.data.extend_from_slice(text.as_bytes());
            }
            self.close();
        }
    }
}

struct Dictionary<'a> {
    codes: Vec<u8>,
    values: Vec<&'a [u8]>,
}

impl Dictionary<'_> {
    fn entry(self, ty: KustoType, out: &mut Vec<Vec<u8>>) -> Json {
        let mut plain = Plain::with_rows(self.values.len());
        let mut text = String::new();
        for value in &self.values {
            if ty == KustoType::Dynamic {
                text.clear();
                write_json(&mut text, DynamicRef::new(value));
                plain.data.extend_from_slice(text.as_bytes());
            } else {
                plain.data.extend_from_slice(value);
            }
            plain.close();
        }
        let codes = push(out, self.codes);
        let (offsets, data) = (push(out, plain.offsets), push(out, plain.data));
        json!({"encoding": "dictionary", "codes": codes, "offsets": offsets, "data": data})
    }
}

/// The rows as codes into their distinct values, or `None` when too many are distinct.
fn dictionary<'a>(
    arrays: &[&'a ArrayRef],
    rows: usize,
    value: impl Fn(&'a dyn Array, usize) -> &'a [u8],
) -> Option<Dictionary<'a>> {
    let mut codes = Vec::with_capacity(rows * 4);
    let mut values = Vec::new();
    let mut seen: HashMap<&[u8], i32, BuildHasherDefault<hash::Fold>> = HashMap::default();
    let mut rows_seen = 0;
    for array in arrays {
        let array: &'a ArrayRef = array;
        let array: &'a dyn Array = array.as_ref();
        for row in 0..array.len() {
            let code = if array.is_null(row) {
                -1
            } else {
                let next = values.len() as i32;
                let value = value(array, row);
                match seen.entry(value) {
                    Entry::Occupied(code) => *code.get(),
                    Entry::Vacant(slot) => {
                        values.push(value);
                        *slot.insert(next)
                    }
                }
            };
            codes.extend(code.to_le_bytes());
            rows_seen += 1;
            if rows_seen % SAMPLE == 0 && values.len() * ROWS_PER_VALUE > rows_seen {
                return None;
            }
        }
    }
    let few = rows < SAMPLE || values.len() * ROWS_PER_VALUE <= rows;
    few.then_some(Dictionary { codes, values })
}
