//! Pauses between the batches that a join or an unnesting gives: their output can be any number of times longer than
//! what they read, so the scans below them come too seldom to end a slice in time.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

use super::pace::Pacer;

/// The plan with a pause above each operator that multiplies rows.
pub(super) fn between_batches(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let pause = |node: Arc<dyn ExecutionPlan>| {
        let multiplies = node.name().contains("Join") || node.name() == "UnnestExec";
        Ok(if multiplies {
            Transformed::yes(Arc::new(GiveWayExec { input: node }) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(node)
        })
    };
    plan.transform_up(pause).map(|done| done.data)
}

/// Passes its input's batches on, unless the slice is over.
#[derive(Debug)]
struct GiveWayExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for GiveWayExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiveWayExec")
    }
}

impl ExecutionPlan for GiveWayExec {
    fn name(&self) -> &str {
        "GiveWayExec"
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
            (Some(input), None) => Ok(Arc::new(GiveWayExec { input })),
            _ => internal_err!("a pause has one child"),
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
        let pacer = context.session_config().get_extension::<Pacer>();
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(GiveWay {
            input,
            pacer,
            paused: false,
        }))
    }
}

struct GiveWay {
    input: SendableRecordBatchStream,
    pacer: Option<Arc<Pacer>>,
    /// The last poll paused: this one must get on, however short its slice is.
    paused: bool,
}

impl Stream for GiveWay {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(pacer) = &self.pacer
            && !self.paused
            && pacer.poll(context).is_pending()
        {
            self.paused = true;
            return Poll::Pending;
        }
        let given = self.input.poll_next_unpin(context);
        // Where the input itself waits, this poll gave nothing, and the next may get on too.
        self.paused &= given.is_pending();
        given
    }
}

impl RecordBatchStream for GiveWay {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use crate::{Engine, EngineOptions, Step};

    #[test]
    fn a_join_that_multiplies_rows_comes_back_between_its_batches() {
        let text = "range a from 1 to 6000 step 1 | extend k = 1 \
                    | join kind=inner (range b from 1 to 6000 step 1 | extend k = 1) on k | count";
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let mut query = engine.start(text, 0).unwrap();
        let mut pauses = 0;
        let result = loop {
            match query.step(Duration::from_nanos(1)).unwrap() {
                Step::More => pauses += 1,
                Step::Done(result) => break result,
            }
        };
        assert_eq!(
            result.table.value(0, 0),
            spoor_table::Value::Long(36_000_000)
        );
        // One for each batch of the join's output, which 4,395 batches of 8,192 rows make up.
        assert!(pauses > 4000, "{pauses} pauses");
    }
}
