//! Which of a result's columns is the x axis, which are values, and which name the series.
//!
//! The rules are those of Kusto's documentation of the `render` operator: the first column is x
//! (for a time chart the first datetime), numbers are values, and texts name series, unless the
//! query says otherwise by `xcolumn`, `ycolumns` and `series`.

use spoor_table::{Column, KustoType, Table};

use crate::ChartError;
use crate::model::Kind;
use crate::options::Options;

/// Positions of columns by their part in the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    pub x: usize,
    pub values: Vec<usize>,
    pub series: Vec<usize>,
    pub anomalies: Vec<usize>,
}

/// Whether cells of a column can be values on an axis. Dynamic columns can: `make-series` makes
/// arrays of numbers.
fn is_value(ty: KustoType) -> bool {
    ty.is_numeric() || matches!(ty, KustoType::TimeSpan | KustoType::Dynamic)
}

fn is_quantity(ty: KustoType) -> bool {
    ty.is_numeric() || matches!(ty, KustoType::DateTime | KustoType::TimeSpan)
}

/// Finds the roles for a chart of `kind` (`asked` is its name in the query), or says what is
/// missing.
pub(crate) fn roles(
    table: &Table,
    kind: Kind,
    asked: &str,
    options: &Options,
) -> Result<Roles, ChartError> {
    let columns = table.columns();
    let named = |name: &String| named(columns, asked, name);
    let x = match &options.x_column {
        Some(name) => named(name)?,
        None => default_x(columns, kind, asked)?,
    };
    let anomalies = match options.anomaly_columns.as_slice() {
        [] if options.anomalies => flags(columns),
        names => names.iter().map(named).collect::<Result<Vec<_>, _>>()?,
    };
    let values = match options.y_columns.as_slice() {
        [] => default_values(columns, kind, x, &options.series, &anomalies),
        names => names.iter().map(named).collect::<Result<Vec<_>, _>>()?,
    };
    if let Some(wrong) = values.iter().find(|i| !is_value(columns[**i].ty)) {
        let needs = format!(
            "numbers in its ycolumns ('{}' is not one)",
            columns[*wrong].name
        );
        return Err(missing(columns, asked, &needs));
    }
    if values.is_empty() {
        return Err(missing(
            columns,
            asked,
            "a column of numbers besides its x axis",
        ));
    }
    let series = match options.series.as_slice() {
        [] => (0..columns.len())
            .filter(|i| *i != x && !values.contains(i) && names_series(columns[*i].ty))
            .collect(),
        names => names.iter().map(named).collect::<Result<Vec<_>, _>>()?,
    };
    Ok(Roles {
        x,
        values,
        series,
        anomalies,
    })
}

/// The columns that `series_decompose_anomalies` names so that they are found.
fn flags(columns: &[Column]) -> Vec<usize> {
    let is_flag = |i: &usize| columns[*i].name.ends_with("_ad_flag");
    (0..columns.len()).filter(is_flag).collect()
}

/// The roles for a pivot chart: two dimensions, the first for x and the second for series, and the
/// numbers that are summed; without numbers rows are counted.
pub(crate) fn pivot_roles(
    table: &Table,
    asked: &str,
    options: &Options,
) -> Result<Roles, ChartError> {
    let columns = table.columns();
    let named = |name: &String| named(columns, asked, name);
    let mut dimensions = dimensions(columns, asked, options, |ty| {
        names_series(ty) || ty == KustoType::DateTime
    })?;
    if let Some(name) = &options.x_column {
        let x = named(name)?;
        dimensions.retain(|i| *i != x);
        dimensions.insert(0, x);
    }
    let Some(x) = dimensions.first().copied() else {
        return Err(missing(
            columns,
            asked,
            "a column of texts or datetimes to sum by",
        ));
    };
    let values = match options.y_columns.as_slice() {
        [] => numbers(columns).filter(|i| *i != x).take(1).collect(),
        names => names.iter().map(named).collect::<Result<Vec<_>, _>>()?,
    };
    Ok(Roles {
        x,
        values,
        series: dimensions.get(1).copied().into_iter().collect(),
        anomalies: Vec::new(),
    })
}

