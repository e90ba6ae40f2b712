//! Files that would fill far more memory than they are long: each is refused with the limit, in time, and not by running
//! out of memory.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StringViewBuilder,
};
use arrow::datatypes::Int64Type;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spoor_data::{KERNEL_MEMORY, Limits, read};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Enough for what the tests below make before they are refused.
const MOST: u64 = 64 << 20;

/// What a file is refused with under a limit of its table.
fn refusal(label: &str, bytes: Vec<u8>, table_bytes: u64) -> String {
    let limits = Limits {
        table_bytes,
        ..Limits::default()
    };
    read(label, None, bytes, limits).unwrap_err().to_string()
}

#[track_caller]
fn assert_too_large(told: &str, place: &str, limit: u64) {
    assert!(told.starts_with(place), "{told}");
    assert!(
        told.contains(&format!("more than {limit} bytes (at ")),
        "{told}"
    );
    assert!(told.ends_with("an array of name and value"), "{told}");
}

#[test]
fn a_file_and_its_table_leave_half_of_the_kernels_memory() {
    let Limits {
        output_bytes,
        table_bytes,
        ..
    } = Limits::default();
    assert!(output_bytes + table_bytes <= KERNEL_MEMORY / 2);
}

#[test]
fn keys_that_rotate_are_refused_with_the_line() {
    let mut text = String::new();
    for row in 0..200_000 {
        writeln!(text, "{{\"k{}\":1}}", row % 10_000).unwrap();
    }
    let told = refusal("keys.jsonl", text.into_bytes(), MOST);
    assert_too_large(&told, "keys.jsonl, line ", MOST);
}

#[test]
fn one_wide_row_does_not_make_room_for_the_empty_ones_behind_it() {
    let keys: Vec<String> = (0..10_000).map(|key| format!("\"k{key}\":1")).collect();
    let text = format!("{{{}}}\n{}", keys.join(","), "{}\n".repeat(8_000));
    let limits = Limits {
        table_bytes: MOST,
        ..Limits::default()
    };
    // In one chunk of eight thousand rows its numbers alone would be 640 MB.
    let table = read("wide.json", None, text.into_bytes(), limits);
    assert_eq!(table.map(|table| table.rows()), Ok(8_001));
}

#[test]
fn many_small_members_count_for_what_their_columns_take() {
    let names: Vec<String> = (0..1_000).map(|column| format!("c{column}")).collect();
    let text = format!("{}\n{}1\n", names.join(","), "1,".repeat(999));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for member in 0..300 {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(format!("{member}.csv"), options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    let archive = writer.finish().unwrap().into_inner();
    let told = refusal("small.zip", archive, MOST);
    assert_too_large(&told, "small.zip, file ", MOST);
}

#[test]
fn a_type_that_widens_at_the_end_counts_too() {
    let text = format!("{}{{\"a\":\"x\"}}\n", "{\"a\":true}\n".repeat(8_192));
    let told = refusal("wider.json", text.into_bytes(), 40_000);
    assert_too_large(&told, "wider.json: ", 40_000);
}

#[test]
fn a_row_that_is_too_long_is_refused_at_once() {
    let text = format!("{{\"a\":1}}\n{{\"a\":[{}0]}}\n", "0,".repeat(34 << 20));
    let told = refusal("long.json", text.into_bytes(), 1 << 30);
    assert!(
        told.starts_with("long.json, line 2: a row is longer than 67108864 bytes"),
        "{told}"
    );
    let long = "x".repeat(65 << 20);
    let told = refusal("long.arrow", stream(&long_text(&long, 1), None), 1 << 30);
    assert!(
        told.starts_with("long.arrow: a row is longer than 67108864 bytes"),
        "{told}"
    );
}

#[test]
fn a_line_of_separated_values_is_read_only_as_far_as_a_row_may_go() {
    let long = "x".repeat(65 << 20);
    for (text, line) in [
        (long.clone(), 1),
        (format!("a,b\n1,2\n\"{long}"), 3),
        (format!("a,b\n1,\"2\n{long}\",3\n"), 2),
    ] {
        let told = refusal("long.csv", text.into_bytes(), 1 << 30);
        let wanted = format!("long.csv, line {line}: a row is longer than 67108864 bytes");
        assert!(told.starts_with(&wanted), "{told}");
    }
}

#[test]
fn a_compressed_line_that_is_too_long_is_refused_before_it_is_unpacked() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"a,b\n1,2\n").unwrap();
    for _ in 0..300 {
        encoder.write_all(&[b'x'; 1 << 20]).unwrap();
    }
    // Had it gone on, it would have been told of the 100 MB that it unpacks to.
    let limits = Limits {
        output_bytes: 100 << 20,
        ..Limits::default()
    };
    let told = read("long.csv.gz", None, encoder.finish().unwrap(), limits).unwrap_err();
    assert_eq!(
        told.to_string(),
        "long.csv.gz, line 3: a row is longer than 67108864 bytes, the most that is read; make rows of its parts, or leave its largest value out"
    );
}

