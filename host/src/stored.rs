//! Tables of native queries that stay in their files: Parquet, of which only the columns that a query asks for are read.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use spoor_data::{DataError, Extent, Limits, ParquetFile};
use spoor_kql::{StoredBatches, StoredRows, Wanted};
use spoor_table::Column;

/// The rows of a file that can stay in it; none where they have to be loaded.
///
/// # Errors
/// When the file is of such a kind, and cannot be read.
pub fn stored(
    path: &Path,
    label: &str,
    limits: Limits,
) -> Result<Option<Arc<dyn StoredRows>>, DataError> {
    let Some(bytes) = Bytes::of(path) else {
        return Ok(None);
    };
    let file = ParquetFile::open(label, Arc::new(bytes), limits)?;
    Ok(file.map(|file| Arc::new(Parquet(Arc::new(file))) as Arc<dyn StoredRows>))
}

/// A file's bytes.
struct Bytes {
    file: File,
    length: u64,
}

impl Bytes {
    /// None of what is no file or cannot be opened: loading it says why, if there is something wrong.
    fn of(path: &Path) -> Option<Self> {
        // Before it is opened: to open a pipe would take its bytes.
        let kind = std::fs::metadata(path).ok()?;
        let file = kind.is_file().then(|| File::open(path).ok())??;
        let length = file.metadata().ok()?.len();
        Some(Bytes { file, length })
    }
}

impl Extent for Bytes {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }
}

/// A Parquet file's rows, a piece for each row group.
#[derive(Debug)]
struct Parquet(Arc<ParquetFile>);

impl StoredRows for Parquet {
    fn columns(&self) -> Arc<[Column]> {
        self.0.columns()
    }

    fn pieces(&self) -> Vec<u64> {
        self.0.groups()
    }

    fn at_once(&self, columns: &[usize]) -> usize {
        self.0.at_once(columns)
    }

    fn read(&self, pieces: Range<usize>, wanted: &Wanted, share: usize) -> StoredBatches {
        let condition = wanted.condition.clone();
        let rows = self.0.read(pieces, &wanted.columns, condition, share);
        Box::new(rows.map(|batch| batch.map_err(Into::into)))
    }
}
