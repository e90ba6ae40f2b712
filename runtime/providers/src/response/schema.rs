//! The tables and columns that a workspace has, for completion.
//!
//! Log Analytics tells them in its metadata (`tables`, each with `name` and `columns`), Kusto as JSON within the answer to `.show
//! database schema as json` (`Databases`, `Tables`, `OrderedColumns`). Sources: Azure Monitor's reference of the metadata
//! operation, and Azure Data Explorer's page on the command.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use spoor_table::{Cell, Column, KustoType};

use super::budget::Budget;
use super::columns::kusto_type;
use super::{Answer, DecodeError, Form, kusto_v1};
use crate::config::Limits;

/// The longest schema, in bytes.
const MOST_BODY: usize = 64 << 20;

/// Columns of all tables: the largest workspaces have some ten thousand.
const MOST_COLUMNS: usize = 1_000_000;

/// A table and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// Its columns, in order. One of a type that nobody knows counts as dynamic.
    pub columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "or_empty")]
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    columns: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(alias = "Name")]
    name: String,
    #[serde(default, rename = "type", alias = "CslType")]
    ty: Option<String>,
}

#[derive(Deserialize)]
struct Databases {
    #[serde(rename = "Databases")]
    databases: BTreeMap<String, Database>,
}

#[derive(Deserialize)]
struct Database {
    #[serde(default, rename = "Tables", deserialize_with = "or_empty")]
    tables: BTreeMap<String, Ordered>,
    #[serde(default, rename = "MaterializedViews", deserialize_with = "or_empty")]
    views: BTreeMap<String, Ordered>,
    #[serde(default, rename = "ExternalTables", deserialize_with = "or_empty")]
    external: BTreeMap<String, Ordered>,
}

#[derive(Deserialize)]
struct Ordered {
    #[serde(default, rename = "OrderedColumns", deserialize_with = "or_empty")]
    columns: Vec<Field>,
}

/// Null, which stands for nothing.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a good answer to [`crate::request::schema`]. The tables are in the order of their names.
pub fn decode_schema(
    form: Form,
    limits: Limits,
    answer: &Answer<'_>,
) -> Result<Vec<TableSchema>, DecodeError> {
    answer.check()?;
    let body = answer.body;
    let limit = limits.bytes.min(MOST_BODY);
    if body.len() > limit {
        return Err(DecodeError::TooLarge { limit });
    }
    let mut tables = match form {
        Form::LogAnalyticsSchema => metadata(body)?,
        Form::KustoSchema => databases(body, limits)?,
        _ => return Err(DecodeError::Shape("a result is no schema".to_owned())),
    };
    let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
    if columns > MOST_COLUMNS {
        return Err(DecodeError::Shape(format!(
            "it has more than {MOST_COLUMNS} columns"
        )));
    }
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tables)
}

fn metadata(body: &[u8]) -> Result<Vec<TableSchema>, DecodeError> {
    let read: Metadata =
        serde_json::from_slice(body).map_err(|error| DecodeError::of(&error, body))?;
    Ok(read
        .tables
        .into_iter()
        .map(|table| schema(table.name, &table.columns))
        .collect())
}

fn databases(body: &[u8], limits: Limits) -> Result<Vec<TableSchema>, DecodeError> {
    let outcome = kusto_v1::decode(body, &Budget::new(limits))?;
    if let Some(reason) = outcome.completeness.reasons().first() {
        return Err(DecodeError::Shape(reason.to_string()));
    }
    let mut text = None;
    for named in &outcome.tables {
        named.table.for_each_row(|cells| {
            text = cells.iter().find_map(|cell| match cell {
                Cell::String(text) if text.starts_with('{') => Some((*text).to_owned()),
                Cell::Dynamic(value) => Some(value.to_json()),
                _ => None,
            });
            text.is_none()
        });
    }
    let text = text.ok_or_else(|| DecodeError::Shape("it has no schema".to_owned()))?;
    let read: Databases =
        serde_json::from_str(&text).map_err(|error| DecodeError::of(&error, text.as_bytes()))?;
    let all = |database: Database| {
        database
            .tables
            .into_iter()
            .chain(database.views)
            .chain(database.external)
    };
    let tables = read.databases.into_values().flat_map(all);
    Ok(tables
        .map(|(name, ordered)| schema(name, &ordered.columns))
        .collect())
}

fn schema(name: String, fields: &[Field]) -> TableSchema {
    let ty = |field: &Field| {
        field
            .ty
            .as_deref()
            .and_then(kusto_type)
            .unwrap_or(KustoType::Dynamic)
    };
    let columns = fields
        .iter()
        .map(|field| Column::new(&field.name, ty(field)))
        .collect();
    TableSchema { name, columns }
}
