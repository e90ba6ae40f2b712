//! The names inside dynamic columns, as far as a table's first rows show them, for completion.

use std::collections::BTreeSet;
use std::sync::Arc;

use spoor_table::dynamic::{DynamicRef, Kind};
use spoor_table::{Cell, KustoType, Table};

/// Rows that are looked at.
const ROWS: usize = 64;
/// Names that are kept.
const PATHS: usize = 500;
/// Names within each other.
const DEPTH: usize = 4;

/// `column.name.name` for each name in the dynamic columns of a table's first rows, in order.
pub(crate) fn paths(table: &Table) -> Arc<[String]> {
    let columns = table.columns();
    let mut found = BTreeSet::new();
    if columns.iter().any(|column| column.ty == KustoType::Dynamic) {
        table
            .slice(0, ROWS.min(table.rows()))
            .for_each_row(|cells| {
                for (column, cell) in columns.iter().zip(cells) {
                    if let Cell::Dynamic(value) = cell {
                        gather(&column.name, *value, DEPTH, &mut found);
                    }
                }
                found.len() < PATHS
            });
    }
    found.into_iter().collect()
}

fn gather(path: &str, value: DynamicRef<'_>, depth: usize, found: &mut BTreeSet<String>) {
    let Kind::Object(object) = value.kind() else {
        return;
    };
    for (name, value) in object.iter() {
        let plain = spoor_kql_syntax::as_written(name) == name;
        if !plain || found.len() >= PATHS {
            continue;
        }
        let path = format!("{path}.{name}");
        if depth > 1 {
            gather(&path, value, depth - 1, found);
        }
        found.insert(path);
    }
}
