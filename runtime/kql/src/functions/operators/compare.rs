//! `== != < <= > >=`: which types compare, and what nulls and NaN do.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::boolean;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::{Operator, binary_expr};
use spoor_kql_syntax::ast::BinaryOp;
use spoor_table::{Cell, KustoType, parse};

use crate::functions::Bound;
use crate::functions::args::{article, common};
use crate::functions::cast::{self, convert};
use crate::functions::constant::for_all_rows;
use crate::functions::udf::{Batch, Body, Out, call, fold};
use crate::typed::{BindContext, FunctionError, Typed};

/// Binds a comparison.
pub(super) fn bind(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed) -> Bound {
    use KustoType::{Bool, Dynamic, Guid, Real, String};
    let (l, r) = (left.ty, right.ty);
    match (l, r) {
        (Dynamic, Dynamic) => {
            Err(refuse(l, r).hint("convert one of them, for example with tostring()"))
        }
        (Dynamic, other) | (other, Dynamic) => dynamic(ctx, op, left, right, other),
        (String, Guid) | (Guid, String) => {
            let args = [convert(ctx, left, Guid)?, convert(ctx, right, Guid)?];
            Ok(native(op, args, Guid))
        }
        (Bool, other) | (other, Bool) if other.is_numeric() => {
            let args = [convert(ctx, left, other)?, convert(ctx, right, other)?];
            let [left, right] = args;
            bind(ctx, op, left, right)
        }
        (String, String) => Ok(native(op, [left, right], String)),
        (String, other) => {
            let (left, right) = with_text(ctx, op, left, right, other)?;
            bind(ctx, op, left, right)
        }
        (other, String) => {
            let (right, left) = with_text(ctx, op, right, left, other)?;
            bind(ctx, op, left, right)
        }
        _ => match common(l, r) {
            Some(Real) => Ok(reals(
                op,
                [convert(ctx, left, Real)?, convert(ctx, right, Real)?],
            )),
            Some(ty) => Ok(native(
                op,
                [convert(ctx, left, ty)?, convert(ctx, right, ty)?],
                ty,
            )),
            None => Err(refuse(l, r).hint("convert one of them")),
        },
    }
}

/// A text beside a value of another type: Kusto compares neither two columns nor two constants so, but analysts write
/// `ResultType == 0` and `EventID == "4688"`, which run. A constant becomes what the column beside it is, if it can.
fn with_text(
    ctx: &BindContext,
    op: BinaryOp,
    text: Typed,
    value: Typed,
    ty: KustoType,
) -> std::result::Result<(Typed, Typed), FunctionError> {
    let refused = || {
        refuse(KustoType::String, ty).hint(format!(
            "convert one of them: tostring() makes a text of {}, to{}() reads one",
            article(ty),
            ty.name()
        ))
    };
    let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
    match (text.constant.is_some(), value.constant.is_some()) {
        (false, true) if equality && ty.is_numeric() => {
            Ok((text, convert(ctx, value, KustoType::String)?))
        }
        (false, true) => Ok((convert(ctx, text, ty)?, value)),
        (true, false) => {
            let read = convert(ctx, text, ty)?;
            match read.constant.as_ref().is_some_and(|value| !value.is_null()) {
                true => Ok((read, value)),
                false => Err(refused()),
            }
        }
        _ => Err(refused()),
    }
}

fn refuse(left: KustoType, right: KustoType) -> FunctionError {
    FunctionError::new(format!(
        "{} and {} cannot be compared",
        article(left),
        article(right)
    ))
}

