//! Management commands that clients send by themselves, or to see what there is. Nothing can be changed by one.

use serde_json::{Map, Value as Json, json};
use spoor_table::{Column, KustoType, Table, TableError, Value};

use crate::engine::TableSchema;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `.show version`
    Version,
    /// `.show cluster`
    Cluster,
    /// `.show databases`
    Databases,
    /// `.show tables`
    Tables,
    /// `.show database [NAME] schema`: with `as json`, one text; else a row for each column.
    Schema {
        /// The database that it names.
        database: Option<String>,
        /// Whether it is to be JSON.
        json: bool,
    },
    /// `.show table NAME cslschema`, or `.show table NAME schema as json`
    Table {
        /// The table.
        name: String,
        /// Whether it is to be JSON.
        json: bool,
    },
    /// `.cancel query "ID"`
    Cancel(String),
}

impl Command {
    /// Reads a command; `None` if it is none that is known.
    pub fn read(text: &str) -> Option<Self> {
        let words = words(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let named = |at: usize| words.get(at).map(|name| (*name).to_owned());
        Some(match lower.as_slice() {
            [".show", "version"] => Command::Version,
            [".show", "cluster"] => Command::Cluster,
            [".show", "databases"] => Command::Databases,
            [".show", "tables"] => Command::Tables,
            [".show", "database" | "databases", "schema"] | [".show", "schema"] => {
                schema(None, false)
            }
            [".show", "database" | "databases", "schema", "as", "json"]
            | [".show", "schema", "as", "json"] => schema(None, true),
            [".show", "database", _, "schema"] => schema(named(2), false),
            [".show", "database", _, "schema", "as", "json"] => schema(named(2), true),
            [".show", "table", _, "cslschema"] => Command::Table {
                name: named(2)?,
                json: false,
            },
            [".show", "table", _, "schema", "as", "json"] => Command::Table {
                name: named(2)?,
                json: true,
            },
            [".cancel", "query", _] => Command::Cancel(named(2)?),
            _ => return None,
        })
    }

    /// Whether its answer tells the tables.
    pub fn wants_schema(&self) -> bool {
        matches!(
            self,
            Command::Tables | Command::Schema { .. } | Command::Table { .. }
        )
    }
}

fn schema(database: Option<String>, json: bool) -> Command {
    Command::Schema { database, json }
}

/// The words of a command; names may stand in quotation marks, or in brackets and those.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim().trim_end_matches(';').trim_end();
    while !rest.is_empty() {
        let bracketed = rest
            .strip_prefix('[')
            .filter(|inner| inner.starts_with(['"', '\'']));
        let inner = bracketed.unwrap_or(rest);
        let mark = inner.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (word, behind) = match mark.and_then(|mark| inner.get(1..)?.split_once(mark)) {
            Some((word, behind)) => (word, behind.strip_prefix(']').unwrap_or(behind)),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

/// What a command is answered with. `database` is ours, and `version` the program's.
///
/// # Errors
/// Never for tables whose columns fit their rows, which these do.
pub fn answer(
    command: &Command,
    database: &str,
    version: &str,
    tables: &[TableSchema],
) -> Result<Table, TableError> {
    match command {
        Command::Version => texts(
            &["BuildVersion", "BuildTime", "ServiceType", "ProductVersion"],
            vec![vec![version, "", "Engine", version]],
        ),
        Command::Cluster => texts(
            &[
                "NodeId",
                "Address",
                "Name",
                "StartTime",
                "IsDead",
                "Description",
            ],
            vec![vec!["spoor", "", "spoor", "", "False", "Spoor"]],
        ),
        Command::Databases => databases(database),
        Command::Tables => texts(
            &["TableName", "DatabaseName", "Folder", "DocString"],
            tables
                .iter()
                .map(|table| vec![table.name.as_str(), database, "", ""])
                .collect(),
        ),
        Command::Schema { json: true, .. } => {
            let told = database_json(database, tables).to_string();
            texts(&["DatabaseSchema"], vec![vec![told.as_str()]])
        }
        Command::Schema { json: false, .. } => columns(database, tables),
        Command::Table { name, json } => {
            let found = tables.iter().find(|table| table.name == *name);
            let told = found.map(|table| match json {
                true => table_json(table).to_string(),
                false => csl(table),
            });
            texts(
                &["TableName", "Schema", "DatabaseName", "Folder", "DocString"],
                told.iter()
                    .map(|told| vec![name.as_str(), told, database, "", ""])
                    .collect(),
            )
        }
        Command::Cancel(id) => texts(&["ClientRequestId"], vec![vec![id.as_str()]]),
    }
}

/// `name:type, name:type`, as KQL declares a table.
fn csl(table: &TableSchema) -> String {
    let columns = table.columns.iter();
    let columns: Vec<String> = columns.map(|c| format!("{}:{}", c.name, c.ty)).collect();
    columns.join(",")
}

fn databases(database: &str) -> Result<Table, TableError> {
    let text = |text: &str| Value::String(text.to_owned());
    let columns = vec![
        Column::new("DatabaseName", KustoType::String),
        Column::new("PersistentStorage", KustoType::String),
        Column::new("Version", KustoType::String),
        Column::new("IsCurrent", KustoType::Bool),
        Column::new("DatabaseAccessMode", KustoType::String),
        Column::new("PrettyName", KustoType::String),
        Column::new("DatabaseId", KustoType::Guid),
    ];
    let row = vec![
        text(database),
        text(""),
        text("v1.0"),
        Value::Bool(true),
        text("ReadOnly"),
        text(database),
        Value::Guid("00000000-0000-0000-0000-000000000000".into()),
    ];
    Table::from_values(columns, &[row])
}

/// A row for each column of each table.
fn columns(database: &str, tables: &[TableSchema]) -> Result<Table, TableError> {
    let rows = tables.iter().flat_map(|table| {
        let row = |column: &'_ Column| (table.name.clone(), column.name.clone(), net(column));
        table.columns.iter().map(row).collect::<Vec<_>>()
    });
    let rows: Vec<(String, String, String)> = rows.collect();
    let rows = rows
        .iter()
        .map(|(table, column, ty)| vec![database, table, column, ty]);
    texts(
        &["DatabaseName", "TableName", "ColumnName", "ColumnType"],
        rows.collect(),
    )
}

fn net(column: &Column) -> String {
    match column.ty {
        KustoType::Decimal => "System.Data.SqlTypes.SqlDecimal".to_owned(),
        ty => format!("System.{}", crate::cells::net_type(ty)),
    }
}

fn table_json(table: &TableSchema) -> Json {
    let described = |column: &Column| json!({ "Name": column.name, "Type": net(column), "CslType": column.ty.name() });
    let columns: Vec<Json> = table.columns.iter().map(described).collect();
    json!({ "Name": table.name, "OrderedColumns": columns })
}

fn database_json(database: &str, tables: &[TableSchema]) -> Json {
    let told = tables
        .iter()
        .map(|table| (table.name.clone(), table_json(table)));
    let told: Map<String, Json> = told.collect();
    let own = json!({
        "Name": database,
        "Tables": told,
        "MajorVersion": 1,
        "MinorVersion": 0,
        "Functions": {},
        "DatabaseAccessMode": "ReadOnly",
        "ExternalTables": {},
        "MaterializedViews": {},
    });
    json!({ "Databases": { database: own } })
}

fn texts(names: &[&str], rows: Vec<Vec<&str>>) -> Result<Table, TableError> {
    let columns: Vec<Column> = names
        .iter()
        .map(|name| Column::new(*name, KustoType::String))
        .collect();
    let own = |row: Vec<&str>| {
        row.into_iter()
            .map(|text| Value::String(text.to_owned()))
            .collect()
    };
    let rows: Vec<Vec<Value>> = rows.into_iter().map(own).collect();
    Table::from_values(columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let cancel = Command::Cancel("KPC.execute;1".into());
        for (text, wanted) in [
            (".show databases", Some(Command::Databases)),
            ("  .SHOW  Version ;", Some(Command::Version)),
            (".show database schema as json", Some(schema(None, true))),
            (
                ".show database ['my db'] schema as json",
                Some(schema(Some("my db".into()), true)),
            ),
            (".cancel query \"KPC.execute;1\"", Some(cancel)),
            (".drop table x", None),
            ("T | take 1", None),
            ("", None),
        ] {
            assert_eq!(Command::read(text), wanted, "{text}");
        }
    }
}
