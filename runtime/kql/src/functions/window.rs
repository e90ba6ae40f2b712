//! Functions that look at neighbouring rows. They need rows in a defined order, and see all rows at once.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition,
    WindowUDF, WindowUDFImpl,
};
use spoor_table::{Cell, KustoType, Value};

use super::args::{P, accept, count};
use super::udf::{Batch, BatchFn, Out};
use super::{Bound, function_table, implicit, literal};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::Long;

function_table! {
    "row_number", "row_number(start, restart)", "Numbers the rows from 1, or from a start; begins anew where restart holds.", row_number;
    "row_cumsum", "row_cumsum(number, restart)", "Adds up a number row by row; begins anew where restart holds.", row_cumsum;
    "row_rank_dense", "row_rank_dense(value, restart)", "Counts the distinct values so far.", |c, a| rank(c, a, "row_rank_dense", |b| ranks(b, true));
    "row_rank_min", "row_rank_min(value, restart)", "The number of the first row with the present value.", |c, a| rank(c, a, "row_rank_min", |b| ranks(b, false));
    "row_window_session", "row_window_session(datetime, max_from_first, max_between, restart)", "The start of the session that a row belongs to.", row_window_session;
    "prev", "prev(value, offset, default)", "The value of an earlier row.", |c, a| neighbour(c, a, "prev", |b| shifted(b, -1));
    "next", "next(value, offset, default)", "The value of a later row.", |c, a| neighbour(c, a, "next", |b| shifted(b, 1));
}

/// A window function around a function over all rows.
#[derive(Debug)]
struct Udwf {
    name: &'static str,
    args: Vec<KustoType>,
    ret: KustoType,
    run: BatchFn,
    signature: Signature,
}

impl PartialEq for Udwf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.args == other.args && self.ret == other.ret
    }
}

impl Eq for Udwf {}

impl Hash for Udwf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.args.hash(state);
    }
}

impl WindowUDFImpl for Udwf {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Whole {
            args: self.args.clone(),
            run: self.run,
        }))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.ret.arrow(), true)))
    }
}

#[derive(Debug)]
struct Whole {
    args: Vec<KustoType>,
    run: BatchFn,
}

impl PartitionEvaluator for Whole {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let values: Vec<ColumnarValue> = values.iter().cloned().map(ColumnarValue::Array).collect();
        (self.run)(&Batch::new(&values, &self.args, rows))
    }

    fn evaluate(&mut self, _: &[ArrayRef], _: &std::ops::Range<usize>) -> Result<ScalarValue> {
        datafusion::common::internal_err!("a window function of Kusto's sees all rows at once")
    }
}

/// Binds a window function over the rows in the query's order.
fn over(
    ctx: &BindContext,
    name: &'static str,
    args: &[Typed],
    ret: KustoType,
    run: BatchFn,
) -> Bound {
    if !ctx.serialized {
        return Err(
            FunctionError::new(format!("{name} needs rows in a defined order"))
                .hint("put '| sort by ...' or '| serialize' before it"),
        );
    }
    let udwf = Udwf {
        name,
        args: args.iter().map(|arg| arg.ty).collect(),
        ret,
        run,
        signature: match args.len() {
            0 => Signature::nullary(Volatility::Immutable),
            n => Signature::any(n, Volatility::Immutable),
        },
    };
    let definition = WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(udwf)));
    let exprs = args.iter().map(|arg| arg.expr.clone()).collect();
    let mut function = WindowFunction::new(definition, exprs);
    function.params = WindowFunctionParams {
        order_by: ctx.order.clone(),
        ..function.params
    };
    Ok(Typed::new(Expr::from(function), ret))
}

fn restart(ctx: &BindContext, args: &[Typed], at: usize) -> Bound {
    match args.get(at) {
        Some(arg) => accept(ctx, arg, P::Bool, at),
        None => Ok(literal(Value::Bool(false))),
    }
}

fn row_number(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 0, 2)?;
    let start = match args.first() {
        Some(start) => accept(ctx, start, P::Long, 0)?,
        None => literal(Value::Long(1)),
    };
    over(
        ctx,
        "row_number",
        &[start, restart(ctx, args, 1)?],
        Long,
        |batch| {
            let (starts, restarts) = (batch.reader(0)?, batch.reader(1)?);
            let mut out = Out::new(Long, batch.rows);
            let mut next = None;
            for row in 0..batch.rows {
                let Cell::Long(start) = starts.cell(row) else {
                    out.null();
                    continue;
                };
                let number = match (next, restarts.cell(row)) {
                    (Some(next), Cell::Bool(false) | Cell::Null) => next,
                    _ => start,
                };
                out.long(number);
                next = Some(number.wrapping_add(1));
            }
            Ok(out.finish())
        },
    )
}

fn row_cumsum(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 2)?;
    let restart = restart(ctx, args, 1)?;
    match args[0].ty {
        KustoType::Int | Long | KustoType::TimeSpan => {
            let ty = if args[0].ty == KustoType::TimeSpan {
                KustoType::TimeSpan
            } else {
                Long
            };
            over(
                ctx,
                "row_cumsum",
                &[implicit(ctx, &args[0], ty)?, restart],
                ty,
                |batch| {
                    sums(
                        batch,
                        Long,
                        0_i64,
                        |sum, cell| match cell {
                            Cell::Long(v) | Cell::TimeSpan(v) => sum.wrapping_add(v),
                            _ => sum,
                        },
                        Out::long,
                    )
                },
            )
        }
        _ => {
            let value = accept(ctx, &args[0], P::Real, 0)?;
            over(
                ctx,
                "row_cumsum",
                &[value, restart],
                KustoType::Real,
                |batch| {
                    sums(
                        batch,
                        KustoType::Real,
                        0.0,
                        |sum, cell| match cell {
                            Cell::Real(v) => sum + v,
                            _ => sum,
                        },
                        Out::real,
                    )
                },
            )
        }
    }
}

