//! Answers of Kusto's REST protocol, version 1: management commands, and whatever is one object where frames were asked for.
//!
//! With up to two tables the first is the result and the second its properties. With more, the last is a table of contents, whose
//! rows say in order what kind each table is: `QueryResult`, `QueryProperties` or `QueryStatus`. Sources: Azure Data Explorer's page
//! on the response of version 1, and Microsoft's Python client for what it leaves open.

use spoor_table::{Cell, Table};

use super::budget::{Budget, Cut};
use super::fault::Fault;
use super::{Cause, DecodeError, Named, Outcome, status, tables};

const FIELDS: [&str; 3] = ["error", "Exceptions", "exceptions"];

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Result,
    Properties,
    Status,
    Other,
}

pub(super) fn decode(body: &[u8], budget: &Budget) -> Result<Outcome, DecodeError> {
    let document = tables::read(body, budget, Some(Budget::beside()), &FIELDS)?;
    let mut outcome = Outcome::default();
    if let Some(fault) = document.fields.get("error").and_then(Fault::beside) {
        return Err(DecodeError::Service(Box::new(fault)));
    }
    for (_, told) in document.fields.iter().filter(|(name, _)| *name != "error") {
        for exception in told
            .as_array()
            .map_or(std::slice::from_ref(told), Vec::as_slice)
        {
            status::error(exception, &mut outcome.completeness);
        }
    }
    outcome.completeness.take_in(&document.budget.errors);
    if let Some(beside) = &document.beside {
        outcome.completeness.take_in(&beside.errors);
    }
    let mut read = Vec::new();
    for (at, table) in document.tables.into_iter().enumerate() {
        match table.filling.cut {
            Some(cut) if at == 0 => {
                let told = document.budget.told(cut);
                outcome.completeness.note(Cause::Limit, told);
            }
            Some(_) => {
                let told = "there is more behind its first table than can be taken in";
                outcome.completeness.note(Cause::Limit, told);
            }
            None => {}
        }
        read.push(Named {
            name: table.name,
            table: table.filling.finish()?,
        });
    }
    sort(read, budget, &mut outcome);
    nothing_but_an_error(outcome)
}

/// Puts each table where it belongs.
fn sort(read: Vec<Named>, budget: &Budget, outcome: &mut Outcome) {
    let contents = if read.len() > 2 {
        read.last().map(|last| contents(&last.table))
    } else {
        None
    };
    if contents.as_ref().is_some_and(|list| !has_result(list)) {
        let told = "its last table does not say what the others are for: only the first is shown";
        outcome.completeness.note(Cause::Broken, told);
    }
    let contents = contents.filter(|list| has_result(list));
    for (at, mut named) in read.into_iter().enumerate() {
        let (role, name) = match &contents {
            Some(list) => list
                .get(at)
                .cloned()
                .unwrap_or((Role::Other, String::new())),
            None if at == 0 => (Role::Result, String::new()),
            None => (Role::Properties, String::new()),
        };
        match role {
            Role::Result => {
                if !name.is_empty() {
                    named.name = name;
                }
                let left = budget.rows().saturating_sub(outcome.rows());
                if named.table.rows() > left {
                    named.table = named.table.slice(0, left);
                    let told = budget.told(Cut::Rows);
                    outcome.completeness.note(Cause::Limit, told);
                }
                outcome.tables.push(named);
            }
            Role::Properties => {
                outcome.render = outcome
                    .render
                    .take()
                    .or_else(|| status::render(&named.table))
            }
            Role::Status => {
                let statistics = status::completion(&named.table, &mut outcome.completeness);
                outcome.statistics = outcome.statistics.take().or(statistics);
            }
            Role::Other => {}
        }
    }
}

fn has_result(contents: &[(Role, String)]) -> bool {
    contents.iter().any(|(role, _)| *role == Role::Result)
}

/// The kind and name of each table, as the table of contents has them.
fn contents(table: &Table) -> Vec<(Role, String)> {
    let (kind, name) = (table.index_of("Kind"), table.index_of("Name"));
    let mut list = Vec::new();
    table.for_each_row(|cells| {
        let text = |at: Option<usize>| match at.and_then(|at| cells.get(at)) {
            Some(Cell::String(text)) => *text,
            _ => "",
        };
        let role = match text(kind) {
            "QueryResult" => Role::Result,
            "QueryProperties" => Role::Properties,
            "QueryStatus" => Role::Status,
            _ => Role::Other,
        };
        list.push((role, text(name).to_owned()));
        true
    });
    list
}

/// An answer without results, with errors, is no partial result: it is an error.
pub(super) fn nothing_but_an_error(outcome: Outcome) -> Result<Outcome, DecodeError> {
    let service = |cause| matches!(cause, Cause::Service | Cause::Truncated | Cause::Cancelled);
    let first = outcome
        .completeness
        .reasons()
        .iter()
        .find(|reason| service(reason.cause));
    match first {
        Some(reason) if outcome.tables.is_empty() => {
            Err(DecodeError::Service(Box::new(reason.fault.clone())))
        }
        _ => Ok(outcome),
    }
}