/// Types that DataFusion compares as Kusto does: equal representations, no NaN.
fn native(op: BinaryOp, args: [Typed; 2], ty: KustoType) -> Typed {
    let valued = |arg: &Typed| arg.constant.as_ref().is_some_and(|v| !v.is_null());
    let never_null = ty == KustoType::String;
    let operator = match op {
        BinaryOp::Less => Operator::Lt,
        BinaryOp::LessOrEqual => Operator::LtEq,
        BinaryOp::Greater => Operator::Gt,
        BinaryOp::GreaterOrEqual => Operator::GtEq,
        BinaryOp::Equal if never_null => Operator::Eq,
        BinaryOp::NotEqual if never_null => Operator::NotEq,
        BinaryOp::Equal if args.iter().any(valued) => Operator::IsNotDistinctFrom,
        BinaryOp::NotEqual if args.iter().any(valued) => Operator::IsDistinctFrom,
        BinaryOp::Equal => return call("equal", &args, KustoType::Bool, Body::Batch(equal)),
        _ => return call("not_equal", &args, KustoType::Bool, Body::Batch(not_equal)),
    };
    let [left, right] = [0, 1].map(|side: usize| for_all_rows(&args[side].expr));
    fold(binary_expr(left, operator, right), KustoType::Bool, &args)
}

/// Two nulls give null, one null is different from any value.
fn equal(batch: &Batch<'_>) -> Result<ArrayRef> {
    let (left, right) = (batch.array(0)?, batch.array(1)?);
    let same = arrow::compute::kernels::cmp::not_distinct(&left, &right)?;
    Ok(Arc::new(without_null_pairs(&left, &right, same)?))
}

fn not_equal(batch: &Batch<'_>) -> Result<ArrayRef> {
    let (left, right) = (batch.array(0)?, batch.array(1)?);
    let different = arrow::compute::kernels::cmp::distinct(&left, &right)?;
    Ok(Arc::new(without_null_pairs(&left, &right, different)?))
}

fn without_null_pairs(
    left: &ArrayRef,
    right: &ArrayRef,
    values: BooleanArray,
) -> Result<BooleanArray> {
    if left.null_count() == 0 || right.null_count() == 0 {
        return Ok(values);
    }
    let both = boolean::and(&boolean::is_null(left)?, &boolean::is_null(right)?)?;
    Ok(arrow::compute::nullif(&values, &both)?.as_boolean().clone())
}

macro_rules! real_compare {
    ($name:literal, $args:expr, $null:expr, $op:tt) => {
        call($name, $args, KustoType::Bool, Body::Batch(|batch| compare_reals(batch, $null, |a, b| a $op b)))
    };
}

/// Reals have NaN, which equals nothing, and two zeros, which are equal: Arrow orders them otherwise.
fn reals(op: BinaryOp, args: [Typed; 2]) -> Typed {
    match op {
        BinaryOp::Equal => real_compare!("equal", &args, Some(false), ==),
        BinaryOp::NotEqual => real_compare!("not_equal", &args, Some(true), !=),
        BinaryOp::Less => real_compare!("less", &args, None, <),
        BinaryOp::LessOrEqual => real_compare!("less_or_equal", &args, None, <=),
        BinaryOp::Greater => real_compare!("greater", &args, None, >),
        _ => real_compare!("greater_or_equal", &args, None, >=),
    }
}

/// `one_null` is the answer where exactly one side is null.
fn compare_reals(
    batch: &Batch<'_>,
    one_null: Option<bool>,
    op: fn(&f64, &f64) -> bool,
) -> Result<ArrayRef> {
    let (left, right) = (batch.array(0)?, batch.array(1)?);
    let (left, right) = (
        left.as_primitive::<Float64Type>(),
        right.as_primitive::<Float64Type>(),
    );
    let values = left.iter().zip(right).map(|pair| match pair {
        (Some(a), Some(b)) => Some(op(&a, &b)),
        (None, None) => None,
        _ => one_null,
    });
    Ok(Arc::new(values.collect::<BooleanArray>()))
}

