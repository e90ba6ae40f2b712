//! Sorting in slices: rows are sorted in runs as they come, and then the runs are merged batch by batch, with a pause wherever
//! the slice is over. DataFusion's own sort does all of it at once when its last row has come.
//!
//! A sort that keeps only the first rows stays DataFusion's: it works batch by batch already.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::sorts::sort::{SortExec, sort_batch_chunked};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt};

use super::operator::Operator;
use super::pace::{Turns, paced};
use super::{BATCH_ROWS, rows_memory};

/// Rows that are sorted without a pause.
const RUN_ROWS: usize = 4 * BATCH_ROWS;

/// What to run in place of an operator, if that is a sort of all rows.
pub(super) fn in_slices(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let sort = node.downcast_ref::<SortExec>()?;
    if sort.fetch().is_some() {
        return None;
    }
    let by = sort.expr().clone();
    Some(Operator::instead_of(
        node,
        sort.input(),
        "SlicedSortExec",
        move |input, context| {
            let schema = input.schema();
            let held = MemoryConsumer::new("sort").register(context.memory_pool());
            let sorting = sorted(input, by.clone(), Turns::of(context), held);
            let batches = futures::stream::once(sorting).try_flatten().boxed();
            Ok(paced(schema, batches, context))
        },
    ))
}

/// All rows of a stream, sorted.
async fn sorted(
    mut input: SendableRecordBatchStream,
    by: LexOrdering,
    mut turns: Turns,
    held: MemoryReservation,
) -> Result<SendableRecordBatchStream> {
    let schema = input.schema();
    let mut runs = Vec::new();
    let mut run = Vec::new();
    let mut rows = 0;
    while let Some(batch) = input.next().await {
        let batch = batch?;
        held.try_grow(rows_memory(&batch)?)?;
        rows += batch.num_rows();
        run.push(batch);
        if rows >= RUN_ROWS {
            runs.push(sorted_run(&schema, &std::mem::take(&mut run), &by)?);
            rows = 0;
            turns.pause().await;
        }
    }
    if rows > 0 {
        runs.push(sorted_run(&schema, &run, &by)?);
        turns.pause().await;
    }
    merged(schema, runs, &by, held)
}

/// Some batches' rows in order, cut into batches.
fn sorted_run(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    by: &LexOrdering,
) -> Result<Vec<RecordBatch>> {
    sort_batch_chunked(&concat_batches(schema, batches)?, by, BATCH_ROWS)
}

/// Sorted runs as one sorted stream. Equal rows come in the order of the runs.
fn merged(
    schema: SchemaRef,
    runs: Vec<Vec<RecordBatch>>,
    by: &LexOrdering,
    held: MemoryReservation,
) -> Result<SendableRecordBatchStream> {
    if runs.is_empty() {
        let nothing = futures::stream::empty();
        return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, nothing)));
    }
    let metrics = BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    let keys = held.new_empty();
    let held = Arc::new(held);
    let streams = runs.into_iter().map(|run| {
        let held = held.clone();
        // A batch that the merge has taken is accounted for where its rows go.
        let batches = run.into_iter().map(move |batch| {
            held.shrink(rows_memory(&batch)?.min(held.size()));
            Ok(batch)
        });
        let stream = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(schema.clone(), stream)) as SendableRecordBatchStream
    });
    StreamingMergeBuilder::new()
        .with_streams(streams.collect())
        .with_schema(schema.clone())
        .with_expressions(by)
        .with_metrics(metrics)
        .with_batch_size(BATCH_ROWS)
        .with_round_robin_tie_breaker(false)
        .with_reservation(keys)
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use spoor_table::{Table, Value};

    use crate::{Engine, EngineOptions, Step};

    fn sliced(text: &str) -> (usize, Table) {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let mut query = engine.start(text, 0).unwrap();
        let mut pauses = 0;
        loop {
            match query.step(Duration::from_nanos(1)).unwrap() {
                Step::More | Step::Call(_) => pauses += 1,
                Step::Done(result) => return (pauses, result.table),
            }
        }
    }

    #[test]
    fn a_large_sort_comes_back_while_it_reads_and_while_it_merges() {
        // 7 and 100,003 have no common divisor: the products are all numbers below it, shuffled.
        let text = "range n from 0 to 100002 step 1 | extend k = n * 7 % 100003 | sort by k asc";
        let (pauses, table) = sliced(text);
        assert_eq!(table.rows(), 100_003);
        for row in [0, 1, 50_000, 100_002] {
            assert_eq!(table.value(row, 1), Value::Long(row as i64));
        }
        // Thirteen batches are read, four runs sorted, and thirteen batches merged.
        assert!((26..80).contains(&pauses), "{pauses} pauses");
    }

    #[test]
    fn rows_come_once_each_whatever_the_keys() {
        let text = "range n from 0 to 99999 step 1 | sort by tostring(n % 10) desc, n asc";
        let (_, table) = sliced(text);
        assert_eq!(table.rows(), 100_000);
        assert_eq!(table.value(0, 0), Value::Long(9));
        assert_eq!(table.value(9_999, 0), Value::Long(99_999));
        assert_eq!(table.value(99_999, 0), Value::Long(99_990));
    }

    #[test]
    fn nothing_and_little_sort_too() {
        assert_eq!(
            sliced("range n from 1 to 0 step 1 | sort by n asc")
                .1
                .rows(),
            0
        );
        let (_, table) = sliced("range n from 1 to 3 step 1 | sort by n desc");
        assert_eq!(table.value(0, 0), Value::Long(3));
    }
}
