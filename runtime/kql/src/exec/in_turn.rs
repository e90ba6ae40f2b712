//! Partitions as one stream, each partition's rows after those of the one before: rows that a file has in an order keep it, and a
//! query gives the same answer on each run. DataFusion takes batches as they come.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{TableType, source_as_provider};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{StreamExt, TryStreamExt};

use super::operator::Operator;
use super::rows_memory;

/// Batches of a partition that may wait for their turn: as many as there is memory for.
const WAITING: usize = 1 << 24;

/// Whether an answer shows the order in which rows come. Groups have none.
pub(super) fn shows(plan: &LogicalPlan) -> bool {
    let (mut looks, mut groups) = (false, false);
    let walked = plan.apply_with_subqueries(|node| {
        looks |= match node {
            LogicalPlan::Window(_) | LogicalPlan::Limit(_) => true,
            // A plan of its own.
            LogicalPlan::TableScan(scan) => source_as_provider(&scan.source)
                .is_ok_and(|table| table.table_type() == TableType::Temporary),
            _ => false,
        };
        groups |= matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_));
        Ok(TreeNodeRecursion::Continue)
    });
    walked.is_err() || looks || !groups
}

/// What to run in place of an operator, if that takes partitions as they come.
pub(super) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let gathering = node.downcast_ref::<CoalescePartitionsExec>()?;
    let fetch = gathering.fetch();
    Some(Operator::gathering(
        node,
        gathering.input(),
        "InTurnExec",
        move |rows, _| {
            Ok(match fetch {
                Some(fetch) => Box::pin(LimitStream::new(
                    rows,
                    0,
                    Some(fetch),
                    BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0),
                )),
                None => rows,
            })
        },
    ))
}

/// A plan in one partition.
pub(super) fn whole(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.output_partitioning().partition_count() <= 1 {
        return plan;
    }
    let gathered: Arc<dyn ExecutionPlan> = Arc::new(CoalescePartitionsExec::new(plan));
    in_place_of(&gathered).unwrap_or(gathered)
}

/// The rows of all partitions, which run at once.
pub(super) fn gathered(
    input: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let held = MemoryConsumer::new("partitions in turn").register(context.memory_pool());
    let held = Arc::new(held);
    let count = input.output_partitioning().partition_count();
    let streams: Vec<_> = (0..count)
        .map(|partition| ahead(input, partition, context, &held))
        .collect();
    let rows = futures::stream::iter(streams).flatten();
    let rows = rows.and_then(move |batch| {
        let left = rows_memory(&batch).map(|bytes| held.shrink(bytes.min(held.size())));
        futures::future::ready(left.map(|()| batch))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(
        input.schema(),
        rows,
    )))
}

/// A partition that runs whether or not anybody asks for its rows yet.
fn ahead(
    input: &Arc<dyn ExecutionPlan>,
    partition: usize,
    context: &Arc<TaskContext>,
    held: &Arc<MemoryReservation>,
) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(input.schema(), WAITING);
    let (input, context, held) = (input.clone(), context.clone(), held.clone());
    let pool = context.memory_pool().clone();
    let rows = builder.tx();
    builder.spawn(async move {
        let mut stream = input.execute(partition, context)?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let bytes = rows_memory(&batch)?;
            let runs_ahead = leaves_room(pool.as_ref(), bytes) && held.try_grow(bytes).is_ok();
            // Where there is no memory for that, a batch waits until those before it are taken.
            if !runs_ahead && rows.reserve_many(WAITING).await.is_err() {
                break;
            }
            if rows.send(Ok(batch)).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}

/// Whether half of the memory stays for what asks for it in earnest: a query does not fail for want of what merely waits.
fn leaves_room(pool: &dyn MemoryPool, bytes: usize) -> bool {
    match pool.memory_limit() {
        MemoryLimit::Finite(limit) => pool.reserved().saturating_add(bytes) <= limit / 2,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use spoor_table::{Table, Value};

    use crate::{Engine, EngineOptions};

    /// What several threads make of 200,000 numbers.
    fn asked(text: &str, memory_bytes: usize) -> Table {
        let options = EngineOptions {
            threads: 4,
            memory_bytes,
            ..EngineOptions::default()
        };
        let mut engine = Engine::new(options).unwrap();
        let numbers = engine.run("range n from 0 to 199999 step 1", 0).unwrap();
        engine.register("T", numbers.table);
        engine.run(text, 0).unwrap().table
    }

    #[test]
    fn rows_come_in_the_order_of_their_table() {
        for (text, rows, first, apart) in [
            ("T | where n % 3 == 0", 66_667, 0, 3),
            (
                "T | where n % 3 == 0 | serialize m = row_number() | where m > 7",
                66_660,
                21,
                3,
            ),
            ("T | where n >= 1000 | take 70", 70, 1_000, 1),
            (
                "T | serialize | extend p = prev(n) | where n - p == 1 and n > 5",
                199_994,
                6,
                1,
            ),
        ] {
            let table = asked(text, 1 << 30);
            assert_eq!(table.rows(), rows, "{text}");
            for row in 0..rows {
                let expected = Value::Long(first + apart * row as i64);
                assert_eq!(table.value(row, 0), expected, "{text}, row {row}");
            }
        }
    }

    #[test]
    fn rows_wait_outside_where_there_is_no_memory_for_them() {
        let text =
            "T | extend s = strcat('text ', n) | serialize m = row_number() | where m == 200000";
        // All rows take more than twice as much.
        let table = asked(text, 3 << 20);
        assert_eq!(table.rows(), 1);
        assert_eq!(table.value(0, 0), Value::Long(199_999));
    }
}
