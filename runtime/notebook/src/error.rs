//! Why bytes are not a notebook. Shown to people as they are: each message says where and what.

/// Why a notebook could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotebookError {
    /// There is nothing in the file.
    #[error("the file is empty: a notebook is a JSON document")]
    Empty,
    /// The JSON stops before its end, as after a write that was cut off.
    #[error(
        "line {line}, column {column}: the file ends in the middle of the notebook; it was cut off. \
         Take it from a checkpoint (.ipynb_checkpoints) or a backup"
    )]
    Truncated {
        /// Line of the end, from 1.
        line: usize,
        /// Column of the end, from 1, in bytes.
        column: usize,
    },
    /// The bytes are not JSON.
    #[error("line {line}, column {column}: not a notebook, for it is not JSON: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1, in bytes.
        column: usize,
        /// The JSON parser's word for it.
        message: String,
    },
    /// Values are nested deeper than any notebook's are.
    #[error(
        "line {line}, column {column}: values are nested over {} deep; no notebook is, and Spoor reads no deeper",
        crate::json::MAX_DEPTH
    )]
    TooDeep {
        /// Line, from 1.
        line: usize,
        /// Column, from 1, in bytes.
        column: usize,
    },
    /// A value is of another type than nbformat has there.
    #[error("{path}: expected {expected}, found {found}")]
    Shape {
        /// Where, as in `cells[3].source`.
        path: String,
        /// What nbformat has there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A key that nbformat demands is not there.
    #[error("{path}: missing, and a notebook cannot do without it")]
    Missing {
        /// Where, as in `cells[3].cell_type`.
        path: String,
    },
    /// A version of nbformat that Spoor does not read.
    #[error("nbformat {major} is not read by Spoor, which reads 3 and 4: {hint}")]
    Version {
        /// The notebook's `nbformat`.
        major: i64,
        /// What to do.
        hint: &'static str,
    },
}
