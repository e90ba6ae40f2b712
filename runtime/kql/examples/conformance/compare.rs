//! Whether an answer is the known one.

use serde_json::Value as Json;
use spoor_table::{KustoType, Table, Value, parse};

use crate::cases::ExpectedRows;
use crate::order;

/// Results that come in no defined order.
const UNORDERED: &[&str] = &[
    "make_set",
    "makeset",
    "set_",
    "make_bag",
    "bag_keys",
    "bag_",
    "make_dictionary",
    "array_distinct",
    "pack_all",
];

/// Results that may be off by 5%.
const ESTIMATES: &[&str] = &["dcount", "percentile", "tdigest", "hll"];

/// What may differ.
#[derive(Clone, Copy)]
struct Leeway {
    unordered: bool,
    relative: f64,
}

/// The difference in names and types, if any.
pub fn columns(table: &Table, expected: &[(String, String)]) -> Result<(), String> {
    let actual: Vec<(String, &str)> = table
        .columns()
        .iter()
        .map(|column| (column.name.clone(), column.ty.name()))
        .collect();
    let same = actual.len() == expected.len()
        && actual
            .iter()
            .zip(expected)
            .all(|(a, e)| a.0 == e.0 && same_type(a.1, &e.1));
    if same {
        Ok(())
    } else {
        Err(format!(
            "columns: expected {expected:?}\n              got {actual:?}"
        ))
    }
}

fn same_type(actual: &str, expected: &str) -> bool {
    match expected {
        "SByte" | "Bool" => actual == "bool",
        "Int32" => actual == "int",
        "Int64" => actual == "long",
        "Int" => actual == "int" || actual == "long",
        "Double" => actual == "real",
        // The generated cases call both so.
        "Real" => actual == "real" || actual == "decimal",
        "SqlDecimal" | "Decimal" => actual == "decimal",
        "Object" | "Dynamic" => actual == "dynamic",
        other => actual == other.to_lowercase(),
    }
}

/// The difference in columns and rows, if any.
pub fn rows(query: &str, table: &Table, expected: &ExpectedRows) -> Result<(), String> {
    columns(table, &expected.columns)?;
    let leeway = Leeway {
        unordered: UNORDERED.iter().any(|name| query.contains(name)),
        relative: if ESTIMATES.iter().any(|name| query.contains(name)) {
            0.05
        } else {
            1e-9
        },
    };
    let actual = table_rows(table);
    if actual.len() != expected.rows.len() {
        return Err(format!(
            "expected {} rows: {}\ngot {} rows: {}",
            expected.rows.len(),
            shown(&expected.rows),
            actual.len(),
            shown_rows(&actual)
        ));
    }
    let difference = || {
        format!(
            "expected {}\ngot      {}",
            shown(&expected.rows),
            shown_rows(&actual)
        )
    };
    if !same_multiset(&actual, &expected.rows, leeway) {
        return Err(difference());
    }
    let keys = order::key_columns(query, table);
    let in_order = actual.iter().zip(&expected.rows).all(|(a, e)| {
        keys.iter().all(|key| match (a.get(*key), e.get(*key)) {
            (Some(a), Some(e)) => same(a, e, leeway),
            _ => false,
        })
    });
    if in_order {
        Ok(())
    } else {
        Err(format!("order: {}", difference()))
    }
}

fn table_rows(table: &Table) -> Vec<Vec<Value>> {
    let columns = table.columns().len();
    (0..table.rows())
        .map(|row| {
            (0..columns)
                .map(|column| table.value(row, column))
                .collect()
        })
        .collect()
}

fn shown(rows: &[Vec<Json>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| Json::Array(row.clone()).to_string())
        .collect();
    rows.join(" ")
}

fn shown_rows(rows: &[Vec<Value>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("{:?}", row.iter().map(text).collect::<Vec<_>>()))
        .collect();
    rows.join(" ")
}

fn text(value: &Value) -> String {
    spoor_table::format::text(value.cell())
}

