//! Reading the cases.

use std::path::Path;

use serde_json::Value;
use spoor_table::{Column, KustoType};

/// A query and what must come of it.
pub struct Case {
    pub id: String,
    pub set: String,
    pub query: String,
    /// None: it must be refused.
    pub expected: Option<Expected>,
}

/// A known answer.
pub enum Expected {
    /// Names and types.
    Columns(Vec<(String, String)>),
    /// Names, types and rows.
    Rows(ExpectedRows),
}

/// A known result.
pub struct ExpectedRows {
    /// Names and types, the types as the source calls them.
    pub columns: Vec<(String, String)>,
    pub rows: Vec<Vec<Value>>,
}

type Failure = Box<dyn std::error::Error>;

/// All cases of a folder.
pub fn load(folder: &Path) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for value in lines(&folder.join("truth.jsonl"))? {
        let id = text(&value, "id");
        let set = if id.starts_with("emudoc") {
            "docs"
        } else {
            "generated"
        };
        let names = texts(&value["columns"]);
        let columns = names.into_iter().zip(texts(&value["types"])).collect();
        let rows = array(&value["rows"])
            .iter()
            .map(|row| array(row).to_vec())
            .collect();
        let expected = Some(Expected::Rows(ExpectedRows { columns, rows }));
        cases.push(Case {
            id,
            set: set.to_owned(),
            query: text(&value, "query"),
            expected,
        });
    }
    for value in lines(&folder.join("refused.jsonl"))? {
        let (id, query) = (text(&value, "id"), text(&value, "query"));
        cases.push(Case {
            id,
            set: "refused".to_owned(),
            query,
            expected: None,
        });
    }
    for value in lines(&folder.join("sentinel.jsonl"))? {
        let columns = array(&value["result"])
            .iter()
            .map(|pair| (text_of(&pair[0]), text_of(&pair[1])))
            .collect();
        cases.push(Case {
            id: text(&value, "id"),
            set: "sentinel".to_owned(),
            query: text(&value, "query"),
            expected: Some(Expected::Columns(columns)),
        });
    }
    Ok(cases)
}

/// The tables that the sentinel cases use.
pub fn schemas(folder: &Path) -> Result<Vec<(String, Vec<Column>)>, Failure> {
    let path = folder.join("schemas.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let tables = all.as_object().map(|tables| {
        tables
            .iter()
            .map(|(name, columns)| (name.clone(), schema(columns)))
    });
    Ok(tables.map(Iterator::collect).unwrap_or_default())
}

fn schema(columns: &Value) -> Vec<Column> {
    let columns = array(columns).iter().filter_map(|pair| {
        let ty = KustoType::from_name(&text_of(&pair[1]))?;
        Some(Column::new(text_of(&pair[0]), ty))
    });
    columns.collect()
}

fn lines(path: &Path) -> Result<Vec<Value>, Failure> {
    let gzipped = path.with_extension("jsonl.gz");
    let text = if path.exists() {
        std::fs::read_to_string(path)?
    } else if gzipped.exists() {
        // `gzip` is everywhere; a crate for it would be built into the library's tests as well.
        let output = std::process::Command::new("gzip")
            .arg("-dc")
            .arg(gzipped)
            .output()?;
        String::from_utf8(output.stdout)?
    } else {
        String::new()
    };
    Ok(text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

fn text(value: &Value, field: &str) -> String {
    text_of(&value[field])
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    array(value).iter().map(text_of).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
