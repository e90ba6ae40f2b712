//! Kusto's operators: which operands they take, what they give, and how nulls behave.
//!
//! Source: Kusto's documentation of the scalar operators. Comparison by `==` and `!=` knows null: a null and a value
//! are different, two nulls give null.

mod arithmetic;
mod compare;
mod list;
mod search;
mod terms;

use datafusion::logical_expr::{Expr, Operator, binary_expr};
use spoor_kql_syntax::ast::{BinaryOp, ListOp, UnaryOp};
use spoor_table::{KustoType, Value};

use super::args::{P, accept};
use super::udf::fold;
use super::{Bound, cast};
use crate::typed::{BindContext, FunctionError, Typed};

pub(super) use compare::{compare_cells, equal_fold};
pub(super) use search::{fold_char, split_fold};

/// An operator of two operands.
pub fn binary(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed) -> Bound {
    match op {
        BinaryOp::And => logical(ctx, Operator::And, left, right),
        BinaryOp::Or => logical(ctx, Operator::Or, left, right),
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Modulo => arithmetic::bind(ctx, op, left, right),
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual => compare::bind(ctx, op, left, right),
        op => search::bind(ctx, op, left, right),
    }
}

fn logical(ctx: &BindContext, op: Operator, left: Typed, right: Typed) -> Bound {
    let args = [
        accept(ctx, &left, P::Bool, 0)?,
        accept(ctx, &right, P::Bool, 1)?,
    ];
    let expr = binary_expr(args[0].expr.clone(), op, args[1].expr.clone());
    Ok(fold(expr, KustoType::Bool, &args))
}

/// `-x`, `+x`.
pub fn unary(ctx: &BindContext, op: UnaryOp, operand: Typed) -> Bound {
    let number = operand.ty.is_numeric() || operand.ty == KustoType::TimeSpan;
    match op {
        UnaryOp::Plus if number => Ok(operand),
        UnaryOp::Minus if operand.ty == KustoType::Real => {
            let expr = Expr::Negative(Box::new(operand.expr.clone()));
            Ok(fold(expr, KustoType::Real, &[operand]))
        }
        UnaryOp::Minus if number => {
            let zero = match operand.ty {
                KustoType::TimeSpan => Value::TimeSpan(0),
                _ => Value::Long(0),
            };
            binary(ctx, BinaryOp::Subtract, super::literal(zero), operand)
        }
        _ => Err(FunctionError::new(format!(
            "'{}' needs a number or a timespan, not {}",
            if op == UnaryOp::Minus { "-" } else { "+" },
            super::args::article(operand.ty)
        ))
        .at(0)),
    }
}

/// `in`, `has_any` and the like.
pub fn list(ctx: &BindContext, op: ListOp, left: Typed, right: Vec<Typed>) -> Bound {
    list::bind(ctx, op, left, right)
}

/// `x between (low .. high)`: with a timespan above a datetime, `high` counts from `low`.
pub fn between(ctx: &BindContext, negated: bool, value: Typed, low: Typed, high: Typed) -> Bound {
    let high = if low.ty == KustoType::DateTime && high.ty == KustoType::TimeSpan {
        binary(ctx, BinaryOp::Add, low.clone(), high)?
    } else {
        high
    };
    let above = binary(ctx, BinaryOp::GreaterOrEqual, value.clone(), low)?;
    let below = binary(ctx, BinaryOp::LessOrEqual, value, high)?;
    let inside = binary(ctx, BinaryOp::And, above, below)?;
    Ok(if negated { not(inside) } else { inside })
}

/// The opposite of a truth value; null stays null.
pub(super) fn not(value: Typed) -> Typed {
    let expr = Expr::Not(Box::new(value.expr.clone()));
    fold(expr, KustoType::Bool, &[value])
}

/// `d[0]`, `d["a"]`. Steps into one value are one call: nothing is copied but what the last gives.
pub fn element(ctx: &BindContext, base: Typed, index: Typed) -> Bound {
    let base = match base.ty {
        KustoType::Dynamic => base,
        ty => {
            return Err(FunctionError::new(format!(
                "only a dynamic value has elements, not {}",
                super::args::article(ty)
            ))
            .at(0)
            .hint("read it with parse_json() first"));
        }
    };
    let index = match index.ty {
        KustoType::String | KustoType::Long => index,
        KustoType::Int => cast::convert(ctx, index, KustoType::Long)?,
        KustoType::Dynamic => index,
        ty => {
            return Err(FunctionError::new(format!(
                "an element is picked by a number or a name, not {}",
                super::args::article(ty)
            ))
            .at(1));
        }
    };
    Ok(super::dynamic::path(base, index))
}

/// Whether a text has another as a whole term, case aside.
pub(super) fn has_term(text: &str, needle: &str) -> bool {
    terms::Needle::new(needle, terms::Place::Term, true).is_in(text)
}
