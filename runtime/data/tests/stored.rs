//! Parquet whose rows stay in the file: what is read where it is wanted is what is read at once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use spoor_data::{DataError, Extent, Format, Limits, Loader, ParquetFile, Progress};
use spoor_table::{Condition, Table, Value};

const LABEL: &str = "t.parquet";
const ROWS: i64 = 1000;
/// Rows of a row group; the last has fewer.
const GROUP: usize = 300;

fn limits() -> Limits {
    Limits::of_memory(1 << 30)
}

/// Bytes in memory that note which of them were asked for.
#[derive(Default)]
struct Noted {
    bytes: Vec<u8>,
    read: Mutex<usize>,
}

impl Extent for Noted {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        *self.read.lock().unwrap() += into.len();
        let start = usize::try_from(offset).unwrap();
        let end = start + into.len();
        let from = self.bytes.get(start..end);
        into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

fn written(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(GROUP));
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn sample() -> Vec<u8> {
    let n = Int64Array::from_iter((0..ROWS).map(|n| (n % 7 > 0).then_some(n)));
    let s = StringArray::from_iter((0..ROWS).map(|n| (n % 5 > 0).then(|| format!("text {n}"))));
    let t = TimestampMicrosecondArray::from_iter_values((0..ROWS).map(|n| n * 1_000_000));
    written(vec![
        ("n", Arc::new(n)),
        ("s", Arc::new(s)),
        ("t", Arc::new(t.with_timezone("UTC"))),
    ])
}

fn open(bytes: Vec<u8>) -> Result<Option<Arc<ParquetFile>>, DataError> {
    let bytes = Noted {
        bytes,
        ..Noted::default()
    };
    Ok(ParquetFile::open(LABEL, Arc::new(bytes), limits())?.map(Arc::new))
}

/// The values of some columns, row by row.
fn values(batches: &[RecordBatch], columns: &[spoor_table::Column]) -> Vec<Vec<Value>> {
    let mut table = Table::empty(columns.to_vec());
    for batch in batches {
        table.push(batch.clone()).unwrap();
    }
    rows(&table)
}

fn rows(table: &Table) -> Vec<Vec<Value>> {
    let width = table.columns().len();
    let row = |row| (0..width).map(|column| table.value(row, column)).collect();
    (0..table.rows()).map(row).collect()
}

fn stored(file: &Arc<ParquetFile>, columns: &[usize]) -> Result<Vec<Vec<Value>>, DataError> {
    let all = file.columns();
    let named: Vec<_> = columns.iter().map(|at| all[*at].clone()).collect();
    let batches: Result<Vec<_>, _> = file
        .read(0..file.groups().len(), columns, None, 1)
        .collect();
    Ok(values(&batches?, &named))
}

fn loaded(bytes: Vec<u8>) -> Result<Vec<Vec<Value>>, DataError> {
    let mut loader = Loader::new(LABEL, Some(Format::Parquet), bytes, limits());
    loop {
        if let Progress::Done(table) = loader.step(Duration::MAX)? {
            return Ok(rows(&table));
        }
    }
}

#[test]
fn rows_are_those_that_are_read_at_once() {
    let file = open(sample()).unwrap().unwrap();
    assert_eq!(file.groups(), [300, 300, 300, 100]);
    let whole = loaded(sample()).unwrap();
    assert_eq!(stored(&file, &[0, 1, 2]).unwrap(), whole);
    let turned = whole.iter().map(|row| vec![row[2].clone(), row[0].clone()]);
    assert_eq!(stored(&file, &[2, 0]).unwrap(), turned.collect::<Vec<_>>());
    let some: Result<Vec<_>, _> = file.read(1..2, &[1], None, 2).collect();
    let texts = whole[300..600].iter().map(|row| vec![row[1].clone()]);
    assert_eq!(
        values(&some.unwrap(), &file.columns()[1..2]),
        texts.collect::<Vec<_>>()
    );
}

#[test]
fn only_the_wanted_columns_leave_the_file() {
    let bytes = Arc::new(Noted {
        bytes: sample(),
        ..Noted::default()
    });
    let file = ParquetFile::open(LABEL, bytes.clone(), limits()).unwrap();
    let file = Arc::new(file.unwrap());
    let footer = *bytes.read.lock().unwrap();
    let counted: usize = file
        .read(0..4, &[], None, 1)
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(counted, ROWS as usize);
    assert_eq!(*bytes.read.lock().unwrap(), footer);
    stored(&file, &[0]).unwrap();
    let read = *bytes.read.lock().unwrap() - footer;
    assert!(read > 0 && read < bytes.bytes.len() / 2, "{read}");
}

#[test]
fn only_the_wanted_rows_come() {
    let file = open(sample()).unwrap().unwrap();
    let whole = loaded(sample()).unwrap();
    let far = |row: &&Vec<Value>| matches!(row[0], Value::Long(n) if n >= 595);
    for columns in [vec![1], vec![1, 0], vec![2, 1], vec![]] {
        let condition = Condition {
            columns: vec![0],
            test: Arc::new(|batch| {
                assert_eq!(batch.num_columns(), 1);
                let n = batch.column(0).as_primitive::<Int64Type>();
                n.iter().map(|n| n.map(|n| n >= 595)).collect()
            }),
        };
        let batches: Result<Vec<_>, _> = file.read(0..4, &columns, Some(condition), 1).collect();
        let batches = batches.unwrap();
        let wanted = whole.iter().filter(far);
        if columns.is_empty() {
            let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
            assert_eq!(count, wanted.count());
            continue;
        }
        let all = file.columns();
        let named: Vec<_> = columns.iter().map(|at| all[*at].clone()).collect();
        let wanted = wanted.map(|row| columns.iter().map(|at| row[*at].clone()).collect());
        assert_eq!(values(&batches, &named), wanted.collect::<Vec<Vec<_>>>());
    }
}

#[test]
fn what_the_footer_does_not_settle_is_loaded() {
    let bytes = BinaryArray::from_iter_values([b"a"]);
    assert!(
        open(written(vec![("b", Arc::new(bytes))]))
            .unwrap()
            .is_none()
    );
    let large = UInt64Array::from_iter_values([u64::MAX]);
    assert!(
        open(written(vec![("u", Arc::new(large))]))
            .unwrap()
            .is_none()
    );
    assert!(open(b"a,b\n1,2\n".to_vec()).unwrap().is_none());
    assert!(open(Vec::new()).unwrap().is_none());
}

#[test]
fn a_file_that_is_cut_short_is_one_error() {
    let whole = sample();
    for length in [12, whole.len() / 2, whole.len() - 1] {
        let error = open(whole[..length].to_vec()).unwrap_err().to_string();
        assert!(error.starts_with(LABEL), "{error}");
    }
}

#[test]
fn a_file_that_lost_its_rows_after_it_was_opened_is_one_error() {
    struct Shrunk(Vec<u8>, Mutex<bool>);
    impl Extent for Shrunk {
        fn length(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
            if *self.1.lock().unwrap() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let start = usize::try_from(offset).unwrap();
            into.copy_from_slice(&self.0[start..start + into.len()]);
            Ok(())
        }
    }
    let bytes = Arc::new(Shrunk(sample(), Mutex::new(false)));
    let file = ParquetFile::open(LABEL, bytes.clone(), limits()).unwrap();
    *bytes.1.lock().unwrap() = true;
    let mut rows = Arc::new(file.unwrap()).read(0..4, &[0], None, 1);
    let error = rows.next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with(LABEL), "{error}");
    assert!(rows.next().is_none());
}

/// Whatever is damaged: no panic, and where the file is read both ways, the same rows.
#[test]
fn damage_is_refused_or_read_as_it_is_at_once() {
    let whole = sample();
    let (mut refused, mut same) = (0, 0);
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let Ok(Some(file)) = open(bytes.clone()) else {
            refused += 1;
            continue;
        };
        let all: Vec<usize> = (0..file.columns().len()).collect();
        match (stored(&file, &all), loaded(bytes)) {
            (Ok(stored), Ok(loaded)) => {
                assert!(stored == loaded, "byte {at}");
                same += 1;
            }
            (Err(_), _) | (_, Err(_)) => refused += 1,
        }
    }
    assert!(
        refused > 100 && same > 100,
        "{refused} refused, {same} read"
    );
}
