//! A plugin's function over the rows of a plan: each batch, or all rows together, becomes a call that someone else makes, and
//! the answers' rows go on as they come.

use std::any::type_name;
use std::sync::Arc;

use arrow::array::RecordBatch;
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
use spoor_plugin_abi::InputMode;
use spoor_plugins::Call;
use spoor_table::{Column, Table};

use super::desk::Desk;
use super::made::{Batches, made};
use super::whole;
use crate::functions::plugin::{PluginCall, PluginFunction};

/// The rows that a function makes of a plan's, as a source of plans.
#[derive(Debug)]
pub(crate) struct Applied {
    applying: Arc<Applying>,
    input: LogicalPlan,
}

/// What is done to each batch.
#[derive(Debug)]
struct Applying {
    function: Arc<PluginFunction>,
    call: Call,
    /// The input's columns that may be put beside the answer's come first; those that are given to the function follow.
    kept: usize,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

impl Applied {
    /// The function over `input`, whose first `kept` columns are the relation's own. The result has `columns`.
    pub(crate) fn new(
        function: Arc<PluginFunction>,
        call: Call,
        input: LogicalPlan,
        kept: usize,
        columns: Vec<Column>,
    ) -> Self {
        let none = Table::empty(columns);
        let applying = Applying {
            function,
            call,
            kept,
            schema: none.schema().clone(),
            columns: none.shared_columns(),
        };
        Applied {
            applying: Arc::new(applying),
            input,
        }
    }
}

#[async_trait]
impl TableProvider for Applied {
    fn schema(&self) -> SchemaRef {
        self.applying.schema.clone()
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
        let applying = self.applying.clone();
        let answer = move |input: SendableRecordBatchStream, context: &TaskContext| {
            Ok(applying.clone().over(input, desk_of(context)?))
        };
        let schema = &self.applying.schema;
        made("ApplyExec", state, &self.input, schema, projection, answer).await
    }
}

fn desk_of(context: &TaskContext) -> Result<Arc<Desk>> {
    let desk = context.session_config().get_extension::<Desk>();
    desk.ok_or_else(|| DataFusionError::Internal(format!("there is no {}", type_name::<Desk>())))
}

impl Applying {
    fn over(self: Arc<Self>, input: SendableRecordBatchStream, desk: Arc<Desk>) -> Batches {
        match self.call.function().input {
            InputMode::Batches => Box::pin(input.then(move |batch| {
                let (this, desk) = (self.clone(), desk.clone());
                async move { this.batch(&batch?, &desk).await }
            })),
            InputMode::Whole => Box::pin(futures::stream::once(async move {
                let schema = input.schema();
                let batches: Vec<RecordBatch> = input.try_collect().await?;
                self.batch(&concat_batches(&schema, &batches)?, &desk).await
            })),
            InputMode::None => Box::pin(futures::stream::once(async move {
                self.called(None, None, &desk).await
            })),
        }
    }

    /// The result's rows for these rows of the input.
    async fn batch(&self, input: &RecordBatch, desk: &Desk) -> Result<RecordBatch> {
        let own: Vec<usize> = (0..self.kept).collect();
        let own = input.project(&own)?;
        self.called(Some(input), Some(&own), desk).await
    }

    async fn called(
        &self,
        input: Option<&RecordBatch>,
        own: Option<&RecordBatch>,
        desk: &Desk,
    ) -> Result<RecordBatch> {
        let call = PluginCall {
            number: 0,
            function: self.function.clone(),
            frame: self.call.frame(input).map_err(failed)?,
            rows: input.map_or(0, |input| input.num_rows() as u64),
        };
        let answer = desk.ask(call).await.map_err(failed)?;
        let Some(answered) = answer.tables.first() else {
            return Err(failed("the plugin's answer has no table"));
        };
        let (rows, arrays) = self.call.joined(answered, own).map_err(failed)?;
        whole::rows(self.columns.clone(), rows, arrays).map_err(failed)
    }
}

/// A plugin that gave nothing, in words for whoever wrote the query.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct PluginFailed(String);

fn failed(why: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::External(Box::new(PluginFailed(why.to_string())))
}
