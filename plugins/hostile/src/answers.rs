//! Plugins that answer, and whose answers are not to be believed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray,
    UInt32Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use serde_json::{Value, json};
use spoor_plugin_abi::encode_frame;

use crate::module::{answering, good_batch, good_manifest, stream};
use crate::{Case, Outcome, case, fault};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = streams();
    cases.extend(lies());
    cases.extend(schemas());
    cases.extend(headers());
    cases.extend(rows());
    cases.extend(strings());
    cases
}

/// A plugin of the good manifest that answers with one table.
fn table(name: &str, outcome: Outcome, stream: &[u8]) -> Case {
    tables(name, outcome, &[stream])
}

fn tables(name: &str, outcome: Outcome, tables: &[&[u8]]) -> Case {
    let frame = encode_frame(b"{}", tables).unwrap();
    case(
        &format!("answer-{name}"),
        outcome,
        answering(&frame, &good_manifest()),
    )
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn good() -> Vec<u8> {
    stream(&good_batch())
}

fn streams() -> Vec<Case> {
    let good = good();
    let mut flipped = good.clone();
    flipped[60] ^= 0xff;
    let unterminated = &good[..good.len() - 8];
    vec![
        table("of-an-empty-table", fault("stream"), b""),
        table("of-noise", fault("stream"), &[0xa5; 400]),
        table("cut-short", fault("stream"), &good[..good.len() - 40]),
        table("without-an-end", fault("stream"), unterminated),
        table(
            "with-bytes-after-the-end",
            fault("stream"),
            &[&good[..], &[0; 8]].concat(),
        ),
        table("corrupted", fault("stream"), &flipped),
        table(
            "of-two-schemas",
            fault("stream"),
            &[&good[..good.len() - 8], &good].concat(),
        ),
        table(
            "of-metadata-of-four-gigabytes",
            fault("stream"),
            &[0xff, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff],
        ),
        table(
            "of-a-file-instead-of-a-stream",
            fault("stream"),
            b"ARROW1\0\0\xff\xff\xff\xff",
        ),
        table("compressed", fault("encoding"), &compressed()),
        table("of-a-dictionary", fault("encoding"), &dictionary()),
        table("nested-deeply", fault("encoding"), &nested(40)),
        table(
            "of-a-hundred-thousand-columns",
            fault("schema"),
            &columns(100_000),
        ),
        tables(
            "of-many-columns-beside",
            fault("schema"),
            &[&good, &columns(1_000)],
        ),
        tables("nested-beside", fault("encoding"), &[&good, &nested(3)]),
    ]
}

/// A stream of zeros that lz4 makes a thousandth of.
fn compressed() -> Vec<u8> {
    let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; 4 << 20]));
    let batch = batch(vec![("Value", zeros)]);
    let options = IpcWriteOptions::default()
        .try_with_compression(Some(CompressionType::LZ4_FRAME))
        .unwrap();
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn dictionary() -> Vec<u8> {
    let values: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    stream(&batch(vec![("Value", Arc::new(values))]))
}

