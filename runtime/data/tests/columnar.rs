//! Parquet and Arrow IPC files: the types that they may hold, chunks, tags, and damage.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    FixedSizeBinaryArray, Float32Array, Int16Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::data_type::{ByteArray, FixedLenByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
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
fn numbers_and_times_are_not_cut() {
    // The value that decides lies in the second chunk.
    let rows = 10_000;
    let last = |value: u64| (0..rows).map(move |n| if n + 1 == rows { value } else { n });
    let decimal = |last: i128, precision, scale| -> ArrayRef {
        let values = (0..rows as i128 - 1).chain([last]);
        let array = Decimal128Array::from_iter_values(values);
        Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
    };
    let batch = batch(vec![
        ("u", Arc::new(UInt64Array::from_iter_values(last(u64::MAX)))),
        ("v", Arc::new(UInt64Array::from_iter_values(last(7)))),
        ("d", decimal(15, 38, 1)),
        ("e", decimal(12_345_678_901_234_567_890, 38, 20)),
        (
            "f",
            decimal(123_456_789_012_345_678_901_234_567_123_456, 38, 6),
        ),
        (
            "t",
            Arc::new(TimestampSecondArray::from_iter_values(
                last(i64::MAX as u64).map(|n| n as i64),
            )),
        ),
    ]);
    for bytes in [parquet(&batch), file(&batch), stream(&batch)] {
        let table = load(bytes);
        let shown = show(&table);
        let mut lines = shown.lines();
        assert_eq!(
            lines.next().unwrap(),
            "u: decimal, v: long, d: decimal, e: string, f: string, t: datetime"
        );
        assert_eq!(
            lines.nth(2).unwrap(),
            "1,1,0.1,0.00000000000000000001,0.000001,1970-01-01T00:00:01.0000000Z"
        );
        assert_eq!(
            lines.next_back().unwrap(),
            "18446744073709551615,7,1.5,0.1234567890123456789,123456789012345678901234567.123456,"
        );
    }
}

#[test]
fn bytes_of_a_column_have_one_form() {
    let rows = 10_000;
    let digest = |row: usize| if row + 1 == rows { b"\xff\x00" } else { b"ab" };
    let batch = batch(vec![
        (
            "hash",
            Arc::new(BinaryArray::from_iter_values((0..rows).map(digest))),
        ),
        (
            "text",
            Arc::new(BinaryArray::from_iter_values((0..rows).map(|_| "é"))),
        ),
    ]);
    for bytes in [parquet(&batch), file(&batch)] {
        let shown = show(&load(bytes));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "hash: string, text: string");
        assert_eq!((lines[2], lines[rows + 1]), ("6162,é", "ff00,é"));
    }
}

#[test]
fn uuids_are_guids() {
    let bytes: Vec<u8> = (0..16).collect();
    let values = [Some(bytes.as_slice()), None];
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 16);
    let array: ArrayRef = Arc::new(array.unwrap());
    let shown = "g: guid\ng\n00010203-0405-0607-0809-0a0b0c0d0e0f\n\n";
    let tag = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
    let field = Field::new("g", DataType::FixedSizeBinary(16), true).with_metadata(tag);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap();
    assert_eq!(show(&load(file(&batch))), shown);
    // Parquet's own schema says it, and nothing else.
    let text = "message schema { optional fixed_len_byte_array(16) g (UUID); }";
    let schema = Arc::new(parse_message_type(text).unwrap());
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::default()))
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<FixedLenByteArrayType>()
        .write_batch(&[ByteArray::from(bytes).into()], Some(&[1, 0]), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    assert_eq!(show(&load(writer.into_inner().unwrap())), shown);
}

#[test]
fn text_that_is_tagged_is_guids_where_it_is() {
    let tag = HashMap::from([("kusto.type".to_owned(), "guid".to_owned())]);
    let field = Field::new("g", DataType::Utf8, true).with_metadata(tag);
    let guid = "74BE27DE-1E4E-49D9-B579-FE0B331D3642";
    let texts = StringArray::from(vec![Some(guid), Some("x"), None]);
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(texts)]).unwrap();
    for bytes in [parquet(&batch), file(&batch)] {
        let shown = format!("g: guid\ng\n{}\n\n\n", guid.to_lowercase());
        assert_eq!(show(&load(bytes)), shown);
    }
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
