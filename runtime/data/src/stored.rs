//! Parquet files whose rows stay where they are until somebody wants them: the footer is read at once, and then of each row group
//! the columns that are asked for. Who has several threads reads row groups on all of them.
//!
//! The checks are those of a file that is read whole, one row group at a time: nothing is decoded before its pages' claims are added
//! up, and what is decoded is the bytes that were checked, whatever becomes of the file.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter, filter_record_batch, take_record_batch};
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use spoor_table::{Column, Condition, Table};

use crate::Limits;
use crate::alike::Alike;
use crate::assembly::{Assembly, CHUNK_ROWS};
use crate::columnar::{Batches, Chunks, Plan, check_claims, plan, refused, unwinding};
use crate::error::{DataError, Problem, Trouble};
use crate::footer::Footer;
use crate::format::{Content, Format, content};
use crate::pages::{self, Claims};

const ROWS_MISSING: &str = "a row group has not the rows that it claims";

/// A file's bytes, read where they are wanted.
pub trait Extent: Send + Sync {
    /// How many there are.
    fn length(&self) -> u64;

    /// Fills `into` with those from `offset` on.
    ///
    /// # Errors
    /// When they cannot be read, or end before.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> std::io::Result<()>;
}

/// A Parquet file whose columns' types its footer settles.
pub struct ParquetFile {
    label: String,
    bytes: Whole,
    footer: Footer,
    plans: Vec<Plan>,
    /// The columns, without rows.
    table: Table,
    limits: Limits,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl ParquetFile {
    /// Reads the footer; none if the file is no Parquet, or its columns' types depend on its rows: then only
    /// [`crate::Loader`] can tell them.
    ///
    /// `label` is what people call the file, for messages.
    ///
    /// # Errors
    /// When it is Parquet that cannot be read.
    pub fn open(
        label: &str,
        bytes: Arc<dyn Extent>,
        limits: Limits,
    ) -> Result<Option<Self>, DataError> {
        let opened = opened(label, Whole(bytes), limits);
        opened.map_err(|trouble| trouble.labelled(label, None))
    }

    /// The columns, in order.
    pub fn columns(&self) -> Arc<[Column]> {
        self.table.shared_columns()
    }

    /// How many rows each row group has, in the order of the file.
    pub fn groups(&self) -> Vec<u64> {
        let groups = self.footer.metadata().row_groups().iter();
        groups.map(rows_of).collect()
    }

    /// How many row groups may be read at once, for what they unpack to; 1 at least.
    pub fn at_once(&self, columns: &[usize]) -> usize {
        let groups = self.footer.metadata().row_groups().iter();
        let most = groups
            .map(|group| announced(self.chunks(group, columns)))
            .fold(Claims::default(), |most, claims| Claims {
                unpacked: most.unpacked.max(claims.unpacked),
                decoded: most.decoded.max(claims.decoded),
            });
        let unpacked = self.limits.output_bytes / most.unpacked.max(1);
        let decoded = self.limits.table_bytes / most.decoded.max(1);
        usize::try_from(unpacked.min(decoded).max(1)).unwrap_or(usize::MAX)
    }

    /// The rows of some row groups in order, those that are wanted, with some columns. `share` is as many row groups as are read
    /// at once: they have the limits in common.
    pub fn read(
        self: &Arc<Self>,
        groups: Range<usize>,
        columns: &[usize],
        condition: Option<Condition>,
        share: usize,
    ) -> Rows {
        let share = (share as u64).max(1);
        let mut places = columns.to_vec();
        places.extend(condition.iter().flat_map(|rows| &rows.columns));
        places.sort_unstable();
        places.dedup();
        Rows {
            limits: Limits {
                output_bytes: self.limits.output_bytes / share,
                table_bytes: self.limits.table_bytes / share,
                ..self.limits
            },
            table: self.empty(columns),
            columns: columns.to_vec(),
            tested: condition
                .as_ref()
                .map_or_else(|| self.table.clone(), |rows| self.empty(&rows.columns)),
            condition,
            places,
            file: self.clone(),
            groups,
            reading: None,
        }
    }

    /// A table of some columns, without rows.
    fn empty(&self, columns: &[usize]) -> Table {
        let all = self.table.columns();
        let some = columns.iter().filter_map(|at| all.get(*at).cloned());
        Table::empty(some.collect::<Vec<_>>())
    }

    /// The column chunks of a row group that some columns are made of.
    fn chunks<'a>(
        &'a self,
        group: &'a RowGroupMetaData,
        columns: &'a [usize],
    ) -> impl Iterator<Item = &'a ColumnChunkMetaData> {
        let schema = self.footer.metadata().file_metadata().schema_descr();
        let chunks = group.columns().iter().enumerate();
        chunks
            .filter(|(leaf, _)| columns.contains(&schema.get_column_root_idx(*leaf)))
            .map(|(_, chunk)| chunk)
    }
}

