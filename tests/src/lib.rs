//! What the benchmarks run on: a million rows, the same each time, as an Arrow IPC file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;

/// Rows in the benchmarks' table.
pub const ROWS: usize = 1_000_000;
const BATCH: usize = 65_536;

/// Writes the table: ten columns of the types that telemetry has.
pub fn write_rows(path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("could not make {}", path.display()))?;
    let first = batch(0, 1)?;
    let mut writer = FileWriter::try_new(BufWriter::new(file), &first.schema())?;
    for start in (0..ROWS).step_by(BATCH) {
        writer.write(&batch(start, BATCH.min(ROWS - start))?)?;
    }
    writer.finish().context("could not finish the file")
}

/// Reads it back.
pub fn read_rows(path: &Path) -> Result<Vec<RecordBatch>> {
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    FileReader::try_new(file, None)?
        .collect::<Result<_, _>>()
        .context("could not read the rows")
}

/// A 64-bit mix (SplitMix64's finaliser), so that the rows are scattered but always the same.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn batch(start: usize, len: usize) -> Result<RecordBatch> {
    let ids: Vec<u64> = (start..start + len).map(|n| mix(n as u64)).collect();
    let text = |make: fn(u64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(ids.iter().copied().map(make)))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "Time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                (start..start + len).map(|n| 1_700_000_000_000_000 + n as i64 * 250_000),
            )),
        ),
        (
            "Account",
            text(|n| format!("user{:04}@contoso.example", n % 5_000)),
        ),
        ("Host", text(|n| format!("host-{:03}", (n >> 8) % 200))),
        (
            "Address",
            text(|n| format!("10.{}.{}.{}", n & 15, (n >> 4) & 255, (n >> 12) & 255)),
        ),
        (
            "Process",
            text(|n| format!("process{}.exe", (n >> 20) % 40)),
        ),
        (
            "EventId",
            Arc::new(Int32Array::from_iter_values(
                ids.iter().map(|n| 4600 + (n % 90) as i32),
            )),
        ),
        (
            "Bytes",
            Arc::new(Int64Array::from_iter_values(
                ids.iter().map(|n| (n >> 40) as i64),
            )),
        ),
        (
            "Score",
            Arc::new(Float64Array::from_iter_values(
                ids.iter().map(|n| (n >> 11) as f64 / (1u64 << 53) as f64),
            )),
        ),
        (
            "Failed",
            Arc::new(BooleanArray::from_iter(
                ids.iter().map(|n| Some(n % 7 == 0)),
            )),
        ),
        (
            "Session",
            Arc::new(Int64Array::from_iter(
                ids.iter()
                    .map(|n| (n % 11 != 0).then_some((n >> 3) as i64 & 0xffff_ffff)),
            )),
        ),
    ];
    RecordBatch::try_from_iter(columns).context("the columns do not make a batch")
}
