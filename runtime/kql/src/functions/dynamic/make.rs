//! Arrays that are made of values.

use spoor_table::dynamic::Builder;
use spoor_table::{Cell, DynamicRef, KustoType, Value};

use super::set::arrays;
use super::{array, long, view, write_array};
use crate::functions::args::common;
use crate::functions::args::count;
use crate::functions::udf::{Body, Out, call};
use crate::functions::{Bound, implicit, literal};
use crate::typed::{BindContext, FunctionError, Typed};
use KustoType::{Dynamic, Long};

/// Makes an array of wrapped values.
pub(in crate::functions) fn pack_array(cells: &[Cell<'_>], out: &mut Out) {
    array(out, cells.iter().map(view));
}

pub(super) fn zip(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let longest = arrays.iter().map(Vec::len).max().unwrap_or(0);
    out.dynamic(|b| {
        let mark = b.begin_array();
        for at in 0..longest {
            write_array(
                b,
                arrays
                    .iter()
                    .map(|a| a.get(at).copied().unwrap_or(DynamicRef::NULL)),
            );
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// Arrays that functions make are no longer than this; Kusto's limit is 1,048,576.
const MOST: i64 = 1 << 20;

/// Bytes of an array that repeats a value.
const MOST_BYTES: i64 = 64 << 20;

pub(super) fn repeat(cells: &[Cell<'_>], out: &mut Out) {
    match long(&cells[1]) {
        times if times < 0 || cells[1].is_null() => out.null(),
        times => {
            // What is long is repeated less often, so that no array fills the memory.
            let most = MOST_BYTES / view(&cells[0]).as_bytes().len().max(1) as i64;
            array(out, (0..times.min(MOST).min(most)).map(|_| view(&cells[0])));
        }
    }
}

pub(super) fn range_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    let ty = common(args[0].ty, args[1].ty)
        .filter(|ty| ty.is_numeric() || matches!(ty, KustoType::DateTime | KustoType::TimeSpan));
    let Some(ty) = ty else {
        return Err(FunctionError::new(format!(
            "cannot count from a {} to a {}",
            args[0].ty, args[1].ty
        )));
    };
    let step_type = if ty == KustoType::DateTime {
        KustoType::TimeSpan
    } else {
        ty
    };
    let step = match args.get(2) {
        Some(step) => step.clone(),
        None if step_type == KustoType::TimeSpan => {
            literal(Value::TimeSpan(spoor_table::ticks::HOUR))
        }
        None => literal(Value::Long(1)),
    };
    let real = ty == KustoType::Real || step.ty == KustoType::Real;
    let (ty, step_type) = if real && ty.is_numeric() {
        (KustoType::Real, KustoType::Real)
    } else {
        (ty, step_type)
    };
    let mut bound = Vec::new();
    for (arg, ty) in [(&args[0], ty), (&args[1], ty), (&step, step_type)] {
        let ty = if ty == KustoType::Int { Long } else { ty };
        bound.push(implicit(ctx, arg, ty)?);
    }
    Ok(call("range", &bound, Dynamic, Body::Strict(range)))
}

pub(super) fn range(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::Long(a), Cell::Long(b), Cell::Long(s)] => steps(out, *a, *b, *s, Builder::long),
        [Cell::DateTime(a), Cell::DateTime(b), Cell::TimeSpan(s)] => {
            steps(out, *a, *b, *s, Builder::datetime)
        }
        [Cell::TimeSpan(a), Cell::TimeSpan(b), Cell::TimeSpan(s)] => {
            steps(out, *a, *b, *s, Builder::timespan)
        }
        [Cell::Real(a), Cell::Real(b), Cell::Real(s)] => {
            let count = ((b - a) / s).floor();
            if !count.is_finite() {
                return out.null();
            }
            out.dynamic(|builder| {
                let mark = builder.begin_array();
                for at in 0..(count as i64 + 1).clamp(0, MOST) {
                    builder.real(a + s * at as f64);
                    builder.item(&mark);
                }
                builder.end(mark);
            });
        }
        _ => out.null(),
    }
}

pub(super) fn steps(out: &mut Out, start: i64, stop: i64, step: i64, put: fn(&mut Builder, i64)) {
    if step == 0 {
        return out.null();
    }
    out.dynamic(|b| {
        let mark = b.begin_array();
        let mut value = Some(start);
        let mut count = 0;
        while let Some(v) = value.filter(|v| if step > 0 { *v <= stop } else { *v >= stop }) {
            if count == MOST {
                break;
            }
            put(b, v);
            b.item(&mark);
            count += 1;
            value = v.checked_add(step);
        }
        b.end(mark);
    });
}
