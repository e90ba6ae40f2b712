//! `prev` and `next`: values of rows further up or down. Batches are kept as long as rows before or after them may ask for them,
//! which is until the end where the distance is not the same for all rows.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use spoor_table::{Cell, KustoType, Value};

use crate::exec::SlicedWindow;
use crate::functions::args::quantity;
use crate::functions::udf::{Batch, Out, Reader, check_bytes};

/// The function at work. Its arguments are the value, the distance and what stands where there is no such row.
pub(super) struct Neighbours {
    types: Vec<KustoType>,
    /// -1 where a distance leads up, 1 where it leads down.
    direction: i64,
    reach: Reach,
    /// Neighbouring batches, in order.
    chunks: VecDeque<Chunk>,
    /// How many of them have been given.
    given: usize,
    /// Bytes of the values of those.
    given_bytes: usize,
    /// Rows that have been read.
    read: usize,
    ended: bool,
}

/// How far a row may look. `usize::MAX` is everywhere.
#[derive(Clone, Copy)]
struct Reach {
    behind: usize,
    ahead: usize,
}

/// A batch of the arguments.
struct Chunk {
    /// The number of its first row.
    start: usize,
    rows: usize,
    args: Vec<ColumnarValue>,
    values: Reader,
    /// Bytes of its values.
    bytes: usize,
}

impl Chunk {
    fn end(&self) -> usize {
        self.start + self.rows
    }
}

impl Neighbours {
    /// The function before its first row.
    pub(super) fn new(types: Vec<KustoType>, direction: i64) -> Neighbours {
        Neighbours {
            types,
            direction,
            reach: Reach {
                behind: 0,
                ahead: 0,
            },
            chunks: VecDeque::new(),
            given: 0,
            given_bytes: 0,
            read: 0,
            ended: false,
        }
    }

    /// How many rows further on the row lies that a cell's distance means.
    fn offset(&self, distance: Cell<'_>) -> i64 {
        match distance {
            Cell::Long(distance) => distance.saturating_mul(self.direction),
            _ => self.direction,
        }
    }

    /// How far rows look whose distance is this, or any.
    fn reach(&self, distance: Option<Value>) -> Reach {
        let Some(distance) = distance else {
            return Reach {
                behind: usize::MAX,
                ahead: usize::MAX,
            };
        };
        let offset = self.offset(distance.cell());
        Reach {
            behind: quantity(offset.saturating_neg()),
            ahead: quantity(offset),
        }
    }

    /// The column of a chunk, all of whose neighbours are there.
    fn column(&self, chunk: &Chunk) -> Result<ArrayRef> {
        let batch = Batch::new(&chunk.args, &self.types, chunk.rows);
        let (distances, defaults) = (batch.reader(1)?, batch.reader(2)?);
        let mut out = Out::new(batch.ty(0), chunk.rows);
        let mut near = chunk;
        for row in 0..chunk.rows {
            let offset = self.offset(distances.cell(row));
            match self.find(near, (chunk.start + row) as i64, offset) {
                Some((found, at)) => {
                    out.cell(found.values.cell(at));
                    near = found;
                }
                None => out.cell(defaults.cell(row)),
            }
            check_bytes(out.bytes())?;
        }
        Ok(out.finish())
    }

    /// The row so far from another: its chunk, which may well be `near`, and its place there.
    fn find<'a>(&'a self, near: &'a Chunk, from: i64, offset: i64) -> Option<(&'a Chunk, usize)> {
        let wanted = usize::try_from(from.saturating_add(offset)).ok()?;
        let found = match (near.start..near.end()).contains(&wanted) {
            true => near,
            false => {
                let at = self.chunks.partition_point(|chunk| chunk.end() <= wanted);
                self.chunks.get(at)?
            }
        };
        Some((found, wanted.checked_sub(found.start)?))
    }

    /// Drops chunks that no row to come looks back at.
    fn forget(&mut self) {
        let next = self.chunks.get(self.given).map_or(self.read, |c| c.start);
        let oldest = next.saturating_sub(self.reach.behind);
        let is_past = |chunk: &Chunk| chunk.end() <= oldest;
        while self.given > 0 && self.chunks.front().is_some_and(is_past) {
            let bytes = self.chunks.pop_front().map_or(0, |chunk| chunk.bytes);
            self.given -= 1;
            self.given_bytes -= bytes;
        }
    }
}

impl SlicedWindow for Neighbours {
    fn push(&mut self, args: Vec<ColumnarValue>, rows: usize) -> Result<()> {
        let batch = Batch::new(&args, &self.types, rows);
        if self.read == 0 {
            self.reach = self.reach(batch.constant(1));
        }
        let values = batch.reader(0)?;
        let bytes = match args.first() {
            Some(ColumnarValue::Array(array)) => array.to_data().get_slice_memory_size()?,
            _ => 0,
        };
        self.chunks.push_back(Chunk {
            start: self.read,
            rows,
            args,
            values,
            bytes,
        });
        self.read += rows;
        Ok(())
    }

    fn end(&mut self) {
        self.ended = true;
    }

    fn pop(&mut self) -> Result<Option<ArrayRef>> {
        let Some(chunk) = self.chunks.get(self.given) else {
            return Ok(None);
        };
        if !self.ended && self.read < chunk.end().saturating_add(self.reach.ahead) {
            return Ok(None);
        }
        let column = self.column(chunk)?;
        self.given += 1;
        self.given_bytes += chunk.bytes;
        self.forget();
        Ok(Some(column))
    }

    fn held_bytes(&self) -> usize {
        self.given_bytes
    }
}
