//! Functions over numbers, and `bin` on every type.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use spoor_table::{Cell, KustoType, Value};
use std::sync::Arc;

use super::args::{P, accept, article, common, count, fixed, optional};
use super::udf::{Batch, Body, Out, RowFn, call, call_volatile};
use super::{Bound, function_table, implicit, literal};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::{Bool, Long, Real};

macro_rules! real1 {
    ($name:literal, $f:expr) => {
        |c, a| {
            fixed(
                c,
                a,
                $name,
                &[P::Real],
                Real,
                Body::Strict(|cells, out| {
                    let f: fn(f64) -> f64 = $f;
                    out.real(f(real(&cells[0])));
                }),
            )
        }
    };
}

function_table! {
    "bin", "bin(value, size)", "Rounds down to a multiple of a size; works on numbers, datetimes and timespans.", bin;
    "floor", "floor(value, size)", "Rounds down to a multiple of a size; the same as bin.", floor;
    "bin_at", "bin_at(value, size, fixed_point)", "Rounds down to a multiple of a size counted from a fixed point.", bin_at;
    "ceiling", "ceiling(number)", "Rounds up to a whole number.", ceiling;
    "round", "round(number, digits)", "Rounds to some digits after the point.", |c, a| optional(c, a, "round", 1, &[P::Real, P::Long], Real, Body::Strict(round));
    "abs", "abs(number)", "Takes the sign away from a number or a timespan.", abs;
    "sign", "sign(number)", "Gives -1, 0 or 1 for a number's sign.", real1!("sign", |x| if x == 0.0 || x.is_nan() { 0.0 } else { x.signum() });
    "sqrt", "sqrt(number)", "The square root; NaN of a negative number.", |c, a| fixed(c, a, "sqrt", &[P::Real], Real, Body::Strict(|c, o| o.real(real(&c[0]).sqrt())));
    "exp", "exp(number)", "e to the power of a number.", real1!("exp", f64::exp);
    "exp2", "exp2(number)", "2 to the power of a number.", real1!("exp2", f64::exp2);
    "exp10", "exp10(number)", "10 to the power of a number.", real1!("exp10", |x| 10_f64.powf(x));
    "log", "log(number)", "The natural logarithm; null of a negative number.", |c, a| fixed(c, a, "log", &[P::Real], Real, Body::Strict(|c, o| unless_negative(c, o, f64::ln)));
    "log2", "log2(number)", "The logarithm to base 2; null of a negative number.", |c, a| fixed(c, a, "log2", &[P::Real], Real, Body::Strict(|c, o| unless_negative(c, o, f64::log2)));
    "log10", "log10(number)", "The logarithm to base 10; null of a negative number.", |c, a| fixed(c, a, "log10", &[P::Real], Real, Body::Strict(|c, o| unless_negative(c, o, f64::log10)));
    "loggamma", "loggamma(number)", "The logarithm of the absolute value of the gamma function.", real1!("loggamma", |x| log_gamma(x));
    "gamma", "gamma(number)", "The gamma function.", real1!("gamma", gamma);
    "pow", "pow(base, exponent)", "A number to the power of another.", |c, a| fixed(c, a, "pow", &[P::Real, P::Real], Real, Body::Strict(|c, o| o.real(real(&c[0]).powf(real(&c[1])))));
    "sin", "sin(angle)", "The sine.", real1!("sin", f64::sin);
    "cos", "cos(angle)", "The cosine.", real1!("cos", f64::cos);
    "tan", "tan(angle)", "The tangent.", real1!("tan", f64::tan);
    "cot", "cot(angle)", "The cotangent.", real1!("cot", |x| 1.0 / x.tan());
    "asin", "asin(number)", "The angle whose sine is a number; null outside -1 to 1.", |c, a| fixed(c, a, "asin", &[P::Real], Real, Body::Strict(|c, o| within(c, o, f64::asin)));
    "acos", "acos(number)", "The angle whose cosine is a number; null outside -1 to 1.", |c, a| fixed(c, a, "acos", &[P::Real], Real, Body::Strict(|c, o| within(c, o, f64::acos)));
    "atan", "atan(number)", "The angle whose tangent is a number.", real1!("atan", f64::atan);
    "atan2", "atan2(y, x)", "The angle of a point.", |c, a| fixed(c, a, "atan2", &[P::Real, P::Real], Real, Body::Strict(|c, o| o.real(real(&c[0]).atan2(real(&c[1])))));
    "degrees", "degrees(radians)", "Radians as degrees.", real1!("degrees", |x| x * 180.0 / std::f64::consts::PI);
    "radians", "radians(degrees)", "Degrees as radians.", real1!("radians", |x| x * std::f64::consts::PI / 180.0);
    "pi", "pi()", "The ratio of a circle's circumference to its diameter.", |_, a| { count(a, 0, 0)?; Ok(literal(Value::Real(std::f64::consts::PI))) };
    "isnan", "isnan(number)", "Tells whether a number is NaN.", is_nan;
    "isinf", "isinf(number)", "Tells whether a number is infinite.", |c, a| test(c, a, "isinf", |c, o| o.bool(real(&c[0]).is_infinite()));
    "isfinite", "isfinite(number)", "Tells whether a number is neither infinite nor NaN.", |c, a| test(c, a, "isfinite", |c, o| o.bool(real(&c[0]).is_finite()));
    "binary_and", "binary_and(a, b)", "The bits that both numbers have.", |c, a| longs(c, a, "binary_and", |c, o| bits(c, o, |a, b| a & b));
    "binary_or", "binary_or(a, b)", "The bits that either number has.", |c, a| longs(c, a, "binary_or", |c, o| bits(c, o, |a, b| a | b));
    "binary_xor", "binary_xor(a, b)", "The bits that one number has and the other has not.", |c, a| longs(c, a, "binary_xor", |c, o| bits(c, o, |a, b| a ^ b));
    "binary_not", "binary_not(a)", "The bits turned around.", |c, a| fixed(c, a, "binary_not", &[P::Long], Long, Body::Strict(|c, o| o.long(!whole(&c[0]))));
    "binary_shift_left", "binary_shift_left(a, count)", "The bits moved to the left.", |c, a| longs(c, a, "binary_shift_left", |c, o| shift(c, o, i64::wrapping_shl));
    "binary_shift_right", "binary_shift_right(a, count)", "The bits moved to the right.", |c, a| longs(c, a, "binary_shift_right", |c, o| shift(c, o, i64::wrapping_shr));
    "bitset_count_ones", "bitset_count_ones(a)", "Counts the bits that are set.", |c, a| fixed(c, a, "bitset_count_ones", &[P::Long], Long, Body::Strict(|c, o| o.long(i64::from(whole(&c[0]).count_ones()))));
    "tohex", "tohex(number, width)", "A whole number in hexadecimal digits.", |c, a| optional(c, a, "tohex", 1, &[P::Long, P::Long], KustoType::String, Body::Strict(tohex));
    "rand", "rand(bound)", "A random number from 0 to 1, or a whole one below a bound.", rand;
    "erf", "erf(number)", "The error function.", real1!("erf", erf);
    "erfc", "erfc(number)", "One minus the error function.", real1!("erfc", |x| 1.0 - erf(x));
}

