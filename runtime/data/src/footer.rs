//! What a Parquet file says of itself at its end: where its columns lie and what types they have. Whoever reads rows, at once or
//! where they are wanted, goes by it; nothing here reads any.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::LogicalType;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;

use crate::columnar::{EXTENSION_KEY, UUID, refused};
use crate::error::Trouble;
use crate::format::Format;
use crate::messages;

/// A Parquet file's metadata.
pub(crate) struct Footer {
    /// For readers: text and bytes come as views of their pages.
    pub(crate) reading: ArrowReaderMetadata,
    /// The schema as the file has it.
    pub(crate) schema: SchemaRef,
}

impl Footer {
    /// Reads it. All columns lie within the file.
    pub(crate) fn of<R: ChunkReader>(file: &R) -> Result<Self, Trouble> {
        let refuse = |error| refused(Format::Parquet, &error);
        let bare = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(file, bare.clone())
            .map_err(refuse)?
            .metadata()
            .clone();
        if !columns_lie_within(&metadata, file.len()) {
            return Err(refused(Format::Parquet, &"a column lies outside the file"));
        }
        let options = if has_sound_schema(&metadata) {
            ArrowReaderOptions::new()
        } else {
            bare.clone()
        };
        let plain = ArrowReaderMetadata::try_new(metadata.clone(), options).map_err(refuse)?;
        let schema = with_guids(plain.schema(), &metadata);
        let views = bare.with_schema(with_views(plain.schema()));
        let reading = ArrowReaderMetadata::try_new(metadata, views).map_err(refuse)?;
        Ok(Footer { reading, schema })
    }

    /// What Parquet itself has.
    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        self.reading.metadata()
    }
}

/// The schema with the extension type that Arrow has for guids where Parquet's own schema calls a column UUID.
fn with_guids(schema: &SchemaRef, metadata: &ParquetMetaData) -> SchemaRef {
    let root = metadata.file_metadata().schema_descr().root_schema();
    let logical = |name: &str| {
        let named = root.get_fields().iter().find(|field| field.name() == name);
        named.and_then(|field| field.get_basic_info().logical_type_ref())
    };
    let mark = |field: &FieldRef| match logical(field.name()) {
        Some(LogicalType::Uuid) => {
            let mut tags = field.metadata().clone();
            tags.insert(EXTENSION_KEY.to_owned(), UUID.to_owned());
            Arc::new(field.as_ref().clone().with_metadata(tags))
        }
        _ => field.clone(),
    };
    let fields: Fields = schema.fields().iter().map(mark).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The schema with views for all text and bytes, which then stay in their pages.
fn with_views(schema: &SchemaRef) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(field_with_views).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn field_with_views(field: &FieldRef) -> FieldRef {
    let ty = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(item) => DataType::List(field_with_views(item)),
        DataType::LargeList(item) => DataType::LargeList(field_with_views(item)),
        DataType::FixedSizeList(item, size) => {
            DataType::FixedSizeList(field_with_views(item), *size)
        }
        DataType::ListView(item) => DataType::ListView(field_with_views(item)),
        DataType::LargeListView(item) => DataType::LargeListView(field_with_views(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_with_views).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field_with_views(entries), *sorted),
        _ => return field.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
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
    bytes.is_some_and(|bytes| messages::check(&bytes) == Ok(0))
}
