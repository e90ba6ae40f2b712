//! A call: from the frame to the function, and from what it returns to the answer's frame.

use serde_json::{Map, Value};
use spoor_plugin_abi::{Frame, ROW_COLUMN, encode_frame};

use crate::column::Column;
use crate::describe::{InputColumn, OutputColumn, Plugin};
use crate::ipc::{self, Field, Table};
use crate::row::{Answer, INDEXED, Input, Output, RowAnswer, Rows, Sink, TableAnswer, pass_over};
use crate::value::FromOption;

/// A call of one function: its options and its table.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    arguments: Map<String, Value>,
    table: Table<'a>,
}

/// What a function answered: its rows, and charts of them.
#[derive(Clone, Debug)]
pub struct Answered {
    answer: Answer,
    output: &'static [OutputColumn],
    rows: &'static str,
    charts: Vec<Value>,
}

/// Calls a plugin: takes a call's frame and gives the answer's, or a message for the user.
pub fn call(plugin: &Plugin, frame: &[u8]) -> Result<Vec<u8>, String> {
    let frame = Frame::decode(frame).map_err(|error| error.to_string())?;
    let (name, arguments) = header(frame.header())?;
    let function = plugin
        .functions
        .iter()
        .find(|function| function.name == name)
        .ok_or_else(|| unknown(plugin, &name))?;
    let table = match frame.tables().next() {
        Some(stream) => ipc::read(stream).map_err(|error| format!("the input table: {error}"))?,
        None => Table::default(),
    };
    let call = Call { arguments, table };
    (function.run)(&call)?.encode()
}

/// The function's name and the options.
fn header(json: &[u8]) -> Result<(String, Map<String, Value>), String> {
    const WRONG: &str = "segment 0 is not {\"function\": \"...\", \"arguments\": {...}}";
    let Ok(Value::Object(mut header)) = serde_json::from_slice(json) else {
        return Err(WRONG.into());
    };
    match (header.remove("function"), header.remove("arguments")) {
        (Some(Value::String(name)), Some(Value::Object(arguments))) => Ok((name, arguments)),
        (Some(Value::String(name)), None) => Ok((name, Map::new())),
        _ => Err(WRONG.into()),
    }
}

fn unknown(plugin: &Plugin, name: &str) -> String {
    let names: Vec<&str> = plugin.functions.iter().map(|f| f.name).collect();
    format!(
        "'{}' has no function '{name}': it has {}",
        plugin.name,
        names.join(", ")
    )
}

impl<'a> Call<'a> {
    /// An option's value. `default` is JSON, or empty where there is none.
    pub fn option<T: FromOption>(&self, name: &str, default: &str) -> Result<T, String> {
        let value = match self.arguments.get(name) {
            Some(value) => T::from_json(value),
            None if default.is_empty() => {
                return Err(format!("the option '{name}' is missing: give it a value"));
            }
            None => serde_json::from_str(default)
                .ok()
                .and_then(|value| T::from_json(&value)),
        };
        value.ok_or_else(|| {
            format!(
                "the option '{name}' has to be of the type {}",
                T::TYPE.name()
            )
        })
    }

    /// Calls `f` for each row; nulls in what has to have a value pass it over.
    pub fn each<T: Input<'a>, A: RowAnswer>(
        &self,
        mut f: impl FnMut(T) -> A,
    ) -> Result<Answered, String> {
        let columns = self.columns(T::COLUMNS)?;
        let mut answer = Answer::new(A::COLUMNS);
        for row in 0..self.table.rows {
            match T::read(&columns, row) {
                Some(value) => f(value).put(row as u32, &mut answer)?,
                None => pass_over::<A>(&mut answer),
            }
        }
        Ok(Answered::new(answer, A::COLUMNS, A::ROWS))
    }

    /// Calls `f` for each row with somewhere to put any number of answer rows.
    pub fn each_into<T: Input<'a>, O: Output, E: std::fmt::Display>(
        &self,
        mut f: impl FnMut(T, &mut Sink<'_, O>) -> Result<(), E>,
    ) -> Result<Answered, String> {
        let columns = self.columns(T::COLUMNS)?;
        let mut answer = Answer::new(O::COLUMNS);
        for row in 0..self.table.rows {
            if let Some(value) = T::read(&columns, row) {
                f(value, &mut Sink::new(&mut answer, row as u32))
                    .map_err(|error| format!("row {row}: {error}"))?;
            }
        }
        Ok(Answered::new(answer, O::COLUMNS, INDEXED))
    }

    /// All rows at once.
    pub fn rows<T: Input<'a>>(&self) -> Result<Rows<'a, T>, String> {
        Ok(Rows::new(self.columns(T::COLUMNS)?, self.table.rows))
    }

    /// What a function of all rows, or of none, returned.
    pub fn answer<A: TableAnswer>(&self, value: A) -> Result<Answered, String> {
        let mut answer = Answer::new(A::COLUMNS);
        value.put(&mut answer)?;
        Ok(Answered::new(answer, A::COLUMNS, A::ROWS))
    }

    fn columns(&self, of: &[InputColumn]) -> Result<Vec<Option<Column<'a>>>, String> {
        of.iter()
            .map(|wanted| match self.table.column(wanted.name) {
                None if !wanted.optional => {
                    Err(format!("the input has no column '{}'", wanted.name))
                }
                found => Ok(found),
            })
            .collect()
    }
}

impl Answered {
    fn new(answer: Answer, output: &'static [OutputColumn], rows: &'static str) -> Self {
        Answered {
            answer,
            output,
            rows,
            charts: Vec::new(),
        }
    }

    fn encode(self) -> Result<Vec<u8>, String> {
        let index = (self.rows == INDEXED).then_some(Field {
            name: ROW_COLUMN,
            ty: None,
            column: &self.answer.index,
        });
        let columns = self.output.iter().zip(&self.answer.columns);
        let fields: Vec<Field<'_>> = index
            .into_iter()
            .chain(columns.map(|(of, column)| Field {
                name: of.name,
                ty: Some(of.ty),
                column,
            }))
            .collect();
        let header = match self.charts.is_empty() {
            true => String::from("{}"),
            false => format!("{{\"charts\":{}}}", Value::Array(self.charts)),
        };
        let stream = ipc::write(self.answer.rows, &fields);
        encode_frame(header.as_bytes(), &[&stream]).map_err(|error| error.to_string())
    }
}
