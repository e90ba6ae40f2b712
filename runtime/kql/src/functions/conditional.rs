//! Functions that choose and test: `iff`, `case`, `coalesce`, `isnull`, `isempty`, `not`, `max_of` and the like.

use std::cmp::Ordering;

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, Operator, binary_expr, lit};
use spoor_table::{Cell, KustoType, Value};

use super::args::{P, accept, article, common, count};
use super::operators::{compare_cells, not};
use super::udf::{Body, Out, call, fold};
use super::{Bound, function_table, implicit, literal};
use crate::typed::{BindContext, FunctionError, Typed};

function_table! {
    "iff", "iff(condition, if_true, if_false)", "Gives one of two values; a null condition counts as false.", iff;
    "iif", "iif(condition, if_true, if_false)", "Gives one of two values; the same as iff.", iff;
    "case", "case(condition1, value1, ..., otherwise)", "Gives the value of the first condition that holds.", case;
    "coalesce", "coalesce(value, ...)", "Gives the first value that is not null; for text, not empty.", coalesce;
    "isnull", "isnull(value)", "Tells whether a value is null; text never is.", |_, a| { count(a, 1, 1)?; Ok(is_null(&a[0])) };
    "isnotnull", "isnotnull(value)", "Tells whether a value is not null.", |_, a| { count(a, 1, 1)?; Ok(not(is_null(&a[0]))) };
    "notnull", "notnull(value)", "Tells whether a value is not null; the same as isnotnull.", |_, a| { count(a, 1, 1)?; Ok(not(is_null(&a[0]))) };
    "isempty", "isempty(value)", "Tells whether a text is empty, or another value null.", |_, a| { count(a, 1, 1)?; Ok(is_empty(&a[0])) };
    "isnotempty", "isnotempty(value)", "Tells whether a text is not empty, or another value not null.", |_, a| { count(a, 1, 1)?; Ok(not(is_empty(&a[0]))) };
    "notempty", "notempty(value)", "Tells whether a value is not empty; the same as isnotempty.", |_, a| { count(a, 1, 1)?; Ok(not(is_empty(&a[0]))) };
    "not", "not(condition)", "Turns true to false and false to true.", |c, a| { count(a, 1, 1)?; Ok(not(accept(c, &a[0], P::Bool, 0)?)) };
    "max_of", "max_of(value, ...)", "The greatest of its arguments; nulls do not count.", |c, a| extreme(c, a, "max_of", Body::Rows(|cells, out| pick(cells, out, Ordering::Greater)));
    "min_of", "min_of(value, ...)", "The least of its arguments; nulls do not count.", |c, a| extreme(c, a, "min_of", Body::Rows(|cells, out| pick(cells, out, Ordering::Less)));
}

fn iff(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 3)?;
    case(ctx, args)
}

fn case(ctx: &BindContext, args: &[Typed]) -> Bound {
    if args.len() < 3 || args.len().is_multiple_of(2) {
        return Err(FunctionError::new(
            "expects conditions and values in turn, and a last value for when none holds",
        ));
    }
    let pairs = args.len() / 2;
    let values = (0..pairs).map(|i| i * 2 + 1).chain([args.len() - 1]);
    let ty = one_type(args, values)?;
    let mut whens = Vec::with_capacity(pairs);
    for at in 0..pairs {
        let condition = accept(ctx, &args[at * 2], P::Bool, at * 2)?;
        match condition.constant {
            // A constant condition decides now: what is left out need not be computable.
            Some(Value::Bool(true)) if whens.is_empty() => {
                return to_type(ctx, &args[at * 2 + 1], ty);
            }
            Some(_) if !matches!(condition.constant, Some(Value::Bool(true))) => continue,
            _ => {}
        }
        let value = to_type(ctx, &args[at * 2 + 1], ty)?;
        whens.push((Box::new(condition.expr), Box::new(value.expr)));
    }
    let otherwise = to_type(ctx, &args[args.len() - 1], ty)?;
    if whens.is_empty() {
        return Ok(otherwise);
    }
    let expr = Expr::Case(Case::new(None, whens, Some(Box::new(otherwise.expr))));
    Ok(fold(expr, ty, args))
}