fn real(cell: &Cell<'_>) -> f64 {
    match cell {
        Cell::Real(v) => *v,
        _ => f64::NAN,
    }
}

fn whole(cell: &Cell<'_>) -> i64 {
    match cell {
        Cell::Long(v) => *v,
        _ => 0,
    }
}

/// `isnan(number)`: null of null.
pub fn is_nan(ctx: &BindContext, args: &[Typed]) -> Bound {
    test(ctx, args, "isnan", |c, o| o.bool(real(&c[0]).is_nan()))
}

fn test(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(ctx, args, name, &[P::Real], Bool, Body::Strict(run))
}

fn longs(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(
        ctx,
        args,
        name,
        &[P::Long, P::Long],
        Long,
        Body::Strict(run),
    )
}

fn floor(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 2)?;
    match args {
        [value] => bin(ctx, &[value.clone(), literal(Value::Long(1))]),
        args => bin(ctx, args),
    }
}

/// The types that `bin` computes in: of the value, of the size, and of the result.
fn bin_types(value: KustoType, size: KustoType) -> Option<(KustoType, KustoType)> {
    use KustoType::{DateTime, Decimal, TimeSpan};
    match (value, size) {
        (DateTime, TimeSpan) => Some((DateTime, TimeSpan)),
        (TimeSpan, TimeSpan) => Some((TimeSpan, TimeSpan)),
        (DateTime | TimeSpan, size) if size.is_numeric() => None,
        (value, size) if value.is_numeric() && size.is_numeric() => {
            let ty = match common(value, size)? {
                KustoType::Int => Long,
                ty => ty,
            };
            Some((ty, if ty == Decimal { Decimal } else { ty }))
        }
        _ => None,
    }
}

