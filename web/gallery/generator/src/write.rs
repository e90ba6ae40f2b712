//! Writes a table as a Parquet file: zstd, dictionaries for text, row groups that a browser can take one at a time.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::FileSummary;
use crate::tables::Row;

const ROWS_A_GROUP: usize = 64 * 1024;

/// Writes `rows` as `<table>.parquet`, under another name first.
pub(crate) fn file<R: Row>(dir: &Path, rows: &[R]) -> io::Result<FileSummary> {
    let bytes = encode(rows).map_err(io::Error::other)?;
    let path = dir.join(format!("{}.parquet", R::NAME));
    let unfinished = dir.join(format!(".{}.parquet.part", R::NAME));
    fs::write(&unfinished, &bytes)?;
    fs::rename(&unfinished, &path)?;
    Ok(FileSummary {
        table: R::NAME,
        path,
        rows: rows.len(),
        bytes: bytes.len() as u64,
    })
}

fn encode<R: Row>(rows: &[R]) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let (fields, arrays): (Vec<_>, Vec<_>) = R::columns(rows).into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(9)?))
        .set_max_row_group_row_count(Some(ROWS_A_GROUP))
        .set_created_by("Spoor demo data".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}
