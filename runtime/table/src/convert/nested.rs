//! Lists, structs and maps as dynamic values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use arrow::datatypes::DataType;

use super::{cast, exact, kusto_type, mismatch};
use crate::dynamic::Builder;
use crate::format;
use crate::table::TableError;
use crate::types::KustoType;
use crate::value::Cell;

/// The array with each row as one dynamic value.
pub(super) fn dynamics(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let source = Source::new(array)?;
    let mut out = BinaryBuilder::new();
    let mut builder = Builder::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
            continue;
        }
        builder.clear();
        source.write(row, &mut builder);
        out.append_value(builder.bytes());
    }
    Ok(Arc::new(out.finish()))
}

/// Nested data made ready for reading row by row: the scalars at its leaves are in Kusto's representation.
enum Source {
    Scalar(KustoType, ArrayRef, bool),
    /// Offsets of each row's elements and whether it is null. The elements are those of these rows alone.
    List(ArrayRef, Box<Source>),
    Struct(ArrayRef, Vec<(String, Source)>),
    Map(ArrayRef, Box<Source>, Box<Source>),
}

/// The elements of a list's own rows: a slice of a list still has the elements of the whole.
fn used(items: &ArrayRef, offsets: &[i32]) -> ArrayRef {
    let range = offsets.first().zip(offsets.last());
    range.map_or_else(
        || items.slice(0, 0),
        |(first, last)| items.slice(*first as usize, (last - first) as usize),
    )
}

impl Source {
    fn new(array: &ArrayRef) -> Result<Source, TableError> {
        Ok(match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let items = used(list.values(), list.value_offsets());
                Source::List(array.clone(), Box::new(Source::new(&items)?))
            }
            DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => {
                let list = cast(array, &DataType::List(item.clone()))?;
                return Source::new(&list);
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let children: Result<Vec<_>, TableError> = fields
                    .iter()
                    .zip(columns)
                    .map(|(field, column)| Ok((field.name().clone(), Source::new(column)?)))
                    .collect();
                Source::Struct(array.clone(), children?)
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let offsets = map.value_offsets();
                let keys = Source::new(&used(map.keys(), offsets))?;
                let values = Source::new(&used(map.values(), offsets))?;
                Source::Map(array.clone(), Box::new(keys), Box::new(values))
            }
            other => {
                let ty = kusto_type(other).ok_or_else(|| mismatch(other, KustoType::Dynamic))?;
                let (ty, values) = exact(array, ty)?;
                // A null text inside nested data stays null, as in the JSON that it came from.
                Source::Scalar(ty, values, array.null_count() > 0).with_nulls_of(array)
            }
        })
    }

    fn with_nulls_of(self, original: &ArrayRef) -> Source {
        match self {
            Source::Scalar(KustoType::String, strings, true) => {
                let nulls = original.logical_nulls();
                let strings = strings.as_string::<i32>();
                let (offsets, data, _) = strings.clone().into_parts();
                let rebuilt = arrow::array::StringArray::try_new(offsets, data, nulls);
                let array =
                    rebuilt.map_or_else(|_| Arc::new(strings.clone()) as ArrayRef, |a| Arc::new(a));
                Source::Scalar(KustoType::String, array, true)
            }
            other => other,
        }
    }

    fn write(&self, row: usize, out: &mut Builder) {
        match self {
            Source::Scalar(ty, array, _) => match array.is_null(row) {
                true => out.null(),
                false => Cell::of(array, *ty, row).write_dynamic(out),
            },
            Source::List(array, items) => {
                if array.is_null(row) {
                    return out.null();
                }
                let offsets = array.as_list::<i32>().value_offsets();
                let mark = out.begin_array();
                for item in offsets[row] - offsets[0]..offsets[row + 1] - offsets[0] {
                    items.write(item as usize, out);
                    out.item(&mark);
                }
                out.end(mark);
            }
            Source::Struct(array, fields) => {
                if array.is_null(row) {
                    return out.null();
                }
                let mark = out.begin_object();
                for (name, field) in fields {
                    out.key(&mark, name);
                    field.write(row, out);
                    out.item(&mark);
                }
                out.end(mark);
            }
            Source::Map(array, keys, values) => {
                if array.is_null(row) {
                    return out.null();
                }
                let offsets = array.as_map().value_offsets();
                let mark = out.begin_object();
                for entry in offsets[row] - offsets[0]..offsets[row + 1] - offsets[0] {
                    out.key(&mark, &keys.text(entry as usize));
                    values.write(entry as usize, out);
                    out.item(&mark);
                }
                out.end(mark);
            }
        }
    }

    fn text(&self, row: usize) -> String {
        match self {
            Source::Scalar(ty, array, _) => format::text(Cell::of(array, *ty, row)),
            nested => {
                let mut builder = Builder::new();
                nested.write(row, &mut builder);
                builder.finish().view().to_json()
            }
        }
    }
}
