//! One table of an answer: decoded with Arrow's validation on, and held against what the manifest declares.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use arrow_ipc::reader::StreamReader;
use spoor_plugin_abi::{Function, RowMode};

use super::fault::{AnswerRule, Fault, brief};
use super::schema::declared_schema;
use super::{Bounds, Table, ipc};

/// Reads a table: the declared one of a function that was given so many rows, or one that the plugin adds.
pub(super) fn read(
    stream: &[u8],
    declared: Option<(&Function, u64)>,
    bounds: &Bounds,
) -> Result<Table, Fault> {
    let schema = declared.map(|(function, _)| Arc::new(declared_schema(&function.output)));
    let rows = ipc::check(
        stream,
        schema.as_ref().map(|schema| schema.fields().len()),
        bounds,
    )?;
    if let Some((function, given)) = declared {
        check_count(function.output.rows, rows, given)?;
    }
    let broken = |error| {
        Fault::new(
            AnswerRule::Stream,
            0,
            format!("Arrow cannot read it: {}", brief(&error)),
        )
    };
    let reader = StreamReader::try_new(Cursor::new(stream), None).map_err(broken)?;
    let own = reader.schema();
    if let Some(schema) = &schema {
        check_schema(&own, schema)?;
    }
    let schema = match schema {
        Some(schema) => schema,
        None => stripped(&own)?,
    };
    let mut batches = Vec::new();
    for batch in reader {
        let batch = batch.map_err(broken)?;
        check_strings(&batch, bounds)?;
        // The declared schema: names and types are the same, and the guest's metadata stays behind.
        let batch =
            RecordBatch::try_new(schema.clone(), batch.columns().to_vec()).map_err(broken)?;
        batches.push(batch);
    }
    if let Some((function, given)) = declared
        && function.output.rows == RowMode::Indexed
    {
        batches
            .iter()
            .try_for_each(|batch| check_index(batch.column(0), given))?;
    }
    Ok(Table { schema, batches })
}

fn check_count(mode: RowMode, rows: u64, given: u64) -> Result<(), Fault> {
    if mode == RowMode::Same && rows != given {
        let words = format!("it has {rows} rows, and the input had {given}");
        return Err(Fault::new(AnswerRule::Rows, 0, words));
    }
    Ok(())
}

/// Names, types and order; whether a column may be null is the declaration's business.
fn check_schema(own: &Schema, declared: &Schema) -> Result<(), Fault> {
    for (at, (own, declared)) in own.fields().iter().zip(declared.fields()).enumerate() {
        if own.name() != declared.name() || own.data_type() != declared.data_type() {
            let name: String = own
                .name()
                .chars()
                .take(64)
                .flat_map(char::escape_debug)
                .collect();
            let words = format!(
                "column {at} is '{name}' of {}, and the manifest declares '{}' of {}",
                own.data_type(),
                declared.name(),
                declared.data_type()
            );
            return Err(Fault::new(AnswerRule::Schema, 0, words));
        }
    }
    Ok(())
}

/// A schema that the manifest does not declare, with names and types alone.
fn stripped(own: &Schema) -> Result<SchemaRef, Fault> {
    let mut names = std::collections::HashSet::new();
    for (at, field) in own.fields().iter().enumerate() {
        let name = field.name();
        let fits = !name.is_empty() && name.len() <= 1_024 && !name.contains(char::is_control);
        if !fits || !names.insert(name.as_str()) {
            let words = format!("column {at} has no name of its own of at most 1024 bytes");
            return Err(Fault::new(AnswerRule::Schema, 0, words));
        }
    }
    let fields = own
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn check_strings(batch: &RecordBatch, bounds: &Bounds) -> Result<(), Fault> {
    for (at, column) in batch.columns().iter().enumerate() {
        if *column.data_type() != DataType::Utf8 {
            continue;
        }
        let offsets = column.as_string::<i32>().offsets();
        let longest = offsets
            .windows(2)
            .map(|pair| pair[1].abs_diff(pair[0]) as usize)
            .max()
            .unwrap_or(0);
        if longest > bounds.string {
            let words = format!(
                "a string of column {at} has {longest} bytes, and {} are allowed",
                bounds.string
            );
            return Err(Fault::new(AnswerRule::String, 0, words));
        }
    }
    Ok(())
}

/// Every `_row` is a row of the input; the schema has seen to it that none is null.
fn check_index(column: &ArrayRef, given: u64) -> Result<(), Fault> {
    let rows = column.as_primitive::<UInt32Type>();
    match rows.values().iter().find(|row| u64::from(**row) >= given) {
        Some(row) => {
            let words = format!("_row is {row}, and the input had {given} rows");
            Err(Fault::new(AnswerRule::Rows, 0, words))
        }
        None => Ok(()),
    }
}
