//! Checking and converting the arguments of a call.

use spoor_table::{KustoType, Value};

use super::Bound;
use super::udf::{Body, call};
use crate::functions::cast::convert;
use crate::typed::{BindContext, FunctionError, Typed};

/// What a parameter accepts. A dynamic value is accepted everywhere and converted, as Kusto does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum P {
    /// Text; a guid too.
    Text,
    /// A whole number.
    Long,
    /// Any number, as a real.
    Real,
    /// A truth value.
    Bool,
    /// An instant.
    DateTime,
    /// A length of time.
    TimeSpan,
    /// A dynamic value.
    Dynamic,
    /// Any type, as text.
    AsText,
}

/// How many things a number means: none if it is negative, all there can be if it is past what memory counts, which in
/// WebAssembly is 32 bits.
pub(super) fn quantity(number: i64) -> usize {
    usize::try_from(number.max(0)).unwrap_or(usize::MAX)
}

/// Checks the number of arguments.
pub(super) fn count(args: &[Typed], least: usize, most: usize) -> Result<(), FunctionError> {
    if (least..=most).contains(&args.len()) {
        return Ok(());
    }
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let wanted = if least == most {
        format!("{least} {}", plural(least))
    } else if most == usize::MAX {
        format!("at least {least} {}", plural(least))
    } else {
        format!("{least} to {most} arguments")
    };
    Err(FunctionError::new(format!(
        "expects {wanted}, not {}",
        args.len()
    )))
}

/// Converts one argument to what its parameter accepts.
pub(super) fn accept(ctx: &BindContext, arg: &Typed, param: P, at: usize) -> Bound {
    let ty = arg.ty;
    let wanted = match param {
        P::Text if ty == KustoType::String => return Ok(arg.clone()),
        P::Text if matches!(ty, KustoType::Dynamic | KustoType::Guid) => KustoType::String,
        P::AsText => KustoType::String,
        P::Long if ty.is_integer() || ty == KustoType::Dynamic => KustoType::Long,
        P::Real if ty.is_numeric() || ty == KustoType::Dynamic => KustoType::Real,
        P::Bool if matches!(ty, KustoType::Bool | KustoType::Dynamic) || ty.is_numeric() => {
            KustoType::Bool
        }
        P::DateTime if matches!(ty, KustoType::DateTime | KustoType::Dynamic) => {
            KustoType::DateTime
        }
        P::TimeSpan if matches!(ty, KustoType::TimeSpan | KustoType::Dynamic) => {
            KustoType::TimeSpan
        }
        P::Dynamic if ty == KustoType::Dynamic => return Ok(arg.clone()),
        _ => return Err(mismatch(param, ty, at)),
    };
    convert(ctx, arg.clone(), wanted)
}

fn mismatch(param: P, found: KustoType, at: usize) -> FunctionError {
    let (wanted, conversion) = match param {
        P::Text => ("a string", Some("tostring()")),
        P::Long => ("a whole number", Some("tolong()")),
        P::Real => ("a number", Some("todouble()")),
        P::Bool => ("a bool", Some("tobool()")),
        P::DateTime => ("a datetime", Some("todatetime()")),
        P::TimeSpan => ("a timespan", Some("totimespan()")),
        P::Dynamic => ("a dynamic value", Some("parse_json()")),
        P::AsText => ("a value", None),
    };
    let error = FunctionError::new(format!("expects {wanted} here, not {}", article(found))).at(at);
    match conversion {
        Some(name) => error.hint(format!("convert it with {name}")),
        None => error,
    }
}

/// The type's name with its article.
pub fn article(ty: KustoType) -> String {
    let an = matches!(ty, KustoType::Int);
    format!("{} {ty}", if an { "an" } else { "a" })
}

/// Converts all arguments; the last `params` entries from `least` on may be missing.
pub(super) fn accept_all(
    ctx: &BindContext,
    args: &[Typed],
    least: usize,
    params: &[P],
) -> Result<Vec<Typed>, FunctionError> {
    count(args, least, params.len())?;
    args.iter()
        .zip(params)
        .enumerate()
        .map(|(at, (arg, param))| accept(ctx, arg, *param, at))
        .collect()
}

/// Binds a function of fixed parameters.
pub(super) fn fixed(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    params: &[P],
    ret: KustoType,
    body: Body,
) -> Bound {
    optional(ctx, args, name, params.len(), params, ret, body)
}

/// Binds a function whose parameters after the first `least` may be missing.
pub(super) fn optional(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    least: usize,
    params: &[P],
    ret: KustoType,
    body: Body,
) -> Bound {
    Ok(call(
        name,
        &accept_all(ctx, args, least, params)?,
        ret,
        body,
    ))
}

/// Binds a function of any number of arguments, at least `least`, which all convert alike.
pub(super) fn variadic(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    least: usize,
    param: P,
    ret: KustoType,
    body: Body,
) -> Bound {
    count(args, least, usize::MAX)?;
    let args: Result<Vec<Typed>, _> = args
        .iter()
        .enumerate()
        .map(|(at, arg)| accept(ctx, arg, param, at))
        .collect();
    Ok(call(name, &args?, ret, body))
}

/// The type that values of both types convert to without loss of meaning, if there is one.
pub(super) fn common(a: KustoType, b: KustoType) -> Option<KustoType> {
    use KustoType::{Decimal, Dynamic, Int, Long, Real};
    Some(match (a, b) {
        (a, b) if a == b => a,
        (Int, Long) | (Long, Int) => Long,
        (Int | Long | Real, Decimal) | (Decimal, Int | Long | Real) => Decimal,
        (Int | Long, Real) | (Real, Int | Long) => Real,
        (Dynamic, _) | (_, Dynamic) => Dynamic,
        _ => return None,
    })
}

/// A constant whole number that an option must be.
pub(super) fn constant_long(
    ctx: &BindContext,
    arg: &Typed,
    at: usize,
) -> Result<i64, FunctionError> {
    match accept(ctx, arg, P::Long, at)?.constant {
        Some(Value::Long(value)) => Ok(value),
        _ => Err(FunctionError::new("expects a constant here").at(at)),
    }
}
