//! Conversions between Kusto's types: the `to...()` functions, and the conversions that Kusto does unasked.
//!
//! Source: Kusto's documentation of each `to...()` function. What does not convert is null.

use datafusion::logical_expr::{Expr, cast as df_cast};
use spoor_table::dynamic::{Kind, parse_json_into};
use spoor_table::{Cell, DECIMAL_SCALE, DynamicRef, KustoType, format, parse, ticks};

use super::args::count;
use super::udf::{Body, Out, call, fold};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, FunctionError, Typed};

function_table! {
    "tobool", "tobool(value)", "Converts a value to bool; text must be true, false or a whole number.", |c, a| to(c, a, KustoType::Bool);
    "toboolean", "toboolean(value)", "Converts a value to bool; the same as tobool.", |c, a| to(c, a, KustoType::Bool);
    "toint", "toint(value)", "Converts a value to a 32-bit integer; fractions are cut off.", |c, a| to(c, a, KustoType::Int);
    "tolong", "tolong(value)", "Converts a value to a 64-bit integer; fractions are cut off.", |c, a| to(c, a, KustoType::Long);
    "toreal", "toreal(value)", "Converts a value to a floating-point number.", |c, a| to(c, a, KustoType::Real);
    "todouble", "todouble(value)", "Converts a value to a floating-point number; the same as toreal.", |c, a| to(c, a, KustoType::Real);
    "todecimal", "todecimal(value)", "Converts a value to a decimal number.", |c, a| to(c, a, KustoType::Decimal);
    "tostring", "tostring(value)", "Gives a value's text; a null gives the empty text.", |c, a| to(c, a, KustoType::String);
    "todatetime", "todatetime(value)", "Reads a datetime from text, or from ticks of 100 ns.", |c, a| to(c, a, KustoType::DateTime);
    "totimespan", "totimespan(value)", "Reads a timespan from text, or from ticks of 100 ns.", |c, a| to(c, a, KustoType::TimeSpan);
    "totime", "totime(value)", "Reads a timespan; the same as totimespan.", |c, a| to(c, a, KustoType::TimeSpan);
    "toguid", "toguid(value)", "Reads a guid from text.", |c, a| to(c, a, KustoType::Guid);
    "todynamic", "todynamic(value)", "Reads text as JSON; text that is not JSON stays text.", |c, a| json(c, a);
    "parse_json", "parse_json(text)", "Reads text as JSON; text that is not JSON stays text.", |c, a| json(c, a);
    "parsejson", "parsejson(text)", "Reads text as JSON; the same as parse_json.", |c, a| json(c, a);
    "toobject", "toobject(text)", "Reads text as JSON; the same as parse_json.", |c, a| json(c, a);
    "gettype", "gettype(value)", "Names a value's type; of a dynamic value, what it holds.", |_, a| { count(a, 1, 1)?; Ok(get_type(&a[0])) };
}

fn to(ctx: &BindContext, args: &[Typed], ty: KustoType) -> Bound {
    count(args, 1, 1)?;
    convert(ctx, args[0].clone(), ty)
}

fn json(_: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 1)?;
    Ok(to_dynamic(&args[0]))
}

/// The argument as a dynamic value: text is read as JSON.
fn to_dynamic(arg: &Typed) -> Typed {
    match arg.ty {
        KustoType::Dynamic => arg.clone(),
        KustoType::String => call(
            "parse_json",
            std::slice::from_ref(arg),
            KustoType::Dynamic,
            Body::Rows(parse_json),
        ),
        _ => wrap(arg),
    }
}

/// The argument as a dynamic value that holds it as it is: text stays text.
pub(super) fn wrap(arg: &Typed) -> Typed {
    match arg.ty {
        KustoType::Dynamic => arg.clone(),
        _ => call(
            "wrap_dynamic",
            std::slice::from_ref(arg),
            KustoType::Dynamic,
            Body::Rows(|cells, out| out.cell(cells[0])),
        ),
    }
}