fn opened(label: &str, bytes: Whole, limits: Limits) -> Result<Option<ParquetFile>, Trouble> {
    let mut head = [0; 8];
    if bytes.len() < head.len() as u64 || bytes.0.read_at(0, &mut head).is_err() {
        return Ok(None);
    }
    if content(&head, None) != Content::Table(Format::Parquet) {
        return Ok(None);
    }
    let footer = unwinding(Format::Parquet, || Footer::of(&bytes))??;
    if !footer.metadata().row_groups().iter().all(counts_agree) {
        return Err(refused(Format::Parquet, &ROWS_MISSING));
    }
    let mut assembly = Assembly::within(limits.table_bytes);
    let plans = plan(&footer.schema, footer.reading.schema(), &mut assembly)?;
    // Whatever is odd about the names, the loader makes of it what it makes of it.
    let plain = plans.iter().enumerate().all(|(at, plan)| plan.column == at);
    if !plain || !plans.iter().all(|plan| plan.settled) {
        return Ok(None);
    }
    Ok(Some(ParquetFile {
        label: label.to_owned(),
        bytes,
        footer,
        plans,
        table: assembly.finish().into_table(),
        limits,
    }))
}

/// Whether a row group's columns have a value at least for each row that it claims; queries that read no column go by the claim.
fn counts_agree(group: &RowGroupMetaData) -> bool {
    let mut chunks = group.columns().iter();
    chunks.all(|chunk| chunk.num_values() >= group.num_rows())
}

fn rows_of(group: &RowGroupMetaData) -> u64 {
    u64::try_from(group.num_rows()).unwrap_or(0)
}

fn announced<'a>(chunks: impl Iterator<Item = &'a ColumnChunkMetaData>) -> Claims {
    chunks
        .map(pages::announced)
        .fold(Claims::default(), |sum, claims| Claims {
            unpacked: sum.unpacked.saturating_add(claims.unpacked),
            decoded: sum.decoded.saturating_add(claims.decoded),
        })
}

/// Rows of a [`ParquetFile`], in batches that are made as they are asked for. After an error there are no more.
pub struct Rows {
    file: Arc<ParquetFile>,
    /// The columns that are wanted.
    columns: Vec<usize>,
    /// The rows that are wanted, if not all.
    condition: Option<Condition>,
    /// All columns that are read, each once, in the order of the file.
    places: Vec<usize>,
    /// The wanted columns, without rows.
    table: Table,
    /// The condition's columns, without rows.
    tested: Table,
    groups: Range<usize>,
    reading: Option<Reading>,
    limits: Limits,
}

/// A row group that is being read.
struct Reading {
    /// None where no column is wanted.
    chunks: Option<Chunks>,
    /// Rows that are still to come.
    left: u64,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose()?;
        Some(next.map_err(|trouble| {
            self.groups = 0..0;
            self.reading = None;
            trouble.labelled(&self.file.label, None)
        }))
    }
}

impl Rows {
    fn advance(&mut self) -> Result<Option<RecordBatch>, Trouble> {
        loop {
            if let Some(reading) = &mut self.reading {
                let batch = reading.next()?;
                if let Some(batch) = batch {
                    return self.finished(&batch).map(Some);
                }
                self.reading = None;
            }
            let Some(at) = self.groups.next() else {
                return Ok(None);
            };
            self.reading = self.open(at)?;
        }
    }

