//! Rows that are made of all rows of a plan together, by a function of the engine's own: what has to see everything before it
//! says anything, such as `evaluate basket(...)`. The function works in slices, and within the memory of the query.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use spoor_table::{Column, Table};

use super::made::made;
use super::pace::Turns;
use super::rows_memory;

/// Makes the columns of a result out of all rows.
#[async_trait]
pub(crate) trait Work: Send + Sync {
    /// The result's columns. It tells the bench of what it does, piece by piece.
    async fn of(&self, rows: &RecordBatch, bench: &mut Bench) -> Result<Vec<ArrayRef>>;
}

/// Simple steps that are done without a pause, such as looking at a word of a set of rows: about a tenth of a millisecond.
const STEPS: usize = 1 << 16;

/// Where such work is done: in slices, within the memory of the query.
pub(crate) struct Bench {
    turns: Turns,
    held: MemoryReservation,
    steps: usize,
}

impl Bench {
    fn of(context: &TaskContext) -> Bench {
        Bench {
            turns: Turns::of(context),
            held: MemoryConsumer::new("whole").register(context.memory_pool()),
            steps: 0,
        }
    }

    /// Notes so many simple steps, and pauses where the slice is over.
    pub(super) async fn did(&mut self, steps: usize) {
        self.steps += steps;
        if self.steps >= STEPS {
            self.steps = 0;
            self.turns.give_way().await;
        }
    }

    /// Takes so many bytes of the query's memory until the work is done, or [`Bench::free`] gives them back.
    pub(super) fn hold(&self, bytes: usize) -> Result<()> {
        self.held.try_grow(bytes)
    }

    /// Gives bytes back.
    pub(super) fn free(&self, bytes: usize) {
        self.held.shrink(bytes.min(self.held.size()));
    }
}

/// The result as a source of plans.
pub(crate) struct WholeTable {
    work: Arc<dyn Work>,
    input: LogicalPlan,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

impl WholeTable {
    /// What `work` makes of `input`: rows of `columns`.
    pub(crate) fn new(work: Arc<dyn Work>, input: LogicalPlan, columns: Vec<Column>) -> Self {
        let none = Table::empty(columns);
        WholeTable {
            work,
            input,
            schema: none.schema().clone(),
            columns: none.shared_columns(),
        }
    }
}

impl fmt::Debug for WholeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeTable")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for WholeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (work, columns) = (self.work.clone(), self.columns.clone());
        let run = move |input: SendableRecordBatchStream, context: &TaskContext| {
            let (work, columns) = (work.clone(), columns.clone());
            let mut bench = Bench::of(context);
            let answer = async move {
                let all = together(input, &mut bench).await?;
                let arrays = work.of(&all, &mut bench).await?;
                let count = arrays.first().map_or(0, |array| array.len());
                rows(columns, count, arrays)
            };
            Ok(futures::stream::once(answer).boxed())
        };
        made(
            "WholeExec",
            state,
            &self.input,
            &self.schema,
            projection,
            run,
        )
        .await
    }
}

/// All rows of a stream, which are copied column by column.
async fn together(mut input: SendableRecordBatchStream, bench: &mut Bench) -> Result<RecordBatch> {
    let schema = input.schema();
    let (mut batches, mut count, mut bytes): (Vec<RecordBatch>, _, _) = (Vec::new(), 0, 0);
    while let Some(batch) = input.next().await {
        let batch = batch?;
        let size = rows_memory(&batch)?;
        bench.hold(size)?;
        bytes += size;
        count += batch.num_rows();
        batches.push(batch);
        bench.did(STEPS).await;
    }
    bench.hold(bytes)?;
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let parts: Vec<&dyn Array> = batches.iter().map(|b| b.column(at).as_ref()).collect();
        columns.push(match parts.is_empty() {
            true => new_empty_array(field.data_type()),
            false => concat(&parts)?,
        });
        bench.did(count).await;
    }
    drop(batches);
    bench.free(bytes);
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(
        schema, columns, &options,
    )?)
}

/// The rows as the engine has them: text is never null.
pub(super) fn rows(
    columns: Arc<[Column]>,
    count: usize,
    arrays: Vec<ArrayRef>,
) -> Result<RecordBatch> {
    let mut table = Table::empty(columns);
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let batch = RecordBatch::try_new_with_options(table.schema().clone(), arrays, &options)?;
    let failed = |error: spoor_table::TableError| DataFusionError::External(Box::new(error));
    table.push(batch).map_err(failed)?;
    let none = || RecordBatch::new_empty(table.schema().clone());
    Ok(table.batches().first().cloned().unwrap_or_else(none))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use crate::{Engine, EngineOptions, Step};

    const ROWS: &str = "range n from 0 to 99999 step 1 \
        | project a = tostring(n % 7), b = tostring(n % 11), c = n % 3, d = strcat('at ', n, ' of ', n % 5), even = n % 2 == 0";

    fn pauses(work: &str, threads: usize, budget: Duration) -> usize {
        let options = EngineOptions {
            threads,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).unwrap();
        let mut query = engine.start(&format!("{ROWS} | {work}"), 0).unwrap();
        let mut pauses = 0;
        while let Step::More | Step::Call(_) = query.step(budget).unwrap() {
            pauses += 1;
        }
        pauses
    }

    #[test]
    fn work_on_all_rows_comes_back_while_it_searches() {
        // Reading the rows takes thirteen pauses.
        for work in [
            "evaluate autocluster()",
            "evaluate diffpatterns(even, true, false)",
            "evaluate basket(0.01)",
            "reduce by d",
            "reduce kind=source by d | count",
        ] {
            let pauses = pauses(work, 1, Duration::from_nanos(1));
            assert!(pauses > 100, "{work}: {pauses} pauses");
        }
    }

    #[test]
    fn work_on_other_threads_comes_back_too() {
        let work = "evaluate autocluster(0.5, '~', 1000)";
        assert!(pauses(work, 2, Duration::from_millis(1)) > 1);
    }

    #[test]
    fn work_on_all_rows_ends_at_the_memory() {
        let options = EngineOptions {
            memory_bytes: 4 << 20,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).unwrap();
        for work in ["evaluate autocluster()", "reduce by d with threshold=0"] {
            let error = engine.run(&format!("{ROWS} | {work}"), 0).unwrap_err();
            assert!(error.to_string().contains("memory"), "{work}: {error}");
        }
    }
}
