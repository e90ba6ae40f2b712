//! A function over a table: which columns it is given, its calls, and what their answers and the input are together.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions};
use serde_json::Value;
use spoor_gate::answer::Answer;
use spoor_plugin_abi::{Chart, Function, InputMode, Parameter};
use spoor_plugins::{Bound, Call, fitting, output_columns, type_names};
use spoor_table::{Table, convert as arrow_table};

use super::control::Control;
use super::{Failure, Outcome, Plugin};

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
    let empty = Table::empty([]);
    let table = ask.table.unwrap_or(&empty);
    let mut work = Work {
        plugin,
        function,
        call: Call::new(function.clone(), bind(function, ask, table)?, &ask.options)?,
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

fn bind(function: &Function, ask: &Ask<'_>, table: &Table) -> Result<Vec<Bound>, Failure> {
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

fn bind_one(
    function: &Function,
    parameter: &Parameter,
    ask: &Ask<'_>,
    table: &Table,
) -> Result<Option<Bound>, Failure> {
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
            type_names(&types)
        ))
    })?;
    Ok(Some(Bound {
        name: parameter.name.clone(),
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
        true => format!("none is of type {}", type_names(&types)),
        false => format!("of a type that fits are {}", fit.join(", ")),
    };
    Failure::Argument(format!(
        "there is no column '{wanted}' for the parameter {} of {}: {hint}",
        parameter.name, function.name
    ))
}

/// An empty result: the input's columns where the function keeps them, and its own.
fn begun(function: &Function, table: &Table) -> Evaluated {
    let columns = output_columns(function, table.columns());
    Evaluated {
        tables: vec![Table::empty(columns)],
        charts: Vec::new(),
        calls: 0,
        fuel: 0,
        memory: 0,
        wall: Duration::ZERO,
    }
}

struct Work<'a> {
    plugin: &'a Plugin,
    function: &'a Function,
    call: Call,
    control: &'a Control,
    done: Evaluated,
}

impl Work<'_> {
    /// One call, with these rows of the input.
    fn step(&mut self, input: Option<&RecordBatch>) -> Result<(), Failure> {
        let rows = input.map_or(0, RecordBatch::num_rows);
        let frame = self.call.frame(input)?;
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

    fn take_in(&mut self, answer: Answer, input: Option<&RecordBatch>) -> Result<(), Failure> {
        let Answer { tables, charts } = answer;
        let mut tables = tables.into_iter();
        if let Some(table) = tables.next() {
            let (rows, arrays) = self.call.joined(&table, input)?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            // `push` puts what is text and null right; here the arrays only have to be of their types.
            let schema = self.done.tables[0].schema().clone();
            let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
            self.done.tables[0].push(batch)?;
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
}
