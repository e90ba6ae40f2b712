//! `scan`: rows in order, each held against steps that remember what matched before it. Rows are read one by one, as what a row
//! means depends on all rows before it; a pause is possible after every few hundred.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::datasource::TableType;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::StreamExt;

use super::made::made;

/// Rows between pauses.
const ROWS: usize = 256;

/// A step with its expressions over the columns of [`Stepping`].
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// When a row belongs to it.
    pub(crate) condition: Expr,
    /// Declared columns, by their places, and what they become.
    pub(crate) assignments: Vec<(usize, Expr)>,
    /// Whether its rows are part of the result.
    pub(crate) gives: bool,
}

/// A value that a step remembers: the step, and the column among the row's own and the declared ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) step: usize,
    pub(crate) column: usize,
}

/// What `scan` does. Its expressions read the input's columns, the declared ones, and the slots, in this order.
#[derive(Debug)]
pub(crate) struct Stepping {
    pub(crate) steps: Vec<Step>,
    /// The fields that expressions read.
    pub(crate) fields: SchemaRef,
    /// How many of them are the input's.
    pub(crate) own: usize,
    /// What declared columns begin as.
    pub(crate) defaults: Vec<ScalarValue>,
    pub(crate) slots: Vec<Slot>,
    /// The result: the input's columns, the declared ones, and perhaps the match's number.
    pub(crate) schema: SchemaRef,
    pub(crate) numbered: bool,
}

/// The rows that match steps, as a source of plans.
#[derive(Debug)]
pub(crate) struct SteppedTable {
    stepping: Arc<Stepping>,
    input: LogicalPlan,
}

impl SteppedTable {
    pub(crate) fn new(stepping: Stepping, input: LogicalPlan) -> Self {
        let stepping = Arc::new(stepping);
        SteppedTable { stepping, input }
    }
}

#[async_trait]
impl TableProvider for SteppedTable {
    fn schema(&self) -> SchemaRef {
        self.stepping.schema.clone()
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
        let stepping = self.stepping.clone();
        let match_steps = move |input: SendableRecordBatchStream, _: &TaskContext| {
            let matcher = Matcher::new(stepping.clone(), input)?;
            let batches = futures::stream::try_unfold(matcher, |mut matcher| async move {
                let batch = matcher.next().await?;
                Ok(batch.map(|batch| (batch, matcher)))
            });
            Ok(batches.boxed())
        };
        let schema = &self.stepping.schema;
        made(
            "ScanStepsExec",
            state,
            &self.input,
            schema,
            projection,
            match_steps,
        )
        .await
    }
}

struct Compiled {
    condition: Arc<dyn PhysicalExpr>,
    assignments: Vec<(usize, Arc<dyn PhysicalExpr>)>,
    gives: bool,
}

/// What a step remembers of a sequence: its slots, one value each, and the sequence's number.
#[derive(Clone)]
struct State {
    slots: Vec<ArrayRef>,
    number: i64,
}

struct Matcher {
    stepping: Arc<Stepping>,
    steps: Vec<Compiled>,
    input: SendableRecordBatchStream,
    /// The batch that is being read, and its next row.
    reading: Option<(RecordBatch, usize)>,
    states: Vec<Option<State>>,
    defaults: Vec<ArrayRef>,
    /// What slots hold of steps that nothing matched.
    empty: Vec<ArrayRef>,
    sequences: i64,
}

/// Rows of the result: where each comes from, its declared values, its sequence.
#[derive(Default)]
struct Given {
    rows: Vec<u32>,
    declared: Vec<Vec<ArrayRef>>,
    numbers: Vec<i64>,
}

impl Matcher {
    fn new(stepping: Arc<Stepping>, input: SendableRecordBatchStream) -> Result<Matcher> {
        let schema = DFSchema::try_from(Schema::clone(&stepping.fields))?;
        let compile = |expr: &Expr| {
            create_physical_expr(
                expr,
                &schema,
                &ExecutionProps::new(),
                &PhysicalPlanningContext::default(),
            )
        };
        let mut steps = Vec::with_capacity(stepping.steps.len());
        for step in &stepping.steps {
            let mut assignments = Vec::new();
            for (at, value) in &step.assignments {
                assignments.push((*at, compile(value)?));
            }
            steps.push(Compiled {
                condition: compile(&step.condition)?,
                assignments,
                gives: step.gives,
            });
        }
        let defaults: Result<Vec<ArrayRef>> = stepping
            .defaults
            .iter()
            .map(ScalarValue::to_array)
            .collect();
        let defaults = defaults?;
        let mut empty = Vec::with_capacity(stepping.slots.len());
        for slot in &stepping.slots {
            let declared = slot.column.checked_sub(stepping.own);
            empty.push(match declared.and_then(|at| defaults.get(at)) {
                Some(default) => default.clone(),
                None => nothing(&stepping, slot.column)?,
            });
        }
        Ok(Matcher {
            states: vec![None; steps.len()],
            steps,
            input,
            reading: None,
            defaults,
            empty,
            sequences: 0,
            stepping,
        })
    }

