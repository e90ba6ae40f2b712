//! Parquet and Arrow IPC as rows: their own readers give Arrow batches, which are brought under Kusto's types.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, RecordBatch, RecordBatchReader, new_empty_array,
};
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow_ipc::reader::StreamReader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use spoor_table::dynamic::{Builder, parse_json_into};
use spoor_table::{KustoType, convert, ipc};

use crate::assembly::{Assembly, CHUNK_ROWS, Part};
use crate::error::{Problem, Trouble};
use crate::format::Format;
use crate::{Deadline, Limits, messages};

/// Reads one columnar file.
pub(crate) struct ColumnarReader {
    format: Format,
    batches: Box<dyn RecordBatchReader + Send>,
    /// How each column is read; empty before the first step.
    plan: Vec<Plan>,
    /// What is left of a batch that is longer than a chunk.
    rest: Option<RecordBatch>,
}

/// Where a column goes and how.
struct Plan {
    column: usize,
    ty: KustoType,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    /// A column of our own: it has the form already.
    Asis,
    /// JSON text that its field's metadata calls dynamic.
    JsonText,
    Convert,
}

impl ColumnarReader {
    pub(crate) fn new(format: Format, bytes: Vec<u8>, limits: Limits) -> Result<Self, Trouble> {
        let batches = unwinding(format, || match format {
            Format::Parquet => parquet(bytes, limits),
            _ => arrow(bytes, limits),
        })??;
        Ok(ColumnarReader {
            format,
            batches,
            plan: Vec::new(),
            rest: None,
        })
    }

    /// Reads batches until the deadline; `true` at the end of the file.
    pub(crate) fn step(
        &mut self,
        assembly: &mut Assembly,
        deadline: &Deadline,
    ) -> Result<bool, Trouble> {
        if self.plan.is_empty() {
            self.plan = plan(&self.batches.schema(), assembly)?;
        }
        loop {
            let Some(batch) = self.next()? else {
                return Ok(true);
            };
            let mut parts = Vec::with_capacity(self.plan.len());
            for (plan, array) in self.plan.iter().zip(batch.columns()) {
                parts.push((
                    plan.column,
                    plan.part(array)
                        .map_err(|cause| refused(self.format, &cause))?,
                ));
            }
            assembly.push(batch.num_rows(), parts);
            if deadline.passed() {
                return Ok(false);
            }
        }
    }

    /// The next batch of at most a chunk's rows.
    fn next(&mut self) -> Result<Option<RecordBatch>, Trouble> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match unwinding(self.format, || self.batches.next())? {
                Some(batch) => batch.map_err(|error| refused(self.format, &error))?,
                None => return Ok(None),
            },
        };
        if batch.num_rows() <= CHUNK_ROWS {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(CHUNK_ROWS, batch.num_rows() - CHUNK_ROWS));
        Ok(Some(batch.slice(0, CHUNK_ROWS)))
    }
}

/// Makes an error of a reader's panic. The checks below catch what they can, but the Parquet decoder still panics on some
/// pages that lie about their contents. Where a panic aborts (WebAssembly) it is a trap, which the driver has to catch.
fn unwinding<T>(format: Format, work: impl FnOnce() -> T) -> Result<T, Trouble> {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    caught.map_err(|_| {
        refused(
            format,
            &"its reader gave up on contents that contradict themselves",
        )
    })
}

fn parquet(bytes: Vec<u8>, limits: Limits) -> Result<Box<dyn RecordBatchReader + Send>, Trouble> {
    let refuse = |error| refused(Format::Parquet, &error);
    let bytes = bytes::Bytes::from(bytes);
    let bare = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&bytes, bare.clone())
        .map_err(refuse)?
        .metadata()
        .clone();
    let groups = metadata.row_groups();
    let size = groups.iter().fold(0_u64, |sum, group| {
        sum.saturating_add(group.total_byte_size().unsigned_abs())
    });
    if size > limits.output_bytes {
        return Err(Problem::TooLarge {
            limit: limits.output_bytes,
        }
        .whole());
    }
    if !columns_lie_within(&metadata, bytes.len() as u64) {
        return Err(refused(Format::Parquet, &"a column lies outside the file"));
    }
    let options = if has_sound_schema(&metadata) {
        ArrowReaderOptions::new()
    } else {
        bare
    };
    let metadata = ArrowReaderMetadata::try_new(metadata, options).map_err(refuse)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata);
    Ok(Box::new(
        builder
            .with_batch_size(CHUNK_ROWS)
            .build()
            .map_err(refuse)?,
    ))
}

