//! Tables in memory as DataFusion reads them: columns that a query does not need are never touched, rows come in
//! batches without copies, and between batches the scan gives way when the query's slice is over.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use spoor_table::Table;

use super::BATCH_ROWS;
use super::source::{Batches, Partition, SourceExec};

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
        Ok(Arc::new(source(&table, projection, partitions)?))
    }
}

/// A leaf that reads a table's batches.
fn source(table: &Table, projection: Option<&Vec<usize>>, partitions: usize) -> Result<SourceExec> {
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
    let partitions = spread(batches, partitions).into_iter().map(partition);
    Ok(SourceExec::new("ScanExec", schema, partitions.collect()))
}

fn partition(batches: Vec<RecordBatch>) -> Partition {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let open = move || Box::new(batches.clone().into_iter().map(Ok)) as Batches;
    Partition {
        rows: Precision::Exact(rows),
        open: Box::new(open),
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
