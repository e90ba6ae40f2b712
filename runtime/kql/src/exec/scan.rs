//! Tables in memory as DataFusion reads them: columns that a query does not need are never touched, rows come in
//! batches without copies, and between batches the scan gives way when the query's slice is over.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, Statistics, internal_err};
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};
use spoor_table::Table;

use super::BATCH_ROWS;
use super::pace::paced;

/// A table in memory, as a source of plans.
#[derive(Debug)]
pub(crate) struct MemoryTable {
    table: Table,
}

impl MemoryTable {
    pub(crate) fn new(table: Table) -> MemoryTable {
        MemoryTable { table }
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }
}

#[async_trait]
impl TableProvider for MemoryTable {
    fn schema(&self) -> SchemaRef {
        self.table.schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = match limit {
            Some(limit) => self.table.slice(0, limit),
            None => self.table.clone(),
        };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(ScanExec::try_new(&table, projection, partitions)?))
    }
}

/// Reads a table's batches, those of one partition after another.
#[derive(Debug)]
struct ScanExec {
    partitions: Vec<Vec<RecordBatch>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    fn try_new(
        table: &Table,
        projection: Option<&Vec<usize>>,
        partitions: usize,
    ) -> Result<ScanExec> {
        let (schema, batches) = match projection {
            None => (table.schema().clone(), table.batches().to_vec()),
            Some(columns) => {
                let schema: SchemaRef = Arc::new(Schema::clone(table.schema()).project(columns)?);
                let batches: Result<Vec<RecordBatch>, _> = table
                    .batches()
                    .iter()
                    .map(|batch| batch.project(columns))
                    .collect();
                (schema, batches?)
            }
        };
        let partitions = spread(batches, partitions);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(ScanExec {
            partitions,
            schema,
            properties: Arc::new(properties),
        })
    }
}

/// The batches, cut small and dealt into `count` partitions of neighbouring rows.
fn spread(batches: Vec<RecordBatch>, count: usize) -> Vec<Vec<RecordBatch>> {
    let mut small = Vec::new();
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = BATCH_ROWS.min(batch.num_rows() - from);
            small.push(batch.slice(from, rows));
            from += rows;
        }
    }
    let each = small.len().div_ceil(count.max(1)).max(1);
    let partitions: Vec<Vec<RecordBatch>> =
        small.chunks(each).map(<[RecordBatch]>::to_vec).collect();
    if partitions.is_empty() {
        vec![Vec::new()]
    } else {
        partitions
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec: partitions={}", self.partitions.len())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            Ok(self)
        } else {
            internal_err!("a scan has no children")
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            Ok(self)
        } else {
            internal_err!("a scan has no children")
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
        let Some(batches) = self.partitions.get(partition) else {
            return internal_err!("a scan has no partition {partition}");
        };
        let batches = futures::stream::iter(batches.clone().into_iter().map(Ok));
        Ok(paced(self.schema.clone(), batches, &context))
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let rows =
            |batches: &Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        let rows = match partition {
            Some(index) => self.partitions.get(index).map_or(0, rows),
            None => self.partitions.iter().map(rows).sum(),
        };
        let bytes: usize = self
            .schema
            .fields()
            .iter()
            .map(|f| f.data_type().primitive_width().unwrap_or(32))
            .sum();
        Ok(Arc::new(Statistics {
            num_rows: Precision::Exact(rows),
            total_byte_size: Precision::Inexact(rows.saturating_mul(bytes)),
            column_statistics: vec![ColumnStatistics::new_unknown(); self.schema.fields().len()],
        }))
    }
}
