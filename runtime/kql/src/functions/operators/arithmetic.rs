//! `+ - * / %` over numbers, datetimes and timespans.
//!
//! Whole numbers give `long` and wrap; division by zero of whole numbers is null and cuts towards zero; `%` is never
//! negative. A datetime beyond the calendar is null.

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::kernels::arity::binary;
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{Operator, binary_expr};
use spoor_kql_syntax::ast::BinaryOp;
use spoor_table::{Cell, DECIMAL_SCALE, KustoType, ticks};
use std::sync::Arc;

use crate::functions::Bound;
use crate::functions::args::common;
use crate::functions::cast::convert;
use crate::functions::udf::{Batch, Body, Out, call, fold};
use crate::typed::{BindContext, FunctionError, Typed};

/// Binds an arithmetic operator.
pub(super) fn bind(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed) -> Bound {
    use KustoType::{DateTime, Dynamic, Real, TimeSpan};
    let (l, r) = (left.ty, right.ty);
    match (l, r) {
        (a, b) if a.is_numeric() && b.is_numeric() => numbers(ctx, op, left, right),
        (Dynamic, Dynamic) => {
            Err(refuse(op, l, r).hint("convert one of them, for example with tolong()"))
        }
        (Dynamic, other) => {
            let left = convert(ctx, left, undynamic(op, other, true))?;
            bind(ctx, op, left, right)
        }
        (other, Dynamic) => {
            let right = convert(ctx, right, undynamic(op, other, false))?;
            bind(ctx, op, left, right)
        }
        (DateTime, TimeSpan)
        | (TimeSpan, DateTime)
        | (DateTime, DateTime)
        | (TimeSpan, TimeSpan) => times(op, left, right),
        (TimeSpan, other) | (other, TimeSpan) if other.is_numeric() => {
            let wanted = if other.is_integer() {
                KustoType::Long
            } else {
                Real
            };
            let (left, right) = match l {
                TimeSpan => (left, convert(ctx, right, wanted)?),
                _ => (convert(ctx, left, wanted)?, right),
            };
            scaled(op, left, right)
        }
        (DateTime, other) | (other, DateTime) if other.is_integer() && op == BinaryOp::Add => {
            Err(refuse(op, l, r).hint("add a timespan, for example 1d"))
        }
        (KustoType::String, KustoType::String) if op == BinaryOp::Add => {
            Err(refuse(op, l, r).hint("join texts with strcat()"))
        }
        _ => Err(refuse(op, l, r)),
    }
}

/// What a dynamic operand is converted to beside one of type `other`.
fn undynamic(op: BinaryOp, other: KustoType, left: bool) -> KustoType {
    match (op, other) {
        (_, KustoType::Int | KustoType::Long) => KustoType::Long,
        (BinaryOp::Subtract, KustoType::DateTime) => KustoType::DateTime,
        (BinaryOp::Multiply, KustoType::TimeSpan) => KustoType::Long,
        (BinaryOp::Add | BinaryOp::Subtract, KustoType::TimeSpan) if left => KustoType::DateTime,
        (_, KustoType::DateTime) => KustoType::TimeSpan,
        (_, other) => other,
    }
}

fn refuse(op: BinaryOp, left: KustoType, right: KustoType) -> FunctionError {
    FunctionError::new(format!("'{}' cannot combine {left} and {right}", op.text()))
}

