//! Parquet and Arrow IPC as rows: their own readers give Arrow batches, which are brought under Kusto's types.
//!
//! Both formats can say much with little: a dictionary, a run or a view repeats a long value for every row. So what a
//! file claims is added up before anything is decoded, text of Parquet is read as views of its pages, and a batch is
//! weighed, and cut, before its rows get copies of their own.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, RecordBatch, RecordBatchReader, StringArray,
    new_empty_array,
};
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use spoor_table::dynamic::{Builder, parse_json_into};
use spoor_table::{KustoType, convert, ipc, parse};

use crate::assembly::{Assembly, CHUNK_ROWS, Part};
use crate::error::{Problem, Trouble};
use crate::footer::Footer;
use crate::format::Format;
use crate::pages::{self, Claims};
use crate::{Deadline, Limits, MOST_ROW_BYTES, messages, weight};

/// The key of a field's metadata that names its extension type, and the one for guids (Arrow's canonical extensions).
pub(crate) const EXTENSION_KEY: &str = "ARROW:extension:name";
pub(crate) const UUID: &str = "arrow.uuid";

/// Bytes of rows that are converted at once. Nested values take up to thirteen times their size as dynamic ones.
const CHUNK_BYTES: u64 = 32 << 20;

/// Reads one columnar file.
pub(crate) struct ColumnarReader {
    chunks: Chunks,
    /// The schema as the file has it; the batches may have views for its text.
    schema: SchemaRef,
    /// How each column is read; empty before the first step.
    plan: Vec<Plan>,
}

/// Cuts a reader's batches into chunks.
pub(crate) struct Chunks {
    format: Format,
    batches: Batches,
    /// What is left of a batch that is longer than a chunk.
    rest: Option<RecordBatch>,
}

pub(crate) type Batches = Box<dyn RecordBatchReader + Send>;

/// Where a column goes and how.
pub(crate) struct Plan {
    pub(crate) column: usize,
    /// The type to bring it to first, where it is read as views of another.
    plain: Option<DataType>,
    ty: KustoType,
    how: How,
    /// Whether the type and the form are the same whatever the values are.
    pub(crate) settled: bool,
}

#[derive(Clone, Copy)]
enum How {
    /// A column of our own: it has the form already.
    Asis,
    /// JSON text that its field's metadata calls dynamic.
    JsonText,
    /// Text that its field's metadata calls guids.
    GuidText,
    /// Guids as 16 bytes each.
    GuidBytes,
    /// Bytes that may be text.
    Bytes,
    Convert,
}

impl How {
    fn is_settled(self, ty: &DataType) -> bool {
        match self {
            How::Asis | How::JsonText | How::GuidText | How::GuidBytes => true,
            How::Bytes => false,
            How::Convert => convert::is_settled(ty),
        }
    }
}

impl ColumnarReader {
    pub(crate) fn new(format: Format, bytes: Vec<u8>, limits: Limits) -> Result<Self, Trouble> {
        let (batches, schema) = unwinding(format, || match format {
            Format::Parquet => parquet(bytes, limits),
            _ => arrow(bytes, limits),
        })??;
        Ok(ColumnarReader {
            chunks: Chunks::of(format, batches),
            schema,
            plan: Vec::new(),
        })
    }

    /// Reads batches until the deadline; `true` at the end of the file.
    pub(crate) fn step(
        &mut self,
        assembly: &mut Assembly,
        deadline: &Deadline,
    ) -> Result<bool, Trouble> {
        if self.plan.is_empty() {
            self.plan = plan(&self.schema, &self.chunks.batches.schema(), assembly)?;
        }
        loop {
            let Some(batch) = self.chunks.next()? else {
                return Ok(true);
            };
            let mut parts = Vec::with_capacity(self.plan.len());
            for (plan, array) in self.plan.iter().zip(batch.columns()) {
                let part = plan.part(array);
                let part = part.map_err(|cause| refused(self.chunks.format, &cause))?;
                parts.push((plan.column, part));
            }
            assembly.push(batch.num_rows(), parts)?;
            if deadline.passed() {
                return Ok(false);
            }
        }
    }
}

