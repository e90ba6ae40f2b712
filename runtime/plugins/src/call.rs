//! A function, its options and the columns that it is given: a call of it for each batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::UInt32Type;
use serde_json::Value;
use spoor_gate::answer::Table;
use spoor_plugin_abi::{CallHeader, Function, RowMode, Type, encode_frame};
use spoor_table::Column;

use crate::Failure;
use crate::convert::{from_abi, kusto_type, stream, to_abi};
use crate::options::complete;

/// The most bytes that one answer may make of its input's rows, each of which it can name any number of times.
const MAX_TAKEN: u64 = 512 << 20;

/// A parameter and the column of the input that it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The parameter's name.
    pub name: String,
    /// The column's index.
    pub index: usize,
    /// The type that the column is given as: see [`crate::fitting`].
    pub ty: Type,
}

/// A function with its arguments, ready to be called with any number of batches.
#[derive(Clone, Debug)]
pub struct Call {
    function: Arc<Function>,
    bound: Vec<Bound>,
    header: Vec<u8>,
}

impl Call {
    /// A call of `function` with these columns of its input and these options; those that are left out have their defaults.
    ///
    /// # Errors
    /// An option that there is not, that is missing, or that has another type.
    pub fn new(
        function: impl Into<Arc<Function>>,
        bound: Vec<Bound>,
        options: &BTreeMap<String, Value>,
    ) -> Result<Self, Failure> {
        let function = function.into();
        let header = CallHeader {
            function: function.name.clone(),
            arguments: complete(&function, options)?,
        };
        let header = serde_json::to_vec(&header).map_err(|e| Failure::Engine(e.to_string()))?;
        Ok(Call {
            function,
            bound,
            header,
        })
    }

    /// What is called.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The frame of a call with these rows, or with none where the function takes no table: see plugins/ABI.md.
    ///
    /// # Errors
    /// There is more than a frame can hold.
    pub fn frame(&self, input: Option<&RecordBatch>) -> Result<Vec<u8>, Failure> {
        let too_large = |e: spoor_plugin_abi::FrameError| Failure::Argument(e.to_string());
        let Some(input) = input else {
            return encode_frame(&self.header, &[]).map_err(too_large);
        };
        let columns: Vec<(&str, ArrayRef)> = self
            .bound
            .iter()
            .map(|bound| {
                let array = to_abi(input.column(bound.index), bound.ty)?;
                Ok((bound.name.as_str(), array))
            })
            .collect::<Result<_, Failure>>()?;
        let stream = stream(&columns, input.num_rows())?;
        encode_frame(&self.header, &[&stream]).map_err(too_large)
    }

    /// The answer's rows as the engine has them, with the columns of the input's rows before them where they belong to
    /// those: arrays of the types of [`output_columns`], save that text may be null. How many rows there are comes first.
    ///
    /// # Errors
    /// The answer names rows of the input so often that they would take too much memory, or Arrow fails.
    pub fn joined(
        &self,
        answered: &Table,
        input: Option<&RecordBatch>,
    ) -> Result<(usize, Vec<ArrayRef>), Failure> {
        let answered = concat_batches(&answered.schema, &answered.batches)?;
        let output = &self.function.output;
        let (mut arrays, own): (Vec<ArrayRef>, _) = match (output.rows, input) {
            (RowMode::Same, Some(input)) => (input.columns().to_vec(), answered.columns()),
            (RowMode::Indexed, Some(input)) => {
                let rows = answered.column(0).as_primitive::<UInt32Type>();
                check_taken(&self.function.name, input, rows)?;
                let taken = input.columns().iter().map(|array| take(array, rows, None));
                (taken.collect::<Result<_, _>>()?, &answered.columns()[1..])
            }
            (_, _) => (Vec::new(), answered.columns()),
        };
        let declared = own.iter().zip(&output.columns);
        arrays.extend(declared.map(|(array, column)| from_abi(array, column.ty)));
        Ok((answered.num_rows(), arrays))
    }
}

/// Refuses an answer whose rows of the input would have more than [`MAX_TAKEN`] bytes.
fn check_taken(function: &str, input: &RecordBatch, rows: &UInt32Array) -> Result<(), Failure> {
    let bytes: u64 = input.columns().iter().map(|array| taken(array, rows)).sum();
    if bytes <= MAX_TAKEN {
        return Ok(());
    }
    Err(Failure::Argument(format!(
        "{function} answers with rows of its input that have {} MiB together, and {} are allowed: give it fewer rows or \
         columns",
        bytes >> 20,
        MAX_TAKEN >> 20
    )))
}

/// The bytes of these rows of a column.
fn taken(array: &ArrayRef, rows: &UInt32Array) -> u64 {
    let width = array.data_type().primitive_width().unwrap_or(1) as u64;
    let fixed = width * rows.len() as u64;
    let lengths = |length: &dyn Fn(usize) -> i32| -> u64 {
        let lengths = rows.values().iter().map(|row| length(*row as usize));
        fixed
            + lengths
                .map(|length| u64::from(length.unsigned_abs()))
                .sum::<u64>()
    };
    if let Some(texts) = array.as_string_opt::<i32>() {
        return lengths(&|row| texts.value_length(row));
    }
    match array.as_binary_opt::<i32>() {
        Some(values) => lengths(&|row| values.value_length(row)),
        None => fixed,
    }
}

/// The columns of a function's result: the input's where it keeps them, then its own, each with a name that is the only one.
pub fn output_columns(function: &Function, input: &[Column]) -> Vec<Column> {
    let mut columns = match function.output.rows {
        RowMode::Free => Vec::new(),
        RowMode::Same | RowMode::Indexed => input.to_vec(),
    };
    for column in &function.output.columns {
        let name = free_name(&column.name, &columns);
        columns.push(Column::new(name, kusto_type(column.ty)));
    }
    columns
}

/// The name, or as `join` has it with the first number that makes it the only one.
fn free_name(name: &str, taken: &[Column]) -> String {
    let numbered = (1_u32..).map(|number| format!("{name}{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| taken.iter().all(|column| column.name != *name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{Int64Array, StringArray};
    use serde_json::json;

    use super::*;

    fn twice() -> Call {
        let function: Function = serde_json::from_value(json!({
            "name": "twice", "summary": "Rows again.", "input": "whole",
            "output": {"rows": "indexed", "columns": [{"name": "Copy", "type": "long"}]},
        }))
        .unwrap();
        Call::new(function, Vec::new(), &BTreeMap::new()).unwrap()
    }

    fn answer(rows: Vec<u32>) -> Table {
        let copies: ArrayRef = Arc::new(Int64Array::from(vec![1; rows.len()]));
        let rows: ArrayRef = Arc::new(UInt32Array::from(rows));
        let batch = RecordBatch::try_from_iter([("_row", rows), ("Copy", copies)]).unwrap();
        Table {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }

    #[test]
    fn an_answer_cannot_make_more_of_its_input_than_there_is_room_for() {
        let long = "x".repeat(1 << 20);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", &long]));
        let input = RecordBatch::try_from_iter([("Text", texts)]).unwrap();
        let joined = |rows| twice().joined(&answer(rows), Some(&input));
        let (rows, arrays) = joined(vec![1, 0, 1]).unwrap();
        assert_eq!((rows, arrays.len(), arrays[0].len()), (3, 2, 3));
        assert_eq!(joined(vec![0; 100_000]).unwrap().0, 100_000);
        let told = joined(vec![1; 600]).unwrap_err().to_string();
        assert!(
            told.contains("600 MiB together, and 512 are allowed"),
            "{told}"
        );
    }
}
