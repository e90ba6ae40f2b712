//! The greatest common divisor, as a plugin of Extism: Arrow IPC streams in and out.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use extism_pdk::{Error, FnResult, plugin_fn};

#[plugin_fn]
pub fn gcd(input: Vec<u8>) -> FnResult<Vec<u8>> {
    let batch = StreamReader::try_new(input.as_slice(), None)?.next();
    let batch = batch.ok_or_else(|| Error::msg("there is no batch"))??;
    let column = |at: usize| {
        let column = batch.column(at).as_primitive_opt::<Int64Type>();
        column.ok_or_else(|| Error::msg("a column is not of int64"))
    };
    let pairs = column(0)?.iter().zip(column(1)?);
    let answer: Int64Array = pairs.map(|(a, b)| Some(divisor(a?, b?))).collect();
    let schema = Arc::new(Schema::new(vec![Field::new("gcd", DataType::Int64, true)]));
    let answer = RecordBatch::try_new(schema.clone(), vec![Arc::new(answer)])?;
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &schema)?;
    writer.write(&answer)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

fn divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
