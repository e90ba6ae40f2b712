//! The operators that we add to DataFusion's. All of them make one stream of batches out of another: what differs between them
//! is a function, so one `ExecutionPlan` serves them all.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use super::in_turn::gathered;

/// What is done to the stream of a partition.
type Run = dyn Fn(SendableRecordBatchStream, &TaskContext) -> Result<SendableRecordBatchStream>
    + Send
    + Sync;

/// An operator over one input.
#[derive(Clone)]
pub(super) struct Operator {
    name: &'static str,
    input: Arc<dyn ExecutionPlan>,
    /// Whether the input is planned and prepared already, and nobody's but the operator's: a planner that met it again would
    /// take out what stands between partitions.
    sealed: bool,
    /// Whether it takes all partitions of the input, as one.
    gathers: bool,
    /// The input's where there are none: the operator hands rows on as they are.
    properties: Option<Arc<PlanProperties>>,
    run: Arc<Run>,
}

impl Operator {
    /// An operator that hands its input's rows on as they are, at another pace or in other pieces.
    pub(super) fn passing(
        name: &'static str,
        input: Arc<dyn ExecutionPlan>,
        pass: fn(SendableRecordBatchStream, &TaskContext) -> SendableRecordBatchStream,
    ) -> Arc<dyn ExecutionPlan> {
        Arc::new(Operator {
            name,
            sealed: false,
            gathers: false,
            input,
            properties: None,
            run: Arc::new(move |input, context| Ok(pass(input, context))),
        })
    }

    /// An operator that makes rows of another schema, in one partition, of an input that has one.
    pub(super) fn making<F>(
        name: &'static str,
        input: &Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        run: F,
    ) -> Arc<dyn ExecutionPlan>
    where
        F: Fn(SendableRecordBatchStream, &TaskContext) -> Result<SendableRecordBatchStream>,
        F: Send + Sync + 'static,
    {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Arc::new(Operator {
            name,
            sealed: true,
            gathers: false,
            input: input.clone(),
            properties: Some(Arc::new(properties)),
            run: Arc::new(run),
        })
    }

    /// An operator that does by `run` what `node` does, which has one input.
    pub(super) fn instead_of<F>(
        node: &Arc<dyn ExecutionPlan>,
        input: &Arc<dyn ExecutionPlan>,
        name: &'static str,
        run: F,
    ) -> Arc<dyn ExecutionPlan>
    where
        F: Fn(SendableRecordBatchStream, &TaskContext) -> Result<SendableRecordBatchStream>,
        F: Send + Sync + 'static,
    {
        Arc::new(Operator {
            name,
            sealed: false,
            gathers: false,
            input: input.clone(),
            properties: Some(node.properties().clone()),
            run: Arc::new(run),
        })
    }

    /// The same of a `node` that makes one partition of the input's.
    pub(super) fn gathering<F>(
        node: &Arc<dyn ExecutionPlan>,
        input: &Arc<dyn ExecutionPlan>,
        name: &'static str,
        run: F,
    ) -> Arc<dyn ExecutionPlan>
    where
        F: Fn(SendableRecordBatchStream, &TaskContext) -> Result<SendableRecordBatchStream>,
        F: Send + Sync + 'static,
    {
        Arc::new(Operator {
            name,
            sealed: false,
            gathers: true,
            input: input.clone(),
            properties: Some(node.properties().clone()),
            run: Arc::new(run),
        })
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.name)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for Operator {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl ExecutionPlan for Operator {
    fn name(&self) -> &str {
        self.name
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        match &self.properties {
            Some(properties) => properties,
            None => self.input.properties(),
        }
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        match self.sealed {
            true => vec![],
            false => vec![self.properties.is_none()],
        }
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        match self.sealed {
            true => vec![],
            false => vec![&self.input],
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop()) {
            (None, _) if self.sealed => Ok(self),
            (Some(input), None) if !self.sealed => Ok(Arc::new(Operator {
                input,
                ..Operator::clone(&self)
            })),
            _ => internal_err!("{} has one child", self.name),
        }
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = match self.gathers {
            true => gathered(&self.input, &context)?,
            false => self.input.execute(partition, context.clone())?,
        };
        (self.run)(input, &context)
    }
}
