//! Which rows of a table somebody wants who does not have them yet.

use std::fmt;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::record_batch::RecordBatch;

/// Tells for each row of a batch whether it is wanted; null is no.
pub type Test = Arc<dyn Fn(&RecordBatch) -> BooleanArray + Send + Sync>;

/// Rows that are wanted: a test, and what it looks at.
#[derive(Clone)]
pub struct Condition {
    /// The columns that the test gets, by their places in the table.
    pub columns: Vec<usize>,
    /// Gets batches of those columns, in that order. Its answers have a value for each row.
    pub test: Test,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}