/// The conversion that `to<type>()` does. Every pair of types has one, though it may give only nulls.
///
/// # Errors
/// Where Kusto refuses: a datetime or a timespan as a bool or guid.
pub fn convert(_: &BindContext, arg: Typed, to: KustoType) -> Bound {
    if arg.ty == to {
        return Ok(arg);
    }
    if let Some(value) = &arg.constant
        && value.is_null()
        && arg.ty != KustoType::String
    {
        return Ok(literal(spoor_table::Value::null(to)));
    }
    if widens(arg.ty, to) {
        return Ok(widen(&arg, to));
    }
    let refused = matches!(
        (arg.ty, to),
        (
            KustoType::DateTime | KustoType::TimeSpan,
            KustoType::Bool | KustoType::Guid
        ) | (KustoType::DateTime, KustoType::TimeSpan)
            | (KustoType::TimeSpan, KustoType::DateTime)
    );
    if refused {
        return Err(FunctionError::new(format!("a {} cannot be converted to {to}", arg.ty)).at(0));
    }
    let (name, body): (_, super::udf::RowFn) = match to {
        KustoType::Bool => ("tobool", to_bool),
        KustoType::Int => ("toint", to_int),
        KustoType::Long => ("tolong", to_long),
        KustoType::Real => ("todouble", to_real),
        KustoType::Decimal => ("todecimal", to_decimal),
        KustoType::DateTime => ("todatetime", to_datetime),
        KustoType::TimeSpan => ("totimespan", to_timespan),
        KustoType::Guid => ("toguid", to_guid),
        KustoType::String => ("tostring", to_string),
        KustoType::Dynamic => return Ok(to_dynamic(&arg)),
    };
    Ok(call(name, &[arg], to, Body::Strict(body)))
}

fn widens(from: KustoType, to: KustoType) -> bool {
    use KustoType::{DateTime, Int, Long, Real, TimeSpan};
    matches!(
        (from, to),
        (Int, Long | Real) | (Long, Real) | (DateTime | TimeSpan, Long | Real)
    )
}

fn widen(arg: &Typed, to: KustoType) -> Typed {
    let same = arg.ty.arrow() == to.arrow();
    let expr: Expr = if same {
        arg.expr.clone()
    } else {
        df_cast(arg.expr.clone(), to.arrow())
    };
    if same {
        // The representation stays, so a constant must say its new type itself.
        let constant = match (&arg.constant, to) {
            (
                Some(spoor_table::Value::DateTime(t) | spoor_table::Value::TimeSpan(t)),
                KustoType::Long,
            ) => Some(spoor_table::Value::Long(*t)),
            _ => None,
        };
        return Typed {
            expr,
            ty: to,
            constant,
        };
    }
    fold(expr, to, std::slice::from_ref(arg))
}

fn parse_json(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::String("")] => out.null(),
        [Cell::String(text)] => out.dynamic(|b| {
            if !parse_json_into(text, b) {
                b.clear();
                b.string(text);
            }
        }),
        _ => out.null(),
    }
}

/// The scalar inside a dynamic value; containers are none.
fn inner(value: DynamicRef<'_>) -> Option<Cell<'_>> {
    Some(match value.kind() {
        Kind::Bool(v) => Cell::Bool(v),
        Kind::Long(v) => Cell::Long(v),
        Kind::Real(v) => Cell::Real(v),
        Kind::String(v) => Cell::String(v),
        Kind::DateTime(v) => Cell::DateTime(v),
        Kind::TimeSpan(v) => Cell::TimeSpan(v),
        Kind::Guid(v) => Cell::Guid(v),
        Kind::Decimal(v) => Cell::Decimal(v),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => return None,
    })
}

/// The cell, or the scalar inside it when it is dynamic.
pub(super) fn scalar(cell: Cell<'_>) -> Option<Cell<'_>> {
    match cell {
        Cell::Dynamic(value) => inner(value),
        Cell::Null => None,
        cell => Some(cell),
    }
}

fn scalar_of<'a>(cells: &[Cell<'a>]) -> Option<Cell<'a>> {
    scalar(*cells.first()?)
}