fn numbers(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed) -> Bound {
    let ty = match common(left.ty, right.ty) {
        Some(KustoType::Int) | None => KustoType::Long,
        Some(ty) => ty,
    };
    let args = [convert(ctx, left, ty)?, convert(ctx, right, ty)?];
    let native = match op {
        BinaryOp::Add => Some(Operator::Plus),
        BinaryOp::Subtract => Some(Operator::Minus),
        BinaryOp::Multiply => Some(Operator::Multiply),
        BinaryOp::Divide if ty == KustoType::Real => Some(Operator::Divide),
        _ => None,
    };
    if let Some(operator) = native.filter(|_| ty != KustoType::Decimal) {
        let expr = binary_expr(args[0].expr.clone(), operator, args[1].expr.clone());
        return Ok(fold(expr, ty, &args));
    }
    let (name, body) = match (ty, op) {
        (KustoType::Long, BinaryOp::Divide) => ("divide", Body::Batch(divide)),
        (KustoType::Long, _) => ("modulo", Body::Batch(modulo)),
        (KustoType::Real, _) => ("modulo", Body::Batch(modulo_real)),
        (_, BinaryOp::Add) => (
            "decimal_add",
            Body::Strict(|c, out| decimal(c, out, i128::checked_add)),
        ),
        (_, BinaryOp::Subtract) => (
            "decimal_subtract",
            Body::Strict(|c, out| decimal(c, out, i128::checked_sub)),
        ),
        (_, BinaryOp::Multiply) => (
            "decimal_multiply",
            Body::Strict(|c, out| decimal(c, out, multiply_scaled)),
        ),
        (_, BinaryOp::Divide) => (
            "decimal_divide",
            Body::Strict(|c, out| decimal(c, out, divide_scaled)),
        ),
        (_, _) => (
            "decimal_modulo",
            Body::Strict(|c, out| decimal(c, out, i128::checked_rem_euclid)),
        ),
    };
    Ok(call(name, &args, ty, body))
}

fn longs(batch: &Batch<'_>, op: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (left, right) = (batch.array(0)?, batch.array(1)?);
    let (left, right) = (
        left.as_primitive::<Int64Type>(),
        right.as_primitive::<Int64Type>(),
    );
    let values = left.iter().zip(right).map(|(a, b)| op(a?, b?));
    Ok(Arc::new(values.collect::<Int64Array>()))
}

fn divide(batch: &Batch<'_>) -> Result<ArrayRef> {
    longs(batch, |a, b| {
        if b == 0 {
            None
        } else {
            Some(a.wrapping_div(b))
        }
    })
}

fn modulo(batch: &Batch<'_>) -> Result<ArrayRef> {
    longs(batch, |a, b| {
        if b == 0 {
            None
        } else {
            Some(a.wrapping_rem_euclid(b))
        }
    })
}

fn modulo_real(batch: &Batch<'_>) -> Result<ArrayRef> {
    let (left, right) = (batch.array(0)?, batch.array(1)?);
    let (left, right) = (
        left.as_primitive::<Float64Type>(),
        right.as_primitive::<Float64Type>(),
    );
    let out: Float64Array = binary(left, right, f64::rem_euclid)?;
    Ok(Arc::new(out))
}

fn decimal(cells: &[Cell<'_>], out: &mut Out, op: fn(i128, i128) -> Option<i128>) {
    match cells {
        [Cell::Decimal(a), Cell::Decimal(b)] => {
            let fits = |v: &i128| v.unsigned_abs() < 10_u128.pow(38);
            out.maybe(op(*a, *b).filter(fits), Out::decimal);
        }
        _ => out.null(),
    }
}

const UNIT: i128 = 10_i128.pow(DECIMAL_SCALE as u32);

/// `a * b` of scaled integers, without overflow where the result fits: whole and fraction are multiplied apart.
fn multiply_scaled(a: i128, b: i128) -> Option<i128> {
    if let Some(product) = a.checked_mul(b) {
        return Some(product / UNIT);
    }
    let (whole, part) = (b / UNIT, b % UNIT);
    let high = a.checked_mul(whole)?;
    let low = (a / UNIT)
        .checked_mul(part)?
        .checked_add((a % UNIT).checked_mul(part)? / UNIT)?;
    high.checked_add(low)
}

/// `a / b` of scaled integers; digits are made one by one where scaling `a` up would overflow.
fn divide_scaled(a: i128, b: i128) -> Option<i128> {
    if b == 0 {
        return None;
    }
    if let Some(scaled) = a.checked_mul(UNIT) {
        return scaled.checked_div(b);
    }
    let (mut quotient, mut rest) = (a.checked_div(b)?, a % b);
    for _ in 0..DECIMAL_SCALE {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest / b)?;
        rest %= b;
    }
    Some(quotient)
}