/// The columns whose values group rows: those of the property `series`, or all whose type `fits`.
pub(crate) fn dimensions(
    columns: &[Column],
    asked: &str,
    options: &Options,
    fits: fn(KustoType) -> bool,
) -> Result<Vec<usize>, ChartError> {
    match options.series.as_slice() {
        [] => Ok((0..columns.len())
            .filter(|i| fits(columns[*i].ty))
            .collect()),
        names => names
            .iter()
            .map(|name| named(columns, asked, name))
            .collect(),
    }
}

/// The columns of numbers and of lengths of time.
pub(crate) fn numbers(columns: &[Column]) -> impl Iterator<Item = usize> {
    let is_number = |c: &Column| c.ty.is_numeric() || c.ty == KustoType::TimeSpan;
    let found = columns
        .iter()
        .enumerate()
        .filter(move |(_, c)| is_number(c));
    found.map(|(i, _)| i)
}

/// Whether texts of a column name series and groups.
pub(crate) fn names_series(ty: KustoType) -> bool {
    matches!(ty, KustoType::String | KustoType::Guid | KustoType::Bool)
}

/// The column of a name.
pub(crate) fn named(columns: &[Column], asked: &str, name: &str) -> Result<usize, ChartError> {
    columns
        .iter()
        .position(|c| c.name == *name)
        .ok_or_else(|| missing(columns, asked, &format!("its column '{name}'")))
}

fn default_x(columns: &[Column], kind: Kind, asked: &str) -> Result<usize, ChartError> {
    let first = |wanted: fn(KustoType) -> bool| columns.iter().position(|c| wanted(c.ty));
    let series_of_arrays = first(|ty| ty == KustoType::Dynamic)
        .filter(|_| first(|t| t == KustoType::DateTime).is_none());
    let found = match kind {
        Kind::Time => match series_of_arrays {
            // `make-series` puts its axis last.
            Some(_) => columns.iter().rposition(|c| c.ty == KustoType::Dynamic),
            None => first(|ty| ty == KustoType::DateTime),
        },
        Kind::Line | Kind::Area | Kind::Scatter => match columns.first() {
            Some(c) if is_quantity(c.ty) => Some(0),
            Some(_) if series_of_arrays.is_some() => {
                columns.iter().rposition(|c| c.ty == KustoType::Dynamic)
            }
            Some(_) => first(|ty| ty == KustoType::DateTime).or(Some(0)),
            None => None,
        },
        _ if columns.is_empty() => None,
        _ => Some(0),
    };
    let needs = if kind == Kind::Time {
        "a datetime column"
    } else {
        "a first column for its x axis"
    };
    found.ok_or_else(|| missing(columns, asked, needs))
}

fn default_values(
    columns: &[Column],
    kind: Kind,
    x: usize,
    series: &[String],
    anomalies: &[usize],
) -> Vec<usize> {
    let free = |i: &usize| *i != x && !series.contains(&columns[*i].name) && !anomalies.contains(i);
    let of = |wanted: fn(KustoType) -> bool| {
        (0..columns.len())
            .filter(free)
            .filter(|i| wanted(columns[*i].ty))
            .collect::<Vec<_>>()
    };
    let mut values = of(KustoType::is_numeric);
    if columns.get(x).is_some_and(|c| c.ty == KustoType::Dynamic) {
        values = of(|ty| ty == KustoType::Dynamic);
    } else if values.is_empty() {
        values = of(|ty| ty == KustoType::TimeSpan);
    }
    if kind == Kind::Pie {
        values.truncate(1);
    }
    values
}

/// The error that a chart needs what the result does not have.
pub(crate) fn missing(columns: &[Column], asked: &str, needs: &str) -> ChartError {
    let has: Vec<_> = columns
        .iter()
        .map(|c| format!("{} ({})", c.name, c.ty.name()))
        .collect();
    let has = if has.is_empty() {
        "no columns".into()
    } else {
        has.join(", ")
    };
    ChartError::Columns {
        kind: asked.into(),
        needs: needs.into(),
        has,
    }
}