fn bin(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 2)?;
    let (value, size) = (undynamic(ctx, &args[0], args[1].ty)?, &args[1]);
    // An int stays an int when the size is one too.
    let int = value.ty == KustoType::Int && size.ty.is_integer();
    let Some((value_type, size_type)) = bin_types(value.ty, size.ty) else {
        return Err(bin_error(value.ty, size.ty));
    };
    let bound = [
        implicit(ctx, &value, value_type)?,
        implicit(ctx, size, size_type)?,
    ];
    if int {
        return Ok(call("bin", &bound, KustoType::Int, Body::Strict(bin_long)));
    }
    let body = match value_type {
        Real => Body::Strict(bin_real),
        KustoType::Decimal => Body::Strict(bin_decimal),
        _ => Body::Batch(bin_batch),
    };
    Ok(call("bin", &bound, value_type, body))
}

/// Whole numbers and times; nearly always to multiples of a constant, which needs no look at each row.
fn bin_batch(batch: &Batch<'_>) -> Result<ArrayRef> {
    let size = batch.constant(1).and_then(|size| ticks_of(&size.cell()));
    match size {
        Some(size) if size > 0 => {
            let values = batch.array(0)?;
            let values = values.as_primitive::<Int64Type>();
            Ok(Arc::new(values.unary::<_, Int64Type>(|v| {
                v.wrapping_sub(v.rem_euclid(size))
            })))
        }
        _ => batch.by_row(batch.ty(0), bin_long, true),
    }
}

fn bin_error(value: KustoType, size: KustoType) -> FunctionError {
    let error = FunctionError::new(format!(
        "cannot round {} to multiples of {}",
        article(value),
        article(size)
    ));
    match value {
        KustoType::DateTime | KustoType::TimeSpan => {
            error.at(1).hint("give a timespan, for example 1h")
        }
        _ => error,
    }
}

fn undynamic(ctx: &BindContext, value: &Typed, size: KustoType) -> Bound {
    match (value.ty, size) {
        (KustoType::Dynamic, KustoType::TimeSpan) => implicit(ctx, value, KustoType::DateTime),
        (KustoType::Dynamic, size) => implicit(ctx, value, size),
        _ => Ok(value.clone()),
    }
}

fn ticks_of(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => Some(*v),
        _ => None,
    }
}

fn bin_long(cells: &[Cell<'_>], out: &mut Out) {
    match (ticks_of(&cells[0]), ticks_of(&cells[1])) {
        (Some(value), Some(size)) if size > 0 => {
            out.long(value.wrapping_sub(value.rem_euclid(size)))
        }
        _ => out.null(),
    }
}

fn bin_real(cells: &[Cell<'_>], out: &mut Out) {
    let (value, size) = (real(&cells[0]), real(&cells[1]));
    if size > 0.0 {
        out.real((value / size).floor() * size)
    } else {
        out.null()
    }
}

fn bin_decimal(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::Decimal(value), Cell::Decimal(size)] if *size > 0 => {
            out.decimal(value - value.rem_euclid(*size))
        }
        _ => out.null(),
    }
}

fn bin_at(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 3)?;
    let Some((value_type, size_type)) = bin_types(args[0].ty, args[1].ty) else {
        return Err(bin_error(args[0].ty, args[1].ty));
    };
    let bound = [
        implicit(ctx, &args[0], value_type)?,
        implicit(ctx, &args[1], size_type)?,
        implicit(ctx, &args[2], value_type)?,
    ];
    let run: RowFn = match value_type {
        Real => |cells, out| {
            let (value, size, at) = (real(&cells[0]), real(&cells[1]), real(&cells[2]));
            if size > 0.0 {
                out.real(((value - at) / size).floor() * size + at)
            } else {
                out.null()
            }
        },
        _ => |cells, out| match (
            ticks_of(&cells[0]),
            ticks_of(&cells[1]),
            ticks_of(&cells[2]),
        ) {
            (Some(value), Some(size), Some(at)) if size > 0 => {
                let since = i128::from(value) - i128::from(at);
                let start = since - since.rem_euclid(i128::from(size)) + i128::from(at);
                out.maybe(i64::try_from(start).ok(), Out::long);
            }
            _ => out.null(),
        },
    };
    Ok(call("bin_at", &bound, value_type, Body::Strict(run)))
}

fn ceiling(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 1)?;
    if args[0].ty.is_integer() {
        return implicit(ctx, &args[0], Long);
    }
    fixed(
        ctx,
        args,
        "ceiling",
        &[P::Real],
        Real,
        Body::Strict(|c, o| o.real(real(&c[0]).ceil())),
    )
}