    /// Begins with a row group: checks what its pages claim.
    fn open(&self, at: usize) -> Result<Option<Reading>, Trouble> {
        let metadata = self.file.footer.metadata();
        let Some(group) = metadata.row_groups().get(at) else {
            return Ok(None);
        };
        let left = rows_of(group);
        if self.places.is_empty() {
            return Ok(Some(Reading { chunks: None, left }));
        }
        let chunks: Vec<_> = self.file.chunks(group, &self.places).collect();
        let mut pieces = Vec::with_capacity(chunks.len());
        for chunk in &chunks {
            let (start, length) = chunk.byte_range();
            let bytes = self.file.bytes.bytes(start, length);
            pieces.push((start, bytes.map_err(|e| refused(Format::Parquet, &e))?));
        }
        let with_bytes = chunks
            .into_iter()
            .zip(pieces.iter().map(|(_, b)| b.as_ref()));
        let claims = pages::claims(with_bytes);
        let claims = claims.map_err(|cause| refused(Format::Parquet, &cause))?;
        check_claims(&claims, metadata, self.limits)?;
        let pieces = Pieces {
            pieces,
            length: self.file.bytes.len(),
        };
        let batches = unwinding(Format::Parquet, || self.reader(pieces, at))??;
        let chunks = Some(Chunks::of(Format::Parquet, batches));
        Ok(Some(Reading { chunks, left }))
    }

    fn reader(&self, pieces: Pieces, group: usize) -> Result<Batches, Trouble> {
        let reading = self.file.footer.reading.clone();
        let schema = reading.parquet_schema();
        let mask = ProjectionMask::roots(schema, self.places.iter().copied());
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(pieces, reading)
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(CHUNK_ROWS)
            .build();
        Ok(Box::new(
            batches.map_err(|error| refused(Format::Parquet, &error))?,
        ))
    }

    /// Of a batch as it was read the rows that are wanted, with the columns that are wanted in the forms of their types.
    fn finished(&self, batch: &RecordBatch) -> Result<RecordBatch, Trouble> {
        let mut values = vec![None; self.places.len()];
        let Some(condition) = &self.condition else {
            return self.columns(&self.columns, &self.table, batch, &mut values);
        };
        let mask = self.mask(condition, batch, &mut values)?;
        for (known, place) in values.iter_mut().zip(&self.places) {
            // What nobody wants to see is not kept either.
            known.take_if(|_| !self.columns.contains(place));
        }
        if mask.true_count() == batch.num_rows() {
            return self.columns(&self.columns, &self.table, batch, &mut values);
        }
        // What nobody wants is not even parsed.
        let batch = filter_record_batch(batch, &mask).map_err(table_problem)?;
        for known in values.iter_mut().flatten() {
            *known = filter(known, &mask).map_err(table_problem)?;
        }
        self.columns(&self.columns, &self.table, &batch, &mut values)
    }

    /// Which rows of a batch are wanted. `values` gets the columns that it looked at for all rows.
    fn mask(
        &self,
        condition: &Condition,
        batch: &RecordBatch,
        values: &mut [Option<ArrayRef>],
    ) -> Result<BooleanArray, Trouble> {
        if let Some(alike) = self.alike(condition, batch) {
            let firsts = take_record_batch(batch, &alike.firsts()).map_err(table_problem)?;
            let mut few = vec![None; values.len()];
            let tested = self.columns(&condition.columns, &self.tested, &firsts, &mut few)?;
            return Ok(alike.each(&(condition.test)(&tested)));
        }
        let tested = self.columns(&condition.columns, &self.tested, batch, values)?;
        Ok((condition.test)(&tested))
    }

    /// The different texts that a condition looks at, where it looks at one column and they are few.
    fn alike(&self, condition: &Condition, batch: &RecordBatch) -> Option<Alike> {
        let [column] = condition.columns.as_slice() else {
            return None;
        };
        let place = self.places.binary_search(column).ok()?;
        Alike::of(batch.columns().get(place)?.as_string_view_opt()?)
    }