fn nested(depth: usize) -> Vec<u8> {
    let mut array: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    for _ in 0..depth {
        let field = Arc::new(Field::new("item", array.data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([array.len()]);
        array = Arc::new(ListArray::new(field, offsets, array, None));
    }
    stream(&batch(vec![("Value", array)]))
}

fn columns(count: usize) -> Vec<u8> {
    let fields: Vec<Field> = (0..count)
        .map(|n| Field::new(format!("c{n}"), DataType::Int64, true))
        .collect();
    let mut writer = StreamWriter::try_new(Vec::new(), &Schema::new(fields)).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// The good stream with each word of the record batch's metadata that is `from` made `to`.
fn lie(from: i64, to: i64) -> Vec<u8> {
    let mut bytes = good();
    let second = bytes[8..]
        .windows(4)
        .position(|word| word == [0xff; 4])
        .unwrap()
        + 8;
    let size = i32::from_le_bytes(bytes[second + 4..second + 8].try_into().unwrap()) as usize;
    for word in bytes[second + 8..second + 8 + size].chunks_exact_mut(8) {
        if word == from.to_le_bytes() {
            word.copy_from_slice(&to.to_le_bytes());
        }
    }
    bytes
}

fn lies() -> Vec<Case> {
    let long = good().len() as i64;
    vec![
        table("of-rows-without-end", fault("stream"), &lie(3, i64::MAX)),
        table("of-fewer-than-no-rows", fault("stream"), &lie(3, -3)),
        table("of-more-rows-than-bytes", fault("stream"), &lie(3, long)),
        table(
            "of-a-buffer-without-end",
            fault("stream"),
            &lie(24, i64::MAX),
        ),
        table("of-a-negative-buffer", fault("stream"), &lie(24, -24)),
        table("of-a-short-buffer", fault("stream"), &lie(24, 8)),
    ]
}

fn schemas() -> Vec<Case> {
    let numbers = || -> ArrayRef { Arc::new(Int64Array::from(vec![1, 2, 3])) };
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["1", "2", "3"])) };
    let extra = batch(vec![("Value", numbers()), ("More", numbers())]);
    let metadata = HashMap::from([("ARROW:extension:name".into(), "evil".into())]);
    let schema = Schema::new(vec![
        Field::new("Value", DataType::Int64, true).with_metadata(metadata),
    ]);
    let marked = RecordBatch::try_new(Arc::new(schema), vec![numbers()]).unwrap();
    vec![
        table(
            "of-another-name",
            fault("schema"),
            &stream(&batch(vec![("Other", numbers())])),
        ),
        table(
            "of-another-type",
            fault("schema"),
            &stream(&batch(vec![("Value", text())])),
        ),
        table(
            "of-another-case",
            fault("schema"),
            &stream(&batch(vec![("value", numbers())])),
        ),
        table("of-one-column-more", fault("schema"), &stream(&extra)),
        table("of-no-column", fault("schema"), &columns(0)),
        table(
            "of-metadata-that-is-dropped",
            Outcome::Answer,
            &stream(&marked),
        ),
        tables(
            "of-a-name-twice-beside",
            fault("schema"),
            &[&good(), &same_names()],
        ),
    ]
}

