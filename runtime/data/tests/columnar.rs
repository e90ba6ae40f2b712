//! Parquet and Arrow IPC files: the types that they may hold, chunks, tags, and damage.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, DictionaryArray, Float32Array, Int16Array,
    Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampNanosecondArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use spoor_data::{Limits, read};
use spoor_table::{Table, format};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn load(bytes: Vec<u8>) -> Table {
    read("t", None, bytes, Limits::default()).unwrap()
}

fn show(table: &Table) -> String {
    let columns = table
        .columns()
        .iter()
        .map(|column| format!("{}: {}", column.name, column.ty));
    format!(
        "{}\n{}",
        columns.collect::<Vec<_>>().join(", "),
        format::csv(table).replace("\r\n", "\n")
    )
}

#[test]
fn arrow_types_become_kusto_types() {
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let list = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>([
        Some(vec![Some(1), None]),
        None,
    ]);
    let record = StructArray::from(vec![(
        item,
        Arc::new(Int64Array::from(vec![7, 8])) as ArrayRef,
    )]);
    let batch = batch(vec![
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("i", Arc::new(Int16Array::from(vec![Some(-3), None]))),
        ("l", Arc::new(Int64Array::from(vec![Some(4), None]))),
        ("f", Arc::new(Float32Array::from(vec![Some(0.5), None]))),
        ("s", Arc::new(StringArray::from(vec![Some("x"), None]))),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![Some(b"text".as_slice()), None])),
        ),
        (
            "dict",
            Arc::new(
                vec![Some("y"), None]
                    .into_iter()
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
        (
            "t",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(1_583_060_645_123_456_789),
                None,
            ])),
        ),
        ("d", Arc::new(Date32Array::from(vec![Some(18_262), None]))),
        ("list", Arc::new(list)),
        ("record", Arc::new(record)),
    ]);
    let expected = "b: bool, i: int, l: long, f: real, s: string, bytes: string, dict: string, t: datetime, d: datetime, list: dynamic, record: dynamic
b,i,l,f,s,bytes,dict,t,d,list,record
true,-3,4,0.5,x,text,y,2020-03-01T11:04:05.1234567Z,2020-01-01T00:00:00.0000000Z,\"[1,null]\",\"{\"\"item\"\":7}\"
,,,,,,,,,,\"{\"\"item\"\":8}\"
";
    for bytes in [parquet(&batch), file(&batch), stream(&batch)] {
        assert_eq!(show(&load(bytes)), expected);
    }
}

#[test]
fn json_text_that_is_tagged_is_dynamic() {
    let tag = HashMap::from([("kusto.type".to_owned(), "dynamic".to_owned())]);
    let field = Field::new("d", DataType::Utf8, true).with_metadata(tag);
    let texts = StringArray::from(vec![Some("{\"a\":[1]}"), Some("not JSON"), Some(""), None]);
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(texts)]).unwrap();
    assert_eq!(
        show(&load(parquet(&batch))),
        "d: dynamic\nd\n\"{\"\"a\"\":[1]}\"\nnot JSON\n\n\n"
    );
}

#[test]
fn long_batches_are_cut() {
    let rows = 20_000;
    let batch = batch(vec![("n", Arc::new(Int64Array::from_iter_values(0..rows)))]);
    let table = load(stream(&batch));
    assert_eq!(table.rows(), rows as usize);
    assert!(
        table
            .batches()
            .iter()
            .all(|batch| batch.num_rows() <= 8_192)
    );
}

#[test]
fn a_file_without_rows_keeps_its_columns() {
    let batch = batch(vec![("u", Arc::new(UInt64Array::from(Vec::<u64>::new())))]);
    assert_eq!(show(&load(file(&batch))), "u: long\nu\n");
}

/// More of them for a longer look: `SPOOR_MUTATIONS=100000`.
fn mutations() -> usize {
    std::env::var("SPOOR_MUTATIONS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(400)
}

#[test]
fn damaged_files_are_refused_without_a_panic() {
    let batch = batch(vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..50))),
        (
            "s",
            Arc::new(StringArray::from_iter_values(
                (0..50).map(|n| format!("text {n}")),
            )),
        ),
    ]);
    let mut state = 1_u64;
    let mut refused = 0;
    for whole in [parquet(&batch), file(&batch), stream(&batch)] {
        for _ in 0..mutations() {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = (state >> 20) as u8;
            }
            refused += usize::from(read("t", None, bytes, Limits::default()).is_err());
        }
        refused += usize::from(
            read(
                "t",
                None,
                whole[..whole.len() / 2].to_vec(),
                Limits::default(),
            )
            .is_err(),
        );
    }
    assert!(
        refused > 100,
        "only {refused} of the damaged files were refused"
    );
}
