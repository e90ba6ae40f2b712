//! Sources that a service left out because the user may not read them.
//!
//! Log Analytics leaves them out in silence unless it is asked (`Prefer: include-permissions=true`). `resources` then says which
//! workspaces each resource's data is in and which of its tables are denied; `dataSources` which workspaces the user may read,
//! and without which tables. Source: Azure Monitor's page on querying logs for Azure resources.

use std::collections::HashSet;

use serde_json::Value;

use super::fault::clipped;

/// Names in one message.
const MOST_NAMES: usize = 50;

/// What was left out, in words; `None` where nothing was.
pub(super) fn filtered(permissions: &Value) -> Option<String> {
    let readable = entries(permissions, "dataSources");
    let mut left_out: Vec<String> = Vec::new();
    for entry in readable.iter().chain(&entries(permissions, "resources")) {
        left_out.extend(denied_tables(entry));
    }
    // Resources' identifiers have no case.
    let ids = readable
        .iter()
        .filter_map(|entry| entry["resourceId"].as_str());
    let ids: HashSet<String> = ids.map(str::to_ascii_lowercase).collect();
    let may_read = |id: &str| ids.contains(&id.to_ascii_lowercase());
    for resource in entries(permissions, "resources") {
        let sources = resource["dataSources"].as_array().into_iter().flatten();
        let hidden = sources.filter_map(Value::as_str).filter(|id| !may_read(id));
        left_out.extend(hidden.map(|id| format!("the workspace {}", short(id))));
    }
    left_out.sort();
    left_out.dedup();
    if left_out.is_empty() {
        return None;
    }
    let more = left_out.len().saturating_sub(MOST_NAMES);
    left_out.truncate(MOST_NAMES);
    if more > 0 {
        left_out.push(format!("{more} more"));
    }
    Some(clipped(&left_out.join(", ")))
}

fn entries<'a>(permissions: &'a Value, name: &str) -> Vec<&'a Value> {
    permissions[name].as_array().into_iter().flatten().collect()
}

fn denied_tables(entry: &Value) -> Vec<String> {
    let place = entry["resourceId"].as_str().map(short).unwrap_or_default();
    let tables = entry["denyTables"].as_array().into_iter().flatten();
    tables
        .filter_map(Value::as_str)
        .map(|table| format!("the table {table} of {place}"))
        .collect()
}

/// The name at the end of a resource's identifier.
fn short(id: &str) -> &str {
    id.rsplit('/').find(|part| !part.is_empty()).unwrap_or(id)
}
