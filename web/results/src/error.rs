//! What can be wrong with a request.

use spoor_table::KustoType;

/// Why a request could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The bytes are not an Arrow IPC stream with columns of Kusto's.
    #[error("the result's rows do not read: {0}; run the cell again")]
    Stream(#[from] spoor_table::TableError),
    /// No result of that name is open.
    #[error("the result is no longer open: run the cell again")]
    Closed,
    /// The result has no such column.
    #[error("there is no column {0} in this result")]
    Column(u32),
    /// A filter's text is no value of its column's type.
    #[error("'{text}' is no {ty}, which the column '{column}' holds{hint}")]
    Value {
        /// The column's name.
        column: String,
        /// Its type.
        ty: KustoType,
        /// What was typed.
        text: String,
        /// How to write one, with what leads to it.
        hint: &'static str,
    },
    /// More rows than can be numbered.
    #[error("a result of {0} rows is more than a table can show: add `| take` to the query")]
    TooLong(usize),
    /// An export of more bytes than the worker can hold beside the result.
    #[error("the export is larger than {0} MiB: filter the rows first, or choose fewer columns")]
    TooMuch(usize),
    /// A timeline was asked for of a column that is no datetime.
    #[error("'{0}' is no datetime column: choose one for the timeline")]
    NoTime(String),
    /// A process tree was asked for of other columns.
    #[error(
        "no process tree can be made of these columns: keep those of SecurityEvent (NewProcessId, ProcessId), DeviceProcessEvents (ProcessId, InitiatingProcessId) or Sysmon (ProcessGuid, ParentProcessGuid)"
    )]
    NoProcesses,
    /// More processes than a tree is made of.
    #[error("more than {0} processes are too many for a tree: filter the rows first")]
    TooManyProcesses(usize),
}

impl From<arrow::error::ArrowError> for ResultsError {
    fn from(error: arrow::error::ArrowError) -> Self {
        ResultsError::Stream(error.into())
    }
}
