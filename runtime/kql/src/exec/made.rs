//! Rows that are made of another plan's rows, one batch after another, as a source of plans: what a plugin answers, what steps
//! match. [`kept`] makes the same rows, so that no optimizer looks through.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::operator::Operator;
use super::pace::paced;
use super::{give_way, in_turn};

/// Batches of the schema that is made.
pub(super) type Batches = BoxStream<'static, Result<RecordBatch>>;

/// The plan that makes rows of `whole` out of `input`'s, which come in one stream: who needs them in an order sorts.
pub(super) async fn made<F>(
    name: &'static str,
    state: &dyn Session,
    input: &LogicalPlan,
    whole: &SchemaRef,
    projection: Option<&Vec<usize>>,
    make: F,
) -> Result<Arc<dyn ExecutionPlan>>
where
    F: Fn(SendableRecordBatchStream, &TaskContext) -> Result<Batches> + Send + Sync + 'static,
{
    let input = give_way::between_batches(state.create_physical_plan(input).await?)?;
    let input = in_turn::whole(input);
    let schema: SchemaRef = match projection {
        Some(columns) => Arc::new(Schema::clone(whole).project(columns)?),
        None => whole.clone(),
    };
    let projection = projection.cloned();
    let run = {
        let schema = schema.clone();
        move |input: SendableRecordBatchStream, context: &TaskContext| {
            let projection = projection.clone();
            let projected = make(input, context)?.map(move |batch| match (&projection, batch) {
                (Some(columns), Ok(batch)) => Ok(batch.project(columns)?),
                (_, batch) => batch,
            });
            Ok(paced(schema.clone(), projected.boxed(), context))
        }
    };
    Ok(Operator::making(name, &input, schema, run))
}

/// The rows of a plan as a table's: what comes after is planned without it.
#[derive(Debug)]
pub(crate) struct KeptTable {
    input: LogicalPlan,
    schema: SchemaRef,
}

impl KeptTable {
    pub(crate) fn new(input: LogicalPlan) -> Self {
        let schema = Arc::new(input.schema().as_arrow().clone());
        KeptTable { input, schema }
    }
}

#[async_trait]
impl TableProvider for KeptTable {
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
        let pass = |input: SendableRecordBatchStream, _: &TaskContext| Ok(input.boxed());
        made(
            "KeepExec",
            state,
            &self.input,
            &self.schema,
            projection,
            pass,
        )
        .await
    }
}