/// Whether every column chunk is a range of the file; the reader takes that for granted.
fn columns_lie_within(metadata: &ParquetMetaData, length: u64) -> bool {
    let mut chunks = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    chunks.all(|chunk| {
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size());
        start >= 0
            && chunk.compressed_size() >= 0
            && end.is_some_and(|end| end.unsigned_abs() <= length)
    })
}

/// Whether the Arrow schema that a writer may have left in a Parquet file can be read without a panic. Without it the types
/// come from Parquet's own schema, and the tags of fields are lost.
fn has_sound_schema(metadata: &ParquetMetaData) -> bool {
    let pairs = metadata.file_metadata().key_value_metadata();
    let encoded = pairs
        .into_iter()
        .flatten()
        .find(|pair| pair.key == ARROW_SCHEMA_META_KEY);
    let bytes = encoded.and_then(|pair| STANDARD.decode(pair.value.as_deref()?).ok());
    bytes.is_some_and(|bytes| messages::check(&bytes, 0).is_ok())
}

fn arrow(bytes: Vec<u8>, limits: Limits) -> Result<Box<dyn RecordBatchReader + Send>, Trouble> {
    let bytes = bytes::Bytes::from(bytes);
    let stream = messages::stream_of(&bytes).map_err(|cause| refused(Format::Arrow, &cause))?;
    messages::check(stream, limits.output_bytes).map_err(|cause| refused(Format::Arrow, &cause))?;
    let stream = bytes.slice_ref(stream);
    let reader = StreamReader::try_new(Cursor::new(stream), None);
    Ok(Box::new(
        reader.map_err(|error| refused(Format::Arrow, &error))?,
    ))
}

fn refused(format: Format, cause: &impl std::fmt::Display) -> Trouble {
    Problem::Columnar {
        format,
        cause: cause.to_string(),
    }
    .whole()
}

/// Decides on every column, and makes them known even if no row follows.
fn plan(schema: &SchemaRef, assembly: &mut Assembly) -> Result<Vec<Plan>, Trouble> {
    let first = assembly.width();
    let mut plans = Vec::with_capacity(schema.fields().len());
    let mut parts = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let (ty, how) = reading(field)?;
        let mut column = assembly.column(field.name())?;
        if plans.iter().any(|plan: &Plan| plan.column == column) {
            let place = plans.len() + 1;
            column = assembly.column(&format!("{}{place}", field.name()))?;
        }
        parts.push((column, Part::Typed(ty, new_empty_array(&ty.arrow()))));
        plans.push(Plan { column, ty, how });
    }
    if plans.is_empty() && first == 0 {
        return Err(Problem::NoColumns.whole());
    }
    assembly.push(0, parts);
    Ok(plans)
}

fn reading(field: &Field) -> Result<(KustoType, How), Problem> {
    if let Some(ty) = ipc::tagged_type(field) {
        return Ok((ty, How::Asis));
    }
    let is_text = matches!(
        field.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let tag = field.metadata().get(ipc::TYPE_KEY).map(String::as_str);
    if is_text && tag == Some(KustoType::Dynamic.name()) {
        return Ok((KustoType::Dynamic, How::JsonText));
    }
    match convert::kusto_type(field.data_type()) {
        Some(ty) => Ok((ty, How::Convert)),
        None => Err(Problem::ColumnType {
            column: field.name().clone(),
            found: field.data_type().to_string(),
        }),
    }
}

impl Plan {
    fn part(&self, array: &ArrayRef) -> Result<Part, String> {
        let array = match self.how {
            How::Asis => array.clone(),
            How::JsonText => {
                let text = arrow::compute::cast(array, &DataType::Utf8)
                    .map_err(|error| error.to_string())?;
                json_values(&text)
            }
            How::Convert => {
                convert::array_to_kusto(array, self.ty).map_err(|error| error.to_string())?
            }
        };
        Ok(Part::Typed(self.ty, array))
    }
}

/// JSON text as dynamic values. Text that is not JSON is a string value; empty text is null.
fn json_values(text: &ArrayRef) -> ArrayRef {
    let strings = text.as_string::<i32>();
    let mut out = BinaryBuilder::with_capacity(strings.len(), strings.values().len());
    let mut builder = Builder::new();
    for value in strings {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            out.append_null();
            continue;
        };
        builder.clear();
        if !parse_json_into(value, &mut builder) {
            builder.clear();
            builder.string(value);
        }
        out.append_value(builder.bytes());
    }
    Arc::new(out.finish())
}