fn same_multiset(actual: &[Vec<Value>], expected: &[Vec<Json>], leeway: Leeway) -> bool {
    let mut left: Vec<&Vec<Json>> = expected.iter().collect();
    actual.iter().all(|row| {
        let found = left.iter().position(|wanted| {
            row.len() == wanted.len()
                && row
                    .iter()
                    .zip(wanted.iter())
                    .all(|(a, e)| same(a, e, leeway))
        });
        found.map(|at| left.remove(at)).is_some()
    })
}

fn same(actual: &Value, expected: &Json, leeway: Leeway) -> bool {
    let null = expected.is_null() || expected.as_str() == Some("");
    match actual {
        Value::String(text) if text.is_empty() => null,
        Value::String(text) => expected.as_str() == Some(text),
        value if value.is_null() => null,
        Value::Bool(value) => {
            expected.as_bool() == Some(*value) || expected.as_i64() == Some(i64::from(*value))
        }
        Value::Int(value) => near(f64::from(*value), expected, leeway),
        Value::Long(value) => {
            expected.as_i64() == Some(*value)
                || leeway.relative > 1e-3 && near(*value as f64, expected, leeway)
        }
        Value::Real(value) => near(*value, expected, leeway),
        Value::Decimal(value) => {
            let wanted = expected
                .as_str()
                .map(str::to_owned)
                .unwrap_or_else(|| expected.to_string());
            let near_enough = near(*value as f64 / 1e18, expected, leeway);
            parse::decimal(&wanted) == Some(*value) || near_enough
        }
        Value::DateTime(ticks) => expected.as_str().and_then(parse::datetime) == Some(*ticks),
        Value::TimeSpan(ticks) => expected.as_str().and_then(parse::timespan) == Some(*ticks),
        Value::Guid(guid) => {
            expected
                .as_str()
                .map(|text| text.trim_matches('\'').to_lowercase())
                == Some(guid.clone())
        }
        Value::Dynamic(value) => match serde_json::from_str::<Json>(&value.view().to_json()) {
            Ok(json) => same_json(&json, expected, leeway),
            Err(_) => false,
        },
        Value::Null(KustoType::String) | Value::Null(_) => null,
    }
}

fn near(actual: f64, expected: &Json, leeway: Leeway) -> bool {
    let wanted = match expected {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            other => other.parse().ok(),
        },
        _ => None,
    };
    let Some(wanted) = wanted else { return false };
    if actual.is_nan() || wanted.is_nan() {
        return actual.is_nan() && wanted.is_nan();
    }
    actual == wanted || (actual - wanted).abs() <= leeway.relative * wanted.abs().max(actual.abs())
}

fn same_json(actual: &Json, expected: &Json, leeway: Leeway) -> bool {
    match (actual, expected) {
        (Json::Array(a), Json::Array(e)) if a.len() == e.len() => {
            let in_order = a.iter().zip(e).all(|(a, e)| same_json(a, e, leeway));
            in_order || leeway.unordered && same_json_multiset(a, e, leeway)
        }
        (Json::Object(a), Json::Object(e)) => {
            a.len() == e.len()
                && a.iter()
                    .all(|(key, value)| e.get(key).is_some_and(|e| same_json(value, e, leeway)))
        }
        (Json::Number(a), _) => a.as_f64().is_some_and(|a| near(a, expected, leeway)),
        (Json::String(a), Json::String(e)) => {
            a == e
                || parse::datetime(a).is_some_and(|ticks| parse::datetime(e) == Some(ticks))
                || parse::timespan(a).is_some_and(|ticks| parse::timespan(e) == Some(ticks))
        }
        _ => actual == expected,
    }
}

fn same_json_multiset(actual: &[Json], expected: &[Json], leeway: Leeway) -> bool {
    let mut left: Vec<&Json> = expected.iter().collect();
    actual.iter().all(|item| {
        let found = left
            .iter()
            .position(|wanted| same_json(item, wanted, leeway));
        found.map(|at| left.remove(at)).is_some()
    })
}