fn sums<T: Copy>(
    batch: &Batch<'_>,
    ty: KustoType,
    zero: T,
    add: fn(T, Cell<'_>) -> T,
    put: fn(&mut Out, T),
) -> Result<ArrayRef> {
    let (values, restarts) = (batch.reader(0)?, batch.reader(1)?);
    let mut out = Out::new(ty, batch.rows);
    let mut sum = zero;
    for row in 0..batch.rows {
        if let Cell::Bool(true) = restarts.cell(row) {
            sum = zero;
        }
        sum = add(sum, values.cell(row));
        put(&mut out, sum);
    }
    Ok(out.finish())
}

fn rank(ctx: &BindContext, args: &[Typed], name: &'static str, run: BatchFn) -> Bound {
    count(args, 1, 2)?;
    over(
        ctx,
        name,
        &[args[0].clone(), restart(ctx, args, 1)?],
        Long,
        run,
    )
}

fn ranks(batch: &Batch<'_>, dense: bool) -> Result<ArrayRef> {
    let (values, restarts) = (batch.reader(0)?, batch.reader(1)?);
    let mut out = Out::new(Long, batch.rows);
    let (mut rank, mut position) = (0, 0);
    for row in 0..batch.rows {
        let restarted = row == 0 || matches!(restarts.cell(row), Cell::Bool(true));
        if restarted {
            (rank, position) = (0, 0);
        }
        position += 1;
        if restarted || !same(values.cell(row), values.cell(row - 1)) {
            rank = if dense { rank + 1 } else { position };
        }
        out.long(rank);
    }
    Ok(out.finish())
}

fn same(a: Cell<'_>, b: Cell<'_>) -> bool {
    match (a, b) {
        (Cell::Null, Cell::Null) => true,
        (a, b) => super::operators::compare_cells(a, b) == Some(std::cmp::Ordering::Equal),
    }
}

fn neighbour(ctx: &BindContext, args: &[Typed], name: &'static str, run: BatchFn) -> Bound {
    count(args, 1, 3)?;
    let offset = match args.get(1) {
        Some(offset) => accept(ctx, offset, P::Long, 1)?,
        None => literal(Value::Long(1)),
    };
    let ty = args[0].ty;
    let default = match args.get(2) {
        Some(default) if default.constant.is_none() => {
            return Err(FunctionError::new("the default must be a constant")
                .at(2)
                .hint("use coalesce() or iff() around the call"));
        }
        Some(default) => implicit(ctx, default, ty)?,
        None => literal(Value::null(ty)),
    };
    over(ctx, name, &[args[0].clone(), offset, default], ty, run)
}

fn shifted(batch: &Batch<'_>, direction: i64) -> Result<ArrayRef> {
    let (values, offsets, defaults) = (batch.reader(0)?, batch.reader(1)?, batch.reader(2)?);
    let mut out = Out::new(batch.ty(0), batch.rows);
    for row in 0..batch.rows {
        let offset = match offsets.cell(row) {
            Cell::Long(offset) => offset.saturating_mul(direction),
            _ => direction,
        };
        let wanted = (row as i64).saturating_add(offset);
        match usize::try_from(wanted).ok().filter(|at| *at < batch.rows) {
            Some(at) => out.cell(values.cell(at)),
            None => out.cell(defaults.cell(row)),
        }
    }
    Ok(out.finish())
}

fn row_window_session(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 4)?;
    let bound = [
        accept(ctx, &args[0], P::DateTime, 0)?,
        accept(ctx, &args[1], P::TimeSpan, 1)?,
        accept(ctx, &args[2], P::TimeSpan, 2)?,
        match args.get(3) {
            Some(arg) => accept(ctx, arg, P::Bool, 3)?,
            None => literal(Value::Bool(false)),
        },
    ];
    over(
        ctx,
        "row_window_session",
        &bound,
        KustoType::DateTime,
        |batch| {
            let readers = [
                batch.reader(0)?,
                batch.reader(1)?,
                batch.reader(2)?,
                batch.reader(3)?,
            ];
            let mut out = Out::new(KustoType::DateTime, batch.rows);
            let mut session: Option<(i64, i64)> = None;
            for row in 0..batch.rows {
                let [at, most, gap, restart] = [0, 1, 2, 3].map(|i: usize| readers[i].cell(row));
                let (Cell::DateTime(at), Cell::TimeSpan(most), Cell::TimeSpan(gap)) =
                    (at, most, gap)
                else {
                    out.null();
                    continue;
                };
                let started = match session {
                    Some((start, last))
                        if !matches!(restart, Cell::Bool(true))
                            && at - start <= most
                            && at - last <= gap =>
                    {
                        start
                    }
                    _ => at,
                };
                session = Some((started, at));
                out.long(started);
            }
            Ok(out.finish())
        },
    )
}
