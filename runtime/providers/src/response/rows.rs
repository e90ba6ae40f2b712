//! A table as it is filled: rows in, batches out, within the budget.

use std::fmt;

use arrow::array::{RecordBatch, RecordBatchOptions};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use spoor_table::{Column, Table, TableError};

use super::budget::{Budget, Cut};
use super::cells::{CellSeed, Cells, width};
use super::small::Small;
use super::status;

/// Rows of a batch: the engine's, so that a query's slices are short.
const BATCH_ROWS: usize = 8_192;

/// Bytes of a batch after which it ends: offsets have 31 bits, and an answer's longest row fits beside this.
const BATCH_BYTES: usize = 32 << 20;

/// A table that is being read.
pub(super) struct Filling {
    table: Table,
    cells: Vec<Cells>,
    /// Rows since the last batch.
    rows: usize,
    /// Bytes that a row takes beside its text.
    width: usize,
    /// Bytes that those took.
    bytes: usize,
    /// Rows and bytes that the budget gave, over all batches.
    taken: (usize, usize),
    /// Rows that came, kept or not.
    pub(super) came: usize,
    /// What the budget refused: the rows from there on are missing.
    pub(super) cut: Option<Cut>,
}

impl Filling {
    /// A table without rows; `None` where the answer has too many columns.
    pub(super) fn new(columns: Vec<Column>, budget: &mut Budget) -> Option<Self> {
        if !budget.columns(columns.len()) {
            return None;
        }
        Some(Filling {
            cells: columns.iter().map(|column| Cells::new(column.ty)).collect(),
            width: columns.iter().map(|column| width(column.ty)).sum(),
            table: Table::empty(columns),
            rows: 0,
            bytes: 0,
            taken: (0, 0),
            came: 0,
            cut: None,
        })
    }

    pub(super) fn columns(&self) -> &[Column] {
        self.table.columns()
    }

    /// Forgets all rows: others come in their place.
    pub(super) fn clear(&mut self, budget: &mut Budget) -> Result<(), TableError> {
        self.came = 0;
        self.cut = None;
        // A table may have more columns than a frame without rows has bytes.
        if self.taken == (0, 0) && self.bytes == 0 {
            return Ok(());
        }
        self.flush()?;
        let (rows, bytes) = std::mem::take(&mut self.taken);
        budget.give_back(rows, bytes);
        self.table = Table::empty(self.table.shared_columns());
        Ok(())
    }

    /// The table with all rows that were kept.
    pub(super) fn finish(mut self) -> Result<Table, TableError> {
        self.flush()?;
        Ok(self.table)
    }

    /// Asks for the next row; `false` where it is not to be kept.
    pub(super) fn begin_row(&mut self, budget: &mut Budget) -> bool {
        self.came += 1;
        if self.cut.is_some() {
            return false;
        }
        let before = budget.left();
        let given = budget.row(self.width);
        self.cut = budget.refused();
        self.bytes += before.saturating_sub(budget.left());
        self.taken.0 += usize::from(given);
        given
    }

    /// Reads one value of the row at hand.
    pub(super) fn cell<E>(
        &mut self,
        at: usize,
        budget: &mut Budget,
        read: impl FnOnce(CellSeed<'_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let (Some(column), Some(cells)) = (self.table.columns().get(at), self.cells.get_mut(at))
        else {
            return Ok(false);
        };
        let before = budget.left();
        let row = self.came;
        let done = read(CellSeed {
            cells,
            column,
            budget,
            row,
        })?;
        self.bytes += before.saturating_sub(budget.left());
        Ok(done)
    }

    /// Puts null into the row at hand.
    pub(super) fn null(&mut self, at: usize) {
        if let Some(cells) = self.cells.get_mut(at) {
            cells.null();
        }
    }

    /// Ends a row. If the budget ended within it, the row is not kept.
    pub(super) fn end_row(&mut self, budget: &mut Budget) -> Result<(), TableError> {
        self.cut = budget.refused();
        if self.cut.is_some() {
            return self.flush();
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes > BATCH_BYTES {
            return self.flush();
        }
        Ok(())
    }

    /// Makes a batch of the whole rows at hand, and drops what is left of one that was not ended.
    fn flush(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.rows);
        self.taken.1 += std::mem::take(&mut self.bytes);
        let arrays = self
            .cells
            .iter_mut()
            .map(|cells| cells.finish().slice(0, rows))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(self.table.schema().clone(), arrays, &options)?;
        self.table.push(batch)
    }
}

/// Reads an array of rows, each an array of values.
pub(super) struct RowsSeed<'a> {
    pub(super) filling: &'a mut Filling,
    pub(super) budget: &'a mut Budget,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        loop {
            let row = RowSeed {
                filling: self.filling,
                budget: self.budget,
            };
            if rows.next_element_seed(row)?.is_none() {
                return Ok(());
            }
        }
    }
}

/// Reads one row, or an error in a row's place.
struct RowSeed<'a> {
    filling: &'a mut Filling,
    budget: &'a mut Budget,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let filling = self.filling;
        if !filling.begin_row(self.budget) {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let width = filling.columns().len();
        for at in 0..width {
            let read = |seed: CellSeed<'_>| Ok(values.next_element_seed(seed)?.is_some());
            if !filling.cell(at, self.budget, read)? {
                return Err(length(filling.came, at, width));
            }
        }
        if values.next_element::<IgnoredAny>()?.is_some() {
            return Err(length(filling.came, width + 1, width));
        }
        filling.end_row(self.budget).map_err(Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if !self.budget.takes_errors() {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let error = Small.object(entries)?;
        status::in_row(&error, &mut self.budget.errors);
        Ok(())
    }
}

fn length<E: Error>(row: usize, found: usize, wanted: usize) -> E {
    let or_more = if found > wanted { " or more" } else { "" };
    E::custom(format_args!(
        "row {row} has {found} values{or_more}, where the table has {wanted} columns"
    ))
}