/// A dynamic value beside one of another type: the value inside is compared.
fn dynamic(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed, other: KustoType) -> Bound {
    if other == KustoType::String {
        let args = [convert(ctx, left, other)?, convert(ctx, right, other)?];
        return Ok(native(op, args, other));
    }
    let args = [left, right];
    let (name, run): (_, crate::functions::udf::RowFn) = match op {
        BinaryOp::Equal => ("dynamic_equal", |c, out| equality(c, out, true)),
        BinaryOp::NotEqual => ("dynamic_not_equal", |c, out| equality(c, out, false)),
        BinaryOp::Less => ("dynamic_less", |c, out| ordered(c, out, Ordering::is_lt)),
        BinaryOp::LessOrEqual => ("dynamic_less_or_equal", |c, out| {
            ordered(c, out, Ordering::is_le)
        }),
        BinaryOp::Greater => ("dynamic_greater", |c, out| ordered(c, out, Ordering::is_gt)),
        _ => ("dynamic_greater_or_equal", |c, out| {
            ordered(c, out, Ordering::is_ge)
        }),
    };
    Ok(call(name, &args, KustoType::Bool, Body::Rows(run)))
}

fn equality(cells: &[Cell<'_>], out: &mut Out, wanted: bool) {
    match cells {
        [Cell::Null, Cell::Null] => out.null(),
        [a, b] => out.bool((compare_cells(*a, *b) == Some(Ordering::Equal)) == wanted),
        _ => out.null(),
    }
}

fn ordered(cells: &[Cell<'_>], out: &mut Out, test: fn(Ordering) -> bool) {
    match cells {
        [Cell::Null, _] | [_, Cell::Null] => out.null(),
        [a, b] => out.bool(compare_cells(*a, *b).is_some_and(test)),
        _ => out.null(),
    }
}

/// The order of two values, if they have one. A dynamic value stands for the scalar inside; its text is read as the
/// other's type.
pub(in crate::functions) fn compare_cells(a: Cell<'_>, b: Cell<'_>) -> Option<Ordering> {
    match (cast::scalar(a)?, cast::scalar(b)?) {
        (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(&b)),
        (Cell::DateTime(a), Cell::DateTime(b)) | (Cell::TimeSpan(a), Cell::TimeSpan(b)) => {
            Some(a.cmp(&b))
        }
        (Cell::String(a), Cell::String(b)) => Some(a.cmp(b)),
        (Cell::Guid(a), Cell::Guid(b)) => Some(a.cmp(b)),
        (Cell::Decimal(a), Cell::Decimal(b)) => Some(a.cmp(&b)),
        (Cell::String(a), Cell::DateTime(b)) => Some(parse::datetime(a)?.cmp(&b)),
        (Cell::DateTime(a), Cell::String(b)) => Some(a.cmp(&parse::datetime(b)?)),
        (Cell::String(a), Cell::TimeSpan(b)) => Some(parse::timespan(a)?.cmp(&b)),
        (Cell::TimeSpan(a), Cell::String(b)) => Some(a.cmp(&parse::timespan(b)?)),
        (Cell::String(a), Cell::Guid(b)) => Some(parse::guid(a)?.as_str().cmp(b)),
        (Cell::Guid(a), Cell::String(b)) => Some(a.cmp(parse::guid(b)?.as_str())),
        (Cell::String(a), Cell::Bool(b)) => Some(parse::boolean(a)?.cmp(&b)),
        (Cell::Bool(a), Cell::String(b)) => Some(a.cmp(&parse::boolean(b)?)),
        (a, b) => match (long(a), long(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => cast::as_real(a)?.partial_cmp(&cast::as_real(b)?),
        },
    }
}

fn long(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(v) => Some(i64::from(v)),
        Cell::Long(v) => Some(v),
        Cell::Bool(v) => Some(i64::from(v)),
        _ => None,
    }
}

/// Whether two texts are equal when case does not count.
pub(in crate::functions) fn equal_fold(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars()
        .map(super::fold_char)
        .eq(b.chars().map(super::fold_char))
}
