//! The leaves of plans: batches that are there, or that are made as they are read, a partition after another. Between batches a
//! leaf gives way when the query's slice is over.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
};

use super::pace::paced;

/// The batches of a partition, in order.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Some of a leaf's rows.
pub(super) struct Partition {
    /// How many there are; of those that a condition may drop, inexactly.
    pub(super) rows: Precision<usize>,
    /// Begins to read them.
    pub(super) open: Box<dyn Fn() -> Batches + Send + Sync>,
}

/// A leaf.
pub(super) struct SourceExec {
    name: &'static str,
    schema: SchemaRef,
    partitions: Vec<Partition>,
    properties: Arc<PlanProperties>,
}

impl SourceExec {
    /// A leaf of these rows.
    pub(super) fn new(
        name: &'static str,
        schema: SchemaRef,
        partitions: Vec<Partition>,
    ) -> SourceExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        SourceExec {
            name,
            schema,
            partitions,
            properties: Arc::new(properties),
        }
    }
}

impl fmt::Debug for SourceExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.name)
            .field("partitions", &self.partitions.len())
            .finish_non_exhaustive()
    }
}

impl DisplayAs for SourceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: partitions={}", self.name, self.partitions.len())
    }
}

impl ExecutionPlan for SourceExec {
    fn name(&self) -> &str {
        self.name
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            Ok(self)
        } else {
            internal_err!("{} has no children", self.name)
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
        let Some(partition) = self.partitions.get(partition) else {
            return internal_err!("{} has no partition {partition}", self.name);
        };
        let batches = futures::stream::iter((partition.open)());
        Ok(paced(self.schema.clone(), batches, &context))
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let none = Precision::Exact(0);
        let rows = match partition {
            Some(index) => self.partitions.get(index).map_or(none, |some| some.rows),
            None => self
                .partitions
                .iter()
                .fold(none, |sum, some| sum.add(&some.rows)),
        };
        let fields = self.schema.fields().iter();
        let bytes: usize = fields
            .map(|field| field.data_type().primitive_width().unwrap_or(32))
            .sum();
        let bytes = rows
            .get_value()
            .map_or(usize::MAX, |rows| rows.saturating_mul(bytes));
        Ok(Arc::new(Statistics {
            num_rows: rows,
            total_byte_size: Precision::Inexact(bytes),
            column_statistics: vec![ColumnStatistics::new_unknown(); self.schema.fields().len()],
        }))
    }
}