    /// The next rows of the result; none at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let (batch, from) = match self.reading.take() {
            Some(reading) => reading,
            None => match self.input.next().await {
                Some(batch) => (batch?, 0),
                None => return Ok(None),
            },
        };
        let to = batch.num_rows().min(from + ROWS);
        let mut given = Given::default();
        for row in from..to {
            self.take(&batch, row, &mut given)?;
        }
        let result = self.result(&batch, given)?;
        if to < batch.num_rows() {
            self.reading = Some((batch, to));
        }
        Ok(Some(result))
    }

    /// Holds a row against each step, the last one first.
    fn take(&mut self, batch: &RecordBatch, row: usize, given: &mut Given) -> Result<()> {
        let own: Vec<ArrayRef> = batch.columns().iter().map(|c| c.slice(row, 1)).collect();
        for at in (0..self.steps.len()).rev() {
            let before = at
                .checked_sub(1)
                .and_then(|at| self.states.get(at)?.clone());
            if let Some(state) = before
                && let Some(declared) = self.matched(at, &own, &state.slots)?
            {
                // The sequence goes on from the step before.
                if let Some(left) = self.states.get_mut(at - 1) {
                    *left = None;
                }
                self.enter(at, &own, declared, state, row, given);
                continue;
            }
            let here = self.states.get(at).cloned().flatten();
            let state = match here {
                Some(state) => state,
                None if at == 0 => State {
                    slots: self.empty.clone(),
                    number: self.sequences,
                },
                None => continue,
            };
            if let Some(declared) = self.matched(at, &own, &state.slots)? {
                if at == 0 && state.number == self.sequences {
                    self.sequences += 1;
                }
                self.enter(at, &own, declared, state, row, given);
            }
        }
        Ok(())
    }

    /// The declared columns of a row that belongs to a step; none where it does not.
    fn matched(
        &self,
        at: usize,
        own: &[ArrayRef],
        slots: &[ArrayRef],
    ) -> Result<Option<Vec<ArrayRef>>> {
        let Some(step) = self.steps.get(at) else {
            return internal_err!("step {at} is missing");
        };
        let seen = self.seen(own, &self.defaults, slots)?;
        let holds = step.condition.evaluate(&seen)?.to_array(1)?;
        let holds = holds.as_boolean();
        if holds.is_null(0) || !holds.value(0) {
            return Ok(None);
        }
        let mut declared = self.defaults.clone();
        for (place, value) in &step.assignments {
            let seen = self.seen(own, &declared, slots)?;
            let value = value.evaluate(&seen)?.to_array(1)?;
            if let Some(slot) = declared.get_mut(*place) {
                *slot = value;
            }
        }
        Ok(Some(declared))
    }

    /// What expressions see of a row.
    fn seen(
        &self,
        own: &[ArrayRef],
        declared: &[ArrayRef],
        slots: &[ArrayRef],
    ) -> Result<RecordBatch> {
        let columns = own.iter().chain(declared).chain(slots).cloned().collect();
        Ok(RecordBatch::try_new(self.stepping.fields.clone(), columns)?)
    }

    /// Makes a row the last one of a step.
    fn enter(
        &mut self,
        at: usize,
        own: &[ArrayRef],
        declared: Vec<ArrayRef>,
        mut state: State,
        row: usize,
        given: &mut Given,
    ) {
        for (slot, value) in self.stepping.slots.iter().zip(&mut state.slots) {
            let found = own.iter().chain(&declared).nth(slot.column);
            if slot.step == at
                && let Some(found) = found
            {
                *value = found.clone();
            }
        }
        if self.steps.get(at).is_some_and(|step| step.gives) {
            given.rows.push(row as u32);
            given.numbers.push(state.number);
            given.declared.push(declared);
        }
        if let Some(slot) = self.states.get_mut(at) {
            *slot = Some(state);
        }
    }

    fn result(&self, batch: &RecordBatch, given: Given) -> Result<RecordBatch> {
        if given.rows.is_empty() {
            return Ok(RecordBatch::new_empty(self.stepping.schema.clone()));
        }
        let rows = UInt32Array::from(given.rows);
        let mut columns = Vec::with_capacity(self.stepping.schema.fields().len());
        for column in batch.columns() {
            columns.push(take(column, &rows, None)?);
        }
        for at in 0..self.defaults.len() {
            let values: Vec<&dyn Array> = given
                .declared
                .iter()
                .filter_map(|row| Some(row.get(at)?.as_ref()))
                .collect();
            columns.push(concat(&values)?);
        }
        if self.stepping.numbered {
            columns.push(Arc::new(Int64Array::from(given.numbers)));
        }
        Ok(RecordBatch::try_new(self.stepping.schema.clone(), columns)?)
    }
}

/// The value of an input's column before any row: a null; of a text, the empty one.
fn nothing(stepping: &Stepping, column: usize) -> Result<ArrayRef> {
    let Some(field) = stepping.fields.fields().get(column) else {
        return internal_err!("column {column} is missing");
    };
    match field.data_type() {
        arrow::datatypes::DataType::Utf8 => ScalarValue::from("").to_array(),
        ty => Ok(arrow::array::new_null_array(ty, 1)),
    }
}
