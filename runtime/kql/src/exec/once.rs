//! The rows of a plan that several others read, and that are computed once: by whoever asks first, while the rest wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::TableType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::pace::paced;
use super::{give_way, in_turn, rows_memory};

/// The rows, and the memory that they are counted as.
struct Rows {
    batches: Vec<RecordBatch>,
    _held: MemoryReservation,
}

/// Whoever polls it gets on with it, so that nobody waits for one who has stopped asking.
type Computed = Shared<BoxFuture<'static, Result<Arc<Rows>, Arc<DataFusionError>>>>;

/// Computed, once somebody has asked.
type Once = Arc<Mutex<Option<Computed>>>;

/// The rows as a source of plans.
pub(crate) struct SharedTable {
    input: LogicalPlan,
    schema: SchemaRef,
    once: Once,
}

impl SharedTable {
    /// Those of a plan, for one run of the plans that read them.
    pub(crate) fn new(input: LogicalPlan) -> Self {
        let schema = Arc::new(input.schema().as_arrow().clone());
        SharedTable {
            input,
            schema,
            once: Once::default(),
        }
    }
}

impl fmt::Debug for SharedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTable")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for SharedTable {
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
        let input = give_way::between_batches(state.create_physical_plan(&self.input).await?)?;
        let schema: SchemaRef = match projection {
            Some(columns) => Arc::new(Schema::clone(&self.schema).project(columns)?),
            None => self.schema.clone(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Arc::new(SharedExec {
            input: in_turn::whole(input),
            schema,
            projection: projection.cloned(),
            properties: Arc::new(properties),
            once: self.once.clone(),
        }))
    }
}

/// Reads the rows. Each use has a plan of its own for them; the first that runs is the only one that does.
struct SharedExec {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
    once: Once,
}

impl SharedExec {
    fn computed(&self, context: &Arc<TaskContext>) -> Computed {
        let mut once = self.once.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let (input, context) = (self.input.clone(), context.clone());
            let rows = async move { rows(&input, context).await.map(Arc::new).map_err(Arc::new) };
            rows.boxed().shared()
        };
        once.get_or_insert_with(begin).clone()
    }
}

async fn rows(input: &Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<Rows> {
    let held = MemoryConsumer::new("rows that are read again").register(context.memory_pool());
    let mut stream = input.execute(0, context)?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        held.try_grow(rows_memory(&batch)?)?;
        batches.push(batch);
    }
    Ok(Rows {
        batches,
        _held: held,
    })
}

impl fmt::Debug for SharedExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedExec")
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedExec")
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// None: the input is planned and prepared already.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("SharedExec has no children"),
        }
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (computed, projection) = (self.computed(&context), self.projection.clone());
        let batches = async move {
            let rows = computed
                .await
                .map_err(|error| DataFusionError::from(&error))?;
            let each = (0..rows.batches.len()).map(move |at| -> Result<RecordBatch> {
                let batch = &rows.batches[at];
                Ok(match &projection {
                    Some(columns) => batch.project(columns)?,
                    None => batch.clone(),
                })
            });
            Ok::<_, DataFusionError>(futures::stream::iter(each))
        };
        let batches = futures::stream::once(batches).try_flatten().boxed();
        Ok(paced(self.schema.clone(), batches, &context))
    }
}