fn times(op: BinaryOp, left: Typed, right: Typed) -> Bound {
    use KustoType::{DateTime, Real, TimeSpan};
    let (l, r) = (left.ty, right.ty);
    let args = [left, right];
    let (name, ret, body) = match (l, op, r) {
        (DateTime, BinaryOp::Add, TimeSpan) | (TimeSpan, BinaryOp::Add, DateTime) => (
            "datetime_plus",
            DateTime,
            Body::Batch(|b| longs(b, |a, b| calendar(a.checked_add(b)))),
        ),
        (DateTime, BinaryOp::Subtract, TimeSpan) => (
            "datetime_minus",
            DateTime,
            Body::Batch(|b| longs(b, |a, b| calendar(a.checked_sub(b)))),
        ),
        (DateTime, BinaryOp::Subtract, DateTime) | (TimeSpan, BinaryOp::Subtract, TimeSpan) => (
            "timespan_minus",
            TimeSpan,
            Body::Batch(|b| longs(b, |a, b| Some(a.saturating_sub(b)))),
        ),
        (TimeSpan, BinaryOp::Add, TimeSpan) => (
            "timespan_plus",
            TimeSpan,
            Body::Batch(|b| longs(b, |a, b| Some(a.saturating_add(b)))),
        ),
        (TimeSpan, BinaryOp::Divide, TimeSpan) => ("timespan_ratio", Real, Body::Strict(ratio)),
        (TimeSpan, BinaryOp::Modulo, TimeSpan) | (DateTime, BinaryOp::Modulo, TimeSpan) => {
            ("timespan_modulo", TimeSpan, Body::Batch(modulo))
        }
        _ => return Err(refuse(op, l, r)),
    };
    Ok(call(name, &args, ret, body))
}

fn calendar(ticks: Option<i64>) -> Option<i64> {
    ticks.filter(|t| (0..=ticks::DATETIME_MAX).contains(t))
}

fn ratio(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::TimeSpan(a), Cell::TimeSpan(b)] => out.real(*a as f64 / *b as f64),
        _ => out.null(),
    }
}

/// A timespan times or divided by a number.
fn scaled(op: BinaryOp, left: Typed, right: Typed) -> Bound {
    let (l, r) = (left.ty, right.ty);
    let timespan_first = l == KustoType::TimeSpan;
    let whole = l == KustoType::Long || r == KustoType::Long;
    let args = [left, right];
    let body: (&'static str, Body) = match op {
        BinaryOp::Multiply if whole => (
            "timespan_times",
            Body::Batch(|b| longs(b, |a, b| Some(a.saturating_mul(b)))),
        ),
        BinaryOp::Divide if whole && timespan_first => ("timespan_divide", Body::Batch(divide)),
        BinaryOp::Multiply => (
            "timespan_times_real",
            Body::Strict(|c, out| real_scaled(c, out, |a, b| a * b)),
        ),
        BinaryOp::Divide if timespan_first => (
            "timespan_divide_real",
            Body::Strict(|c, out| real_scaled(c, out, |a, b| a / b)),
        ),
        _ => return Err(refuse(op, l, r)),
    };
    Ok(call(body.0, &args, KustoType::TimeSpan, body.1))
}

fn real_scaled(cells: &[Cell<'_>], out: &mut Out, op: fn(f64, f64) -> f64) {
    let value = match cells {
        [Cell::TimeSpan(a), Cell::Real(b)] => op(*a as f64, *b),
        [Cell::Real(a), Cell::TimeSpan(b)] => op(*a, *b as f64),
        _ => f64::NAN,
    };
    if value.is_finite() {
        out.long(value as i64)
    } else {
        out.null()
    }
}