impl Chunks {
    /// The chunks of a reader of a format.
    pub(crate) fn of(format: Format, batches: Batches) -> Self {
        Chunks {
            format,
            batches,
            rest: None,
        }
    }

    /// The next batch of at most a chunk's rows and bytes.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, Trouble> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match unwinding(self.format, || self.batches.next())? {
                Some(batch) => batch.map_err(|error| refused(self.format, &error))?,
                None => return Ok(None),
            },
        };
        let rows = rows_at_once(&batch)?;
        if batch.num_rows() == rows {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        Ok(Some(batch.slice(0, rows)))
    }
}

/// How many of a batch's first rows make a chunk.
fn rows_at_once(batch: &RecordBatch) -> Result<usize, Problem> {
    let mut rows = batch.num_rows().min(CHUNK_ROWS);
    while rows > 1 && !weight::fits(&batch.slice(0, rows), CHUNK_BYTES) {
        rows /= 2;
    }
    if rows == 1 && !weight::fits(&batch.slice(0, 1), MOST_ROW_BYTES as u64) {
        return Err(Problem::RowTooLong {
            limit: MOST_ROW_BYTES,
        });
    }
    Ok(rows)
}

/// Makes an error of a reader's panic. The checks below catch what they can, but the Parquet decoder still panics on some
/// pages that lie about their contents. Where a panic aborts (WebAssembly) it is a trap, which the driver has to catch.
pub(crate) fn unwinding<T>(format: Format, work: impl FnOnce() -> T) -> Result<T, Trouble> {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    caught.map_err(|_| {
        refused(
            format,
            &"its reader gave up on contents that contradict themselves",
        )
    })
}

/// A reader, and the schema as the file has it.
fn parquet(bytes: Vec<u8>, limits: Limits) -> Result<(Batches, SchemaRef), Trouble> {
    let bytes = bytes::Bytes::from(bytes);
    let footer = Footer::of(&bytes)?;
    let groups = footer.metadata().row_groups().iter();
    let chunks = groups.flat_map(|group| group.columns());
    let claims = pages::claims(chunks.map(|chunk| (chunk, pages::bytes_of(chunk, &bytes))));
    let claims = claims.map_err(|cause| refused(Format::Parquet, &cause))?;
    check_claims(&claims, footer.metadata(), limits)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, footer.reading);
    let batches = builder.with_batch_size(CHUNK_ROWS).build();
    let batches = batches.map_err(|error| refused(Format::Parquet, &error))?;
    Ok((Box::new(batches), footer.schema))
}

/// Refuses a file that would unpack or decode to more than there is room for.
pub(crate) fn check_claims(
    claims: &Claims,
    metadata: &ParquetMetaData,
    limits: Limits,
) -> Result<(), Problem> {
    if claims.unpacked > limits.output_bytes {
        return Err(Problem::TooLarge {
            limit: limits.output_bytes,
        });
    }
    if claims.decoded > limits.table_bytes {
        let file = metadata.file_metadata();
        return Err(Problem::TableTooLarge {
            limit: limits.table_bytes,
            rows: file.num_rows().unsigned_abs(),
            columns: file.schema_descr().num_columns(),
        });
    }
    Ok(())
}

fn arrow(bytes: Vec<u8>, limits: Limits) -> Result<(Batches, SchemaRef), Trouble> {
    let bytes = bytes::Bytes::from(bytes);
    let stream = messages::stream_of(&bytes).map_err(|cause| refused(Format::Arrow, &cause))?;
    let claimed = messages::check(stream).map_err(|cause| refused(Format::Arrow, &cause))?;
    if claimed > limits.output_bytes {
        return Err(Problem::TooLarge {
            limit: limits.output_bytes,
        }
        .whole());
    }
    let stream = bytes.slice_ref(stream);
    let reader = StreamReader::try_new(Cursor::new(stream), None)
        .map_err(|error| refused(Format::Arrow, &error))?;
    let schema = reader.schema();
    Ok((Box::new(reader), schema))
}

pub(crate) fn refused(format: Format, cause: &impl std::fmt::Display) -> Trouble {
    Problem::Columnar {
        format,
        cause: cause.to_string(),
    }
    .whole()
}

