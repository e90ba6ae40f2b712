//! A function, its options and the columns that it is given: a call of it for each batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::UInt32Type;
use serde_json::Value;
use spoor_gate::answer::Table;
use spoor_plugin_abi::{CallHeader, Function, RowMode, Type, encode_frame};
use spoor_table::Column;

use crate::Failure;
use crate::convert::{from_abi, kusto_type, stream, to_abi};
use crate::options::complete;

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
    /// Arrow fails.
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
