//! How a reader looks at a chart: what is zoomed in on, and what is hidden.

use std::collections::BTreeSet;

/// A reader's view of a chart. The default shows it whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViewState {
    /// The range of x that is shown, in data; none for all.
    pub zoom: Option<(f64, f64)>,
    /// The entries of the legend that are hidden: indices of series, or of points in kinds whose
    /// points have a colour each.
    pub hidden: BTreeSet<usize>,
    /// The mark under the pointer: a series and a point of it.
    pub hovered: Option<(usize, usize)>,
}

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name of a series, or of a point.
    pub name: String,
    /// Whether the reader has hidden it.
    pub hidden: bool,
}

/// The mark that is nearest to a pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The index of its series.
    pub series: usize,
    /// The index of its point in that.
    pub point: usize,
    /// Where it is, in logical pixels.
    pub at: (f64, f64),
    /// What it is: for a tooltip a line each, for a screen reader one after another.
    pub lines: Vec<String>,
}

/// A step from one mark to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the next point of the series.
    Next,
    /// To the point before.
    Previous,
    /// To the nearest point of the next series.
    NextSeries,
    /// To the nearest point of the series before.
    PreviousSeries,
    /// To the first point of the series.
    First,
    /// To the last point of the series.
    Last,
}
