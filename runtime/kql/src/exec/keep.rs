//! Filters that go down to where rows are read: a row that they drop costs no more than the columns that they look at.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, DataFusionError, Result, internal_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_plan::PhysicalExpr;
use spoor_table::Condition;

/// Whether a filter's answer depends on its row alone.
pub(super) fn can_keep(filter: &Expr) -> bool {
    let asks_elsewhere = filter.exists(|part| {
        Ok(matches!(
            part,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Placeholder(_)
        ))
    });
    !filter.is_volatile() && asks_elsewhere.is_ok_and(|asks| !asks)
}

/// The rows that pass some filters.
#[derive(Clone)]
pub(super) struct Keep {
    columns: Vec<usize>,
    filter: Arc<dyn PhysicalExpr>,
}

impl Keep {
    /// Those that pass all of the filters; none if there are no filters. `schema` is the whole table's.
    pub(super) fn all_of(
        filters: &[Expr],
        schema: &SchemaRef,
        state: &dyn Session,
    ) -> Result<Option<Self>> {
        let Some(filter) = conjunction(filters.to_vec()) else {
            return Ok(None);
        };
        let mut columns = Vec::new();
        for column in filter.column_refs() {
            columns.push(schema.index_of(&column.name)?);
        }
        columns.sort_unstable();
        columns.dedup();
        let looked_at = DFSchema::try_from(schema.project(&columns)?)?;
        let filter = state.create_physical_expr(filter, &looked_at)?;
        Ok(Some(Keep { columns, filter }))
    }

    /// The columns that the filters look at, by their places in the table.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().copied()
    }

    /// The test of rows, for one reading, and what went wrong in it.
    pub(super) fn begun(&self) -> (Condition, Failed) {
        let failed = Failed::default();
        let (filter, told) = (self.filter.clone(), failed.clone());
        let test = move |batch: &RecordBatch| {
            evaluated(filter.as_ref(), batch).unwrap_or_else(|error| {
                told.put(error);
                BooleanArray::from(vec![false; batch.num_rows()])
            })
        };
        let condition = Condition {
            columns: self.columns.clone(),
            test: Arc::new(test),
        };
        (condition, failed)
    }
}

fn evaluated(filter: &dyn PhysicalExpr, batch: &RecordBatch) -> Result<BooleanArray> {
    let values = filter.evaluate(batch)?.into_array(batch.num_rows())?;
    match values.as_boolean_opt() {
        Some(mask) => Ok(mask.clone()),
        None => internal_err!("a filter gave {}", values.data_type()),
    }
}

/// The first error of a test.
#[derive(Clone, Default)]
pub(super) struct Failed(Arc<Mutex<Option<DataFusionError>>>);

impl Failed {
    fn put(&self, error: DataFusionError) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
    }

    /// Takes it away.
    pub(super) fn take(&self) -> Option<DataFusionError> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}
