//! Values that often come together, for `evaluate basket(...)`: sets of a column's value each, which a share of the rows have at least.
//! Each value is the set of its rows; values come together where those sets have rows in common.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, exec_err};

/// Sets that are found at most: more are no finding.
const MOST_SETS: usize = 20_000;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Basket {
    /// The share of the rows that a set has at least.
    pub(crate) share: f64,
    /// How many columns a set has values of at most.
    pub(crate) dimensions: usize,
}

/// A set of rows, a bit for each.
type Rows = Vec<u64>;

/// A value of a column: one of its rows, and all of them.
struct Item {
    column: usize,
    row: u32,
    rows: Rows,
}

/// Values that come together, by their places among the items, and how often.
struct Together {
    items: Vec<usize>,
    count: u64,
}

impl Basket {
    /// Number, count and percentage of each set, and its value of each column or null, the most frequent first.
    pub(crate) fn find(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let total = batch.num_rows() as u64;
        let least = ((self.share * total as f64).ceil() as u64).max(1);
        let items = items(batch, least)?;
        let mut found = Vec::new();
        let all = vec![u64::MAX; batch.num_rows().div_ceil(64)];
        self.extend(&items, &[], &all, least, &mut found)?;
        found.sort_by_key(|set| (std::cmp::Reverse(set.count), set.items.len()));
        let counts = found.iter().map(|set| set.count as i64);
        let shares = found
            .iter()
            .map(|set| set.count as f64 * 100.0 / total as f64);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..found.len() as i64)),
            Arc::new(Int64Array::from_iter_values(counts)),
            Arc::new(Float64Array::from_iter_values(shares)),
        ];
        for (at, column) in batch.columns().iter().enumerate() {
            let value = |set: &Together| {
                let mut own = set.items.iter().filter_map(|item| items.get(*item));
                own.find(|item| item.column == at).map(|item| item.row)
            };
            let rows: UInt32Array = found.iter().map(value).collect();
            columns.push(take(column, &rows, None)?);
        }
        Ok(columns)
    }

    /// Adds the sets that a set grows to with values of later columns.
    fn extend(
        &self,
        items: &[Item],
        set: &[usize],
        rows: &Rows,
        least: u64,
        found: &mut Vec<Together>,
    ) -> Result<()> {
        let last = set
            .last()
            .and_then(|item| items.get(*item))
            .map(|item| item.column);
        for (at, item) in items.iter().enumerate() {
            if last.is_some_and(|last| item.column <= last) {
                continue;
            }
            let both: Rows = rows.iter().zip(&item.rows).map(|(a, b)| a & b).collect();
            let count = both.iter().map(|bits| u64::from(bits.count_ones())).sum();
            if count < least {
                continue;
            }
            let mut set = set.to_vec();
            set.push(at);
            if found.len() >= MOST_SETS {
                return exec_err!(
                    "more than {MOST_SETS} sets of values are this frequent: ask for a greater share, or keep fewer columns"
                );
            }
            found.push(Together {
                items: set.clone(),
                count,
            });
            if set.len() < self.dimensions {
                self.extend(items, &set, &both, least, found)?;
            }
        }
        Ok(())
    }
}

/// The values that enough rows have, column by column.
fn items(batch: &RecordBatch, least: u64) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for (column, array) in batch.columns().iter().enumerate() {
        let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())])?;
        let values = converter.convert_columns(std::slice::from_ref(array))?;
        let mut rows_of: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for (row, value) in values.iter().enumerate() {
            rows_of.entry(value.data()).or_default().push(row as u32);
        }
        let mut frequent: Vec<Vec<u32>> = rows_of
            .into_values()
            .filter(|rows| rows.len() as u64 >= least)
            .collect();
        frequent.sort();
        for rows in frequent {
            let mut bits = vec![0; batch.num_rows().div_ceil(64)];
            for row in &rows {
                if let Some(word) = bits.get_mut(*row as usize / 64) {
                    *word |= 1_u64 << (row % 64);
                }
            }
            let Some(row) = rows.first().copied() else {
                continue;
            };
            items.push(Item {
                column,
                row,
                rows: bits,
            });
        }
    }
    Ok(items)
}
