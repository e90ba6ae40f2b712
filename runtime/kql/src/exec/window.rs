//! Window functions in slices: the rows come batch by batch, and go on as soon as each function knows its column of them, with a
//! pause wherever the slice is over. DataFusion holds all rows first and then computes each function in one piece.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, PartitionEvaluator};
use datafusion::physical_expr::window::{
    StandardWindowExpr, StandardWindowFunctionExpr, WindowExpr,
};
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::StreamExt;

use super::operator::Operator;
use super::pace::{Turns, paced};
use super::rows_memory;

/// A window function over the rows of a query, which come in batches.
pub(crate) trait SlicedWindow: Send {
    /// Takes the arguments' values of a batch of so many rows.
    fn push(&mut self, args: Vec<ColumnarValue>, rows: usize) -> Result<()>;

    /// Notes that there are no more rows.
    fn end(&mut self);

    /// The column of the next batch, in the order in which they were pushed; none before rows have come that it depends on.
    fn pop(&mut self) -> Result<Option<ArrayRef>>;

    /// Bytes that it holds of batches whose columns it has given.
    fn held_bytes(&self) -> usize;
}

/// How a window function that works in slices reaches its operator: as the evaluator that DataFusion asks it for, and never
/// runs.
pub(crate) struct SlicedEvaluator(pub(crate) Box<dyn SlicedWindow>);

impl fmt::Debug for SlicedEvaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlicedEvaluator")
    }
}

impl PartitionEvaluator for SlicedEvaluator {
    fn evaluate_all(&mut self, _: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        internal_err!("a window function in slices was asked for all rows at once")
    }
}

type Function = Arc<dyn StandardWindowFunctionExpr>;

/// What to run in place of an operator, if that is one of window functions that all work in slices.
pub(super) fn in_slices(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let window = node.downcast_ref::<WindowAggExec>()?;
    let functions: Option<Vec<Function>> = window.window_expr().iter().map(sliced).collect();
    let (functions, schema) = (functions?, node.schema());
    Some(Operator::instead_of(
        node,
        window.input(),
        "SlicedWindowExec",
        move |input, context| {
            let windows = Windows::new(&functions, input, schema.clone(), context)?;
            let batches = futures::stream::try_unfold(windows, |mut windows| async move {
                let batch = windows.next().await;
                batch.map(|batch| batch.map(|batch| (batch, windows)))
            });
            Ok(paced(schema.clone(), batches.boxed(), context))
        },
    ))
}

/// The function of a window expression over all rows, if it works in slices.
fn sliced(expr: &Arc<dyn WindowExpr>) -> Option<Function> {
    let standard = expr.as_any().downcast_ref::<StandardWindowExpr>()?;
    let function = standard.get_standard_func_expr();
    let is_ours = expr.partition_by().is_empty() && evaluator(function).is_some();
    is_ours.then(|| function.clone())
}

fn evaluator(function: &Function) -> Option<Box<SlicedEvaluator>> {
    let evaluator: Box<dyn Any> = function.create_evaluator().ok()?;
    evaluator.downcast().ok()
}

/// A window function at work.
struct Column {
    args: Vec<Arc<dyn PhysicalExpr>>,
    window: Box<dyn SlicedWindow>,
    /// The first waiting batch's column, once it is known.
    next: Option<ArrayRef>,
}

/// An operator of window functions at work.
struct Windows {
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    columns: Vec<Column>,
    /// Batches that have been read and not gone on, and their bytes.
    waiting: VecDeque<(RecordBatch, usize)>,
    ended: bool,
    turns: Turns,
    held: MemoryReservation,
}

impl Windows {
    fn new(
        functions: &[Function],
        input: SendableRecordBatchStream,
        schema: SchemaRef,
        context: &TaskContext,
    ) -> Result<Windows> {
        let mut columns = Vec::with_capacity(functions.len());
        for function in functions {
            let Some(evaluator) = evaluator(function) else {
                return internal_err!("{} does not work in slices", function.name());
            };
            columns.push(Column {
                args: function.expressions(),
                window: evaluator.0,
                next: None,
            });
        }
        Ok(Windows {
            input,
            schema,
            columns,
            waiting: VecDeque::new(),
            ended: false,
            turns: Turns::of(context),
            held: MemoryConsumer::new("window").register(context.memory_pool()),
        })
    }

