//! What a result may still take. Every row and every byte of text is asked for here before memory is.

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

/// What is left.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    rows: usize,
    bytes: usize,
    columns: usize,
    cut: Option<Cut>,
    limits: (usize, usize),
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
            cut: None,
            limits: (rows, bytes),
        }
    }

    /// Asks for a table's columns; `false` when there were too many.
    pub(super) fn columns(&mut self, count: usize) -> bool {
        let left = self.columns.checked_sub(count);
        self.columns = left.unwrap_or(0);
        left.is_some()
    }

    /// Asks for a row whose values take `bytes` beside their text. Once one was refused, all are.
    pub(super) fn row(&mut self, bytes: usize) -> bool {
        if self.cut.is_some() {
            return false;
        }
        if self.rows == 0 {
            self.cut = Some(Cut::Rows);
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
                self.cut = Some(Cut::Bytes);
                false
            }
        }
    }

    /// Gives back what rows took that were replaced.
    pub(super) fn give_back(&mut self, rows: usize, bytes: usize) {
        self.rows = (self.rows + rows).min(self.limits.0);
        self.bytes = (self.bytes + bytes).min(self.limits.1);
        self.cut = None;
    }

    pub(super) fn left(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// What of the limits was reached, in words.
    pub(super) fn told(&self) -> Option<String> {
        let (rows, bytes) = self.limits;
        Some(match self.cut? {
            Cut::Rows => {
                format!("the result has more than {rows} rows, the limit of the workspace")
            }
            Cut::Bytes => {
                format!("the result takes more than {bytes} bytes, the limit of the workspace")
            }
        })
    }
}
