//! Tables' columns out of a file: JSON, or the commands with which Kusto creates tables.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use spoor_kql_syntax::ast::ColumnDeclaration;
use spoor_kql_syntax::{Diagnostic, line_column, parse_create_tables, render};
use spoor_table::{Column, KustoType};

use crate::cli::query::text_of_file;
use crate::cli::{Exit, Failure, say};

/// Tables by their names.
type Tables = Vec<(String, Vec<Column>)>;

/// The tables of several files; one that is in two files is that of the last.
pub fn read_all(files: &[PathBuf]) -> Result<Tables, Failure> {
    let mut tables = Tables::new();
    for file in files {
        for (name, columns) in read(file)? {
            tables.retain(|(known, _)| *known != name);
            tables.push((name, columns));
        }
    }
    Ok(tables)
}

fn read(file: &Path) -> Result<Tables, Failure> {
    let text = text_of_file(file)?;
    let tables = match text.trim_start().starts_with('{') {
        true => of_json(&text).map_err(|(line, column, message)| {
            format!("{}:{line}:{column}: {message}", say::path(file))
        }),
        false => of_commands(&text).map_err(|problems| {
            let at = problems.first().map_or(0, |problem| problem.span.start);
            let (line, column) = line_column(&text, at);
            let shown = render(&text, &problems);
            format!("{}:{line}:{column}\n{}", say::path(file), shown.trim_end())
        }),
    };
    tables.map_err(|message| {
        let message = format!("the schema cannot be read: {message}");
        Failure::new(Exit::Unreadable, message)
    })
}

fn of_commands(text: &str) -> Result<Tables, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut tables = Tables::new();
    for table in parse_create_tables(text)? {
        let columns: Vec<Column> = table
            .columns
            .iter()
            .filter_map(|column| typed(column).map_err(|problem| problems.push(problem)).ok())
            .collect();
        if let Some(repeated) = repeated(&columns) {
            let message = format!("the column `{repeated}` is declared twice");
            problems.push(Diagnostic::error(table.name.span, message));
        }
        tables.retain(|(known, _)| *known != table.name.text);
        tables.push((table.name.text, columns));
    }
    match problems.is_empty() {
        true => Ok(tables),
        false => Err(problems),
    }
}

fn typed(column: &ColumnDeclaration) -> Result<Column, Diagnostic> {
    match KustoType::from_name(&column.ty.text) {
        Some(ty) => Ok(Column::new(&column.name.text, ty)),
        None => {
            let message = format!("`{}` is no type", column.ty.text);
            Err(Diagnostic::error(column.ty.span, message).hint(types()))
        }
    }
}

fn types() -> String {
    let names: Vec<&str> = KustoType::ALL.iter().map(|ty| ty.name()).collect();
    format!("the types are {}", names.join(", "))
}

/// A column's name that is there twice.
fn repeated(columns: &[Column]) -> Option<&str> {
    let repeats = |(at, column): &(usize, &Column)| {
        columns
            .iter()
            .take(*at)
            .any(|before| before.name == column.name)
    };
    let found = columns.iter().enumerate().find(repeats);
    found.map(|(_, column)| column.name.as_str())
}

/// Line, column and cause of what is wrong.
fn of_json(text: &str) -> Result<Tables, (usize, usize, String)> {
    let read: serde_json::Result<JsonTables> = serde_json::from_str(text);
    read.map(|tables| tables.0).map_err(|error| {
        let message = error.to_string();
        let cause = message.split(" at line ").next().unwrap_or_default();
        (error.line(), error.column(), cause.to_owned())
    })
}

/// `{"Table": [{"name": ..., "type": ...}, ...], ...}`.
struct JsonTables(Tables);

impl<'de> Deserialize<'de> for JsonTables {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = JsonTables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tables, each a list of columns")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonTables, A::Error> {
        let mut tables = Tables::new();
        while let Some(name) = map.next_key::<String>()? {
            let columns: Vec<JsonColumn> = map.next_value()?;
            let columns: Vec<Column> = columns
                .into_iter()
                .map(|column| Column::new(column.name, column.ty.0))
                .collect();
            if columns.is_empty() {
                return Err(A::Error::custom(format!(
                    "the table `{name}` has no columns"
                )));
            }
            if let Some(repeated) = repeated(&columns) {
                let message = format!("the table `{name}` has the column `{repeated}` twice");
                return Err(A::Error::custom(message));
            }
            if tables.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!(
                    "the table `{name}` is there twice"
                )));
            }
            tables.push((name, columns));
        }
        Ok(JsonTables(tables))
    }
}

#[derive(serde::Deserialize)]
struct JsonColumn {
    name: String,
    #[serde(rename = "type")]
    ty: JsonType,
}

struct JsonType(KustoType);

impl<'de> Deserialize<'de> for JsonType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        KustoType::from_name(&name)
            .map(JsonType)
            .ok_or_else(|| D::Error::custom(format!("`{name}` is no type; {}", types())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(tables: &Tables) -> String {
        let table = |(name, columns): &(String, Vec<Column>)| {
            let columns = columns.iter().map(|c| format!("{}:{}", c.name, c.ty));
            format!("{name}({})", columns.collect::<Vec<_>>().join(","))
        };
        tables.iter().map(table).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_forms_give_the_same_tables() {
        let json = r#"{"T": [{"name": "a b", "type": "string"}, {"name": "n", "type": "int64"}],
                       "U": [{"name": "t", "type": "datetime", "note": "utc"}]}"#;
        let commands =
            ".create table T (['a b']: string, n: int64)\n.create-merge table U (t: datetime)";
        let expected = "T(a b:string,n:long) U(t:datetime)";
        assert_eq!(shown(&of_json(json).unwrap()), expected);
        assert_eq!(shown(&of_commands(commands).unwrap()), expected);
    }

    #[test]
    fn what_is_wrong_has_a_line_and_a_cause() {
        for (text, line, cause) in [
            (
                "{\"T\": [\n{\"name\": \"a\", \"type\": \"strin\"}]}",
                2,
                "`strin` is no type",
            ),
            ("{\"T\":\n\n []}", 3, "no columns"),
            ("{\"T\": [{\"name\": \"a\"}]}", 1, "missing field `type`"),
            ("{\"T\": 5}", 1, "invalid type"),
            ("{\"T\": [", 1, "EOF"),
        ] {
            let (at, _, message) = of_json(text).unwrap_err();
            assert_eq!(at, line, "{text}");
            assert!(message.contains(cause), "{message}");
        }
        let problems = of_commands(".create table T (a: strin)").unwrap_err();
        assert_eq!(problems[0].span, 20..25);
        let problems = of_commands(".create table T (a: long, a: long)").unwrap_err();
        assert!(problems[0].message.contains("twice"));
    }
}
