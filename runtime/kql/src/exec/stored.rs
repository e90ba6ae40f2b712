//! Tables whose rows are read when a query asks for them, and of them only the columns that it asks for. Where the rows are is the
//! matter of whoever registers the table.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use spoor_table::{Column, Condition, Table};

use super::keep::{Failed, Keep, can_keep};
use super::source::{Batches, Partition, SourceExec};

/// What [`StoredRows::read`] gives: batches of the columns that were asked for, in the Arrow forms of their types. Text is never
/// null.
pub type StoredBatches =
    Box<dyn Iterator<Item = Result<RecordBatch, Box<dyn std::error::Error + Send + Sync>>> + Send>;

/// The rows of a table, in pieces that can be read apart from each other: a file's row groups.
pub trait StoredRows: fmt::Debug + Send + Sync {
    /// The columns, in order.
    fn columns(&self) -> Arc<[Column]>;

    /// How many rows each piece has, in order.
    fn pieces(&self) -> Vec<u64>;

    /// How many pieces there is memory for at once, with some columns; 1 at least.
    fn at_once(&self, columns: &[usize]) -> usize;

    /// Begins to read what is wanted of some pieces, in order. `share` is as many pieces as are read at once.
    fn read(&self, pieces: Range<usize>, wanted: &Wanted, share: usize) -> StoredBatches;
}

/// What is wanted of stored rows.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The columns, by their places.
    pub columns: Vec<usize>,
    /// The rows, if not all.
    pub condition: Option<Condition>,
}

/// Stored rows that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(Box<dyn std::error::Error + Send + Sync>);

/// A stored table, as a source of plans.
#[derive(Debug)]
pub(crate) struct StoredTable {
    rows: Arc<dyn StoredRows>,
    schema: SchemaRef,
}

impl StoredTable {
    pub(crate) fn new(rows: Arc<dyn StoredRows>) -> StoredTable {
        let schema = Table::empty(rows.columns()).schema().clone();
        StoredTable { rows, schema }
    }
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let can = |filter: &&Expr| match can_keep(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(can).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&columns)?);
        let keep = Keep::all_of(filters, &self.schema, state)?;
        // Of rows that may be dropped nobody knows how many pieces make the first few.
        let limit = limit.filter(|_| keep.is_none());
        let pieces = first(self.rows.pieces(), limit);
        let count = state.config().target_partitions();
        let count = count.min(self.at_once(&columns, keep.as_ref()));
        let scan = Scan {
            rows: self.rows.clone(),
            columns,
            keep,
            share: count,
        };
        let dealt = dealt(&pieces, count).into_iter();
        let partitions = dealt.map(|part| scan.partition(part, &pieces));
        let partitions = partitions.collect();
        Ok(Arc::new(SourceExec::new("StoredExec", schema, partitions)))
    }
}

impl StoredTable {
    /// How many pieces can be read at once; 1 at least.
    fn at_once(&self, columns: &[usize], keep: Option<&Keep>) -> usize {
        let mut all = columns.to_vec();
        all.extend(keep.into_iter().flat_map(|keep| keep.columns()));
        self.rows.at_once(&all).max(1)
    }
}

/// What a plan reads of a table.
struct Scan {
    rows: Arc<dyn StoredRows>,
    columns: Vec<usize>,
    keep: Option<Keep>,
    share: usize,
}

impl Scan {
    fn partition(&self, part: Range<usize>, pieces: &[u64]) -> Partition {
        let counts = pieces.iter().skip(part.start).take(part.len());
        let count = counts.fold(0, |sum: u64, rows| sum.saturating_add(*rows));
        let count = usize::try_from(count).map_or(Precision::Absent, Precision::Exact);
        let (rows, columns, share) = (self.rows.clone(), self.columns.clone(), self.share);
        let keep = self.keep.clone();
        Partition {
            rows: match keep {
                Some(_) => count.to_inexact(),
                None => count,
            },
            open: Box::new(move || {
                let (condition, failed) = keep.as_ref().map(Keep::begun).unzip();
                let wanted = Wanted {
                    columns: columns.clone(),
                    condition,
                };
                let batches = rows.read(part.clone(), &wanted, share);
                Box::new(batches.map(move |batch| {
                    // A test that failed kept nothing: that is no answer.
                    if let Some(error) = failed.as_ref().and_then(Failed::take) {
                        return Err(error);
                    }
                    batch.map_err(|error| DataFusionError::External(Box::new(Unreadable(error))))
                })) as Batches
            }),
        }
    }
}

/// The pieces that the first rows are in.
fn first(mut pieces: Vec<u64>, limit: Option<usize>) -> Vec<u64> {
    let mut left = limit.map_or(u64::MAX, |limit| limit as u64);
    let needed = pieces.iter().take_while(|rows| {
        let needed = left > 0;
        left = left.saturating_sub(**rows);
        needed
    });
    let needed = needed.count();
    pieces.truncate(needed);
    pieces
}

