//! Functions that look at neighbouring rows. They need rows in a defined order, which come to them batch by batch.

mod neighbours;

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition,
    WindowUDF, WindowUDFImpl,
};
use spoor_table::{Cell, KustoType, Value};

use super::args::{P, accept, count};
use super::udf::{Batch, Out, Reader};
use super::{Bound, function_table, implicit, literal};
use crate::exec::{SlicedEvaluator, SlicedWindow};
use crate::typed::{BindContext, FunctionError, Typed};
use neighbours::Neighbours;

use KustoType::Long;

function_table! {
    "row_number", "row_number(start, restart)", "Numbers the rows from 1, or from a start; begins anew where restart holds.", row_number;
    "row_cumsum", "row_cumsum(number, restart)", "Adds up a number row by row; begins anew where restart holds.", row_cumsum;
    "row_rank_dense", "row_rank_dense(value, restart)", "Counts the distinct values so far.", |c, a| rank(c, a, "row_rank_dense", || ranks(true));
    "row_rank_min", "row_rank_min(value, restart)", "The number of the first row with the present value.", |c, a| rank(c, a, "row_rank_min", || ranks(false));
    "row_window_session", "row_window_session(datetime, max_from_first, max_between, restart)", "The start of the session that a row belongs to.", row_window_session;
    "prev", "prev(value, offset, default)", "The value of an earlier row.", |c, a| neighbour(c, a, "prev", -1);
    "next", "next(value, offset, default)", "The value of a later row.", |c, a| neighbour(c, a, "next", 1);
}

/// Computes a batch of rows, and remembers what the next one must know of it.
type Step = Box<dyn FnMut(&Batch<'_>) -> Result<ArrayRef> + Send>;

/// How a window function computes.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// Each row from itself and those before it.
    Running(fn() -> Step),
    /// Each row from the one so many rows further on as the second argument says, times this.
    Neighbours(i64),
}

/// A window function bound to its types.
#[derive(Debug)]
struct Udwf {
    name: &'static str,
    args: Vec<KustoType>,
    ret: KustoType,
    run: Run,
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
        let types = self.args.clone();
        let window: Box<dyn SlicedWindow> = match self.run {
            Run::Running(start) => Box::new(Running {
                step: start(),
                types,
                waiting: VecDeque::new(),
            }),
            Run::Neighbours(direction) => Box::new(Neighbours::new(types, direction)),
        };
        Ok(Box::new(SlicedEvaluator(window)))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.ret.arrow(), true)))
    }
}

/// A function that never looks ahead.
struct Running {
    step: Step,
    types: Vec<KustoType>,
    waiting: VecDeque<(Vec<ColumnarValue>, usize)>,
}

impl SlicedWindow for Running {
    fn push(&mut self, args: Vec<ColumnarValue>, rows: usize) -> Result<()> {
        self.waiting.push_back((args, rows));
        Ok(())
    }

    fn end(&mut self) {}

    fn pop(&mut self) -> Result<Option<ArrayRef>> {
        let Some((args, rows)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        (self.step)(&Batch::new(&args, &self.types, rows)).map(Some)
    }

    fn held_bytes(&self) -> usize {
        0
    }
}

/// Binds a window function over the rows in the query's order.
fn over(ctx: &BindContext, name: &'static str, args: &[Typed], ret: KustoType, run: Run) -> Bound {
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
        Run::Running(numbers),
    )
}

fn numbers() -> Step {
    let mut next = None;
    Box::new(move |batch| {
        let (starts, restarts) = (batch.reader(0)?, batch.reader(1)?);
        let mut out = Out::new(Long, batch.rows);
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
    })
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
                Run::Running(|| sums(Long, 0_i64, add_whole, Out::long)),
            )
        }
        _ => {
            let value = accept(ctx, &args[0], P::Real, 0)?;
            over(
                ctx,
                "row_cumsum",
                &[value, restart],
                KustoType::Real,
                Run::Running(|| sums(KustoType::Real, 0.0, add_real, Out::real)),
            )
        }
    }
}

