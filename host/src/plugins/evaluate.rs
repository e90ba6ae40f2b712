//! A function over a table: which columns it is given, its calls, and what their answers and the input are together.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::UInt32Type;
use serde_json::Value;
use spoor_gate::answer::Answer;
use spoor_plugin_abi::{
    CallHeader, Chart, Function, InputMode, Parameter, RowMode, Type, encode_frame,
};
use spoor_table::{Column, Table, convert as arrow_table};

use super::control::Control;
use super::convert::{fitting, from_abi, kusto_type, stream, to_abi};
use super::{Failure, Outcome, Plugin, options};

/// Rows of a call of a function that takes batches, at most.
const BATCH_ROWS: usize = 65_536;

/// What a function is to be given.
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The rows; `None` where the function takes no table.
    pub table: Option<&'a Table>,
    /// Of a column parameter, the table's column. One that is left out takes the column of its own name.
    pub columns: BTreeMap<String, String>,
    /// Options, by name.
    pub options: BTreeMap<String, Value>,
}

/// What a function made of it.
#[derive(Debug)]
pub struct Evaluated {
    /// The result, and the tables that the plugin adds.
    pub tables: Vec<Table>,
    /// Charts of those tables.
    pub charts: Vec<Chart>,
    /// Calls that it took.
    pub calls: u64,
    /// Fuel of all calls, in units.
    pub fuel: u64,
    /// Linear memory of the call that had most, in bytes.
    pub memory: u64,
    /// Time of all calls.
    pub wall: Duration,
}

/// Calls a function: once, or for a function that takes batches once for each 65,536 rows or fewer.
///
/// # Errors
/// An argument that does not fit, or what the first call that failed ended with.
pub fn evaluate(plugin: &Plugin, ask: &Ask<'_>, control: &Control) -> Result<Evaluated, Failure> {
    let function = plugin.function(ask.function)?;
    let arguments = options::complete(function, &ask.options)?;
    let header = CallHeader {
        function: function.name.clone(),
        arguments,
    };
    let header = serde_json::to_vec(&header).map_err(|e| Failure::Engine(e.to_string()))?;
    let empty = Table::empty([]);
    let table = ask.table.unwrap_or(&empty);
    let mut work = Work {
        plugin,
        function,
        bound: bind(function, ask, table)?,
        header,
        control,
        done: begun(function, table),
    };
    match function.input {
        InputMode::None => work.step(None)?,
        InputMode::Whole => work.step(Some(&table.concat()?))?,
        InputMode::Batches if table.rows() == 0 => work.step(Some(&table.concat()?))?,
        InputMode::Batches => {
            for batch in table.batches() {
                for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
                    let rows = BATCH_ROWS.min(batch.num_rows() - start);
                    work.step(Some(&batch.slice(start, rows)))?;
                }
            }
        }
    }
    Ok(work.done)
}

/// A parameter and the column that it is given.
struct Bound<'a> {
    name: &'a str,
    index: usize,
    ty: Type,
}

fn bind<'a>(
    function: &'a Function,
    ask: &Ask<'_>,
    table: &Table,
) -> Result<Vec<Bound<'a>>, Failure> {
    if let Some(name) = ask
        .columns
        .keys()
        .find(|name| function.columns().all(|column| column.name != **name))
    {
        let known: Vec<&str> = function.columns().map(|c| c.name.as_str()).collect();
        return Err(Failure::Argument(format!(
            "{} has no column parameter '{name}': it has {}",
            function.name,
            known.join(", ")
        )));
    }
    let mut bound = Vec::new();
    for parameter in function.columns() {
        bound.extend(bind_one(function, parameter, ask, table)?);
    }
    Ok(bound)
}

fn bind_one<'a>(
    function: &Function,
    parameter: &'a Parameter,
    ask: &Ask<'_>,
    table: &Table,
) -> Result<Option<Bound<'a>>, Failure> {
    let named = ask.columns.get(&parameter.name);
    let wanted = named.unwrap_or(&parameter.name);
    let Some(index) = table.index_of(wanted) else {
        // A column with a default (null) may be left out, if it was not asked for by name.
        if named.is_none() && parameter.default.is_some() {
            return Ok(None);
        }
        return Err(no_column(function, parameter, wanted, table));
    };
    let column = &table.columns()[index];
    let types = parameter.types.to_vec();
    let ty = fitting(column.ty, &types).ok_or_else(|| {
        Failure::Argument(format!(
            "the column {} is {}, and the parameter {} of {} takes {}",
            column.name,
            column.ty,
            parameter.name,
            function.name,
            names(&types)
        ))
    })?;
    Ok(Some(Bound {
        name: &parameter.name,
        index,
        ty,
    }))
}

