//! What a call returned, held against what the manifest declares. Nothing that a plugin says is believed before it is
//! compared with the bytes that are there.
//!
//! A host takes the `i64` that `call` returned to [`locate`], copies that range out of the guest's memory, and gives the
//! copy to [`read`] or, for an error message, to [`message`]. What is allocated on the way is a small multiple of the
//! answer's bytes, whatever they claim.

mod fault;
mod ipc;
mod schema;
mod table;

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use spoor_plugin_abi::{AnswerHeader, Chart, FRAME_ALIGN, Frame, Function, Packed};

pub use fault::{AnswerRule, Fault};
pub use schema::{arrow_type, declared_schema};

/// The most bytes of an answer's JSON, and of an error message that is shown.
const MAX_HEADER: usize = 256 << 10;
const MAX_MESSAGE: usize = 4 << 10;
const MAX_CHARTS: usize = 16;

/// What an answer may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the answer.
    pub output: u64,
    /// Rows of a table.
    pub rows: u64,
    /// Bytes of one string.
    pub string: usize,
    /// Columns of a table that the manifest does not declare.
    pub columns: usize,
    /// Record batches of a table.
    pub batches: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            output: spoor_plugin_abi::DEFAULT_OUTPUT,
            rows: 100_000_000,
            string: 1 << 20,
            columns: 256,
            batches: 4_096,
        }
    }
}

/// Where an answer lies in the guest's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Whether it is an error message instead of a frame.
    pub failed: bool,
    /// Its bytes in the guest's memory.
    pub range: Range<usize>,
}

/// A table of an answer, of sound Arrow arrays.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its columns: of the first table those declared, with `_row` before them where the answer is `indexed`.
    pub schema: SchemaRef,
    /// Its rows. Every batch has this schema.
    pub batches: Vec<RecordBatch>,
}

impl Table {
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.batches
            .iter()
            .map(|batch| batch.num_rows() as u64)
            .sum()
    }
}

/// An answer that keeps its word.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The declared table, and those that the plugin adds.
    pub tables: Vec<Table>,
    /// Charts, each of one of the tables.
    pub charts: Vec<Chart>,
}

/// Where the call's frame of `length` bytes goes, by the pointer that `alloc` returned, in a memory of `memory` bytes.
pub fn room(pointer: i32, length: usize, memory: u64) -> Result<Range<usize>, Fault> {
    let start = pointer as u32;
    let refuse = |words: String| Err(Fault::new(AnswerRule::Range, 0, words));
    if start == 0 {
        return refuse(format!(
            "alloc has no room for the call's {length} bytes: give it fewer rows or more memory"
        ));
    }
    if !(start as usize).is_multiple_of(FRAME_ALIGN) {
        return refuse(format!(
            "alloc returned {start}, which is no multiple of {FRAME_ALIGN}"
        ));
    }
    match (start as usize).checked_add(length) {
        Some(end) if end as u64 <= memory => Ok(start as usize..end),
        _ => refuse(format!(
            "alloc returned {start} for {length} bytes, outside the memory of {memory} bytes"
        )),
    }
}

/// Where the answer lies, by the number that `call` returned, in a memory of `memory` bytes.
pub fn locate(returned: i64, memory: u64, bounds: &Bounds) -> Result<Located, Fault> {
    let packed = Packed::from_i64(returned);
    let length = u64::from(packed.length);
    if length > bounds.output {
        let words = format!("it has {length} bytes, and {} are allowed", bounds.output);
        return Err(Fault::new(AnswerRule::Size, 0, words));
    }
    let range = usize::try_from(memory)
        .ok()
        .and_then(|memory| packed.range(memory));
    let range = range.ok_or_else(|| {
        let words = format!(
            "it is said to lie at {} with {length} bytes, outside the memory of {memory} bytes",
            packed.pointer
        );
        Fault::new(AnswerRule::Range, 0, words)
    })?;
    Ok(Located {
        failed: packed.failed,
        range,
    })
}

/// Reads the answer of `function` to a call with `rows` input rows (0 where it takes no table).
pub fn read(
    bytes: &[u8],
    function: &Function,
    rows: u64,
    bounds: &Bounds,
) -> Result<Answer, Fault> {
    if bytes.len() as u64 > bounds.output {
        let words = format!(
            "it has {} bytes, and {} are allowed",
            bytes.len(),
            bounds.output
        );
        return Err(Fault::new(AnswerRule::Size, 0, words));
    }
    let frame = Frame::decode(bytes)
        .map_err(|error| Fault::new(AnswerRule::Frame, 0, error.to_string()))?;
    let charts = header(frame.header(), frame.table_count())?;
    if frame.table_count() == 0 {
        return Err(Fault::new(AnswerRule::Frame, 0, "there is no table"));
    }
    let tables = frame
        .tables()
        .enumerate()
        .map(|(at, stream)| {
            let declared = (at == 0).then_some((function, rows));
            table::read(stream, declared, bounds)
                .map_err(|fault| fault.within(at, offset(bytes, stream)))
        })
        .collect::<Result<_, _>>()?;
    Ok(Answer { tables, charts })
}

/// A guest's error message, fit to be shown: at most 4 KiB, and without control characters or marks that turn the
/// direction of text.
pub fn message(bytes: &[u8]) -> String {
    let cut = bytes.len() > MAX_MESSAGE;
    let bytes = &bytes[..bytes.len().min(MAX_MESSAGE)];
    let mut text: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| {
            if c == '\n' || c == '\t' || !steers(c) {
                c
            } else {
                '\u{fffd}'
            }
        })
        .collect();
    if cut {
        text.push('…');
    }
    text
}

fn header(json: &[u8], tables: usize) -> Result<Vec<Chart>, Fault> {
    let refuse = |words: String| Fault::new(AnswerRule::Header, 0, words);
    if json.len() > MAX_HEADER {
        return Err(refuse(format!(
            "it has {} bytes, and {MAX_HEADER} are allowed",
            json.len()
        )));
    }
    let header: AnswerHeader =
        serde_json::from_slice(json).map_err(|error| refuse(error.to_string()))?;
    if header.charts.len() > MAX_CHARTS {
        return Err(refuse(format!(
            "it has {} charts, and {MAX_CHARTS} are allowed",
            header.charts.len()
        )));
    }
    if let Some(chart) = header
        .charts
        .iter()
        .find(|chart| chart.table as usize >= tables)
    {
        return Err(refuse(format!(
            "a chart draws table {}, and there are {tables}",
            chart.table
        )));
    }
    Ok(header.charts)
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Where a part of the answer begins in it.
fn offset(bytes: &[u8], part: &[u8]) -> u64 {
    (part.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize) as u64
}