fn same_names() -> Vec<u8> {
    let field = || Field::new("a", DataType::Int64, true);
    let mut writer =
        StreamWriter::try_new(Vec::new(), &Schema::new(vec![field(), field()])).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn headers() -> Vec<Case> {
    let header = |name: &str, outcome, header: &str| {
        let frame = encode_frame(header.as_bytes(), &[&good()]).unwrap();
        case(
            &format!("answer-{name}"),
            outcome,
            answering(&frame, &good_manifest()),
        )
    };
    let many = json!({"charts": vec![json!({"kind": "table"}); 100]}).to_string();
    let deep = format!(
        "{{\"charts\":{}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let wide = format!("{{\"charts\":[{{\"kind\":\"{}\"}}]}}", "x".repeat(1 << 20));
    vec![
        tables("of-no-table", fault("frame"), &[]),
        header("of-no-header", fault("header"), ""),
        header(
            "of-a-header-unknown",
            fault("header"),
            "{\"html\":\"<script>alert(1)</script>\"}",
        ),
        header("of-a-header-nested", fault("header"), &deep),
        header("of-a-header-large", fault("header"), &wide),
        header("of-many-charts", fault("header"), &many),
        header(
            "of-a-chart-of-no-table",
            fault("header"),
            "{\"charts\":[{\"kind\":\"barchart\",\"table\":9}]}",
        ),
        header(
            "of-a-chart",
            Outcome::Answer,
            "{\"charts\":[{\"kind\":\"barchart\"}]}",
        ),
    ]
}

/// The good manifest with an input table, rows of this mode and a column of this type.
fn manifest(mode: &str, ty: &str) -> Value {
    let mut manifest = good_manifest();
    manifest["functions"][0]["input"] = json!("whole");
    manifest["functions"][0]["parameters"] =
        json!([{"name": "c", "kind": "column", "type": "string"}]);
    manifest["functions"][0]["output"] =
        json!({"rows": mode, "columns": [{"name": "Value", "type": ty}]});
    manifest
}

fn rows() -> Vec<Case> {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let with = |name: &str, outcome, mode: &str, rows, columns| {
        let frame = encode_frame(b"{}", &[&stream(&batch(columns))]).unwrap();
        let bytes = answering(&frame, &manifest(mode, "long"));
        Case {
            rows,
            ..case(&format!("answer-{name}"), outcome, bytes)
        }
    };
    let same = || vec![("Value", numbers.clone())];
    let index = |rows: Vec<Option<u32>>| -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("_row", Arc::new(UInt32Array::from(rows))),
            ("Value", numbers.clone()),
        ]
    };
    vec![
        with("of-as-many-rows", Outcome::Answer, "same", 3, same()),
        with("of-fewer-rows", fault("rows"), "same", 4, same()),
        with("of-more-rows", fault("rows"), "same", 2, same()),
        with(
            "of-an-index",
            Outcome::Answer,
            "indexed",
            3,
            index(vec![Some(2), Some(0), Some(0)]),
        ),
        with(
            "of-an-index-outside",
            fault("rows"),
            "indexed",
            2,
            index(vec![Some(2), Some(0), Some(0)]),
        ),
        with(
            "of-an-index-of-null",
            fault("stream"),
            "indexed",
            3,
            index(vec![Some(2), None, Some(0)]),
        ),
        with("of-no-index", fault("schema"), "indexed", 3, same()),
    ]
}

fn strings() -> Vec<Case> {
    let with = |name: &str, outcome, stream: &[u8]| {
        let frame = encode_frame(b"{}", &[stream]).unwrap();
        Case {
            rows: 1,
            ..case(
                &format!("answer-{name}"),
                outcome,
                answering(&frame, &manifest("free", "string")),
            )
        }
    };
    let text = |text: &str| {
        stream(&batch(vec![(
            "Value",
            Arc::new(StringArray::from(vec![text])),
        )]))
    };
    vec![
        with(
            "of-html",
            Outcome::Answer,
            &text("<img src=x onerror=\"fetch('//evil')\"><script>alert(1)</script>"),
        ),
        with(
            "of-a-long-string",
            fault("string"),
            &text(&"x".repeat(2 << 20)),
        ),
        with(
            "of-text-that-is-not-utf-8",
            fault("stream"),
            &as_text(&[b"\xff\xfe\xfd"]),
        ),
        with(
            "of-offsets-that-split-a-letter",
            fault("stream"),
            &as_text(&[b"\xc3", b"\xa9"]),
        ),
        with(
            "of-offsets-outside",
            fault("stream"),
            &offsets([0, 2_000_000_000]),
        ),
        with("of-offsets-that-fall", fault("stream"), &offsets([3, 0])),
        with("of-a-negative-offset", fault("stream"), &offsets([-8, 3])),
    ]
}

/// A stream that says text, over bytes that are none: a binary column's, under the schema of a text column.
fn as_text(values: &[&[u8]]) -> Vec<u8> {
    let binary = stream(&batch(vec![(
        "Value",
        Arc::new(BinaryArray::from(values.to_vec())),
    )]));
    let text = vec!["x"; values.len()];
    let text = stream(&batch(vec![("Value", Arc::new(StringArray::from(text)))]));
    let second = |bytes: &[u8]| {
        bytes[8..]
            .windows(4)
            .position(|word| word == [0xff; 4])
            .unwrap()
            + 8
    };
    [&text[..second(&text)], &binary[second(&binary)..]].concat()
}

/// A stream of one string, with its offsets replaced.
fn offsets(pair: [i32; 2]) -> Vec<u8> {
    let mut bytes = stream(&batch(vec![(
        "Value",
        Arc::new(StringArray::from(vec!["abc"])),
    )]));
    let good: Vec<u8> = [0i32, 3].iter().flat_map(|n| n.to_le_bytes()).collect();
    let at = bytes.windows(8).rposition(|word| word == good).unwrap();
    bytes[at..at + 8].copy_from_slice(&pair.map(i32::to_le_bytes).concat());
    bytes
}
