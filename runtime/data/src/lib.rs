//! Readers of data files: bytes in, Kusto-typed tables out.
//!
//! The kernel calls these with what a driver handed it; tools may too. [`Loader`] works in slices, so that a session
//! stays responsive while a large file is parsed; [`read`] does it in one go. Compression (gzip, zstd, zip) is found
//! from the bytes, then the format (CSV, JSON, Parquet, Arrow IPC), and the schema is inferred over the whole file:
//! - columns are the union over all rows, in order of appearance; what a row lacks is null;
//! - `long` widens to `real`, other mixed scalars to `string`, anything mixed with nested values to `dynamic`;
//! - nested JSON is `dynamic`; numbers in JSON strings stay strings; text is `datetime` only if all of it is ISO 8601;
//! - CSV fields get the narrowest type that all of a column's fields have; codes with leading zeros stay strings;
//! - in CSV and JSON a whole number that no `long` holds makes its column `string`, with all digits of all numbers;
//! - Parquet's and Arrow's types: [`spoor_table::convert`].
//!
//! Nothing here opens a file, and nothing is skipped in silence: a bad line is an error that names it. What programs write
//! into JSON though JSON does not have it is read: `NaN`, `Infinity` and numbers that no `real` holds (`1e400`) are null,
//! and half a surrogate pair is U+FFFD. docs/data.md says all of this to users.

mod alike;
mod assembly;
mod cells;
mod columnar;
mod error;
mod facts;
mod footer;
mod format;
mod json;
mod line;
mod loader;
mod mend;
mod messages;
mod pages;
mod separated;
mod stored;
mod text;
mod unpack;
mod weight;

use std::time::{Duration, Instant};

pub use error::{DataError, Place, Problem};
pub use loader::{Loader, Progress};
pub use spoor_names::{Format, is_data, other_name, table_name, table_names};
use spoor_table::Table;
pub use stored::{Extent, ParquetFile, Rows};

/// The memory of kernel.wasm, in bytes: all that 32 bits address.
pub const KERNEL_MEMORY: u64 = 4 << 30;

/// The most bytes of one row: of a JSON object's text, or of a columnar file's values. Encoded as dynamic values a row
/// of small numbers takes up to thirteen times its size, and that in one go. Kusto's own limit is the same.
const MOST_ROW_BYTES: usize = 64 << 20;

/// How much memory a file may come to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression, over all files of an archive.
    pub output_bytes: u64,
    /// Output bytes per input byte of each compressed file, beyond 32 MiB of output.
    pub ratio: u64,
    /// Bytes of the table, whatever the format.
    pub table_bytes: u64,
}

impl Limits {
    /// The limits for a program that has `memory` bytes: a quarter for what the file unpacks to, as much for its table,
    /// and half for everything else (in the kernel that is the query engine's share). The ratio is 500: more than
    /// repetitive logs reach under zstd (about 100), less than half of deflate's utmost.
    pub const fn of_memory(memory: u64) -> Self {
        Limits {
            output_bytes: memory / 4,
            ratio: 500,
            table_bytes: memory / 4,
        }
    }
}

impl Default for Limits {
    /// What the kernel can hold.
    fn default() -> Self {
        Limits::of_memory(KERNEL_MEMORY)
    }
}

/// Reads a whole file.
///
/// `label` is what people call the file, for messages. `format` is what the caller knows of its format; `None` finds
/// it from the label's extension and the bytes. The bytes decide where they have a signature.
pub fn read(
    label: &str,
    format: Option<Format>,
    bytes: Vec<u8>,
    limits: Limits,
) -> Result<Table, DataError> {
    let mut loader = Loader::new(label, format, bytes, limits);
    loop {
        if let Progress::Done(table) = loader.step(Duration::MAX)? {
            return Ok(table);
        }
    }
}

/// When a slice of work ends.
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(budget: Duration) -> Self {
        Deadline(Instant::now().checked_add(budget))
    }

    fn passed(&self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}
