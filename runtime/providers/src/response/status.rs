//! The tables that Kusto sends beside a query's results: how it went, and how the results are to be drawn.
//!
//! Sources: Azure Data Explorer's pages on the responses of versions 1 and 2. A severity below 4 is an error or a warning, as
//! Microsoft's Python client takes it; that a warning alone means that something is missing could not be confirmed, but the one that is
//! known (a source that a fuzzy union leaves out) does.

use serde_json::{Map, Value};
use spoor_table::{Cell, Table};

use super::fault::{Fault, clipped};
use super::render::Render;
use super::{Cause, Completeness};

/// The least severe level that is not a problem: `Info`.
const INFORMATION: i64 = 4;

/// Takes in `QueryCompletionInformation` of version 2, or `QueryStatus` of version 1. Answers with the statistics.
pub(super) fn completion(table: &Table, completeness: &mut Completeness) -> Option<Value> {
    let column = |names: &[&str]| names.iter().find_map(|name| table.index_of(name));
    let level = column(&["Level", "Severity"])?;
    let payload = column(&["Payload", "StatusDescription"])?;
    let code = column(&["StatusCodeName"]);
    let activity = column(&["ActivityId"]);
    let mut statistics = None;
    table.for_each_row(|cells| {
        let text = |at: Option<usize>| {
            at.and_then(|at| cells.get(at))
                .map_or(String::new(), |cell| text_of(*cell))
        };
        let told = text(Some(payload));
        let inner = serde_json::from_str::<Map<String, Value>>(&told).ok();
        match cells.get(level).copied().and_then(whole) {
            Some(level) if level < INFORMATION => {
                let fault = problem(&text(code), told, inner.as_ref(), &text(activity));
                completeness.add(cause_of(&fault), fault);
            }
            // The resources that the query took are the one payload with its time.
            _ => {
                let took = inner.filter(|inner| inner.contains_key("ExecutionTime"));
                statistics = statistics.take().or(took.map(Value::Object));
            }
        }
        true
    });
    statistics
}

fn problem(code: &str, told: String, inner: Option<&Map<String, Value>>, activity: &str) -> Fault {
    let text = inner
        .and_then(|inner| inner.get("Text"))
        .and_then(Value::as_str);
    Fault {
        code: code.to_owned(),
        message: clipped(text.unwrap_or(&told)),
        activity_id: Some(activity.to_owned()).filter(|id| !id.is_empty()),
        ..Fault::default()
    }
}

/// What `@ExtendedProperties` of version 2, or `QueryProperties` of version 1, says of drawing.
pub(super) fn render(table: &Table) -> Option<Render> {
    let mut found = None;
    table.for_each_row(|cells| {
        let mut objects = cells
            .iter()
            .filter_map(|cell| serde_json::from_str::<Value>(&text_of(*cell)).ok());
        found = objects.find_map(|value| Render::of(value.as_object()?));
        found.is_none()
    });
    found
}

/// Takes in an error that stands beside a result; null is none.
pub(super) fn error(value: &Value, completeness: &mut Completeness) {
    if let Some(fault) = Fault::beside(value) {
        completeness.add(cause_of(&fault), fault);
    }
}

/// Takes in the errors that stand in a row's place.
pub(super) fn in_row(value: &Value, completeness: &mut Completeness) {
    let lists = ["OneApiErrors", "Exceptions"];
    let listed = lists.iter().find_map(|name| value.get(*name)?.as_array());
    let values = listed.map_or(std::slice::from_ref(value), Vec::as_slice);
    let faults: Vec<Fault> = values.iter().filter_map(Fault::of).collect();
    if faults.is_empty() {
        completeness.note(Cause::Broken, "a row is an object, and no array of values");
    }
    for fault in faults {
        completeness.add(cause_of(&fault), fault);
    }
}

/// What Kusto, and Log Analytics which is built on it, call a result that is larger than they give.
const TRUNCATED: [&str; 4] = [
    "E_QUERY_RESULT_SET_TOO_LARGE",
    "LimitsExceeded",
    "80DA0003",
    "-2133196797",
];

/// Reaching the service's own limits, and being cancelled, are errors to it.
pub(super) fn cause_of(fault: &Fault) -> Cause {
    let inner = || {
        fault
            .inner
            .iter()
            .flat_map(|inner| [&inner.code, &inner.message])
    };
    let says = |text: &str| {
        let all = [&fault.message, &fault.code].into_iter().chain(inner());
        all.into_iter().any(|own| own.contains(text))
    };
    if TRUNCATED.iter().any(|text| says(text)) {
        Cause::Truncated
    } else if says("E_QUERY_CANCELLED") || says("QueryCancelled") {
        Cause::Cancelled
    } else {
        Cause::Service
    }
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(i64::from(value)),
        Cell::Long(value) => Some(value),
        _ => None,
    }
}

fn text_of(cell: Cell<'_>) -> String {
    match cell {
        Cell::String(text) | Cell::Guid(text) => text.to_owned(),
        Cell::Dynamic(value) => value
            .as_str()
            .map_or_else(|| value.to_json(), str::to_owned),
        _ => String::new(),
    }
}
