//! Queries for the fuzz targets: those of `../tests/cases`, and what comes of them when their words and operators change places.

mod cases;
mod change;

pub use cases::{Case, cases};
pub use change::changed;