fn to_bool(cells: &[Cell<'_>], out: &mut Out) {
    let value = match scalar_of(cells) {
        Some(Cell::Bool(v)) => Some(v),
        Some(Cell::Int(v)) => Some(v != 0),
        Some(Cell::Long(v)) => Some(v != 0),
        Some(Cell::Real(v)) => Some(v != 0.0),
        Some(Cell::Decimal(v)) => Some(v != 0),
        Some(Cell::String(v)) if v.trim() == v => parse::boolean(v),
        _ => None,
    };
    out.maybe(value, Out::bool);
}

const UNIT: i128 = 10_i128.pow(DECIMAL_SCALE as u32);

fn whole(cell: Option<Cell<'_>>) -> Option<i64> {
    match cell? {
        Cell::Bool(v) => Some(i64::from(v)),
        Cell::Int(v) => Some(i64::from(v)),
        Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => Some(v),
        Cell::Real(v) => real_to_long(v),
        Cell::Decimal(v) => i64::try_from(v / UNIT).ok(),
        Cell::String(v) => parse::long(v),
        _ => None,
    }
}

/// Cut off towards zero; NaN and the infinities are null, the rest saturates.
fn real_to_long(value: f64) -> Option<i64> {
    value.is_finite().then_some(value as i64)
}

fn to_int(cells: &[Cell<'_>], out: &mut Out) {
    let cell = scalar_of(cells);
    let value = match cell {
        // Text must fit; numbers wrap.
        Some(Cell::String(_)) => whole(cell)
            .and_then(|v| i32::try_from(v).ok())
            .map(i64::from),
        Some(Cell::Real(v)) => v.is_finite().then_some(i64::from(v as i32)),
        cell => whole(cell),
    };
    out.maybe(value, Out::long);
}

fn to_long(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(whole(scalar_of(cells)), Out::long);
}

/// A number as a real.
pub(super) fn as_real(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Bool(v) => Some(f64::from(u8::from(v))),
        Cell::Int(v) => Some(f64::from(v)),
        Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => Some(v as f64),
        Cell::Real(v) => Some(v),
        Cell::Decimal(v) => {
            let mut text = String::new();
            format::push_decimal(&mut text, v);
            text.parse().ok()
        }
        Cell::String(v) => parse::real(v),
        Cell::Dynamic(v) => as_real(inner(v)?),
        Cell::Null | Cell::Guid(_) => None,
    }
}

fn to_real(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(scalar_of(cells).and_then(as_real), Out::real);
}

fn to_decimal(cells: &[Cell<'_>], out: &mut Out) {
    let value = match scalar_of(cells) {
        Some(Cell::Decimal(v)) => Some(v),
        Some(Cell::Real(v)) => parse::decimal(&format!("{v:e}")),
        Some(Cell::String(v)) => parse::decimal(v),
        cell => whole(cell).and_then(|v| i128::from(v).checked_mul(UNIT)),
    };
    out.maybe(value, Out::decimal);
}

fn to_datetime(cells: &[Cell<'_>], out: &mut Out) {
    let value = match scalar_of(cells) {
        Some(Cell::DateTime(v)) => Some(v),
        Some(Cell::String(v)) => parse::datetime(v),
        Some(Cell::Bool(_)) => None,
        cell => whole(cell).filter(|v| (0..=ticks::DATETIME_MAX).contains(v)),
    };
    out.maybe(value, Out::long);
}

fn to_timespan(cells: &[Cell<'_>], out: &mut Out) {
    let value = match scalar_of(cells) {
        Some(Cell::TimeSpan(v)) => Some(v),
        Some(Cell::String(v)) => parse::timespan(v),
        Some(Cell::Bool(_)) => None,
        cell => whole(cell),
    };
    out.maybe(value, Out::long);
}

fn to_guid(cells: &[Cell<'_>], out: &mut Out) {
    let value = match scalar_of(cells) {
        Some(Cell::Guid(v) | Cell::String(v)) => parse::guid(v),
        _ => None,
    };
    out.maybe(value, |out, v| out.text(&v));
}

fn to_string(cells: &[Cell<'_>], out: &mut Out) {
    match cells {
        [Cell::Dynamic(value)] if value.as_str().is_some() => {
            out.text(value.as_str().unwrap_or_default())
        }
        [cell] => out.write_text(|text| push_text(text, *cell)),
        _ => out.null(),
    }
}

/// A cell's text as `tostring` gives it: the infinities are `inf` there.
pub(super) fn push_text(text: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Real(v) if v.is_infinite() => text.push_str(if v > 0.0 { "inf" } else { "-inf" }),
        // Whole numbers keep a point there, so that they read back as reals.
        Cell::Real(v) if v.fract() == 0.0 && v.abs() < 1e15 => {
            format::push_real(text, v);
            text.push_str(".0");
        }
        cell => format::push_text(text, cell),
    }
}

fn get_type(arg: &Typed) -> Typed {
    if arg.ty == KustoType::Dynamic {
        return call(
            "gettype",
            std::slice::from_ref(arg),
            KustoType::String,
            Body::Rows(|cells, out| match cells {
                [Cell::Dynamic(value)] => out.text(value.type_name()),
                _ => out.text("null"),
            }),
        );
    }
    literal(spoor_table::Value::String(arg.ty.name().to_owned()))
}