/// Decides on every column, and makes them known even if no row follows. `read` is the schema that the batches have.
pub(crate) fn plan(
    schema: &SchemaRef,
    read: &SchemaRef,
    assembly: &mut Assembly,
) -> Result<Vec<Plan>, Trouble> {
    let first = assembly.width();
    let mut plans = Vec::with_capacity(schema.fields().len());
    let mut parts = Vec::with_capacity(schema.fields().len());
    for (field, read) in schema.fields().iter().zip(read.fields()) {
        let (ty, how) = reading(field)?;
        let plain = is_view_of(read.data_type(), field.data_type());
        let plain = plain.then(|| field.data_type().clone());
        let mut column = assembly.column(field.name())?;
        if plans.iter().any(|plan: &Plan| plan.column == column) {
            let place = plans.len() + 1;
            column = assembly.column(&format!("{}{place}", field.name()))?;
        }
        parts.push((column, Part::Typed(ty, new_empty_array(&ty.arrow()))));
        plans.push(Plan {
            column,
            plain,
            ty,
            settled: how.is_settled(field.data_type()),
            how,
        });
    }
    if plans.is_empty() && first == 0 {
        return Err(Problem::NoColumns.whole());
    }
    assembly.push(0, parts)?;
    Ok(plans)
}

/// Whether a column is read as views though the file has another layout. Nested text is not: it is converted anyway.
fn is_view_of(read: &DataType, field: &DataType) -> bool {
    read != field && matches!(read, DataType::Utf8View | DataType::BinaryView)
}

fn reading(field: &Field) -> Result<(KustoType, How), Problem> {
    use KustoType::{Dynamic, Guid, String};
    let is_text = matches!(
        field.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let tag = field.metadata().get(ipc::TYPE_KEY).map(|tag| tag.as_str());
    if is_text && tag == Some(Dynamic.name()) {
        return Ok((Dynamic, How::JsonText));
    }
    if is_text && tag == Some(Guid.name()) {
        return Ok((Guid, How::GuidText));
    }
    if let Some(ty) = ipc::tagged_type(field) {
        return Ok((ty, How::Asis));
    }
    let extension = field
        .metadata()
        .get(EXTENSION_KEY)
        .map(|name| name.as_str());
    if field.data_type() == &DataType::FixedSizeBinary(16) && extension == Some(UUID) {
        return Ok((Guid, How::GuidBytes));
    }
    if convert::is_binary(field.data_type()) {
        return Ok((String, How::Bytes));
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
    /// The values of a column that is settled, in the form of its type.
    pub(crate) fn values(&self, array: &ArrayRef) -> Result<ArrayRef, String> {
        match self.part(array)? {
            Part::Typed(ty, values) if ty == self.ty => Ok(values),
            _ => Err("a column's type depends on its rows".to_owned()),
        }
    }

    fn part(&self, array: &ArrayRef) -> Result<Part, String> {
        let array = match &self.plain {
            Some(plain) => cast(array, plain)?,
            None => array.clone(),
        };
        let array = match self.how {
            How::Asis => array,
            How::JsonText => json_values(&cast(&array, &DataType::Utf8)?),
            How::GuidText => guid_values(&cast(&array, &DataType::Utf8)?),
            How::GuidBytes => convert::guids(&array).map_err(|error| error.to_string())?,
            How::Bytes => return Ok(Part::Bytes(cast(&array, &DataType::Binary)?)),
            How::Convert => {
                let exact = convert::exact(&array, self.ty);
                let (ty, values) = exact.map_err(|error| error.to_string())?;
                return Ok(Part::Typed(ty, values));
            }
        };
        Ok(Part::Typed(self.ty, array))
    }
}

fn cast(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef, String> {
    let cast = match (array.as_string_view_opt(), ty) {
        (Some(views), DataType::Utf8) => {
            convert::texts_of_views(views).map(|texts| Arc::new(texts) as ArrayRef)
        }
        _ => arrow::compute::cast(array, ty),
    };
    cast.map_err(|error| error.to_string())
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

/// Text as guids; what is none is null.
fn guid_values(text: &ArrayRef) -> ArrayRef {
    let guids = text.as_string::<i32>().iter();
    Arc::new(
        guids
            .map(|text| parse::guid(text?))
            .collect::<StringArray>(),
    )
}
