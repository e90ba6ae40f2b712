//! Pauses between the batches that a join or an unnesting gives: their output can be any number of times longer than
//! what they read, so the scans below them come too seldom to end a slice in time. Sorts and Kusto's window functions, which
//! DataFusion does in one piece, are done in slices; partitions become one in turn.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateInputMode};
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions};

use super::operator::Operator;
use super::pace::paced;
use super::split::in_pieces;
use super::{in_turn, sort, window};

/// The plan with a pause above each operator that multiplies rows, and with sorts and window functions that pause.
pub(super) fn between_batches(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(paused).map(|done| done.data)
}

fn paused(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let ours = sort::in_slices(&node).or_else(|| window::in_slices(&node));
    if let Some(ours) = ours.or_else(|| in_turn::in_place_of(&node)) {
        return Ok(Transformed::yes(ours));
    }
    let input = match node.name() {
        "AggregateExec" => return in_order(node),
        "UnnestExec" => over_pieces(node)?,
        name if name.contains("Join") => node,
        _ => return Ok(Transformed::no(node)),
    };
    let give_way = |input: SendableRecordBatchStream, context: &TaskContext| {
        paced(input.schema(), input, context)
    };
    Ok(Transformed::yes(Operator::passing(
        "GiveWayExec",
        input,
        give_way,
    )))
}

/// An aggregation over rows in the order that its lists keep. DataFusion takes that order for a wish, which it grants where
/// rows come so anyway.
fn in_order(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(wanted) = node.downcast_ref::<AggregateExec>().and_then(list_order) else {
        return Ok(Transformed::no(node));
    };
    let inputs: Vec<_> = node.children().into_iter().cloned().collect();
    let sorted = inputs.into_iter().map(|input| {
        if input
            .equivalence_properties()
            .ordering_satisfy(wanted.clone())?
        {
            return Ok(input);
        }
        let sort: Arc<dyn ExecutionPlan> = Arc::new(SortExec::new(wanted.clone(), input));
        Ok(sort::in_slices(&sort).unwrap_or(sort))
    });
    let sorted = sorted.collect::<Result<Vec<_>>>()?;
    let ordered = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    node.replace_children(sorted, ordered).map(Transformed::yes)
}

/// The order in which an aggregation of rows needs them. All its lists were bound to the same one.
fn list_order(aggregation: &AggregateExec) -> Option<LexOrdering> {
    if aggregation.mode().input_mode() != AggregateInputMode::Raw {
        return None;
    }
    let mut orders = aggregation.aggr_expr().iter().map(|expr| expr.order_bys());
    LexOrdering::new(orders.find(|order| !order.is_empty())?.to_vec())
}

/// An unnesting of pieces of batches.
fn over_pieces(node: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let split = |input: &Arc<dyn ExecutionPlan>| {
        Operator::passing("SplitExec", Arc::clone(input), in_pieces)
    };
    let inputs = node.children().into_iter().map(split).collect();
    let same = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
    node.replace_children(inputs, same)
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
                Step::More | Step::Call(_) => pauses += 1,
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
