//! Anomalies in time series: each is split into trend, season and what is left, and what is left is scored.
//!
//! Rows are put on a grid of equal steps (`grid`, `series`), the period is found where none is given (`period`), trend and
//! season are taken as medians (`decompose`), and each residual is divided by how far residuals usually lie (`robust`):
//! the modified z-score of Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993), with its usual threshold of
//! 3.5. README.md compares it with MSTICPy's.

mod anomalies;
mod decompose;
mod fft;
mod grid;
mod period;
mod robust;
mod series;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use spoor_plugin::abi::Type;
use spoor_plugin::column::Column;
use spoor_plugin::value::FromColumn;
use spoor_plugin::{Datetime, Input, Output, Rows, Timespan, function, plugin};

use crate::series::{Combine, How};

/// A row of the input.
#[derive(Clone, Copy, Debug, Input)]
pub struct Reading<'a> {
    /// When it was; rows without are left out.
    pub time: Datetime,
    /// What is measured. Left out, the rows in each step are counted.
    #[input(optional)]
    pub value: Option<Measure>,
    /// The series that the row belongs to, as text. Left out, there is one; rows with a null or
    /// empty text are one series.
    #[input(optional)]
    pub key: Option<&'a str>,
}

/// A number or null, so that a null tells from a column that was left out.
#[derive(Clone, Copy, Debug)]
pub struct Measure(pub Option<f64>);

impl<'a> FromColumn<'a> for Measure {
    const TYPES: &'static [Type] = <f64 as FromColumn<'a>>::TYPES;
    const NULLABLE: bool = true;

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        Some(Measure(f64::get(column, row)))
    }
}

/// A step of a series.
#[derive(Clone, Debug, Output)]
pub struct Point<'a> {
    /// The key of the series; null where there is none.
    pub series: Option<&'a str>,
    /// When the step begins.
    pub time: Datetime,
    /// Its value, in the unit of the input; null where the step has none.
    pub value: Option<f64>,
    /// What was to be expected: Trend and Seasonal together.
    pub baseline: Option<f64>,
    /// Where the series goes without its season.
    pub trend: Option<f64>,
    /// What comes again each period; 0 where there is no period.
    pub seasonal: Option<f64>,
    /// Value less Baseline; null where there is no value.
    pub residual: Option<f64>,
    /// How unusual the residual is, in robust standard deviations; null in series of fewer than 8 values.
    pub score: Option<f64>,
    /// 1 for a spike, -1 for a dip, 0 for what is usual or without a score.
    pub anomaly: i32,
    /// The rows of the input in this step; 0 where it is a gap.
    pub rows: i64,
    /// The period of the series; null where none was found or given, or where less than two fit in.
    pub period: Option<Timespan>,
}

/// Anomalies in time series: spikes and dips against trend and season.
///
/// `T | evaluate timeseries_anomalies(TimeGenerated, Bytes, key=Computer) | where Anomaly != 0`
///
/// Answers a row for each step of each series, by key and time, gaps included. Trend and season are medians, so that an
/// anomaly does not hide itself or leave echoes. Without a value column, rows are counted. The last step of data that is
/// still coming in is a dip: leave it out.
#[function]
// Each is an option of the user's.
#[allow(clippy::too_many_arguments)]
pub fn timeseries_anomalies<'a>(
    rows: Rows<'a, Reading<'a>>,
    /// How long until the series repeats itself, as 1d. Found where left out: in hills of the autocorrelation, where at least
    /// three periods fit in. 0s for no season.
    #[option(default = None)]
    period: Option<Timespan>,
    /// How far apart values are, as 1h. Found where left out.
    #[option(default = None)]
    step: Option<Timespan>,
    /// What becomes of several values in a step: "sum", "mean", "max" or "min".
    #[option(default = "sum")]
    combine: &str,
    /// The value of steps without one, as 0: then all series span the same time. Left out, gaps stay gaps; where rows are
    /// counted, it is 0.
    #[option(default = None)]
    fill: Option<f64>,
    /// The score from which on a step is an anomaly, up or down.
    #[option(default = 3.5)]
    threshold: f64,
) -> Result<Vec<Point<'a>>, String> {
    let how = How {
        step: step.map(|step| step.0),
        combine: Combine::named(combine)?,
        fill,
    };
    let readings = rows.iter().map(|(_, row)| row);
    anomalies::find(readings, how, period.map(|period| period.0), threshold)
}

plugin! {
    name: "timeseries",
    functions: [timeseries_anomalies],
}
