//! `make-series`: an array of evenly spaced aggregates for each combination of keys.
//!
//! First rows are aggregated by keys and by the number of their bin, then each key's bins are laid out in an array, with the default
//! where there was no row.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result as PlanResult, exec_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::{
    ColumnarValue, Expr as PlanExpr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, cast, lit,
};
use spoor_kql_syntax::ast::{MakeSeries, Span};
use spoor_table::dynamic::{Builder, DynamicRef};
use spoor_table::{KustoType, Value};

use super::naming::{Projection, default_name};
use super::range::{as_integer, as_real};
use super::relation::{BoundColumn, Order, Relation, column};
use super::scope::Scope;
use super::summarize::each_once;
use super::{Bind, Binder};
use crate::functions::{self, BATCH_BYTES};
use crate::typed::{BindContext, Typed};

/// Points of a series, as in Kusto.
pub(super) const POINT_LIMIT: i64 = 1_048_576;

/// The bins of the axis.
struct Axis {
    value: Typed,
    from: Value,
    step: Value,
    points: i64,
    /// Whether each series begins and ends with its own rows.
    own_start: bool,
    own_end: bool,
}

impl Binder<'_> {
    pub(super) fn make_series(
        &mut self,
        input: Relation,
        make: &MakeSeries,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let input = self.without_stand_ins(input, span)?;
        let nonempty = make.properties.iter().any(|p| p.name.text == "kind");
        let axis = self.axis(&input, make, scope)?;
        let row = self.row(&input, scope);
        let keys = self.projection(&make.by, &row)?;
        for (key, named) in keys.columns.iter().zip(&make.by) {
            self.refuse_dynamic(key, named.span, "make-series ... by")?;
        }
        let mut outputs = Vec::new();
        let mut defaults = Vec::new();
        for series in &make.series {
            let bound = self.aggregate(&series.value, &row, &keys.columns)?;
            for output in &bound {
                let ty = output.typed.ty;
                let default = match &series.default {
                    Some(default) => self.constant(default, scope, "a default")?,
                    None => Value::Long(0),
                };
                defaults.push(self.constant_as(default, ty, series.value.span)?);
            }
            outputs.extend(bound);
        }
        let bin = self.id();
        let rows = self.binned(input, &axis, &bin, span)?;
        let key_columns = keys.columns.clone();
        let aggregated = self.aggregated(&rows, keys, outputs, span)?;
        let name = match make.on.names.first() {
            Some(name) => name.text.clone(),
            None => default_name(&make.on.value).unwrap_or_else(|| "Column1".to_owned()),
        };
        self.laid_out(
            aggregated,
            key_columns,
            &axis,
            &bin,
            &defaults,
            &name,
            nonempty,
            span,
        )
    }

    fn axis(&mut self, input: &Relation, make: &MakeSeries, scope: &Scope) -> Bind<Axis> {
        let span = make.on.span;
        let value = self.expression(&make.on.value, &self.row(input, scope))?;
        let step = self.constant(&make.step, scope, "the step")?;
        let (Some(from), Some(to)) = (&make.from, &make.to) else {
            return self.axis_of_data(input, value, step, make, scope);
        };
        let from = self.constant(from, scope, "the start of the axis")?;
        let to = self.constant(to, scope, "the end of the axis")?;
        let points = points(&from, &to, &step, make.in_range);
        self.checked_axis(value, from, step, points, (false, false), span)
    }

    fn checked_axis(
        &mut self,
        value: Typed,
        from: Value,
        step: Value,
        points: Option<i64>,
        (own_start, own_end): (bool, bool),
        span: Span,
    ) -> Bind<Axis> {
        match points {
            Some(points) if (0..=POINT_LIMIT).contains(&points) => Ok(Axis {
                value,
                from,
                step,
                points,
                own_start,
                own_end,
            }),
            _ => {
                let message = "the axis needs a start, an end and a step of its type";
                let hint = Some(format!("it may have {POINT_LIMIT} points at most"));
                Err(self.error_hint(span, message, hint))
            }
        }
    }

    /// The axis from the first bin with data to the last.
    fn axis_of_data(
        &mut self,
        input: &Relation,
        value: Typed,
        step: Value,
        make: &MakeSeries,
        scope: &Scope,
    ) -> Bind<Axis> {
        let span = make.on.span;
        let context = BindContext::default();
        let mut projection = Projection::default();
        let mut extremes = Vec::new();
        for name in ["min", "max"] {
            let bound = functions::aggregate(name)
                .map(|f| (f.bind)(&context, std::slice::from_ref(&value)));
            let Some(bound) = bound else { continue };
            for output in self.applied(bound, span, &[])?.outputs {
                let id = self.id();
                extremes.push(output.value.expr.alias(&id));
                let ty = output.value.ty;
                projection.add(
                    column(&id),
                    BoundColumn {
                        name: name.to_owned(),
                        ty,
                        id,
                    },
                    "",
                );
            }
        }
        let none: Vec<PlanExpr> = Vec::new();
        let plan = LogicalPlanBuilder::from(input.plan.clone())
            .aggregate(none, extremes)
            .and_then(LogicalPlanBuilder::build);
        let relation = Relation::unordered(self.plan(span, plan)?, projection.columns);
        let table = self.stage(relation, span)?;
        let given = |binder: &mut Self, expr: &Option<spoor_kql_syntax::ast::Expr>, what: &str| {
            match expr {
                Some(expr) => binder.constant(expr, scope, what).map(Some),
                None => Ok(None),
            }
        };
        let from = given(self, &make.from, "the start of the axis")?;
        let to = given(self, &make.to, "the end of the axis")?;
        let known = if table.rows() == 0 {
            (Value::null(value.ty), Value::null(value.ty))
        } else {
            (table.value(0, 0), table.value(0, 1))
        };
        let own = (from.is_none(), to.is_none());
        let first = match known.0 {
            Value::Null(ty) if from.is_none() => zero(ty),
            ref least => from.unwrap_or_else(|| binned_down(least, &step)),
        };
        let points = match to {
            Some(to) => points(&first, &to, &step, make.in_range),
            None => points(&first, &known.1, &step, true),
        };
        // Nothing in the table: nothing on the axis.
        self.checked_axis(value, first, step, points.or(Some(0)), own, span)
    }

    /// A constant as another type.
    pub(super) fn constant_as(&mut self, value: Value, ty: KustoType, span: Span) -> Bind<Value> {
        let converted = functions::convert(&BindContext::default(), functions::literal(value), ty);
        let converted = self.applied(converted, span, &[])?;
        Ok(converted.constant.unwrap_or(Value::null(ty)))
    }

    /// The rows on the axis, with the number of each one's bin as a hidden column that aggregates group by.
    fn binned(&mut self, input: Relation, axis: &Axis, bin: &str, span: Span) -> Bind<Relation> {
        let Some((on_axis, number)) = bin_exprs(axis) else {
            return Err(self.error(span, "the axis must be a datetime, a timespan or a number"));
        };
        let plan = LogicalPlanBuilder::from(input.plan.clone())
            .filter(on_axis)
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let columns = input.columns.clone();
        let mut exprs: Vec<PlanExpr> = columns.iter().map(BoundColumn::expr).collect();
        exprs.push(number.alias(bin));
        let mut rows = self.project_to(Relation { plan, ..input }, exprs, columns, span)?;
        rows.parts.push(bin.to_owned());
        Ok(rows)
    }

    #[allow(clippy::too_many_arguments)] // Each is one clause of the operator.
    fn laid_out(
        &mut self,
        bins: Relation,
        keys: Vec<BoundColumn>,
        axis: &Axis,
        bin: &str,
        defaults: &[Value],
        name: &str,
        nonempty: bool,
        span: Span,
    ) -> Bind<Relation> {
        let mut bins = bins;
        bins.parts.retain(|part| part != bin);
        let (parts, carried) = bins.hidden_in_aggregate();
        let series: Vec<BoundColumn> = bins.columns.iter().skip(keys.len()).cloned().collect();
        let numbers = self.list_of("make_list", Typed::new(column(bin), KustoType::Long), span)?;
        let number_id = self.id();
        let rows_id = self.id();
        let mut aggregates = vec![
            numbers.alias(&number_id),
            count_udaf().call(vec![lit(1i64)]).alias(&rows_id),
        ];
        aggregates.extend(carried);
        let mut lists = Vec::new();
        for column in &series {
            let list = self.list_of("make_list_with_nulls", column.typed(), span)?;
            let id = self.id();
            aggregates.push(list.alias(&id));
            lists.push(id);
        }
        let by = each_once(keys.iter().map(BoundColumn::expr).chain(parts));
        let single = by.is_empty();
        let mut builder = LogicalPlanBuilder::from(bins.plan).aggregate(by, aggregates);
        if single && !nonempty {
            builder = builder.and_then(|b| b.filter(column(&rows_id).gt(lit(0i64))));
        }
        let plan = builder.and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let mut projection = Projection::default();
        for key in &keys {
            projection.add(key.expr(), key.clone(), "");
        }
        for ((bound, list), default) in series.iter().zip(&lists).zip(defaults) {
            let default = Value::Dynamic(default.to_dynamic());
            let filled = ScalarUDF::from(Fill::new()).call(vec![
                column(&number_id),
                column(list),
                lit(axis.points),
                functions::literal(default).expr,
                lit(trim(axis)),
            ]);
            let (expr, filled) =
                self.computed(&bound.name, &Typed::new(filled, KustoType::Dynamic));
            projection.add(expr, filled, "");
        }
        let mut points = functions::literal(axis_values(axis));
        if axis.own_start || axis.own_end {
            let own = ScalarUDF::from(Fill::new()).call(vec![
                column(&number_id),
                functions::literal(Value::null(KustoType::Dynamic)).expr,
                lit(axis.points),
                points.expr,
                lit(trim(axis) | AXIS),
            ]);
            points = Typed::new(own, KustoType::Dynamic);
        }
        let (expr, axis_column) = self.computed(name, &points);
        projection.add(expr, axis_column, "");
        let input = Relation {
            plan,
            columns: Vec::new(),
            order: Order::default(),
            ..bins
        };
        self.project_to(input, projection.exprs, projection.columns, span)
    }

    fn list_of(&mut self, aggregate: &str, value: Typed, span: Span) -> Bind<PlanExpr> {
        let bound = functions::aggregate(aggregate)
            .map(|function| (function.bind)(&BindContext::default(), &[value]));
        let Some(bound) = bound else {
            return Err(self.error(span, format!("`{aggregate}` is missing")));
        };
        let mut outputs = self.applied(bound, span, &[])?.outputs;
        match outputs.pop() {
            Some(output) => Ok(output.value.expr),
            None => Err(self.error(span, format!("`{aggregate}` gives nothing"))),
        }
    }
}

