//! A result's rows: an Arrow stream read batch by batch, and its cells by row number.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use spoor_messages::results::{ColumnInfo, Info};
use spoor_table::{Cell, Column, Table, convert, format};

use crate::error::ResultsError;
use crate::{Over, timeline, tree};

/// Rows that a column's width is chosen by.
const SAMPLE: u32 = 100;
/// Characters beyond which a width does not grow.
const WIDEST: usize = 60;

/// A stream that is being read. The batches share its bytes.
pub(crate) struct Reading {
    decoder: StreamDecoder,
    bytes: Buffer,
    batches: Vec<RecordBatch>,
}

impl Reading {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            decoder: StreamDecoder::new(),
            bytes: Buffer::from_vec(bytes),
            batches: Vec::new(),
        }
    }

    /// Reads on; gives the rows when all are there.
    pub(crate) fn advance(&mut self, over: Over<'_>) -> Result<Option<Data>, ResultsError> {
        while !self.bytes.is_empty() {
            match self.decoder.decode(&mut self.bytes)? {
                Some(batch) => self.batches.push(batch),
                None => break,
            }
            if over() {
                return Ok(None);
            }
        }
        self.decoder.finish()?;
        let schema = self
            .decoder
            .schema()
            .unwrap_or_else(|| std::sync::Arc::new(arrow::datatypes::Schema::empty()));
        let table = convert::from_arrow(&schema, &std::mem::take(&mut self.batches))?;
        Data::new(table).map(Some)
    }
}

/// A result's rows, numbered from 0.
#[derive(Debug)]
pub(crate) struct Data {
    table: Table,
    /// The number of each batch's first row.
    starts: Vec<usize>,
}

impl Data {
    pub(crate) fn new(table: Table) -> Result<Self, ResultsError> {
        if u32::try_from(table.rows()).is_err() {
            return Err(ResultsError::TooLong(table.rows()));
        }
        let starts = table.batches().iter().scan(0, |next, batch| {
            let start = *next;
            *next += batch.num_rows();
            Some(start)
        });
        Ok(Self {
            starts: starts.collect(),
            table,
        })
    }

    pub(crate) fn rows(&self) -> u32 {
        self.table.rows() as u32
    }

    pub(crate) fn columns(&self) -> &[Column] {
        self.table.columns()
    }

    /// The column of that number, or the error that there is none.
    pub(crate) fn column(&self, index: u32) -> Result<(usize, &Column), ResultsError> {
        let at = index as usize;
        let column = self.columns().get(at).ok_or(ResultsError::Column(index))?;
        Ok((at, column))
    }

    /// A cell; null where there is no such row or column.
    pub(crate) fn cell(&self, row: u32, column: usize) -> Cell<'_> {
        let (batch, at) = self.place(row as usize);
        match (self.table.batches().get(batch), self.columns().get(column)) {
            (Some(batch), Some(about)) => Cell::of(batch.column(column), about.ty, at),
            _ => Cell::Null,
        }
    }

    /// A cell as it is shown.
    pub(crate) fn text(&self, row: u32, column: usize) -> String {
        format::text(self.cell(row, column))
    }

    /// The batch of row `from` and, of at most `most` rows from there on, which of the batch they are.
    pub(crate) fn piece(&self, from: usize, most: usize) -> Option<(&RecordBatch, Range<usize>)> {
        let (batch, at) = self.place(from);
        let batch = self.table.batches().get(batch)?;
        let end = batch.num_rows().min(at.saturating_add(most));
        (at < end).then_some((batch, at..end))
    }

    fn place(&self, row: usize) -> (usize, usize) {
        let batch = self.starts.partition_point(|start| *start <= row);
        let batch = batch.saturating_sub(1);
        let start = self.starts.get(batch).copied().unwrap_or(0);
        (batch, row.saturating_sub(start))
    }

    /// What the page is told of it.
    pub(crate) fn info(&self) -> Info {
        let columns = self
            .columns()
            .iter()
            .enumerate()
            .map(|(at, column)| ColumnInfo {
                name: column.name.clone(),
                ty: column.ty.name().to_owned(),
                width: self.width(at),
            });
        Info {
            rows: self.rows(),
            columns: columns.collect(),
            processes: tree::columns(self.columns()).is_some(),
            timeline: timeline::suggested(self.columns()),
        }
    }

    fn width(&self, column: usize) -> u32 {
        let widths = (0..self.rows().min(SAMPLE))
            .map(|row| self.text(row, column).chars().take(WIDEST).count());
        widths.max().unwrap_or(0) as u32
    }
}

/// At most `most` characters of a text, with `…` for the rest; and whether there was any.
pub(crate) fn cut(mut text: String, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        Some((at, _)) => {
            text.truncate(at);
            text.push('…');
            (text, true)
        }
        None => (text, false),
    }
}
