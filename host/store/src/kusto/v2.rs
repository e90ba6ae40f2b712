//! Version 2: an array of frames.
//!
//! `DataSetHeader`, how to draw the result, the result, how it went, `DataSetCompletion`. If a client asks for progress, the result
//! comes as a header, fragments and a completion, else as one table. Source: Azure Data Explorer's page on the response of version 2.

use serde_json::{Value, json};
use spoor_table::{Column, KustoType};

use super::Identity;
use super::beside::{Went, visualization};
use super::fault::too_large;
use crate::cells::Spelling;
use crate::engine::Answer;
use crate::pieces::{Limits, Pieces, Written};

/// Rows of a fragment.
const FRAGMENT: usize = 10_000;

/// How an answer is to be written.
#[derive(Clone, Debug)]
pub struct Form {
    /// Whether rows come in fragments.
    pub progressive: bool,
    /// What there is room for.
    pub limits: Limits,
    /// By what the request is known.
    pub identity: Identity,
    /// What the query took, in seconds.
    pub seconds: f64,
    /// The time, in ISO 8601.
    pub when: String,
}

/// A result.
pub fn answer(answer: Answer, form: Form) -> Pieces {
    let columns = answer.table.columns();
    let header = json!({
        "FrameType": "DataSetHeader",
        "IsProgressive": form.progressive,
        "Version": "v2.0",
    });
    let properties = properties(&answer);
    let (head, tail) = around(columns, form.progressive);
    let went = Went {
        when: form.when,
        seconds: form.seconds,
        identity: form.identity,
    };
    let fence = form
        .progressive
        .then(|| (FRAGMENT, format!("]}},{}", fragment())));
    let progressive = form.progressive;
    Pieces::new(form.limits)
        .text(format!("[{header},{properties},{head}"))
        .fenced(answer.table, Spelling::KustoV2, fence)
        .late(move |written| {
            let error = error_row(&went, written);
            let completed = completed(progressive, written);
            format!("{error}{tail}{completed},{}", ended(&went, written))
        })
}

/// What stands before the rows and right behind them.
fn around(columns: &[Column], progressive: bool) -> (String, &'static str) {
    let columns: Vec<Value> = columns.iter().map(described).collect();
    let columns = Value::Array(columns);
    let named = r#""TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult""#;
    if progressive {
        let header = format!(r#"{{"FrameType":"TableHeader",{named},"Columns":{columns}}}"#);
        (format!("{header},{}", fragment()), "]}")
    } else {
        let head = format!(r#"{{"FrameType":"DataTable",{named},"Columns":{columns},"Rows":["#);
        (head, "]}")
    }
}

fn fragment() -> &'static str {
    r#"{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":["#
}

/// The end of a table that came in fragments.
fn completed(progressive: bool, written: Written) -> String {
    if !progressive {
        return String::new();
    }
    let frame = json!({
        "FrameType": "TableCompletion",
        "TableId": 1,
        "RowCount": written.rows,
    });
    format!(",{frame}")
}

/// The error in the place of the rows that were left out.
fn error_row(went: &Went, written: Written) -> String {
    let Some(cut) = written.cut else {
        return String::new();
    };
    let errors = json!({ "OneApiErrors": [too_large(cut, &went.identity)] });
    let comma = if written.rows > 0 { "," } else { "" };
    format!("{comma}{errors}")
}

fn ended(went: &Went, written: Written) -> String {
    let mut end = json!({
        "FrameType": "DataSetCompletion",
        "HasErrors": written.cut.is_some(),
        "Cancelled": false,
    });
    if let Some(cut) = written.cut {
        end["OneApiErrors"] = json!([too_large(cut, &went.identity)]);
    }
    format!("{},{end}]", completion(went, written))
}

fn described(column: &Column) -> Value {
    json!({ "ColumnName": column.name, "ColumnType": column.ty.name() })
}

fn properties(answer: &Answer) -> Value {
    let columns = [
        ("TableId", KustoType::Int),
        ("Key", KustoType::String),
        ("Value", KustoType::Dynamic),
    ];
    let row = json!([1, "Visualization", visualization(answer.render.as_ref())]);
    data_table(
        0,
        "QueryProperties",
        "@ExtendedProperties",
        &columns,
        vec![row],
    )
}

fn completion(went: &Went, written: Written) -> Value {
    let columns = [
        ("TimeStamp", KustoType::DateTime),
        ("ClientRequestId", KustoType::String),
        ("ActivityId", KustoType::Guid),
        ("SubActivityId", KustoType::Guid),
        ("ParentActivityId", KustoType::Guid),
        ("Level", KustoType::Int),
        ("LevelName", KustoType::String),
        ("StatusCode", KustoType::Int),
        ("StatusCodeName", KustoType::String),
        ("EventType", KustoType::Int),
        ("EventTypeName", KustoType::String),
        ("Payload", KustoType::String),
    ];
    let id = &went.identity.activity_id;
    let client = &went.identity.client_request_id;
    let row = |(level, name, status, status_name, payload): (u8, &str, i64, String, Value)| {
        let (event, event_name) = match level {
            6 => (0, "QueryResourceConsumption"),
            _ => (4, "QueryInfo"),
        };
        json!([
            went.when,
            client,
            id,
            id,
            id,
            level,
            name,
            status,
            status_name,
            event,
            event_name,
            payload.to_string()
        ])
    };
    let rows = went.events(written).into_iter().map(row).collect();
    let kind = "QueryCompletionInformation";
    data_table(2, kind, kind, &columns, rows)
}

fn data_table(
    id: u8,
    kind: &str,
    name: &str,
    columns: &[(&str, KustoType)],
    rows: Vec<Value>,
) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, ty)| described(&Column::new(*name, *ty)))
        .collect();
    json!({
        "FrameType": "DataTable",
        "TableId": id,
        "TableKind": kind,
        "TableName": name,
        "Columns": columns,
        "Rows": rows,
    })
}