/// How many bins an axis has; its end is one of them only if `inclusive`.
fn points(from: &Value, to: &Value, step: &Value, inclusive: bool) -> Option<i64> {
    if let (Some(from), Some(to), Some(step)) = (as_integer(from), as_integer(to), as_integer(step))
    {
        if step <= 0 {
            return None;
        }
        let distance = i128::from(to) - i128::from(from);
        let step = i128::from(step);
        let count = if inclusive {
            distance.div_euclid(step) + 1
        } else {
            -(-distance).div_euclid(step)
        };
        return i64::try_from(count.max(0)).ok();
    }
    let (from, to, step) = (as_real(from)?, as_real(to)?, as_real(step)?);
    let count = if inclusive {
        ((to - from) / step).floor() + 1.0
    } else {
        ((to - from) / step).ceil()
    };
    (step > 0.0 && count.is_finite()).then_some(count.max(0.0) as i64)
}

/// Where an axis without any row begins.
fn zero(ty: KustoType) -> Value {
    match ty {
        KustoType::DateTime => Value::DateTime(0),
        KustoType::TimeSpan => Value::TimeSpan(0),
        KustoType::Real => Value::Real(0.0),
        _ => Value::Long(0),
    }
}

/// The bin that a value is in, by its lower end.
fn binned_down(value: &Value, step: &Value) -> Value {
    match (value, as_integer(value), as_integer(step)) {
        (Value::DateTime(_), Some(at), Some(step)) if step > 0 => {
            Value::DateTime(at - at.rem_euclid(step))
        }
        (Value::TimeSpan(_), Some(at), Some(step)) if step > 0 => {
            Value::TimeSpan(at - at.rem_euclid(step))
        }
        (_, Some(at), Some(step)) if step > 0 => Value::Long(at - at.rem_euclid(step)),
        _ => match (as_real(value), as_real(step)) {
            (Some(at), Some(step)) if step > 0.0 => Value::Real((at / step).floor() * step),
            _ => value.clone(),
        },
    }
}

