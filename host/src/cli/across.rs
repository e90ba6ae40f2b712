//! Queries across workspaces: the parts that workspaces answer, and the query that is left.

use spoor_kql::QueryError;
use spoor_kql_syntax::across;
use spoor_protocol::LOCAL_WORKSPACE;
use spoor_table::Table;

use super::query::{refused, told};
use super::workspaces::Configuration;
use super::{Exit, Failure};
use crate::native::{Asked, Watch};
use crate::sources::Data;

/// What is left of a query once its workspaces have answered.
#[derive(Default)]
pub struct Gathered {
    /// The query, over the data and the answers.
    pub rest: String,
    /// The answers, by the names that it has for them.
    pub tables: Vec<(String, Table)>,
    /// What is missing in them.
    pub partial: Vec<String>,
}

/// Has workspaces answer their parts of a query, one after the other.
pub fn gather(
    (text, name): (&str, &str),
    data: &Data,
    configuration: &Configuration,
    timespan: Option<&str>,
) -> Result<Gathered, Failure> {
    let is_here = |name: &str| data.sources.iter().any(|source| source.spec.name == name);
    // Read only where it is needed: most queries name no workspace.
    let asks = text.contains("workspace").then(|| configuration.remote());
    let remote = asks.transpose()?;
    let local = remote.as_ref().map(|remote| remote.local());
    let is_local =
        |name: &str| name == LOCAL_WORKSPACE || local.iter().flatten().any(|local| local == name);
    let found = across(text, &is_here, &is_local).map_err(|problem| {
        let refused = QueryError::Diagnostics(vec![problem]);
        Failure::new(Exit::Failed, told(refused, text, name))
    })?;
    let (Some(found), Some(remote)) = (found, remote) else {
        return Ok(Gathered {
            rest: text.to_owned(),
            ..Gathered::default()
        });
    };
    let mut gathered = Gathered {
        rest: found.rest,
        ..Gathered::default()
    };
    for part in found.parts {
        let asked = Asked {
            workspace: &part.workspace,
            text: &part.query,
            timespan,
        };
        let answered = remote.ask(asked, &Watch::new(|| false, None));
        let answered = answered.map_err(|error| refused(&error, &part.query))?;
        let missing = answered.told.partial.into_iter();
        let missing = missing.map(|why| format!("workspace '{}': {why}", part.workspace));
        gathered.partial.extend(missing);
        let table = answered.tables.into_iter().next();
        gathered
            .tables
            .push((part.table, table.ok_or_else(super::query::nothing)?));
    }
    Ok(gathered)
}
