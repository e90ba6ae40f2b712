//! Rows that are made of all rows of a plan together, by a function of the engine's own: what has to see everything before it
//! says anything, such as `evaluate basket(...)`.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt};
use spoor_table::{Column, Table};

use super::made::made;

/// Makes the columns of the result of all rows.
pub(crate) type Work = dyn Fn(&RecordBatch) -> Result<Vec<ArrayRef>> + Send + Sync;

/// The result as a source of plans.
pub(crate) struct WholeTable {
    work: Arc<Work>,
    input: LogicalPlan,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

impl WholeTable {
    /// What `work` makes of `input`: rows of `columns`.
    pub(crate) fn new(work: Arc<Work>, input: LogicalPlan, columns: Vec<Column>) -> Self {
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
        let run = move |input: SendableRecordBatchStream, _: &TaskContext| {
            let (work, columns) = (work.clone(), columns.clone());
            let answer = async move {
                let schema = input.schema();
                let batches: Vec<RecordBatch> = input.try_collect().await?;
                let arrays = work(&concat_batches(&schema, &batches)?)?;
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