/// Whether a row is on the axis, and the number of its bin.
fn bin_exprs(axis: &Axis) -> Option<(PlanExpr, PlanExpr)> {
    let value = axis.value.expr.clone();
    if axis.value.ty != KustoType::Real
        && let (Some(from), Some(step)) = (as_integer(&axis.from), as_integer(&axis.step))
    {
        let value = if axis.value.ty == KustoType::Int {
            cast(value, DataType::Int64)
        } else {
            value
        };
        let end = from.saturating_add(step.saturating_mul(axis.points));
        let on_axis = value
            .clone()
            .gt_eq(lit(from))
            .and(value.clone().lt(lit(end)));
        return Some((on_axis, (value - lit(from)) / lit(step)));
    }
    let (from, step) = (as_real(&axis.from)?, as_real(&axis.step)?);
    let value = cast(value, DataType::Float64);
    let end = from + step * axis.points as f64;
    let on_axis = value
        .clone()
        .gt_eq(lit(from))
        .and(value.clone().lt(lit(end)));
    Some((
        on_axis,
        cast((value - lit(from)) / lit(step), DataType::Int64),
    ))
}

/// The lower ends of the bins as a dynamic array.
fn axis_values(axis: &Axis) -> Value {
    let mut builder = Builder::new();
    let mark = builder.begin_array();
    for at in 0..axis.points {
        match (as_integer(&axis.from), as_integer(&axis.step)) {
            (Some(from), Some(step)) => {
                let value = from.saturating_add(step.saturating_mul(at));
                match axis.from {
                    Value::DateTime(_) => builder.datetime(value),
                    Value::TimeSpan(_) => builder.timespan(value),
                    _ => builder.long(value),
                }
            }
            _ => {
                let (from, step) = (as_real(&axis.from), as_real(&axis.step));
                builder.real(from.unwrap_or(f64::NAN) + step.unwrap_or(f64::NAN) * at as f64);
            }
        }
        builder.item(&mark);
    }
    builder.end(mark);
    Value::Dynamic(builder.finish())
}

