//! Cells of a result as numbers on an axis.

use spoor_table::ticks::MILLISECOND;
use spoor_table::{Cell, DECIMAL_SCALE, DynamicRef, KustoType, dynamic, format, parse};

use crate::model::{AxisType, Kind};
use crate::ticks;

/// What numbers along x mean for a column of `ty`.
pub(super) fn axis_type(ty: KustoType, kind: Kind) -> AxisType {
    match (ty, kind) {
        (_, Kind::Bar | Kind::Pie) => AxisType::Category,
        (KustoType::DateTime, _) => AxisType::DateTime,
        (_, Kind::Column) => AxisType::Category,
        (KustoType::TimeSpan, _) => AxisType::TimeSpan,
        (ty, _) if ty.is_numeric() => AxisType::Number,
        _ => AxisType::Category,
    }
}

/// What a column's numbers mean on an axis that is not of categories.
pub(super) fn quantity(ty: KustoType) -> Option<AxisType> {
    match ty {
        KustoType::DateTime => Some(AxisType::DateTime),
        KustoType::TimeSpan => Some(AxisType::TimeSpan),
        ty if ty.is_numeric() => Some(AxisType::Number),
        _ => None,
    }
}

/// A cell as the name of a category.
pub(super) fn name(cell: Cell<'_>) -> String {
    match cell {
        Cell::DateTime(ticks) => ticks::moment(ticks::unix_ms(ticks)),
        Cell::String("") => "(empty)".into(),
        Cell::Null => "(null)".into(),
        other => format::text(other),
    }
}

/// A cell as a number on an axis; none for nulls, texts and what is not finite.
pub(super) fn figure(cell: Cell<'_>) -> Option<f64> {
    let value = match cell {
        Cell::Int(v) => f64::from(v),
        Cell::Long(v) => v as f64,
        Cell::Real(v) => v,
        Cell::Decimal(v) => v as f64 / 10f64.powi(i32::from(DECIMAL_SCALE)),
        Cell::DateTime(v) => ticks::unix_ms(v),
        Cell::TimeSpan(v) => v as f64 / MILLISECOND as f64,
        Cell::Dynamic(v) => return dynamic_figure(v),
        Cell::Bool(_) | Cell::Null | Cell::String(_) | Cell::Guid(_) => return None,
    };
    value.is_finite().then_some(value)
}

pub(super) fn dynamic_figure(value: DynamicRef<'_>) -> Option<f64> {
    let number = match value.kind() {
        dynamic::Kind::Long(v) => v as f64,
        dynamic::Kind::Real(v) => v,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A place on an axis that is an array, with what its numbers mean.
pub(super) fn dynamic_place(value: DynamicRef<'_>) -> Option<(f64, AxisType)> {
    match value.kind() {
        dynamic::Kind::DateTime(ticks) => Some((ticks::unix_ms(ticks), AxisType::DateTime)),
        dynamic::Kind::TimeSpan(ticks) => {
            Some((ticks as f64 / MILLISECOND as f64, AxisType::TimeSpan))
        }
        dynamic::Kind::String(text) => {
            Some((ticks::unix_ms(parse::datetime(text)?), AxisType::DateTime))
        }
        _ => dynamic_figure(value).map(|v| (v, AxisType::Number)),
    }
}