/// The one type that some of the arguments convert to. Whole numbers and reals do not mix where one value is picked:
/// Kusto refuses that, too.
fn one_type(
    args: &[Typed],
    positions: impl Iterator<Item = usize>,
) -> Result<KustoType, FunctionError> {
    let mut ty: Option<KustoType> = None;
    for at in positions {
        let found = args[at].ty;
        ty = match ty {
            None => Some(found),
            Some(ty)
                if ty.is_integer() != found.is_integer()
                    && ty.is_numeric()
                    && found.is_numeric() =>
            {
                None
            }
            // Beside a value of a type, a dynamic one is taken for that type.
            Some(KustoType::Dynamic) => Some(found),
            Some(ty) if found == KustoType::Dynamic => Some(ty),
            Some(ty) => common(ty, found),
        };
        if ty.is_none() {
            return Err(FunctionError::new(format!(
                "this is {}, unlike the values before",
                article(found)
            ))
            .at(at)
            .hint("convert one, for example with todouble() or tostring()"));
        }
    }
    Ok(ty.unwrap_or(KustoType::String))
}

/// The widest of all arguments' types.
fn widest(args: &[Typed]) -> Result<KustoType, FunctionError> {
    let mut ty = args.first().map_or(KustoType::Long, |arg| arg.ty);
    for (at, arg) in args.iter().enumerate() {
        ty = common(ty, arg.ty).ok_or_else(|| {
            FunctionError::new(format!(
                "this is {}, which does not compare with the values before",
                article(arg.ty)
            ))
            .at(at)
        })?;
    }
    Ok(ty)
}

/// A value as `ty`; beside dynamic values, text stays text.
fn to_type(ctx: &BindContext, arg: &Typed, ty: KustoType) -> Bound {
    match ty {
        KustoType::Dynamic => Ok(super::cast::wrap(arg)),
        ty => implicit(ctx, arg, ty),
    }
}

fn coalesce(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 64)?;
    let ty = one_type(args, 0..args.len())?;
    let mut converted = Vec::with_capacity(args.len());
    for arg in args {
        converted.push(to_type(ctx, arg, ty)?);
    }
    let body = Body::Rows(|cells, out| {
        let found = cells
            .iter()
            .find(|cell| !matches!(cell, Cell::Null | Cell::String("")));
        out.cell(found.copied().unwrap_or(Cell::Null));
    });
    Ok(call("coalesce", &converted, ty, body))
}

fn is_null(arg: &Typed) -> Typed {
    match arg.ty {
        KustoType::String => literal(Value::Bool(false)),
        _ => fold(
            Expr::IsNull(Box::new(arg.expr.clone())),
            KustoType::Bool,
            std::slice::from_ref(arg),
        ),
    }
}

fn is_empty(arg: &Typed) -> Typed {
    match arg.ty {
        KustoType::String => {
            let expr = binary_expr(arg.expr.clone(), Operator::Eq, lit(""));
            fold(expr, KustoType::Bool, std::slice::from_ref(arg))
        }
        KustoType::Dynamic => call(
            "isempty",
            std::slice::from_ref(arg),
            KustoType::Bool,
            Body::Rows(|cells, out| {
                out.bool(match cells {
                    [Cell::Dynamic(value)] => value.as_str() == Some(""),
                    _ => true,
                });
            }),
        ),
        _ => is_null(arg),
    }
}

fn extreme(ctx: &BindContext, args: &[Typed], name: &'static str, body: Body) -> Bound {
    count(args, 1, 64)?;
    let ty = widest(args)?;
    if ty == KustoType::Dynamic {
        return Err(FunctionError::new("cannot order dynamic values")
            .hint("convert them, for example with tolong()"));
    }
    let converted: Result<Vec<Typed>, _> = args.iter().map(|arg| implicit(ctx, arg, ty)).collect();
    Ok(call(name, &converted?, ty, body))
}

fn pick(cells: &[Cell<'_>], out: &mut Out, wanted: Ordering) {
    let mut best = Cell::Null;
    for cell in cells.iter().filter(|cell| !cell.is_null()) {
        if best.is_null() || compare_cells(*cell, best) == Some(wanted) {
            best = *cell;
        }
    }
    out.cell(best);
}