fn add_whole(sum: i64, cell: Cell<'_>) -> i64 {
    match cell {
        Cell::Long(value) | Cell::TimeSpan(value) => sum.wrapping_add(value),
        _ => sum,
    }
}

fn add_real(sum: f64, cell: Cell<'_>) -> f64 {
    match cell {
        Cell::Real(value) => sum + value,
        _ => sum,
    }
}

fn sums<T: Copy + Send + 'static>(
    ty: KustoType,
    zero: T,
    add: fn(T, Cell<'_>) -> T,
    put: fn(&mut Out, T),
) -> Step {
    let mut sum = zero;
    Box::new(move |batch| {
        let (values, restarts) = (batch.reader(0)?, batch.reader(1)?);
        let mut out = Out::new(ty, batch.rows);
        for row in 0..batch.rows {
            if let Cell::Bool(true) = restarts.cell(row) {
                sum = zero;
            }
            sum = add(sum, values.cell(row));
            put(&mut out, sum);
        }
        Ok(out.finish())
    })
}

fn rank(ctx: &BindContext, args: &[Typed], name: &'static str, ranks: fn() -> Step) -> Bound {
    count(args, 1, 2)?;
    over(
        ctx,
        name,
        &[args[0].clone(), restart(ctx, args, 1)?],
        Long,
        Run::Running(ranks),
    )
}

fn ranks(dense: bool) -> Step {
    let (mut rank, mut position) = (0, 0);
    // The row before, in the batch where it stands.
    let mut before: Option<(Reader, usize)> = None;
    Box::new(move |batch| {
        let (values, restarts) = (batch.reader(0)?, batch.reader(1)?);
        let mut out = Out::new(Long, batch.rows);
        for row in 0..batch.rows {
            let previous = match row.checked_sub(1) {
                Some(row) => Some(values.cell(row)),
                None => before.as_ref().map(|(values, row)| values.cell(*row)),
            };
            let restarted = matches!(restarts.cell(row), Cell::Bool(true));
            if restarted {
                (rank, position) = (0, 0);
            }
            position += 1;
            if restarted || previous.is_none_or(|cell| !same(values.cell(row), cell)) {
                rank = if dense { rank + 1 } else { position };
            }
            out.long(rank);
        }
        if let Some(last) = batch.rows.checked_sub(1) {
            before = Some((values, last));
        }
        Ok(out.finish())
    })
}

fn same(a: Cell<'_>, b: Cell<'_>) -> bool {
    match (a, b) {
        (Cell::Null, Cell::Null) => true,
        (a, b) => super::operators::compare_cells(a, b) == Some(std::cmp::Ordering::Equal),
    }
}

fn neighbour(ctx: &BindContext, args: &[Typed], name: &'static str, direction: i64) -> Bound {
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
    let run = Run::Neighbours(direction);
    over(ctx, name, &[args[0].clone(), offset, default], ty, run)
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
        Run::Running(sessions),
    )
}

fn sessions() -> Step {
    let mut session: Option<(i64, i64)> = None;
    Box::new(move |batch| {
        let (times, restarts) = (batch.reader(0)?, batch.reader(3)?);
        let (longest, gaps) = (batch.reader(1)?, batch.reader(2)?);
        let mut out = Out::new(KustoType::DateTime, batch.rows);
        for row in 0..batch.rows {
            let (Cell::DateTime(at), Cell::TimeSpan(most), Cell::TimeSpan(gap)) =
                (times.cell(row), longest.cell(row), gaps.cell(row))
            else {
                out.null();
                continue;
            };
            let goes_on = |start: i64, last: i64| at - start <= most && at - last <= gap;
            let started = match session {
                Some((start, last))
                    if !matches!(restarts.cell(row), Cell::Bool(true)) && goes_on(start, last) =>
                {
                    start
                }
                _ => at,
            };
            session = Some((started, at));
            out.long(started);
        }
        Ok(out.finish())
    })
}
