//! One shape for all of our own aggregates in DataFusion: a [`State`] over many groups, behind DataFusion's two traits
//! for grouped and ungrouped aggregation.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature,
    SortExpr, Volatility,
};
use spoor_table::KustoType;

/// The running state of an aggregate over any number of groups.
pub(super) trait State: Send {
    /// Makes room for groups `0..count`.
    fn grow(&mut self, count: usize);

    /// Takes in rows; `groups` gives each row's group.
    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()>;

    /// Takes in states that [`State::save`] gave; `groups` gives each one's group.
    fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) -> Result<()>;

    /// The results of the first `count` groups, which leave: later groups move up.
    fn finish(&mut self, count: usize) -> Result<ArrayRef>;

    /// The states of the first `count` groups, which leave; of the types of [`Shape::state`].
    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>>;

    /// Bytes held.
    fn size(&self) -> usize;
}

/// What an aggregate is: everything but its name decides how it computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Types of the arguments.
    pub(super) args: Vec<KustoType>,
    /// Numbers that the call fixes: percentages, a size limit, a flag.
    pub(super) options: Vec<u64>,
    /// Arrow type of the result.
    pub(super) ret: DataType,
    /// Arrow types of a saved state.
    pub(super) state: Vec<DataType>,
}

type Make = fn(&Shape) -> Result<Box<dyn State>>;

#[derive(Debug)]
struct Udaf {
    name: &'static str,
    shape: Shape,
    make: Make,
    signature: Signature,
}

impl PartialEq for Udaf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.shape == other.shape
    }
}

impl Eq for Udaf {}

impl Hash for Udaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.shape.hash(state);
    }
}

/// The call of an aggregate of ours on arguments of the shape's types. A name stands for one `make`.
pub(super) fn call(
    name: &'static str,
    shape: Shape,
    make: Make,
    args: Vec<Expr>,
    filter: Option<Expr>,
) -> Expr {
    call_ordered(name, shape, make, args, filter, &[])
}

/// The call of an aggregate that sees its rows in an order.
pub(super) fn call_ordered(
    name: &'static str,
    shape: Shape,
    make: Make,
    args: Vec<Expr>,
    filter: Option<Expr>,
    order: &[SortExpr],
) -> Expr {
    let signature = Signature::any(args.len(), Volatility::Immutable);
    let udaf = AggregateUDF::new_from_impl(Udaf {
        name,
        shape,
        make,
        signature,
    });
    super::ordered(Arc::new(udaf), args, filter, order)
}

impl AggregateUDFImpl for Udaf {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.shape.ret.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |(at, ty): (usize, &DataType)| {
            Arc::new(Field::new(format!("{}[{at}]", args.name), ty.clone(), true))
        };
        Ok(self.shape.state.iter().enumerate().map(field).collect())
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mut state = (self.make)(&self.shape)?;
        state.grow(1);
        Ok(Box::new(Single {
            name: self.name,
            state: Mutex::new(state),
        }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped {
            state: (self.make)(&self.shape)?,
            groups: 0,
            shape: self.shape.clone(),
            make: self.make,
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        // A call without an order has none to be sensitive to.
        AggregateOrderSensitivity::HardRequirement
    }
}

/// An aggregate without `by`.
struct Single {
    name: &'static str,
    /// DataFusion wants accumulators to be shareable; nobody shares this one.
    state: Mutex<Box<dyn State>>,
}

impl std::fmt::Debug for Single {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Single {
    fn state(&mut self) -> Result<&mut Box<dyn State>> {
        match self.state.get_mut() {
            Ok(state) => Ok(state),
            Err(_) => internal_err!("{} failed before", self.name),
        }
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.state()?.update(values, &vec![0; rows], &|_| true)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.state()?.finish(1)?, 0)
    }

    fn size(&self) -> usize {
        self.state.lock().map_or(0, |state| state.size())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let saved = Single::state(self)?.save(1)?;
        saved
            .iter()
            .map(|array| ScalarValue::try_from_array(array, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        Single::state(self)?.merge(states, &vec![0; rows])
    }
}

/// An aggregate with `by`.
struct Grouped {
    state: Box<dyn State>,
    groups: usize,
    shape: Shape,
    make: Make,
}

impl Grouped {
    fn grow(&mut self, count: usize) {
        self.groups = self.groups.max(count);
        self.state.grow(self.groups);
    }

    fn leaving(&mut self, emit: EmitTo) -> usize {
        let count = match emit {
            EmitTo::All => self.groups,
            EmitTo::First(count) => count,
        };
        self.groups -= count;
        count
    }
}

fn passes(filter: Option<&BooleanArray>) -> impl Fn(usize) -> bool + '_ {
    move |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for Grouped {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        self.state.update(values, groups, &passes(filter))
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let count = self.leaving(emit);
        self.state.finish(count)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let count = self.leaving(emit);
        self.state.save(count)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        self.state.merge(states, groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut state = (self.make)(&self.shape)?;
        state.grow(rows);
        let groups: Vec<usize> = (0..rows).collect();
        state.update(values, &groups, &passes(filter))?;
        state.save(rows)
    }

    fn size(&self) -> usize {
        self.state.size()
    }
}
