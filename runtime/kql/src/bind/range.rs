//! `range`: a table of evenly spaced values, which are made while the query runs.

use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::ast::{Expr, Name, Span};
use spoor_table::{Column, KustoType, Value};

use super::relation::{Order, Relation};
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::{RangeTable, Steps};

/// The values of a range.
#[derive(Debug, PartialEq)]
struct Progression {
    ty: KustoType,
    steps: Steps,
    rows: u64,
}

impl Binder<'_> {
    /// `range column from a to b step c`.
    pub(super) fn range(
        &mut self,
        column: &Name,
        [from, to, step]: [&Expr; 3],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let first = self.constant(from, scope, "the first value")?;
        let last = self.constant(to, scope, "the last value")?;
        let distance = self.constant(step, scope, "the step")?;
        if [&first, &last, &distance]
            .iter()
            .any(|value| value.is_null())
        {
            return Err(self.error(span, "`range` cannot count from, to or by a null"));
        }
        if is_zero(&distance) {
            let hint = Some("its sign is the direction in which it counts");
            return Err(self.error_hint(step.span, "the step of `range` must not be 0", hint));
        }
        let Some(progression) = progression(&first, &last, &distance) else {
            let message =
                "`range` takes numbers with a number as step, or datetimes with a timespan";
            return Err(self.error(span, message));
        };
        let columns = [Column::new(&column.text, progression.ty)];
        let [only] = columns.clone();
        let table = RangeTable::new(only, progression.steps, progression.rows);
        let mut relation = self.scan(provider_as_source(Arc::new(table)), &columns, span)?;
        relation.order = Order {
            serialized: true,
            ..Order::default()
        };
        Ok(relation)
    }
}

fn is_zero(value: &Value) -> bool {
    as_integer(value) == Some(0) || as_real(value) == Some(0.0)
}

/// The values between two ends, both included; `None` for types that have no range and ends that are no numbers.
fn progression(first: &Value, last: &Value, step: &Value) -> Option<Progression> {
    let ty = match (first.ty(), last.ty(), step.ty()) {
        (a, b, c) if [a, b, c].contains(&KustoType::Real) => KustoType::Real,
        (KustoType::DateTime, KustoType::DateTime, KustoType::TimeSpan) => KustoType::DateTime,
        (KustoType::TimeSpan, KustoType::TimeSpan, KustoType::TimeSpan) => KustoType::TimeSpan,
        (KustoType::Int, KustoType::Int, KustoType::Int) => KustoType::Int,
        (a, b, c) if a.is_integer() && b.is_integer() && c.is_integer() => KustoType::Long,
        _ => return None,
    };
    if ty == KustoType::Real {
        return real_progression(as_real(first)?, as_real(last)?, as_real(step)?);
    }
    let (first, last, step) = (as_integer(first)?, as_integer(last)?, as_integer(step)?);
    let steps = match ty {
        KustoType::Int => Steps::Int { first, step },
        _ => Steps::Long { first, step },
    };
    let distance = (i128::from(last) - i128::from(first)).checked_div(i128::from(step))?;
    let away = last != first && (last < first) != (step < 0);
    let rows = if away {
        0
    } else {
        u64::try_from(distance + 1).ok()?
    };
    Some(Progression { ty, steps, rows })
}

fn real_progression(first: f64, last: f64, step: f64) -> Option<Progression> {
    let distance = ((last - first) / step).floor();
    // Beyond this a real no longer tells one value's number from the next.
    let countable = distance.is_finite() && distance < (1_u64 << 53) as f64;
    countable.then(|| Progression {
        ty: KustoType::Real,
        steps: Steps::Real { first, step },
        rows: if distance < 0.0 {
            0
        } else {
            distance as u64 + 1
        },
    })
}

/// A whole number, or the ticks of a datetime or timespan.
pub(super) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(*value),
        _ => None,
    }
}

/// A number as a real.
pub(super) fn as_real(value: &Value) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        Value::Int(value) => Some(f64::from(*value)),
        Value::Long(value) => Some(*value as f64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(first: i64, last: i64, step: i64) -> Option<u64> {
        let long = Value::Long;
        progression(&long(first), &long(last), &long(step)).map(|p| p.rows)
    }

    #[test]
    fn both_ends_count() {
        assert_eq!(rows(1, 10, 3), Some(4));
        assert_eq!(rows(1, 9, 3), Some(3));
        assert_eq!(rows(5, 5, -1), Some(1));
        assert_eq!(rows(3, 1, -1), Some(3));
        assert_eq!(rows(3, 1, 1), Some(0));
        assert_eq!(rows(1, 3, -1), Some(0));
    }

    #[test]
    fn the_whole_of_long_is_countable() {
        assert_eq!(rows(i64::MIN, i64::MAX, i64::MAX), Some(3));
        assert_eq!(rows(i64::MIN, i64::MAX, 2), Some(1 << 63));
        assert_eq!(rows(i64::MIN, i64::MAX, 1), None);
    }

    #[test]
    fn types_must_fit() {
        let day = Value::TimeSpan(864_000_000_000);
        assert_eq!(
            progression(&Value::DateTime(0), &Value::DateTime(1), &Value::Long(1)),
            None
        );
        assert!(progression(&Value::DateTime(0), &Value::DateTime(1), &day).is_some());
        let nan = Value::Real(f64::NAN);
        assert_eq!(progression(&nan, &Value::Long(1), &Value::Long(1)), None);
    }
}
