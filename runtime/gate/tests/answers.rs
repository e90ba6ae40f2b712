//! The answer decoder against broken answers: it answers or refuses, and never panics.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::datatypes::{DataType, Field, Schema};
use arrow_ipc::writer::StreamWriter;
use spoor_gate::answer::{Bounds, read};
use spoor_hostile::{good_answer, good_manifest};
use spoor_plugin_abi::{Function, Manifest, encode_frame};

fn function() -> Function {
    let manifest = Manifest::parse(good_manifest().to_string().as_bytes()).unwrap();
    manifest.functions[0].clone()
}

#[test]
fn the_good_answer_is_read() {
    let answer = read(&good_answer(), &function(), 0, &Bounds::default()).unwrap();
    assert_eq!(answer.tables.len(), 1);
    assert_eq!(answer.tables[0].rows(), 3);
    assert!(answer.charts.is_empty());
}

#[test]
fn no_cut_and_no_change_of_a_byte_panics() {
    let (good, function, bounds) = (good_answer(), function(), Bounds::default());
    for at in 0..good.len() {
        assert!(
            read(&good[..at], &function, 0, &bounds).is_err(),
            "cut at {at}"
        );
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            if let Ok(answer) = read(&bytes, &function, 0, &bounds) {
                assert_eq!(answer.tables[0].schema.field(0).name(), "Value");
            }
        }
    }
}

#[test]
fn no_change_of_two_words_panics() {
    let (good, function, bounds) = (good_answer(), function(), Bounds::default());
    let values = [0u32, 1, 7, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    let words = good.len() / 4;
    for first in 0..words {
        for second in (first + 1)..words.min(first + 40) {
            for (a, b) in values.iter().zip(values.iter().rev()) {
                let mut bytes = good.clone();
                bytes[first * 4..first * 4 + 4].copy_from_slice(&a.to_le_bytes());
                bytes[second * 4..second * 4 + 4].copy_from_slice(&b.to_le_bytes());
                let _ = read(&bytes, &function, 0, &bounds);
            }
        }
    }
}

#[test]
fn a_million_columns_are_refused_before_they_are_read() {
    let fields: Vec<Field> = (0..1_000_000)
        .map(|n| Field::new(format!("c{n}"), DataType::Int64, true))
        .collect();
    let mut writer = StreamWriter::try_new(Vec::new(), &Schema::new(fields)).unwrap();
    writer.finish().unwrap();
    let frame = encode_frame(b"{}", &[&writer.into_inner().unwrap()]).unwrap();
    let bounds = Bounds {
        output: u64::MAX,
        ..Bounds::default()
    };
    assert!(read(&frame, &function(), 0, &bounds).is_err());
}