#[test]
fn long_fields_make_more_chunks() {
    let field = "x".repeat(1 << 20);
    let text = format!("a\n{}", format!("{field}\n").repeat(100));
    let table = read("t.csv", None, text.into_bytes(), Limits::default()).unwrap();
    assert_eq!((table.rows(), table.batches().len()), (100, 4));
}

#[test]
fn nested_values_count_as_they_come() {
    // A few rows, each of which takes several times its text.
    let row = format!("{{\"a\":[{}0]}}\n", "0,".repeat(1 << 20));
    let told = refusal("nested.json", row.repeat(10).into_bytes(), MOST);
    assert_too_large(&told, "nested.json, line 5: ", MOST);
}

fn batch(column: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("c", column)]).unwrap()
}

/// One text as a dictionary's only value, for every row.
fn long_text(text: &str, rows: usize) -> RecordBatch {
    let values = Arc::new(StringArray::from(vec![text]));
    let keys = Int32Array::from(vec![0; rows]);
    batch(Arc::new(DictionaryArray::new(keys, values)))
}

fn parquet(batch: &RecordBatch, options: ArrowWriterOptions) -> Vec<u8> {
    let mut writer =
        ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn stream(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_text_that_every_row_shares_counts_for_every_row() {
    let text = "x".repeat(900_000);
    let shared = long_text(&text, 2_000);
    let mut views = StringViewBuilder::new();
    let block = views.append_block(text.as_bytes().into());
    (0..2_000).for_each(|_| views.try_append_view(block, 0, 900_000).unwrap());
    let files = [
        // With and without a dictionary in the schema that the writer keeps.
        parquet(&shared, ArrowWriterOptions::new()),
        parquet(
            &shared,
            ArrowWriterOptions::new().with_skip_arrow_metadata(true),
        ),
        stream(&shared, None),
        stream(&batch(Arc::new(views.finish())), None),
    ];
    for bytes in files {
        assert!(bytes.len() < 3 << 20, "{}", bytes.len());
        assert_too_large(&refusal("t", bytes, MOST), "t: ", MOST);
    }
}

#[test]
fn values_that_pages_repeat_are_refused_before_they_are_decoded() {
    let numbers = batch(Arc::new(Int64Array::from(vec![7; 1_000_000])));
    let bytes = vec![b'x'; 10_000];
    let wide = FixedSizeBinaryArray::try_from_iter(std::iter::repeat_n(bytes, 1_000)).unwrap();
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(7); 1_000_000])]);
    // Bytes of a fixed width get no dictionary.
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let options = ArrowWriterOptions::new().with_properties(properties);
    for batch in [numbers, batch(Arc::new(wide)), batch(Arc::new(list))] {
        let bytes = parquet(&batch, options.clone());
        assert!(bytes.len() < 100_000, "{}", bytes.len());
        let told = refusal("pages.parquet", bytes, 1 << 20);
        assert_too_large(&told, "pages.parquet: ", 1 << 20);
        assert!(told.contains(&format!("(at {} rows and 1 columns)", batch.num_rows())));
    }
}

#[test]
fn compressed_buffers_are_added_up() {
    let column = || Arc::new(Int64Array::from(vec![0; 100_000])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("a", column()), ("b", column())]).unwrap();
    let bytes = stream(&batch, Some(CompressionType::LZ4_FRAME));
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    let limits = Limits {
        output_bytes: 1 << 20,
        ..Limits::default()
    };
    let told = read("b.arrow", None, bytes.clone(), limits).unwrap_err();
    assert!(
        told.to_string()
            .starts_with("b.arrow: it unpacks to more than 1048576 bytes"),
        "{told}"
    );
    assert_eq!(
        read("b.arrow", None, bytes, Limits::default())
            .unwrap()
            .rows(),
        100_000
    );
}