fn no_column(function: &Function, parameter: &Parameter, wanted: &str, table: &Table) -> Failure {
    let types = parameter.types.to_vec();
    let fit: Vec<&str> = table
        .columns()
        .iter()
        .filter(|column| fitting(column.ty, &types).is_some())
        .map(|column| column.name.as_str())
        .collect();
    let hint = match fit.is_empty() {
        true => format!("none is of type {}", names(&types)),
        false => format!("of a type that fits are {}", fit.join(", ")),
    };
    Failure::Argument(format!(
        "there is no column '{wanted}' for the parameter {} of {}: {hint}",
        parameter.name, function.name
    ))
}

fn names(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
    names.join(" or ")
}

/// An empty result: the input's columns where the function keeps them, and its own.
fn begun(function: &Function, table: &Table) -> Evaluated {
    let mut columns = match function.output.rows {
        RowMode::Free => Vec::new(),
        RowMode::Same | RowMode::Indexed => table.columns().to_vec(),
    };
    for column in &function.output.columns {
        let name = free_name(&column.name, &columns);
        columns.push(Column::new(name, kusto_type(column.ty)));
    }
    Evaluated {
        tables: vec![Table::empty(columns)],
        charts: Vec::new(),
        calls: 0,
        fuel: 0,
        memory: 0,
        wall: Duration::ZERO,
    }
}

/// The name, or as `join` has it with the first number that makes it the only one.
fn free_name(name: &str, taken: &[Column]) -> String {
    let numbered = (1_u32..).map(|number| format!("{name}{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| taken.iter().all(|column| column.name != *name))
        .unwrap_or_default()
}

struct Work<'a> {
    plugin: &'a Plugin,
    function: &'a Function,
    bound: Vec<Bound<'a>>,
    header: Vec<u8>,
    control: &'a Control,
    done: Evaluated,
}

impl Work<'_> {
    /// One call, with these rows of the input.
    fn step(&mut self, input: Option<&RecordBatch>) -> Result<(), Failure> {
        let rows = input.map_or(0, RecordBatch::num_rows);
        let frame = self.frame(input)?;
        let Outcome {
            answer,
            fuel,
            memory,
            wall,
            ..
        } = self
            .plugin
            .call(self.function, &frame, rows as u64, self.control);
        self.done.calls += 1;
        self.done.fuel = self.done.fuel.saturating_add(fuel);
        self.done.memory = self.done.memory.max(memory);
        self.done.wall += wall;
        self.take_in(answer?, input)
    }

    fn frame(&self, input: Option<&RecordBatch>) -> Result<Vec<u8>, Failure> {
        let too_large = |e: spoor_plugin_abi::FrameError| Failure::Argument(e.to_string());
        let Some(input) = input else {
            return encode_frame(&self.header, &[]).map_err(too_large);
        };
        let columns: Vec<(&str, ArrayRef)> = self
            .bound
            .iter()
            .map(|bound| Ok((bound.name, to_abi(input.column(bound.index), bound.ty)?)))
            .collect::<Result<_, Failure>>()?;
        let stream = stream(&columns, input.num_rows())?;
        encode_frame(&self.header, &[&stream]).map_err(too_large)
    }

    fn take_in(&mut self, answer: Answer, input: Option<&RecordBatch>) -> Result<(), Failure> {
        let Answer { tables, charts } = answer;
        let mut tables = tables.into_iter();
        if let Some(table) = tables.next() {
            let answered = concat_batches(&table.schema, &table.batches)?;
            let joined = self.joined(&answered, input)?;
            self.done.tables[0].push(joined)?;
        }
        // Of batches there would be as many as calls.
        if self.function.input != InputMode::Batches {
            for table in tables {
                let table = arrow_table::from_arrow(&table.schema, &table.batches)?;
                self.done.tables.push(table);
            }
            self.done.charts = charts;
        }
        Ok(())
    }

    /// The answer's rows with the input's columns before them, where they belong to the input's.
    fn joined(
        &self,
        answered: &RecordBatch,
        input: Option<&RecordBatch>,
    ) -> Result<RecordBatch, Failure> {
        let (mut arrays, own): (Vec<ArrayRef>, _) = match (self.function.output.rows, input) {
            (RowMode::Same, Some(input)) => (input.columns().to_vec(), answered.columns()),
            (RowMode::Indexed, Some(input)) => {
                let rows = answered.column(0).as_primitive::<UInt32Type>();
                let taken = input.columns().iter().map(|array| take(array, rows, None));
                (taken.collect::<Result<_, _>>()?, &answered.columns()[1..])
            }
            (_, _) => (Vec::new(), answered.columns()),
        };
        let declared = self.function.output.columns.iter();
        arrays.extend(
            own.iter()
                .zip(declared)
                .map(|(array, column)| from_abi(array, column.ty)),
        );
        let options = RecordBatchOptions::new().with_row_count(Some(answered.num_rows()));
        let schema = self.done.tables[0].schema();
        // `push` puts what is text and null right; here the arrays only have to be of their types.
        Ok(RecordBatch::try_new_with_options(
            schema.clone(),
            arrays,
            &options,
        )?)
    }
}