/// What [`Fill`] leaves out: the points before the first number, those after the last.
const START: i64 = 1;
const END: i64 = 2;
/// The default is an array of all points' own.
const AXIS: i64 = 4;

fn trim(axis: &Axis) -> i64 {
    let (start, end) = (axis.own_start, axis.own_end);
    (if start { START } else { 0 }) | (if end { END } else { 0 })
}

/// An array of so many points: `(numbers, values, points, default, trim)` puts each value at its number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fill {
    signature: Signature,
}

impl Fill {
    fn new() -> Self {
        Self {
            signature: Signature::any(5, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Fill {
    fn name(&self) -> &str {
        "series_laid_out"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [numbers, values, points, default, trim] = arrays.as_slice() else {
            return datafusion::common::internal_err!("series_laid_out takes five arguments");
        };
        let (numbers, values) = (numbers.as_binary::<i32>(), values.as_binary::<i32>());
        let points = points.as_primitive::<Int64Type>();
        let default = default.as_binary::<i32>();
        let trim = trim.as_primitive::<Int64Type>();
        let mut out = BinaryBuilder::new();
        let mut builder = Builder::new();
        for row in 0..numbers.len() {
            let at = |array: &datafusion::arrow::array::BinaryArray| {
                if array.is_null(row) {
                    Vec::new()
                } else {
                    array.value(row).to_vec()
                }
            };
            builder.clear();
            let (numbers, values, default) = (at(numbers), at(values), at(default));
            let points = usize::try_from(points.value(row)).unwrap_or(0);
            write_series(
                &mut builder,
                &numbers,
                &values,
                points,
                &default,
                trim.value(row),
            );
            out.append_value(builder.bytes());
            if out.values_slice().len() > BATCH_BYTES {
                let limit = BATCH_BYTES >> 20;
                return exec_err!("the series take more than {limit} MiB: use a larger step");
            }
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish()) as ArrayRef))
    }
}

fn write_series(
    builder: &mut Builder,
    numbers: &[u8],
    values: &[u8],
    points: usize,
    default: &[u8],
    trim: i64,
) {
    let mut slots: Vec<Option<DynamicRef<'_>>> = vec![None; points];
    let numbers = DynamicRef::new(numbers).as_array();
    let values = DynamicRef::new(values).as_array();
    let own = numbers.map(|numbers| numbers.iter().filter_map(slot_of));
    let last = own.clone().and_then(|own| own.max()).unwrap_or(0);
    let first = own.and_then(|own| own.min()).unwrap_or(0);
    let from = if trim & START != 0 {
        first.min(points)
    } else {
        0
    };
    let to = if trim & END != 0 {
        (last + 1).min(points)
    } else {
        points
    };
    if let (Some(numbers), Some(values)) = (numbers, values) {
        for (number, value) in numbers.iter().zip(values.iter()) {
            if let Some(slot) = slot_of(number).and_then(|at| slots.get_mut(at)) {
                *slot = Some(value);
            }
        }
    }
    let default = DynamicRef::new(default);
    let own = default.as_array().filter(|_| trim & AXIS != 0);
    let mut own = own.iter().flat_map(|points| points.iter()).skip(from);
    let mark = builder.begin_array();
    for slot in slots.get(from..to.max(from)).unwrap_or_default() {
        builder.value(slot.or_else(|| own.next()).unwrap_or(default));
        builder.item(&mark);
    }
    builder.end(mark);
}

fn slot_of(number: DynamicRef<'_>) -> Option<usize> {
    match number.kind() {
        spoor_table::dynamic::Kind::Long(at) => usize::try_from(at).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_counts_its_bins() {
        let long = Value::Long;
        assert_eq!(points(&long(1), &long(6), &long(2), false), Some(3));
        assert_eq!(points(&long(0), &long(6), &long(2), false), Some(3));
        assert_eq!(points(&long(0), &long(6), &long(2), true), Some(4));
        assert_eq!(points(&long(6), &long(0), &long(2), false), Some(0));
        assert_eq!(points(&long(0), &long(6), &long(0), false), None);
        assert_eq!(
            points(
                &Value::Real(0.0),
                &Value::Real(1.0),
                &Value::Real(0.25),
                false
            ),
            Some(4)
        );
    }
}
