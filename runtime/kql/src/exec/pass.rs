//! An operator that hands its input's rows on as they are, at another pace or in other pieces.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// What is done to the stream.
type Pass = fn(SendableRecordBatchStream, &TaskContext) -> SendableRecordBatchStream;

/// The operator; everything about its rows is as in its input.
#[derive(Debug)]
pub(super) struct PassExec {
    name: &'static str,
    input: Arc<dyn ExecutionPlan>,
    pass: Pass,
}

impl PassExec {
    /// Runs `pass` over what `input` gives.
    pub(super) fn over(
        input: Arc<dyn ExecutionPlan>,
        name: &'static str,
        pass: Pass,
    ) -> Arc<dyn ExecutionPlan> {
        Arc::new(PassExec { name, input, pass })
    }
}

impl DisplayAs for PassExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl ExecutionPlan for PassExec {
    fn name(&self) -> &str {
        self.name
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
            (Some(input), None) => Ok(PassExec::over(input, self.name, self.pass)),
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
        let input = self.input.execute(partition, context.clone())?;
        Ok((self.pass)(input, &context))
    }
}
