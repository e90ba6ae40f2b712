//! The rows of `range`: evenly spaced values that are made as they are read, so that a range of any length takes no memory
//! and gives way between its batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use spoor_table::{Column, Table};

use super::BATCH_ROWS;
use super::source::{Batches, Partition, SourceExec};

/// Evenly spaced values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Steps {
    /// Values of an int column. The last one is no less than `i32::MIN` and no greater than `i32::MAX`.
    Int {
        /// The first value.
        first: i64,
        /// From one value to the next.
        step: i64,
    },
    /// Whole numbers or ticks. The last one does not overflow.
    Long {
        /// The first value.
        first: i64,
        /// From one value to the next.
        step: i64,
    },
    /// Real numbers.
    Real {
        /// The first value.
        first: f64,
        /// From one value to the next.
        step: f64,
    },
}

impl Steps {
    /// So many values, the first of them `from` steps after the first of all.
    fn values(self, from: u64, rows: usize) -> ArrayRef {
        let at = from..from + rows as u64;
        let whole = |first: i64, step: i64, at: u64| {
            first.wrapping_add(step.wrapping_mul(at.cast_signed()))
        };
        match self {
            Steps::Int { first, step } => {
                let values = at.map(|at| whole(first, step, at) as i32);
                Arc::new(Int32Array::from_iter_values(values))
            }
            Steps::Long { first, step } => {
                let values = at.map(|at| whole(first, step, at));
                Arc::new(Int64Array::from_iter_values(values))
            }
            Steps::Real { first, step } => {
                let values = at.map(|at| first + step * at as f64);
                Arc::new(Float64Array::from_iter_values(values))
            }
        }
    }
}

/// A table of one column of evenly spaced values.
#[derive(Debug)]
pub(crate) struct RangeTable {
    schema: SchemaRef,
    steps: Steps,
    rows: u64,
}

impl RangeTable {
    /// `rows` values in a column whose type is that of the steps.
    pub(crate) fn new(column: Column, steps: Steps, rows: u64) -> RangeTable {
        RangeTable {
            schema: Table::empty(vec![column]).schema().clone(),
            steps,
            rows,
        }
    }
}

#[async_trait]
impl TableProvider for RangeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(Schema::clone(&self.schema).project(columns)?),
            None => self.schema.clone(),
        };
        let rows = limit.map_or(self.rows, |limit| self.rows.min(limit as u64));
        let (steps, columns) = (self.steps, schema.clone());
        let open = move || Box::new(batches(columns.clone(), steps, rows)) as Batches;
        let partition = Partition {
            rows: usize::try_from(rows).map_or(Precision::Absent, Precision::Exact),
            open: Box::new(open),
        };
        let source = SourceExec::new("RangeExec", schema, vec![partition]);
        Ok(Arc::new(source))
    }
}

/// A range's batches. The schema has the range's column, or none where only the rows are counted.
fn batches(
    schema: SchemaRef,
    steps: Steps,
    rows: u64,
) -> impl Iterator<Item = Result<RecordBatch>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let count = usize::try_from(rows - from).map_or(BATCH_ROWS, |left| left.min(BATCH_ROWS));
        if count == 0 {
            return None;
        }
        let columns = match schema.fields().is_empty() {
            true => vec![],
            false => vec![steps.values(from, count)],
        };
        from += count as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options);
        Some(batch.map_err(Into::into))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use spoor_table::Value;

    use crate::{Engine, EngineOptions, Step};

    fn first_cell(text: &str) -> Value {
        let options = EngineOptions {
            memory_bytes: 8 << 20,
            threads: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).unwrap();
        engine.run(text, 0).unwrap().table.value(0, 0)
    }

    #[test]
    fn three_million_rows_need_no_memory() {
        let text = "range x from 1 to 3000000 step 1 | where x % 2 == 0 | summarize sum(x)";
        assert_eq!(first_cell(text), Value::Long(1_500_000 * 1_500_001));
        assert_eq!(
            first_cell("range x from 1 to 1000000000000 step 1 | count"),
            Value::Long(1_000_000_000_000)
        );
        assert_eq!(
            first_cell("range x from 5 to 1000000000000 step 5 | take 3 | summarize max(x)"),
            Value::Long(15)
        );
    }

    #[test]
    fn a_range_without_end_in_sight_comes_back_and_can_be_dropped() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let text = "range x from 1 to 1e15 step 1 | where x < 0 | count";
        let mut query = engine.start(text, 0).unwrap();
        let start = Instant::now();
        for _ in 0..20 {
            let step = query.step(Duration::from_millis(1)).unwrap();
            assert!(matches!(step, Step::More));
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
