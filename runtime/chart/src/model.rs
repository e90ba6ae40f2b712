//! The chart model: what a chart shows, apart from how it is drawn.
//!
//! [`Chart`] is what the kernel writes beside the picture as
//! `application/vnd.spoor.chart+json`, what the page draws on its canvas, and what
//! [`crate::svg`] draws for a saved notebook. It holds plain numbers and knows no table.

use serde::{Deserialize, Serialize};

/// The MIME type of a serialised [`Chart`].
pub const MIME: &str = "application/vnd.spoor.chart+json";

/// A chart's whole specification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// The version of this form; 1.
    pub version: u32,
    /// Which marks are drawn.
    pub kind: Kind,
    /// The title above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The axis of the first column. For a bar chart it runs down the side.
    pub x: Axis,
    /// The axis of the values.
    pub y: Axis,
    /// The data, in the order of the legend.
    pub series: Vec<Series>,
    /// Whether a legend is shown.
    pub legend: bool,
    /// How series lie upon each other.
    #[serde(default, skip_serializing_if = "Stacking::is_none")]
    pub stacking: Stacking,
    /// What the reader should know: points left out, a kind drawn as another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The values of a card; empty for all other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
}

/// Which marks a chart has. Names are those of KQL's `render` operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Lines over time.
    #[serde(rename = "timechart")]
    Time,
    /// Lines.
    #[serde(rename = "linechart")]
    Line,
    /// Horizontal bars.
    #[serde(rename = "barchart")]
    Bar,
    /// Vertical bars.
    #[serde(rename = "columnchart")]
    Column,
    /// Filled areas, also stacked ones.
    #[serde(rename = "areachart")]
    Area,
    /// A circle's sectors.
    #[serde(rename = "piechart")]
    Pie,
    /// Points.
    #[serde(rename = "scatterchart")]
    Scatter,
    /// The first row's values, written large.
    #[serde(rename = "card")]
    Card,
}

impl Kind {
    /// KQL's name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Time => "timechart",
            Kind::Line => "linechart",
            Kind::Bar => "barchart",
            Kind::Column => "columnchart",
            Kind::Area => "areachart",
            Kind::Pie => "piechart",
            Kind::Scatter => "scatterchart",
            Kind::Card => "card",
        }
    }

    /// Whether marks start from zero, so that the axis of values has to show it.
    pub(crate) fn stands_on_zero(self) -> bool {
        matches!(self, Kind::Bar | Kind::Column | Kind::Area)
    }
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Axis {
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What its numbers mean.
    #[serde(rename = "type")]
    pub ty: AxisType,
    /// Whether its scale is logarithmic (base 10).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// The least value to show, where the query says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value to show, where the query says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The labels of a category axis; a point's coordinate is an index into them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

/// What the numbers along an axis mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisType {
    /// Plain numbers.
    #[default]
    Number,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    DateTime,
    /// A length of time, in milliseconds.
    TimeSpan,
    /// Indices into [`Axis::categories`].
    Category,
}

/// One line, one colour of bars, or a pie's sectors.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// `[x, y]` pairs, in order of x where x is a quantity. A null y is a gap.
    pub points: Vec<(f64, Option<f64>)>,
    /// Indices of the points that are anomalies (`render anomalychart`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<usize>,
}

/// How series lie upon each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stacking {
    /// Side by side, or one before another.
    #[default]
    None,
    /// Added up.
    Stacked,
    /// Added up, as shares of the whole.
    Stacked100,
}

impl Stacking {
    fn is_none(&self) -> bool {
        *self == Stacking::None
    }
}

/// One value of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The column's name.
    pub label: String,
    /// The value, written as Kusto writes it.
    pub value: String,
}

impl Chart {
    /// One sentence on what the chart shows, for those who cannot see it.
    pub fn describe(&self) -> String {
        if self.kind == Kind::Card {
            let values: Vec<_> = self
                .cards
                .iter()
                .map(|c| format!("{}: {}", c.label, c.value))
                .collect();
            return format!("Card. {}", values.join("; "));
        }
        let points: usize = self.series.iter().map(|s| s.points.len()).sum();
        let names: Vec<_> = self
            .series
            .iter()
            .take(8)
            .map(|s| s.name.as_str())
            .collect();
        let more = if self.series.len() > names.len() {
            ", …"
        } else {
            ""
        };
        let by = self
            .x
            .title
            .as_deref()
            .map(|t| format!(" by {t}"))
            .unwrap_or_default();
        format!(
            "{} of {}{more}{by}; {points} points.",
            self.kind.name(),
            names.join(", ")
        )
    }
}
