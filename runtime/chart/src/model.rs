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
    /// Whether parts of the data have a scale of values each.
    #[serde(default, skip_serializing_if = "Split::is_none")]
    pub split: Split,
    /// The names of those parts; a series says by [`Series::part`] to which it belongs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
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
    /// Nested rectangles. A series is a rectangle of the first level, its points those within; where
    /// there is one level there is one series.
    #[serde(rename = "treemap")]
    Treemap,
    /// Spans from a start to an end, in lanes. A point is `[start, lane]`, its end stands in
    /// [`Series::ends`], and the lanes are the categories of [`Chart::y`].
    #[serde(rename = "ladderchart")]
    Ladder,
    /// Events in lanes over time, as [`Kind::Ladder`]; those without an end are moments.
    #[serde(rename = "timepivot")]
    TimePivot,
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
            Kind::Treemap => "treemap",
            Kind::Ladder => "ladderchart",
            Kind::TimePivot => "timepivot",
        }
    }

    /// Whether marks lie in lanes down the side.
    pub(crate) fn has_lanes(self) -> bool {
        matches!(self, Kind::Ladder | Kind::TimePivot)
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

impl Axis {
    /// A value of this axis as text, in full.
    pub fn text(&self, value: f64) -> String {
        crate::ticks::value(self, value)
    }
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
    /// Where each point's span ends along x, for kinds with lanes; shorter where points are moments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<f64>,
    /// Its index among [`Chart::parts`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: usize,
}

fn is_zero(part: &usize) -> bool {
    *part == 0
}

/// Whether parts of the data have a scale of values each (`ysplit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// One scale for all.
    #[default]
    None,
    /// A scale for each part, in one plot.
    Axes,
    /// A plot for each part, one below another.
    Panels,
}

impl Split {
    fn is_none(&self) -> bool {
        *self == Split::None
    }
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

/// What a legend lists, in the order of the colours.
pub(crate) struct Entries<'a> {
    pub names: Vec<&'a str>,
    /// Whether they are the points of the first series and not series.
    pub of_points: bool,
}

impl Chart {
    /// An empty chart of `kind`, of version 1.
    pub fn new(kind: Kind) -> Self {
        Chart {
            version: 1,
            kind,
            title: None,
            x: Axis::default(),
            y: Axis::default(),
            series: Vec::new(),
            legend: false,
            stacking: Stacking::None,
            note: None,
            cards: Vec::new(),
            split: Split::None,
            parts: Vec::new(),
        }
    }

    /// What a legend lists: the points where each has a colour of its own, and else the series.
    pub(crate) fn entries(&self) -> Entries<'_> {
        let of_points = match self.kind {
            Kind::Pie => true,
            Kind::Treemap => self.series.len() == 1,
            _ => false,
        };
        let names = match self.series.first() {
            Some(first) if of_points => {
                let name = |x: f64| self.x.categories.get(x as usize).map_or("", String::as_str);
                first.points.iter().map(|p| name(p.0)).collect()
            }
            _ => self.series.iter().map(|s| s.name.as_str()).collect(),
        };
        Entries { names, of_points }
    }
}
