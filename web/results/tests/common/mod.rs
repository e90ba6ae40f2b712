//! A page without a browser: asks and waits for the answer.

#![allow(dead_code, clippy::unwrap_used)]

use spoor_messages::results::*;
use spoor_results::{Outgoing, Results};
use spoor_table::{Column, KustoType, Table, Value, ipc};

pub struct Page {
    pub results: Results,
    asked: u32,
}

impl Page {
    /// A page with a result, called 1.
    pub fn with(table: &Table) -> Self {
        let mut page = Self {
            results: Results::new(),
            asked: 0,
        };
        let answer = page.open(ipc::to_stream(table).unwrap());
        assert!(matches!(answer, Answer::Opened(_)), "{answer:?}");
        page
    }

    pub fn empty() -> Self {
        Self {
            results: Results::new(),
            asked: 0,
        }
    }

    pub fn open(&mut self, bytes: Vec<u8>) -> Answer {
        self.asked += 1;
        let request = self.asked;
        let ask = Ask::Open { result: 1 };
        let answers = self.results.ask(Request { request, ask }, Some(bytes));
        self.wait(request, answers).reply.answer
    }

    /// Sends a request and gives its number and what was answered at once.
    pub fn send(&mut self, ask: Ask) -> (u32, Vec<Outgoing>) {
        self.asked += 1;
        let request = self.asked;
        (request, self.results.ask(Request { request, ask }, None))
    }

    /// The answer to a question, worked out in the shortest of slices.
    pub fn ask(&mut self, ask: Ask) -> Answer {
        self.ask_for(ask).reply.answer
    }

    pub fn ask_for(&mut self, ask: Ask) -> Outgoing {
        let (request, answers) = self.send(ask);
        self.wait(request, answers)
    }

    fn wait(&mut self, request: u32, mut answers: Vec<Outgoing>) -> Outgoing {
        for _ in 0..1_000_000 {
            if let Some(at) = answers.iter().position(|a| a.reply.request == request) {
                return answers.swap_remove(at);
            }
            answers = self.results.work(&mut || true);
        }
        panic!("request {request} is not answered");
    }

    /// A column of a view, as text.
    pub fn column(&mut self, view: &View, column: usize) -> Vec<String> {
        let ask = Ask::Rows {
            result: 1,
            view: view.clone(),
            from: 0,
            to: u32::MAX,
        };
        match self.ask(ask) {
            Answer::Rows(rows) => {
                let cells = rows.rows.into_iter().map(|row| row.cells[column].clone());
                cells
                    .map(|text| text.unwrap_or_else(|| "null".into()))
                    .collect()
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn export(&mut self, format: ExportFormat, selection: Selection) -> String {
        let ask = Ask::Export {
            result: 1,
            view: View::default(),
            selection,
            format,
        };
        let done = self.ask_for(ask);
        String::from_utf8(done.buffer.unwrap()).unwrap()
    }
}

/// A table of rows of texts, read as the columns' types; `-` is a null.
pub fn table(columns: &[(&str, KustoType)], rows: &[&[&str]]) -> Table {
    let about: Vec<Column> = columns
        .iter()
        .map(|(name, ty)| Column::new(*name, *ty))
        .collect();
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(columns)
                .map(|(text, (_, ty))| value(text, *ty))
                .collect()
        })
        .collect();
    Table::from_values(about, &rows).unwrap()
}

fn value(text: &str, ty: KustoType) -> Value {
    use spoor_table::{Dynamic, parse};
    if text == "-" {
        return Value::null(ty);
    }
    match ty {
        KustoType::Bool => Value::Bool(parse::boolean(text).unwrap()),
        KustoType::Int => Value::Int(text.parse().unwrap()),
        KustoType::Long => Value::Long(text.parse().unwrap()),
        KustoType::Real => Value::Real(parse::real(text).unwrap()),
        KustoType::Decimal => Value::Decimal(parse::decimal(text).unwrap()),
        KustoType::DateTime => Value::DateTime(parse::datetime(text).unwrap()),
        KustoType::TimeSpan => Value::TimeSpan(parse::timespan(text).unwrap()),
        KustoType::String => Value::String(text.into()),
        KustoType::Guid => Value::Guid(parse::guid(text).unwrap()),
        KustoType::Dynamic => Value::Dynamic(Dynamic::parse(text).unwrap()),
    }
}

pub fn sorted(column: u32, ascending: bool) -> View {
    View {
        sorts: vec![Sort { column, ascending }],
        ..View::default()
    }
}

pub fn filtered(column: u32, test: Test) -> View {
    View {
        filters: vec![Filter { column, test }],
        ..View::default()
    }
}
