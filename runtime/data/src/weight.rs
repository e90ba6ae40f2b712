//! How many bytes an Arrow array's rows come to when every row has its own copy. Views, dictionaries and runs can repeat
//! one long value for every row, and a few bytes of file are gigabytes of table.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericByteViewArray, GenericListViewArray, OffsetSizeTrait, RunArray,
};
use arrow::datatypes::{ByteViewType, DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow::record_batch::RecordBatch;

/// Whether the rows of a batch come to at most `most` bytes.
pub(crate) fn fits(batch: &RecordBatch, most: u64) -> bool {
    let mut scale = Scale { left: most };
    batch
        .columns()
        .iter()
        .try_for_each(|array| scale.array(array))
        .is_some()
}

/// Counts down; `None` when there is nothing left.
struct Scale {
    left: u64,
}

impl Scale {
    fn put(&mut self, bytes: u64) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }

    /// `count` rows of `width` bytes.
    fn rows(&mut self, count: usize, width: usize) -> Option<()> {
        self.put((count as u64).saturating_mul(width as u64))
    }

    fn array(&mut self, array: &ArrayRef) -> Option<()> {
        let rows = array.len();
        match array.data_type() {
            DataType::Utf8 => self.spans(array.as_string::<i32>().value_offsets()),
            DataType::LargeUtf8 => self.spans(array.as_string::<i64>().value_offsets()),
            DataType::Binary => self.spans(array.as_binary::<i32>().value_offsets()),
            DataType::LargeBinary => self.spans(array.as_binary::<i64>().value_offsets()),
            DataType::Utf8View => self.views(array.as_string_view()),
            DataType::BinaryView => self.views(array.as_binary_view()),
            DataType::FixedSizeBinary(width) => {
                self.rows(rows, usize::try_from(*width).unwrap_or(0).max(1))
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                self.items(list.value_offsets(), list.values())
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                self.items(list.value_offsets(), list.values())
            }
            DataType::Map(..) => {
                let map = array.as_map();
                self.items(map.value_offsets(), map.keys())?;
                self.items(map.value_offsets(), map.values())
            }
            DataType::FixedSizeList(..) => {
                self.rows(rows, 4)?;
                self.array(array.as_fixed_size_list().values())
            }
            DataType::ListView(_) => self.list_view(array.as_list_view::<i32>()),
            DataType::LargeListView(_) => self.list_view(array.as_list_view::<i64>()),
            DataType::Struct(_) => {
                self.rows(rows, 4)?;
                let mut columns = array.as_struct().columns().iter();
                columns.try_for_each(|column| self.array(column))
            }
            DataType::Dictionary(..) => self.dictionary(array),
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => self.runs::<Int16Type>(array),
                DataType::Int32 => self.runs::<Int32Type>(array),
                _ => self.runs::<Int64Type>(array),
            },
            other => self.rows(rows, other.primitive_width().unwrap_or(4)),
        }
    }

    /// Values end to end.
    fn spans<O: OffsetSizeTrait>(&mut self, offsets: &[O]) -> Option<()> {
        self.rows(offsets.len(), 4)?;
        let (first, last) = (offsets.first()?, offsets.last()?);
        self.put((last.as_usize() - first.as_usize()) as u64)
    }

    /// A view's low half is its value's length.
    fn views<T: ByteViewType + ?Sized>(&mut self, array: &GenericByteViewArray<T>) -> Option<()> {
        self.rows(array.len(), 4)?;
        let mut views = array.views().iter();
        views.try_for_each(|view| self.put(u64::from(*view as u32)))
    }

    /// Lists whose elements stand end to end.
    fn items<O: OffsetSizeTrait>(&mut self, offsets: &[O], values: &ArrayRef) -> Option<()> {
        self.rows(offsets.len(), 4)?;
        let (first, last) = (offsets.first()?.as_usize(), offsets.last()?.as_usize());
        self.array(&values.slice(first, last - first))
    }

    /// Lists that may share their elements.
    fn list_view<O: OffsetSizeTrait>(&mut self, lists: &GenericListViewArray<O>) -> Option<()> {
        let mut rows = lists.offsets().iter().zip(lists.sizes().iter());
        rows.try_for_each(|(offset, size)| {
            self.put(4)?;
            let items = lists.values().slice(offset.as_usize(), size.as_usize());
            self.array(&items)
        })
    }

    fn dictionary(&mut self, array: &ArrayRef) -> Option<()> {
        let dictionary = array.as_any_dictionary();
        let values = dictionary.values();
        if values.is_empty() {
            return self.rows(array.len(), 4);
        }
        let mut keys = dictionary.normalized_keys().into_iter();
        keys.try_for_each(|key| self.array(&values.slice(key, 1)))
    }

    /// Runs, each taken for as long as all rows together and as heavy as the heaviest: an estimate from above.
    fn runs<R: RunEndIndexType>(&mut self, array: &ArrayRef) -> Option<()> {
        let runs = array.as_any().downcast_ref::<RunArray<R>>()?;
        if runs.is_empty() {
            return Some(());
        }
        let used = runs.get_start_physical_index()..=runs.get_end_physical_index();
        let weights = used.map(|at| weight(&runs.values().slice(at, 1)));
        let heaviest = weights.max().unwrap_or(0);
        self.put((array.len() as u64).saturating_mul(heaviest))
    }
}

/// The bytes of an array's rows.
fn weight(array: &ArrayRef) -> u64 {
    let mut scale = Scale { left: u64::MAX };
    scale
        .array(array)
        .map_or(u64::MAX, |()| u64::MAX - scale.left)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::*;
    use arrow::buffer::ScalarBuffer;
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn what_is_shared_counts_for_every_row() {
        let long = "x".repeat(1000);
        let dictionary: DictionaryArray<Int32Type> =
            std::iter::repeat_n(long.as_str(), 50).collect();
        let mut views = StringViewBuilder::new().with_deduplicate_strings();
        (0..50).for_each(|_| views.append_value(&long));
        let runs = RunArray::try_new(
            &Int32Array::from(vec![50]),
            &StringArray::from(vec![long.as_str()]),
        )
        .unwrap();
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let (offsets, sizes) = (vec![0_i32; 50], vec![1_i32; 50]);
        let lists = ListViewArray::new(
            item,
            ScalarBuffer::from(offsets),
            ScalarBuffer::from(sizes),
            Arc::new(StringArray::from(vec![long.as_str()])),
            None,
        );
        let arrays: [ArrayRef; 4] = [
            Arc::new(dictionary),
            Arc::new(views.finish()),
            Arc::new(runs),
            Arc::new(lists),
        ];
        for array in arrays {
            let found = weight(&array);
            assert!((50_000..60_000).contains(&found), "{found}: {array:?}");
            let part = weight(&array.slice(10, 5));
            assert!((5_000..6_000).contains(&part), "{part}: {array:?}");
        }
    }
}