    /// Some columns of a batch in the forms of their types, which `values` has where they are known already, and gets. `table` has
    /// the same columns.
    fn columns(
        &self,
        columns: &[usize],
        table: &Table,
        batch: &RecordBatch,
        values: &mut [Option<ArrayRef>],
    ) -> Result<RecordBatch, Trouble> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        for column in columns {
            let place = self.places.binary_search(column).unwrap_or(usize::MAX);
            let Some((known, plan)) = values.get_mut(place).zip(self.file.plans.get(*column))
            else {
                continue;
            };
            let array = match known.take() {
                Some(array) => array,
                None => plan
                    .values(batch.column(place))
                    .map_err(|cause| refused(Format::Parquet, &cause))?,
            };
            arrays.push(array.clone());
            *known = Some(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let mut table = table.clone();
        RecordBatch::try_new_with_options(table.schema().clone(), arrays, &options)
            .map_err(table_problem)
            .and_then(|batch| table.push(batch).map_err(table_problem))?;
        let batch = table.batches().first().cloned();
        Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(table.schema().clone())))
    }
}

fn table_problem(error: impl std::fmt::Display) -> Trouble {
    Problem::Table {
        cause: error.to_string(),
    }
    .whole()
}

impl Reading {
    fn next(&mut self) -> Result<Option<RecordBatch>, Trouble> {
        let batch = match &mut self.chunks {
            Some(chunks) => chunks.next()?,
            None => self.bare()?,
        };
        let rows = batch.as_ref().map_or(0, RecordBatch::num_rows) as u64;
        match self.left.checked_sub(rows) {
            Some(left) if batch.is_some() || left == 0 => self.left = left,
            _ => {
                return Err(refused(Format::Parquet, &ROWS_MISSING));
            }
        }
        Ok(batch)
    }

    /// Rows without columns.
    fn bare(&self) -> Result<Option<RecordBatch>, Trouble> {
        let rows = usize::try_from(self.left).unwrap_or(usize::MAX);
        if rows == 0 {
            return Ok(None);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.min(CHUNK_ROWS)));
        let none = Table::empty(Vec::new());
        let bare = RecordBatch::try_new_with_options(none.schema().clone(), Vec::new(), &options);
        bare.map(Some).map_err(table_problem)
    }
}

/// A whole file as Parquet's reader asks for it: for the footer.
struct Whole(Arc<dyn Extent>);

impl Whole {
    fn bytes(&self, start: u64, length: u64) -> Result<Bytes, ParquetError> {
        let length =
            usize::try_from(length).map_err(|error| ParquetError::External(error.into()))?;
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.0.length()) {
            return Err(ParquetError::EOF("the file is cut short".to_owned()));
        }
        let mut bytes = vec![0; length];
        self.0.read_at(start, &mut bytes)?;
        Ok(bytes.into())
    }
}

impl Length for Whole {
    fn len(&self) -> u64 {
        self.0.length()
    }
}

impl ChunkReader for Whole {
    type T = Onward;

    fn get_read(&self, start: u64) -> Result<Onward, ParquetError> {
        Ok(Onward {
            bytes: self.0.clone(),
            at: start,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.bytes(start, length as u64)
    }
}

/// A file's bytes from a place on.
struct Onward {
    bytes: Arc<dyn Extent>,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.bytes.length().saturating_sub(self.at);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..count) else {
            return Ok(0);
        };
        self.bytes.read_at(self.at, into)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The parts of a file that have been read and checked; the rest is not there.
struct Pieces {
    /// Each with its place in the file.
    pieces: Vec<(u64, Bytes)>,
    length: u64,
}

impl Pieces {
    /// The bytes of a piece from a place of the file on.
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let found = self.pieces.iter().find_map(|(from, bytes)| {
            let skip = usize::try_from(start.checked_sub(*from)?).ok()?;
            (skip < bytes.len()).then(|| bytes.slice(skip..))
        });
        found.ok_or_else(|| ParquetError::EOF("a page lies outside its column".to_owned()))
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("a page is cut short".to_owned()));
        }
        Ok(bytes.split_to(length))
    }
}
