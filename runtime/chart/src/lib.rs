//! Charts: one model, filled from a query's result by Kusto's `render` rules and drawn by
//! plotters to SVG or to a canvas.
//!
//! The kernel calls [`Chart::from_table`] and [`svg`]; the page reads a [`Chart`] back from its
//! JSON and keeps a [`Figure`] of it, which it draws with plotters' canvas backend and asks what
//! is under the pointer. Nothing here asks a clock, a font system or a file, and the same chart
//! gives the same picture everywhere.

mod build;
mod columns;
mod figure;
mod model;
mod options;
mod scene;
mod svg;
mod ticks;
mod view;
mod words;

pub use figure::Figure;
pub use model::{Axis, AxisType, Card, Chart, Kind, MIME, Series, Split, Stacking};
pub use scene::{Palette, Rgb, Surface, draw};
pub use svg::{Size, svg, svg_of};
pub use view::{Entry, Hit, Step, ViewState};
pub use words::Rows;

/// Why there is no chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// A kind of chart that Spoor does not draw.
    #[error("render {kind} is not drawn here; the result is shown as a table")]
    Kind {
        /// What the query asked for.
        kind: String,
    },
    /// A property of `render ... with (...)` that is unknown or does not fit.
    #[error("render {kind}: {message}")]
    Property {
        /// The kind of chart.
        kind: String,
        /// What does not fit, and what would.
        message: String,
    },
    /// The result lacks a column that the kind needs.
    #[error("render {kind} needs {needs}; the result has {has}")]
    Columns {
        /// The kind of chart.
        kind: String,
        /// The column that is missing.
        needs: String,
        /// The columns that are there, with their types.
        has: String,
    },
    /// The drawing backend failed.
    #[error("the chart could not be drawn: {0}")]
    Draw(String),
}

#[cfg(test)]
mod figure_tests;
#[cfg(test)]
mod tests;
