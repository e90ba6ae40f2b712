//! A view's rows in the formats of other tools: those that the command line writes, by the same writer, and KQL's
//! `datatable`.

use spoor_messages::results::{ExportFormat, Selection};
use spoor_table::format::{RowFormat, RowWriter};
use spoor_table::{Cell, Column};

use crate::Over;
use crate::data::Data;
use crate::error::ResultsError;
use crate::view::Ids;

/// Rows that are written between two looks at the clock.
const ROWS: usize = 512;

/// The most bytes of an export: the text is held twice for a moment, beside the result.
const MOST_BYTES: usize = 512 << 20;

/// An export in the making.
pub(crate) struct Exporting {
    ids: Ids,
    columns: Vec<usize>,
    next: usize,
    begin: usize,
    end: usize,
    writer: Option<RowWriter>,
}

impl Exporting {
    pub(crate) fn new(
        data: &Data,
        ids: Ids,
        selection: &Selection,
        format: ExportFormat,
    ) -> Result<Self, ResultsError> {
        let columns: Vec<usize> = match &selection.columns {
            Some(chosen) => {
                let found = chosen
                    .iter()
                    .map(|index| data.column(*index).map(|(at, _)| at));
                found.collect::<Result<_, _>>()?
            }
            None => (0..data.columns().len()).collect(),
        };
        let (from, to) = selection.rows.unwrap_or((0, u32::MAX));
        let about: Vec<Column> = columns
            .iter()
            .filter_map(|at| data.columns().get(*at).cloned())
            .collect();
        let end = (to as usize).min(ids.len());
        let begin = (from as usize).min(end);
        Ok(Self {
            ids,
            columns,
            next: begin,
            begin,
            end,
            writer: Some(RowWriter::new(row_format(format), &about)),
        })
    }

    /// Goes on; gives the text and how many rows are in it when all are written.
    pub(crate) fn advance(
        &mut self,
        data: &Data,
        over: Over<'_>,
    ) -> Result<Option<(String, u32)>, ResultsError> {
        let Some(writer) = self.writer.as_mut() else {
            return Ok(None);
        };
        while self.next < self.end {
            let end = (self.next + ROWS).min(self.end);
            for row in self.ids.between(self.next, end) {
                let cells: Vec<Cell<'_>> =
                    self.columns.iter().map(|at| data.cell(row, *at)).collect();
                writer.row(&cells);
            }
            self.next = end;
            if writer.bytes() > MOST_BYTES {
                self.writer = None;
                return Err(ResultsError::TooMuch(MOST_BYTES >> 20));
            }
            if over() {
                return Ok(None);
            }
        }
        let rows = (self.end - self.begin) as u32;
        Ok(self.writer.take().map(|writer| (writer.finish(), rows)))
    }
}

fn row_format(format: ExportFormat) -> RowFormat {
    match format {
        ExportFormat::Csv => RowFormat::Csv,
        ExportFormat::Markdown => RowFormat::Markdown,
        ExportFormat::Json => RowFormat::Json,
        ExportFormat::Datatable => RowFormat::Datatable,
    }
}
