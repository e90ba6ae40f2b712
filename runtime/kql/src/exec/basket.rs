//! Values that often come together, for `evaluate basket(...)`: sets of a column's value each, which a share of the rows have at least.
//! Each value is the set of its rows; values come together where those sets have rows in common.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use async_trait::async_trait;
use datafusion::common::{Result, exec_err};

use super::shared::{Codes, Rows, and, coded, ones};
use super::whole::{Bench, Work};

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

/// A set while it is being extended: its values, its rows, and the place of the item that is tried next.
struct Open {
    set: Vec<usize>,
    rows: Rows,
    next: usize,
}

#[async_trait]
impl Work for Basket {
    /// Number, count and percentage of each set, and its value of each column or null, the most frequent first.
    async fn of(&self, batch: &RecordBatch, bench: &mut Bench) -> Result<Vec<ArrayRef>> {
        let total = batch.num_rows() as u64;
        let least = ((self.share * total as f64).ceil() as u64).max(1);
        let items = items(&coded(batch.columns(), bench).await?, least, bench).await?;
        let all = vec![u64::MAX; batch.num_rows().div_ceil(64)];
        let mut found = self.search(&items, all, least, bench).await?;
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
}

impl Basket {
    /// The frequent sets. Each is extended, as soon as it is found, by the items of the columns after its own.
    async fn search(
        &self,
        items: &[Item],
        all: Rows,
        least: u64,
        bench: &mut Bench,
    ) -> Result<Vec<Together>> {
        let mut found = Vec::new();
        let mut path = vec![Open {
            set: Vec::new(),
            rows: all,
            next: 0,
        }];
        while let Some(open) = path.last_mut() {
            let at = open.next;
            let Some(item) = items.get(at) else {
                path.pop();
                continue;
            };
            open.next += 1;
            let last = open.set.last().and_then(|last| items.get(*last));
            if last.is_some_and(|last| item.column <= last.column) {
                continue;
            }
            let both = and(&open.rows, &item.rows);
            let count = ones(&both);
            bench.did(2 * both.len() + 1).await;
            if count < least {
                continue;
            }
            if found.len() >= MOST_SETS {
                return exec_err!(
                    "more than {MOST_SETS} sets of values are this frequent: ask for a greater share, or keep fewer columns"
                );
            }
            let mut set = open.set.clone();
            set.push(at);
            found.push(Together {
                items: set.clone(),
                count,
            });
            if set.len() < self.dimensions {
                path.push(Open {
                    set,
                    rows: both,
                    next: at + 1,
                });
            }
        }
        Ok(found)
    }
}

/// The values that enough rows have, column by column.
async fn items(columns: &[Codes], least: u64, bench: &mut Bench) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for (column, codes) in columns.iter().enumerate() {
        for (code, (row, count)) in codes.known.iter().enumerate() {
            bench.did(1).await;
            if *count < least {
                continue;
            }
            let rows = codes.with(code as u32);
            bench.hold(rows.len() * size_of::<u64>())?;
            bench.did(64 * rows.len()).await;
            items.push(Item {
                column,
                row: *row,
                rows,
            });
        }
    }
    Ok(items)
}
