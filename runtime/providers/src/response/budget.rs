//! What a result may still take. Every row and every byte of text is asked for here before it is kept; what the parser holds of the
//! value at hand is bounded elsewhere.

use super::{Completeness, MOST_REASONS};
use crate::config::Limits;

/// Tables of one answer.
pub(super) const MOST_TABLES: usize = 1_000;

/// Columns of one answer, over all its tables.
pub(super) const MOST_COLUMNS: usize = 20_000;

/// What was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Rows,
    Bytes,
}

/// What is left, and what is wrong with rows: the errors in their places, of which there may be no more than reasons, and digits that
/// were left out.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    rows: usize,
    bytes: usize,
    columns: usize,
    /// What was refused since the last [`Budget::refused`].
    refused: Option<Cut>,
    limits: (usize, usize),
    pub(super) errors: Completeness,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self::of(limits.rows, limits.bytes)
    }

    /// For the small tables that come beside a result.
    pub(super) fn beside() -> Self {
        Self::of(10_000, 16 << 20)
    }

    fn of(rows: usize, bytes: usize) -> Self {
        Budget {
            rows,
            bytes,
            columns: MOST_COLUMNS,
            refused: None,
            limits: (rows, bytes),
            errors: Completeness::Complete,
        }
    }

    /// Asks for a table's columns; `false` when there were too many.
    pub(super) fn columns(&mut self, count: usize) -> bool {
        let left = self.columns.checked_sub(count);
        self.columns = left.unwrap_or(0);
        left.is_some()
    }

    /// Asks for a row whose values take `bytes` beside their text.
    pub(super) fn row(&mut self, bytes: usize) -> bool {
        if self.rows == 0 {
            self.refused = Some(Cut::Rows);
            return false;
        }
        if !self.bytes(bytes) {
            return false;
        }
        self.rows -= 1;
        true
    }

    /// Asks for bytes of text.
    pub(super) fn bytes(&mut self, count: usize) -> bool {
        match self.bytes.checked_sub(count) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => {
                self.refused = Some(Cut::Bytes);
                false
            }
        }
    }

    /// Gives back what rows took that were replaced.
    pub(super) fn give_back(&mut self, rows: usize, bytes: usize) {
        self.rows = (self.rows + rows).min(self.limits.0);
        self.bytes = (self.bytes + bytes).min(self.limits.1);
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn left(&self) -> usize {
        self.bytes
    }

    /// What was refused, if anything was; the table that asked keeps it.
    pub(super) fn refused(&mut self) -> Option<Cut> {
        self.refused.take()
    }

    /// Whether one more error would be kept.
    pub(super) fn takes_errors(&self) -> bool {
        self.errors.reasons().len() < MOST_REASONS
    }

    /// That a table reached a limit, in words.
    pub(super) fn told(&self, cut: Cut) -> String {
        let (rows, bytes) = self.limits;
        match cut {
            Cut::Rows => {
                format!("the result has more than {rows} rows, the limit of the workspace")
            }
            Cut::Bytes => {
                format!("the result takes more than {bytes} bytes, the limit of the workspace")
            }
        }
    }
}
