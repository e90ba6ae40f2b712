//! Version 1: one object with all tables, the last of which says what the others are for.
//!
//! A management command's answer is its table alone. Source: Azure Data Explorer's page on the response of version 1.

use serde_json::{Value, json};
use spoor_table::{Column, KustoType, Table};

use super::Identity;
use super::beside::{Went, visualization};
use crate::cells::{Spelling, net_type};
use crate::engine::Answer;
use crate::pieces::{Limits, Pieces, Written};

/// The result of a query. `when` is the time in ISO 8601, `seconds` what the query took.
pub fn answer(
    answer: Answer,
    limits: Limits,
    identity: Identity,
    seconds: f64,
    when: String,
) -> Pieces {
    let properties = properties(&answer);
    let went = Went {
        when,
        seconds,
        identity,
    };
    Pieces::new(limits)
        .text(format!(r#"{{"Tables":[{}"#, head(answer.table.columns())))
        .rows(answer.table, Spelling::KustoV1)
        .late(move |written| {
            let error = error_row(written);
            let status = status(&went, written);
            format!("{error}]}},{properties},{status},{}]}}", contents())
        })
}

/// The answer to a management command.
pub fn command(table: Table, limits: Limits) -> Pieces {
    Pieces::new(limits)
        .text(format!(r#"{{"Tables":[{}"#, head(table.columns())))
        .rows(table, Spelling::KustoV1)
        .text("]}]}")
}

/// The first table, up to its rows.
fn head(columns: &[Column]) -> String {
    let columns: Vec<Value> = columns.iter().map(described).collect();
    format!(
        r#"{{"TableName":"Table_0","Columns":{},"Rows":["#,
        Value::Array(columns)
    )
}

fn described(column: &Column) -> Value {
    json!({
        "ColumnName": column.name,
        "DataType": net_type(column.ty),
        "ColumnType": column.ty.name(),
    })
}

/// What stands in the place of the rows that were left out.
fn error_row(written: Written) -> String {
    let Some(cut) = written.cut else {
        return String::new();
    };
    let errors = json!({ "Exceptions": [cut.told()] });
    let comma = if written.rows > 0 { "," } else { "" };
    format!("{comma}{errors}")
}

fn properties(answer: &Answer) -> Value {
    let columns = [("Value", KustoType::String)];
    let row = json!([visualization(answer.render.as_ref())]);
    table("Table_1", &columns, vec![row])
}

fn status(went: &Went, written: Written) -> Value {
    let columns = [
        ("Timestamp", KustoType::DateTime),
        ("Severity", KustoType::Int),
        ("SeverityName", KustoType::String),
        ("StatusCode", KustoType::Int),
        ("StatusDescription", KustoType::String),
        ("Count", KustoType::Int),
        ("RequestId", KustoType::Guid),
        ("ActivityId", KustoType::Guid),
        ("SubActivityId", KustoType::Guid),
        ("ClientActivityId", KustoType::String),
    ];
    let id = &went.identity.activity_id;
    let client = &went.identity.client_request_id;
    let row = |(level, name, status, _, payload): (u8, &str, i64, String, Value)| {
        let told = match payload.get("Text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => payload.to_string(),
        };
        json!([went.when, level, name, status, told, 1, id, id, id, client])
    };
    let rows = went.events(written).into_iter().map(row).collect();
    table("Table_2", &columns, rows)
}

fn contents() -> Value {
    let columns = [
        ("Ordinal", KustoType::Long),
        ("Kind", KustoType::String),
        ("Name", KustoType::String),
        ("Id", KustoType::String),
        ("PrettyName", KustoType::String),
    ];
    let nobody = "00000000-0000-0000-0000-000000000000";
    let rows = vec![
        json!([0, "QueryResult", "PrimaryResult", nobody, ""]),
        json!([1, "QueryProperties", "@ExtendedProperties", nobody, ""]),
        json!([2, "QueryStatus", "QueryStatus", nobody, ""]),
    ];
    table("Table_3", &columns, rows)
}

fn table(name: &str, columns: &[(&str, KustoType)], rows: Vec<Value>) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, ty)| described(&Column::new(*name, *ty)))
        .collect();
    json!({ "TableName": name, "Columns": columns, "Rows": rows })
}