/// Neighbouring pieces in at most `count` parts of about as many rows each; one at least.
fn dealt(pieces: &[u64], count: usize) -> Vec<Range<usize>> {
    let total: u64 = pieces.iter().fold(0, |sum, rows| sum.saturating_add(*rows));
    let each = total.div_ceil(count as u64).max(1);
    let (mut parts, mut start, mut rows) = (Vec::new(), 0, 0_u64);
    for (at, piece) in pieces.iter().enumerate() {
        // Half of a piece too many is better than half of one too few.
        if rows.saturating_add(piece / 2) >= each && at > start && parts.len() + 1 < count {
            parts.push(start..at);
            (start, rows) = (at, 0);
        }
        rows = rows.saturating_add(*piece);
    }
    parts.push(start..pieces.len());
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use arrow::compute::filter_record_batch;
    use spoor_table::{KustoType, Value};

    use super::*;
    use crate::{Engine, EngineOptions, ExecutionError, QueryError};

    #[test]
    fn pieces_are_dealt_evenly_and_in_order() {
        assert_eq!(dealt(&[], 4), vec![0..0]);
        assert_eq!(dealt(&[5], 4), vec![0..1]);
        assert_eq!(dealt(&[9, 9, 9, 3], 2), vec![0..2, 2..4]);
        assert_eq!(dealt(&[1, 1, 1, 1, 1, 1, 1], 3), vec![0..3, 3..6, 6..7]);
        assert_eq!(dealt(&[100, 1, 1], 3), vec![0..1, 1..3]);
        assert_eq!(dealt(&[1, 1, 1], 1), vec![0..3]);
    }

    #[test]
    fn a_limit_needs_the_first_pieces() {
        assert_eq!(first(vec![5, 5, 5], None), vec![5, 5, 5]);
        assert_eq!(first(vec![5, 5, 5], Some(5)), vec![5]);
        assert_eq!(first(vec![5, 5, 5], Some(6)), vec![5, 5]);
        assert!(first(vec![5, 5, 5], Some(0)).is_empty());
    }

    /// A piece, and the columns that were read of it.
    type Read = (usize, Vec<usize>);

    /// Six pieces of rows: `n` counts them, `s` is its text. Notes what is read; the piece `bad` cannot be.
    #[derive(Debug, Default)]
    struct Counted {
        read: Arc<Mutex<Vec<Read>>>,
        bad: Option<usize>,
    }

    const ROWS: u64 = 1000;

    impl StoredRows for Counted {
        fn columns(&self) -> Arc<[Column]> {
            let n = Column::new("n", KustoType::Long);
            Arc::from([n, Column::new("s", KustoType::String)])
        }

        fn pieces(&self) -> Vec<u64> {
            vec![ROWS; 6]
        }

        fn at_once(&self, _: &[usize]) -> usize {
            3
        }

        fn read(&self, pieces: Range<usize>, wanted: &Wanted, _: usize) -> StoredBatches {
            let all = self.columns();
            let (read, bad, wanted) = (self.read.clone(), self.bad, wanted.clone());
            Box::new(pieces.map(move |piece| {
                if bad == Some(piece) {
                    return Err(format!("f.parquet: piece {piece} is damaged").into());
                }
                read.lock().unwrap().push((piece, wanted.columns.clone()));
                let first = piece as u64 * ROWS;
                let rows = (first..first + ROWS)
                    .map(|n| vec![Value::Long(n as i64), Value::String(n.to_string())]);
                let table = Table::from_values(all.to_vec(), &rows.collect::<Vec<_>>()).unwrap();
                let mut batch = table.batches()[0].clone();
                if let Some(condition) = &wanted.condition {
                    let mask = (condition.test)(&batch.project(&condition.columns).unwrap());
                    batch = filter_record_batch(&batch, &mask).unwrap();
                }
                Ok(batch.project(&wanted.columns).unwrap())
            }))
        }
    }

    fn run(rows: Counted, text: &str) -> Result<Table, QueryError> {
        let options = EngineOptions {
            threads: 4,
            ..EngineOptions::default()
        };
        let mut engine = Engine::new(options).unwrap();
        engine.register_stored("T", Arc::new(rows));
        engine.run(text, 0).map(|result| result.table)
    }

    #[test]
    fn only_what_a_query_needs_is_read() {
        for (text, pieces, columns) in [
            ("T | count", 0, vec![]),
            ("T | getschema", 0, vec![]),
            ("T | take 5", 1, vec![0, 1]),
            ("T | project s | take 1001", 2, vec![1]),
            ("T | summarize sum(n)", 6, vec![0]),
            ("T | where n > 7 | summarize max(s)", 6, vec![1]),
        ] {
            let rows = Counted::default();
            let read = rows.read.clone();
            run(rows, text).unwrap();
            let read = read.lock().unwrap();
            assert_eq!(read.len(), pieces, "{text}: {read:?}");
            assert!(
                read.iter().all(|(_, read)| *read == columns),
                "{text}: {read:?}"
            );
        }
    }

    #[test]
    fn rows_are_those_of_a_table_in_memory() {
        for (text, expected) in [
            ("T | count", 6000),
            ("T | summarize sum(n)", 17_997_000),
            ("T | where s endswith '99' | count", 60),
            ("T | where n > 5998 and n % 2 == 1 | take 9 | count", 1),
            (
                "T | where n in ((T | where n > 5990 | project n)) | count",
                9,
            ),
            (
                "T | extend e = n + 1 | where e > 5999 | summarize countif(s == '5999')",
                1,
            ),
            ("T | join kind=inner T on n | count", 6000),
        ] {
            let table = run(Counted::default(), text).unwrap();
            assert_eq!(table.value(0, 0), Value::Long(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_as_it_is() {
        let rows = Counted {
            bad: Some(4),
            ..Counted::default()
        };
        match run(rows, "T | summarize count() by s") {
            Err(QueryError::Execution(ExecutionError::Unreadable(told))) => {
                assert_eq!(told, "f.parquet: piece 4 is damaged");
            }
            other => panic!("{other:?}"),
        }
    }
}
