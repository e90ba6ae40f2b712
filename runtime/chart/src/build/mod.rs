//! Fills a [`Chart`] from a query's result.

mod cells;
mod lanes;
mod points;
mod shape;
mod tree;

use spoor_table::{Table, format};

use crate::ChartError;
use crate::columns::{Roles, pivot_roles, roles};
use crate::model::{Card, Chart, Kind};
use crate::options::{self, Options};
use points::Builder;

/// The most series drawn.
const MAX_SERIES: usize = 60;
/// The most points kept of one chart; lines keep their peaks beyond that.
const MAX_POINTS: usize = 40_000;
/// The most rows looked at. A chart of more is of no use to an eye.
const MAX_ROWS: usize = 2_000_000;
/// The most bars and lanes down a side.
const MAX_BARS: usize = 40;

impl Chart {
    /// The chart that `render kind with (properties)` makes of `table`, by Kusto's rules. A
    /// property with a list of names is given once for each or with commas.
    ///
    /// Fails where the kind is not drawn, a property is unknown or a column is missing; the
    /// caller then shows the table with the error's text as a note.
    pub fn from_table(
        table: &Table,
        kind: &str,
        properties: &[(String, String)],
    ) -> Result<Chart, ChartError> {
        let Some(asked) = options::kind(kind) else {
            return Err(ChartError::Kind { kind: kind.into() });
        };
        let mut options = Options::read(kind, properties, asked.stacking)?;
        options.anomalies = asked.anomalies;
        match asked.kind {
            Kind::Card => Ok(card(table, &options)),
            Kind::Treemap => tree::build(table, kind, options),
            Kind::Ladder | Kind::TimePivot => lanes::build(table, asked.kind, kind, options),
            drawn if asked.pivot => {
                let roles = pivot_roles(table, kind, &options)?;
                options.notes.push(pivot_note(table, &roles));
                Ok(Builder::read(table, drawn, &roles).finish(options))
            }
            drawn => {
                let roles = roles(table, drawn, kind, &options)?;
                if asked.anomalies && roles.anomalies.is_empty() {
                    let how = "No anomalies are marked: name their columns with anomalycolumns.";
                    options.notes.push(how.into());
                }
                Ok(Builder::read(table, drawn, &roles).finish(options))
            }
        }
    }
}

/// What a pivot chart shows here: the table that one would drag together in Kusto's.
fn pivot_note(table: &Table, roles: &Roles) -> String {
    let name = |i: &usize| table.columns()[*i].name.as_str();
    let what = match roles.values.as_slice() {
        [] => "the number of rows".to_string(),
        values => format!(
            "sums of {}",
            values.iter().map(name).collect::<Vec<_>>().join(", ")
        ),
    };
    let by: Vec<_> = std::iter::once(&roles.x)
        .chain(&roles.series)
        .map(name)
        .collect();
    format!(
        "A pivot chart is drawn as columns: {what} by {}.",
        by.join(" and ")
    )
}

fn card(table: &Table, options: &Options) -> Chart {
    let mut cards = Vec::new();
    for (i, column) in table
        .columns()
        .iter()
        .enumerate()
        .take(if table.rows() > 0 { 12 } else { 0 })
    {
        let value = table.value(0, i);
        cards.push(Card {
            label: column.name.clone(),
            value: format::text(value.cell()),
        });
    }
    Chart {
        title: options.title.clone(),
        note: note(&options.notes),
        cards,
        ..Chart::new(Kind::Card)
    }
}

fn note(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join(" "))
}
