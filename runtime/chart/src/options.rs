//! The properties of `render KIND with (...)`, read and checked.

use crate::ChartError;
use crate::model::{Kind, Stacking};

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
    pub hide_legend: bool,
    pub accumulate: bool,
    pub notes: Vec<String>,
}

const KNOWN: &str = "accumulate, anomalycolumns, kind, legend, series, title, xaxis, xcolumn, xmax, xmin, xtitle, \
                     yaxis, ycolumns, ymax, ymin, ysplit, ytitle";

/// The kind that `render` names, the notes that go with drawing it, and its own stacking.
/// None for a kind that is not drawn.
pub(crate) fn kind(name: &str) -> Option<(Kind, Option<&'static str>, Stacking)> {
    let plain = |kind| Some((kind, None, Stacking::None));
    match name.to_ascii_lowercase().as_str() {
        "timechart" => plain(Kind::Time),
        "linechart" => plain(Kind::Line),
        "barchart" => plain(Kind::Bar),
        "columnchart" => plain(Kind::Column),
        "areachart" => plain(Kind::Area),
        "stackedareachart" => Some((Kind::Area, None, Stacking::Stacked)),
        "piechart" => plain(Kind::Pie),
        "scatterchart" => plain(Kind::Scatter),
        "card" => plain(Kind::Card),
        "anomalychart" => plain(Kind::Time),
        "treemap" => Some((
            Kind::Bar,
            Some("A treemap is drawn here as bars."),
            Stacking::None,
        )),
        _ => None,
    }
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
            "ysplit" => self.set_split(value)?,
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

    fn set_split(&mut self, value: &str) -> Result<(), String> {
        let split = one_of(
            "ysplit",
            value,
            &[("none", false), ("axes", true), ("panels", true)],
        )?;
        if split {
            self.notes
                .push(format!("ysplit={value} is drawn on one axis."));
        }
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

fn figure(name: &str, value: &str) -> Result<Option<f64>, String> {
    match value.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ if value.trim().eq_ignore_ascii_case("nan") => Ok(None),
        _ => Err(format!("{name} is a number, not '{value}'")),
    }
}