    /// The next batch that all columns of are known.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready()? {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            match self.input.next().await {
                Some(batch) => self.read(batch?)?,
                None => self.end(),
            }
            self.turns.pause().await;
        }
    }

    fn read(&mut self, batch: RecordBatch) -> Result<()> {
        for column in &mut self.columns {
            let values = column.args.iter().map(|arg| arg.evaluate(&batch));
            column
                .window
                .push(values.collect::<Result<_>>()?, batch.num_rows())?;
        }
        let bytes = rows_memory(&batch)?;
        self.waiting.push_back((batch, bytes));
        self.account()
    }

    fn end(&mut self) {
        self.ended = true;
        for column in &mut self.columns {
            column.window.end();
        }
    }

    fn account(&mut self) -> Result<()> {
        let waiting: usize = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        let kept: usize = self.columns.iter().map(|c| c.window.held_bytes()).sum();
        self.held.try_resize(waiting + kept)
    }

    /// The first waiting batch with the functions' columns, if they are known.
    fn ready(&mut self) -> Result<Option<RecordBatch>> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        for column in &mut self.columns {
            if column.next.is_none() {
                column.next = column.window.pop()?;
            }
        }
        if self.columns.iter().any(|column| column.next.is_none()) {
            return Ok(None);
        }
        let Some((batch, _)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let computed = self.columns.iter_mut().filter_map(|c| c.next.take());
        let columns = batch.columns().iter().cloned().chain(computed).collect();
        self.account()?;
        Ok(Some(RecordBatch::try_new(self.schema.clone(), columns)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use spoor_table::{Table, Value};

    use crate::{Engine, EngineOptions, Step};

    /// A query's result with as little memory as will do, and how often it came back in slices of no length.
    fn sliced(text: &str) -> (usize, Table) {
        let options = EngineOptions {
            memory_bytes: 8 << 20,
            threads: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).unwrap();
        let mut query = engine.start(text, 0).unwrap();
        let mut pauses = 0;
        loop {
            match query.step(Duration::ZERO).unwrap() {
                Step::More | Step::Call(_) => pauses += 1,
                Step::Done(result) => return (pauses, result.table),
            }
        }
    }

    #[test]
    fn window_functions_come_back_between_batches_and_keep_few() {
        let text = "range x from 1 to 1000000 step 1 | serialize \
                    | extend n = row_number(), s = row_cumsum(1), d = row_rank_dense(x), p = prev(x, 3), q = next(x, 9000) \
                    | summarize countif(n == x and s == x and d == x), countif(p == x - 3), countif(q == x + 9000)";
        let (pauses, table) = sliced(text);
        let counts = [0, 1, 2].map(|column| table.value(0, column));
        assert_eq!(counts, [1_000_000, 999_997, 991_000].map(Value::Long));
        // 123 batches are read, and given again with the functions' columns.
        assert!(pauses > 240, "{pauses} pauses");
    }

    #[test]
    fn distances_that_differ_reach_every_row() {
        let text = "range x from 1 to 50000 step 1 | serialize | extend p = prev(x, x - 30000), q = next(x, 60000 - x, -1) \
                    | summarize countif(p == 30000), countif(q == -1)";
        let (pauses, table) = sliced(text);
        assert_eq!(table.value(0, 0), Value::Long(50_000));
        // Row 60,000 is not there.
        assert_eq!(table.value(0, 1), Value::Long(50_000));
        assert!(pauses > 14, "{pauses} pauses");
    }

    #[test]
    fn one_long_value_is_not_copied_to_every_row() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let text = "range x from 1 to 1000 step 1 \
                    | extend t = iff(x == 1, strrep('0123456789abcdef', 1024, '0123456789abcdef'), '') \
                    | extend t = iff(x == 1, strcat(t, t, t, t, t, t, t, t, t, t, t, t, t, t, t, t), '') \
                    | serialize | extend u = prev(t, x - 1) | summarize countif(strlen(u) > 0)";
        let error = engine.run(text, 0).unwrap_err().to_string();
        assert!(error.contains("take more than 256 MiB"), "{error}");
    }
}
