//! The properties of `render KIND with (...)`, read and checked.

use spoor_table::parse;
use spoor_table::ticks::MILLISECOND;

use crate::ChartError;
use crate::model::{Kind, Split, Stacking};
use crate::ticks;

/// What a query asks of its chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Options {
    pub title: Option<String>,
    pub x_title: Option<String>,
    pub y_title: Option<String>,
    pub x_column: Option<String>,
    pub y_columns: Vec<String>,
    pub series: Vec<String>,
    pub anomaly_columns: Vec<String>,
    pub x_log: bool,
    pub y_log: bool,
    pub y_min: Option<f64>,
    pub y_max: Option<f64>,
    pub x_min: Option<f64>,
    pub x_max: Option<f64>,
    pub stacking: Stacking,
    pub split: Split,
    /// Whether anomalies are to be marked.
    pub anomalies: bool,
    pub hide_legend: bool,
    pub accumulate: bool,
    pub notes: Vec<String>,
}

const KNOWN: &str = "accumulate, anomalycolumns, kind, legend, series, title, xaxis, xcolumn, xmax, xmin, xtitle, \
                     yaxis, ycolumns, ymax, ymin, ysplit, ytitle";

/// What a name after `render` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Which marks are drawn.
    pub kind: Kind,
    /// How series lie upon each other, unless the query says.
    pub stacking: Stacking,
    /// Whether values are summed by two dimensions first.
    pub pivot: bool,
    /// Whether anomalies are marked.
    pub anomalies: bool,
}

/// What `name` asks for; none for a kind that is not drawn.
pub(crate) fn kind(name: &str) -> Option<Asked> {
    let plain = |kind| Asked {
        kind,
        stacking: Stacking::None,
        pivot: false,
        anomalies: false,
    };
    let stacked = |kind| Asked {
        stacking: Stacking::Stacked,
        ..plain(kind)
    };
    Some(match name.to_ascii_lowercase().as_str() {
        "timechart" => plain(Kind::Time),
        "linechart" => plain(Kind::Line),
        "barchart" => plain(Kind::Bar),
        "columnchart" => plain(Kind::Column),
        "areachart" => plain(Kind::Area),
        "stackedareachart" => stacked(Kind::Area),
        "piechart" => plain(Kind::Pie),
        "scatterchart" => plain(Kind::Scatter),
        "card" => plain(Kind::Card),
        "treemap" => plain(Kind::Treemap),
        "ladderchart" => plain(Kind::Ladder),
        "timepivot" => plain(Kind::TimePivot),
        "anomalychart" => Asked {
            anomalies: true,
            ..plain(Kind::Time)
        },
        "pivotchart" => Asked {
            pivot: true,
            ..stacked(Kind::Column)
        },
        _ => return None,
    })
}

impl Options {
    /// Reads `properties`, where a list is several properties of one name. `kind` is for messages.
    pub(crate) fn read(
        kind: &str,
        properties: &[(String, String)],
        stacking: Stacking,
    ) -> Result<Self, ChartError> {
        let mut options = Self {
            stacking,
            ..Self::default()
        };
        for (name, value) in properties {
            options
                .set(&name.to_ascii_lowercase(), value)
                .map_err(|message| ChartError::Property {
                    kind: kind.into(),
                    message,
                })?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let text = || Some(value.to_string());
        match name {
            "title" => self.title = text(),
            "xtitle" => self.x_title = text(),
            "ytitle" => self.y_title = text(),
            "xcolumn" => self.x_column = text(),
            "ycolumns" => self.y_columns.extend(list(value)),
            "series" => self.series.extend(list(value)),
            "anomalycolumns" => self.anomaly_columns.extend(list(value)),
            "xaxis" => self.x_log = one_of(name, value, &[("linear", false), ("log", true)])?,
            "yaxis" => self.y_log = one_of(name, value, &[("linear", false), ("log", true)])?,
            "xmin" => self.x_min = figure(name, value)?,
            "xmax" => self.x_max = figure(name, value)?,
            "ymin" => self.y_min = figure(name, value)?,
            "ymax" => self.y_max = figure(name, value)?,
            "legend" => {
                self.hide_legend = one_of(name, value, &[("visible", false), ("hidden", true)])?
            }
            "accumulate" => {
                self.accumulate = one_of(name, value, &[("false", false), ("true", true)])?
            }
            "kind" => self.set_kind(value)?,
            "ysplit" => {
                let ways = [
                    ("none", Split::None),
                    ("axes", Split::Axes),
                    ("panels", Split::Panels),
                ];
                self.split = one_of(name, value, &ways)?;
            }
            _ => {
                return Err(format!(
                    "there is no property '{name}'; those known are {KNOWN}"
                ));
            }
        }
        Ok(())
    }

    fn set_kind(&mut self, value: &str) -> Result<(), String> {
        let kinds = [
            ("default", self.stacking),
            ("unstacked", Stacking::None),
            ("stacked", Stacking::Stacked),
            ("stacked100", Stacking::Stacked100),
        ];
        if value.eq_ignore_ascii_case("map") {
            return Err("kind=map (points on a map) is not drawn here".into());
        }
        self.stacking = one_of("kind", value, &kinds)?;
        Ok(())
    }
}

fn list(value: &str) -> impl Iterator<Item = String> {
    value
        .split(',')
        .map(|part| part.trim().to_string())
        .filter(|part| !part.is_empty())
}

fn one_of<T: Copy>(name: &str, value: &str, allowed: &[(&str, T)]) -> Result<T, String> {
    let found = allowed
        .iter()
        .find(|(text, _)| text.eq_ignore_ascii_case(value))
        .map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let names: Vec<_> = allowed.iter().map(|(text, _)| *text).collect();
        format!("{name} is {}, not '{value}'", names.join(" or "))
    })
}

/// A limit of an axis: a number, or a datetime or timespan as an axis of those counts. `nan` is
/// Kusto's word for no limit.
fn figure(name: &str, value: &str) -> Result<Option<f64>, String> {
    let text = plain(value);
    if text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("null") {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok();
    let found = number
        .or_else(|| parse::datetime(text).map(ticks::unix_ms))
        .or_else(|| parse::timespan(text).map(|ticks| ticks as f64 / MILLISECOND as f64));
    match found.filter(|v| v.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!(
            "{name} is a number, a datetime or a timespan, not '{value}'"
        )),
    }
}

/// A literal without the name of its type: of `datetime(2024-03-01)` what is between the brackets.
fn plain(value: &str) -> &str {
    let value = value.trim();
    let inner = value.strip_suffix(')').and_then(|v| v.split_once('('));
    inner.map_or(value, |(_, inner)| inner.trim())
}