/// Half away from zero, in decimal digits: the text form is what people see, so it decides.
fn round(cells: &[Cell<'_>], out: &mut Out) {
    let value = real(&cells[0]);
    let digits = cells.get(1).map_or(0, whole).clamp(-300, 300) as i32;
    let scale = 10_f64.powi(digits.abs());
    let scaled = if digits >= 0 {
        value * scale
    } else {
        value / scale
    };
    if !scaled.is_finite() {
        return out.real(value);
    }
    let rounded = scaled.round();
    out.real(if digits >= 0 {
        rounded / scale
    } else {
        rounded * scale
    });
}

fn abs(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 1)?;
    let (ty, run): (_, RowFn) = match args[0].ty {
        KustoType::Int | Long => (Long, |c, o| o.long(whole(&c[0]).wrapping_abs())),
        KustoType::TimeSpan => (KustoType::TimeSpan, |c, o| {
            o.maybe(ticks_of(&c[0]), |o, t| o.long(t.saturating_abs()))
        }),
        KustoType::Decimal => (KustoType::Decimal, |c, o| match c {
            [Cell::Decimal(v)] => o.decimal(v.abs()),
            _ => o.null(),
        }),
        _ => (Real, |c, o| o.real(real(&c[0]).abs())),
    };
    let arg = match ty {
        Real => accept(ctx, &args[0], P::Real, 0)?,
        ty => implicit(ctx, &args[0], ty)?,
    };
    Ok(call("abs", &[arg], ty, Body::Strict(run)))
}

fn unless_negative(cells: &[Cell<'_>], out: &mut Out, f: fn(f64) -> f64) {
    let value = real(&cells[0]);
    if value < 0.0 {
        out.null()
    } else {
        out.real(f(value))
    }
}

fn within(cells: &[Cell<'_>], out: &mut Out, f: fn(f64) -> f64) {
    let value = real(&cells[0]);
    if value.abs() > 1.0 {
        out.null()
    } else {
        out.real(f(value))
    }
}

fn bits(cells: &[Cell<'_>], out: &mut Out, op: fn(i64, i64) -> i64) {
    out.long(op(whole(&cells[0]), whole(&cells[1])));
}

fn shift(cells: &[Cell<'_>], out: &mut Out, op: fn(i64, u32) -> i64) {
    match whole(&cells[1]) {
        by if by < 0 => out.null(),
        by => out.long(op(whole(&cells[0]), (by % 64) as u32)),
    }
}

fn tohex(cells: &[Cell<'_>], out: &mut Out) {
    let width = cells.get(1).map_or(0, whole).clamp(0, 1024) as usize;
    out.text(&format!("{:0>width$x}", whole(&cells[0])));
}

fn rand(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 0, 1)?;
    if args.is_empty() {
        return Ok(call_volatile(
            "rand",
            &[],
            Real,
            Body::Rows(|_, out| out.real(random_real())),
        ));
    }
    let bound = accept(ctx, &args[0], P::Long, 0)?;
    Ok(call_volatile(
        "rand",
        &[bound],
        Long,
        Body::Strict(|cells, out| match whole(&cells[0]) {
            bound if bound > 0 => out.long((random_real() * bound as f64) as i64),
            _ => out.null(),
        }),
    ))
}

/// A random number below 1. The standard library's hasher is seeded from the system's (under WASI, the session's) randomness.
fn random_real() -> f64 {
    use std::cell::Cell as Shared;
    use std::hash::{BuildHasher, RandomState};
    thread_local! {
        static STATE: Shared<u64> = Shared::new(RandomState::new().hash_one(0_u8) | 1);
    }
    let mut x = STATE.get();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    STATE.set(x);
    (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Lanczos' approximation with g = 7 and nine coefficients.
pub(super) fn log_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin().abs()).ln()
            - log_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = C
        .iter()
        .enumerate()
        .skip(1)
        .fold(C[0], |sum, (i, c)| sum + c / (x + i as f64));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

fn gamma(x: f64) -> f64 {
    if x == x.floor() && (1.0..=170.0).contains(&x) {
        return (1..x as u64).map(|n| n as f64).product();
    }
    let value = log_gamma(x).exp();
    if x < 0.0 && (x.floor() as i64) % 2 != 0 {
        -value
    } else {
        value
    }
}

/// The series near zero and a continued fraction far from it, both to full precision.
fn erf(x: f64) -> f64 {
    let z = x.abs();
    let value = if z < 2.5 {
        let (mut term, mut sum, mut n) = (z, z, 0.0);
        while term.abs() > 1e-17 * sum.abs() && n < 200.0 {
            n += 1.0;
            term *= -z * z / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    } else {
        let fraction = (1..=60).rev().fold(z, |f, k| z + f64::from(k) / 2.0 / f);
        1.0 - (-z * z).exp() / (fraction * std::f64::consts::PI.sqrt())
    };
    value.copysign(x)
}
