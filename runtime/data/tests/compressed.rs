//! Compressed files: each method, archives of several files, and what damaged or hostile ones say.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use spoor_data::{DataError, Limits, read};
use spoor_table::{Table, format};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn load(label: &str, bytes: Vec<u8>) -> Result<Table, DataError> {
    read(label, None, bytes, Limits::default())
}

fn csv(label: &str, bytes: Vec<u8>) -> String {
    format::csv(&load(label, bytes).unwrap()).replace("\r\n", "\n")
}

fn refusal(label: &str, bytes: Vec<u8>, limits: Limits) -> String {
    read(label, None, bytes, limits).unwrap_err().to_string()
}

const LINES: &[u8] = b"{\"a\":1}\n{\"a\":2}\n";

#[test]
fn what_lies_beside_data_in_an_archive_is_no_data() {
    let table = b"x\n1\n".as_slice();
    let members = [
        ("README.txt", b"hello".as_slice()),
        ("a.csv", table),
        ("b/LICENSE", b"free".as_slice()),
    ];
    let archive = zip(&members, CompressionMethod::Deflated);
    assert_eq!(csv("a.zip", archive), "x\n1\n");
    // Where nothing else is, it may be.
    let archive = zip(&[("events.txt", table)], CompressionMethod::Deflated);
    assert_eq!(csv("a.zip", archive), "x\n1\n");
}

#[test]
fn every_method_is_found_from_the_bytes() {
    let double = [
        zstd(b"{\"a\":1}\n"),
        vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9],
        zstd(b"{\"a\":2}\n"),
    ]
    .concat();
    let twice = [gzip(b"{\"a\":1}\n"), gzip(b"{\"a\":2}\n")].concat();
    for bytes in [
        LINES.to_vec(),
        gzip(LINES),
        twice,
        zstd(LINES),
        double,
        gzip(&zstd(LINES)),
        zip(&[("x.json", LINES)], CompressionMethod::Deflated),
        zip(&[("x.json", LINES)], CompressionMethod::Stored),
        zip(&[("x.json.gz", &gzip(LINES))], CompressionMethod::Stored),
    ] {
        assert_eq!(csv("events.json", bytes), "a\n1\n2\n");
    }
}

#[test]
fn members_of_one_kind_become_one_table() {
    let members: [(&str, &[u8]); 5] = [
        ("day1/", b""),
        ("day1/a.csv", b"id,user\n1,ann\n"),
        ("day2/b.csv", b"user,score\nbob,0.5\n"),
        ("__MACOSX/._b.csv", b"\0\0"),
        ("day3/empty.csv", b""),
    ];
    let archive = zip(&members[1..], CompressionMethod::Deflated);
    assert_eq!(
        csv("days.zip", archive),
        "id,user,score\n1,ann,\n,bob,0.5\n"
    );
}

#[test]
fn members_of_two_kinds_are_refused() {
    let archive = zip(
        &[("a.csv", b"a\n1\n"), ("b.json", LINES)],
        CompressionMethod::Stored,
    );
    assert_eq!(
        refusal("mix.zip", archive, Limits::default()),
        "mix.zip, file b.json in it: the archive mixes CSV (a.csv) and JSON (b.json); unpack it and load the files one by one"
    );
}

#[test]
fn an_error_names_the_member_and_its_line() {
    let archive = zip(
        &[("a.json", LINES), ("b.json", b"{\"a\":1}\n{]\n")],
        CompressionMethod::Deflated,
    );
    let told = refusal("two.zip", archive, Limits::default());
    assert!(
        told.starts_with("two.zip, file b.json in it, line 2, column 2: not valid JSON: "),
        "{told}"
    );
}

#[test]
fn bombs_stop_early() {
    let zeros = vec![b'0'; 40 << 20];
    let limits = Limits {
        output_bytes: 1 << 20,
        ratio: 100,
        ..Limits::default()
    };
    let told = refusal("bomb.json.gz", gzip(&zeros[..2 << 20]), limits);
    assert!(told.contains("more than 1048576 bytes"), "{told}");
    let limits = Limits {
        output_bytes: 1 << 30,
        ratio: 100,
        ..Limits::default()
    };
    for bomb in [
        gzip(&zeros),
        zip(&[("0.json", &zeros)], CompressionMethod::Deflated),
    ] {
        let told = refusal("bomb", bomb, limits);
        assert!(told.contains("more than 100 times its size"), "{told}");
    }
}

#[test]
fn damage_is_told() {
    let whole = gzip(LINES);
    let told = refusal(
        "cut.json.gz",
        whole[..whole.len() - 9].to_vec(),
        Limits::default(),
    );
    assert!(
        told.starts_with("cut.json.gz: the gzip data does not decompress ("),
        "{told}"
    );
    let mut archive = zip(&[("a.json", LINES)], CompressionMethod::Stored);
    let at = archive
        .windows(3)
        .position(|bytes| bytes == b"\"a\"")
        .unwrap();
    archive[at + 1] = b'b';
    let told = refusal("bad.zip", archive, Limits::default());
    assert!(told.contains("its checksum does not match"), "{told}");
    let told = refusal("no.zip", b"PK\x03\x04nothing".to_vec(), Limits::default());
    assert!(
        told.starts_with("no.zip: the zip data does not decompress ("),
        "{told}"
    );
}

#[test]
fn other_formats_are_named() {
    let told = refusal(
        "Security.evtx",
        b"ElfFile\0\0\0\0\0".to_vec(),
        Limits::default(),
    );
    assert!(
        told.starts_with(
            "Security.evtx: this is a Windows event log (EVTX), which is not read here; "
        ),
        "{told}"
    );
    let workbook: [(&str, &[u8]); 2] = [
        ("[Content_Types].xml", b"<x/>"),
        ("xl/workbook.xml", b"<x/>"),
    ];
    for label in ["x.xlsx", "x.csv"] {
        let archive = zip(&workbook, CompressionMethod::Deflated);
        assert_eq!(
            refusal(label, archive, Limits::default()),
            format!(
                "{label}: this is an Office document, such as an Excel workbook (XLSX), which is not read here; save the sheet as CSV (UTF-8)"
            )
        );
    }
    let told = refusal("x.bin", vec![1, 2, 0, 3], Limits::default());
    assert!(
        told.contains("neither CSV, JSON, Parquet nor Arrow IPC"),
        "{told}"
    );
}
