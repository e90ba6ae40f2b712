//! Cuts the batches below an unnesting so that each piece gives few rows: a batch of rows with long arrays would else come out as
//! one batch without bounds, all other columns repeated.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::BATCH_ROWS;

/// Passes its input on in pieces whose lists together have about a batch's number of elements.
#[derive(Debug)]
pub(super) struct SplitExec {
    input: Arc<dyn ExecutionPlan>,
}

impl SplitExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> SplitExec {
        SplitExec { input }
    }
}

impl DisplayAs for SplitExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SplitExec")
    }
}

impl ExecutionPlan for SplitExec {
    fn name(&self) -> &str {
        "SplitExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop()) {
            (Some(input), None) => Ok(Arc::new(SplitExec { input })),
            _ => internal_err!("a split has one child"),
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
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let pieces = input.flat_map(|batch| {
            let pieces = match batch {
                Ok(batch) => pieces(&lengths(&batch))
                    .into_iter()
                    .map(|rows| Ok(batch.slice(rows.start, rows.len())))
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            futures::stream::iter(pieces)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, pieces)))
    }
}

/// How many elements the longest list of each row has.
fn lengths(batch: &RecordBatch) -> Vec<usize> {
    let mut longest = vec![0; batch.num_rows()];
    let lists = batch
        .columns()
        .iter()
        .filter_map(|c| c.as_list_opt::<i32>());
    for list in lists {
        for (row, most) in longest.iter_mut().enumerate() {
            if list.is_valid(row) {
                *most = usize::try_from(list.value_length(row))
                    .unwrap_or(0)
                    .max(*most);
            }
        }
    }
    longest
}

/// Rows in pieces of about a batch's number of elements, each of one row at least.
fn pieces(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut elements) = (0, 0);
    for (row, length) in lengths.iter().enumerate() {
        if row > start && elements + length > BATCH_ROWS {
            pieces.push(start..row);
            (start, elements) = (row, 0);
        }
        elements += length;
    }
    if start < lengths.len() {
        pieces.push(start..lengths.len());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_a_batch_of_elements_or_one_row() {
        assert!(pieces(&[]).is_empty());
        assert_eq!(pieces(&[0, 5, 0]), vec![0..3]);
        assert_eq!(pieces(&[9000, 1, 8192, 1]), vec![0..1, 1..2, 2..3, 3..4]);
        assert_eq!(pieces(&[4096, 4096, 1, 8191]), vec![0..2, 2..4]);
    }
}
