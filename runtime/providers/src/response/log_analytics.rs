//! Answers of Log Analytics' query API.
//!
//! Sources: Azure Monitor's pages on the API's response format (`tables`, and `error` with the code `PartialError` beside them),
//! on its `Prefer` options (`render`, `statistics`) and on querying logs for Azure resources (`permissions`).

use serde_json::Value;

use super::budget::Budget;
use super::fault::Fault;
use super::render::Render;
use super::{Cause, DecodeError, Named, Outcome, permissions, status, tables};

const FIELDS: [&str; 4] = ["error", "permissions", "render", "statistics"];

pub(super) fn decode(body: &[u8], budget: &Budget) -> Result<Outcome, DecodeError> {
    let mut document = tables::read(body, budget, None, &FIELDS)?;
    let mut outcome = Outcome::default();
    if let Some(fault) = document.fields.get("error").and_then(Fault::beside) {
        if document.tables.is_empty() {
            return Err(DecodeError::Service(Box::new(fault)));
        }
        outcome.completeness.add(status::cause_of(&fault), fault);
    }
    if let Some(left_out) = document
        .fields
        .get("permissions")
        .and_then(permissions::filtered)
    {
        outcome.completeness.note(Cause::Permissions, left_out);
    }
    outcome.completeness.take_in(&document.budget.errors);
    outcome.render = document
        .fields
        .get("render")
        .and_then(Value::as_object)
        .and_then(Render::of);
    outcome.statistics = document
        .fields
        .remove("statistics")
        .filter(|value| !value.is_null());
    for read in document.tables {
        if let Some(cut) = read.filling.cut {
            let told = document.budget.told(cut);
            outcome.completeness.note(Cause::Limit, told);
        }
        let table = read.filling.finish()?;
        outcome.tables.push(Named {
            name: read.name,
            table,
        });
    }
    Ok(outcome)
}
