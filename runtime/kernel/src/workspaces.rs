//! The workspaces that the driver has, and where a query goes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use spoor_kql::bind;
use spoor_kql_syntax::{Across, Diagnostic, Part, TokenKind, across, highlight};
use spoor_protocol::{LOCAL_WORKSPACE, Provider};
use spoor_table::{Column, KustoType};

use crate::catalogue::Catalogue;

/// What a cell or the guest says of who is to run its query.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    /// Who; none for the session's choice.
    pub provider: Option<Provider>,
    /// The time that the query looks at, as it was given, and where that stands.
    pub timespan: Option<(String, Range<usize>)>,
}

/// A query that a provider runs in the kernel's stead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Away {
    pub provider: Provider,
    /// The time that the query looks at, as the front end gave it.
    pub timespan: Option<String>,
}

/// Where a query goes.
pub(crate) enum Place {
    /// The kernel runs it.
    Here,
    /// A provider runs all of it.
    Away(Away),
    /// Workspaces run parts of it, over this time, and the kernel the rest.
    Across(Across, Option<String>),
}

/// A query as one reader sees it, as long as the whole, and the tables that it may name.
pub(crate) struct Reading {
    pub query: String,
    pub tables: bind::Catalogue,
}

impl Reading {
    fn new(query: &str, tables: bind::Catalogue) -> Self {
        let query = query.to_owned();
        Self { query, tables }
    }

    /// What may stand at a place.
    pub(crate) fn complete(&self, at: usize) -> bind::Completions {
        bind::complete(&self.query, at, &self.tables)
    }

    /// What the kernel runs of a query across workspaces: the parts' columns are not known before they have run.
    fn of_rest(found: Across, catalogue: &Catalogue) -> Self {
        let mut tables = catalogue.for_names();
        for part in found.parts {
            tables.insert(part.table, bind::CatalogueTable::unread());
        }
        let query = found.rest;
        Self { query, tables }
    }
}

/// The workspaces.
#[derive(Default)]
pub(crate) struct Workspaces {
    local: BTreeSet<String>,
    current: Option<String>,
    /// The tables of those that have told them.
    schemas: BTreeMap<String, bind::Catalogue>,
}

impl Workspaces {
    /// Takes what a driver says of them.
    pub(crate) fn set(&mut self, current: Option<String>, local: Vec<String>) {
        self.local = local.into_iter().collect();
        self.current = current.filter(|name| !self.is_local(name));
    }

    /// Takes the tables of a workspace.
    pub(crate) fn tell(&mut self, workspace: String, tables: Vec<(String, Vec<(String, String)>)>) {
        let mut catalogue = bind::Catalogue::new();
        for (name, columns) in tables {
            let column = |(name, ty): (String, String)| {
                let ty = KustoType::from_name(&ty).unwrap_or(KustoType::Dynamic);
                Column::new(name, ty)
            };
            let columns = columns.into_iter().map(column).collect();
            catalogue.insert(name, bind::CatalogueTable::known(columns));
        }
        self.schemas.insert(workspace, catalogue);
    }

    /// Where a query goes.
    ///
    /// # Errors
    /// Where it names a workspace in a way that none can be asked, or a time span that nobody would heed.
    pub(crate) fn place(
        &self,
        wanted: &Wanted,
        query: &str,
        catalogue: &Catalogue,
    ) -> Result<Place, Diagnostic> {
        let timespan = wanted.timespan.as_ref().map(|(text, _)| text.clone());
        if let Some(provider) = self.sent_to(wanted, query, catalogue) {
            if provider == Provider::Host {
                self.check_host(wanted, query, catalogue)?;
            }
            return Ok(Place::Away(Away { provider, timespan }));
        }
        match self.across(query, catalogue)? {
            Some(parts) => Ok(Place::Across(parts, timespan)),
            None if timespan.is_some() => Err(unheeded(wanted)),
            None => Ok(Place::Here),
        }
    }

    /// What the host would leave out without a word.
    fn check_host(
        &self,
        wanted: &Wanted,
        query: &str,
        catalogue: &Catalogue,
    ) -> Result<(), Diagnostic> {
        if wanted.timespan.is_some() {
            return Err(unheeded(wanted));
        }
        match self.across(query, catalogue)? {
            Some(Across { parts, .. }) => Err(Diagnostic::error(
                parts.first().map_or(0..0, |part| part.place.clone()),
                "the host asks no workspace",
            )
            .hint("leave out `host`: the rest of the query then runs in this session")),
            None => Ok(()),
        }
    }

    /// Who runs all of a query; none for the kernel, or where it is for several.
    fn sent_to(&self, wanted: &Wanted, query: &str, catalogue: &Catalogue) -> Option<Provider> {
        match &wanted.provider {
            Some(Provider::Workspace(name)) if self.is_local(name) => None,
            Some(provider) => Some(provider.clone()),
            None => {
                let current = self.current.as_ref()?;
                // One that says itself where its tables are is not all for one.
                let is_across = !matches!(self.across(query, catalogue), Ok(None));
                let is_here = is_across || reads_results(query, catalogue);
                (!is_here).then(|| Provider::Workspace(current.clone()))
            }
        }
    }

    /// What to say where a query that the kernel runs failed, since another might have been meant to.
    pub(crate) fn why_here(&self, wanted: &Wanted) -> Option<String> {
        let current = self
            .current
            .as_ref()
            .filter(|_| wanted.provider.is_none())?;
        Some(format!(
            "note: the query names a result of this session, or a workspace, and so it ran here; a table of '{current}' is workspace(\"{current}\").NAME"
        ))
    }

    /// Splits a query that the kernel runs.
    fn across(&self, query: &str, catalogue: &Catalogue) -> Result<Option<Across>, Diagnostic> {
        let is_here = |name: &str| catalogue.is_source(name) || catalogue.is_result(name);
        across(query, &is_here, &|workspace| self.is_local(workspace))
    }

    /// How a query is read at a place: by whom, and so with which tables, as far as they are known.
    pub(crate) fn reading_at(
        &self,
        wanted: &Wanted,
        query: &str,
        at: usize,
        catalogue: &Catalogue,
    ) -> Reading {
        match self.sent_to(wanted, query, catalogue) {
            Some(Provider::Workspace(name)) => {
                let mut tables = self.tables_of(&name);
                if wanted.provider.is_none() {
                    // A result's name has the query run here.
                    tables.extend(catalogue.results());
                }
                Reading::new(query, tables)
            }
            Some(Provider::Host) => Reading::new(query, catalogue.for_names()),
            None => self.reading_here(query, at, catalogue),
        }
    }

    fn reading_here(&self, query: &str, at: usize, catalogue: &Catalogue) -> Reading {
        let Ok(Some(found)) = self.across(query, catalogue) else {
            return Reading::new(query, catalogue.for_names());
        };
        let is_in = |part: &&Part| {
            let behind = query.get(part.place.end..at);
            part.place.contains(&at) || behind.is_some_and(|text| text.trim().is_empty())
        };
        match found.parts.iter().find(is_in) {
            Some(part) => Reading::new(&part.query, self.tables_of(&part.workspace)),
            None => Reading::of_rest(found, catalogue),
        }
    }

    /// How the kernel reads a query; none where somebody else does, who knows other tables and more of the language.
    pub(crate) fn reading(
        &self,
        wanted: &Wanted,
        query: &str,
        catalogue: &Catalogue,
    ) -> Option<Result<Reading, Diagnostic>> {
        if self.sent_to(wanted, query, catalogue).is_some() {
            return None;
        }
        let across = self.across(query, catalogue);
        Some(across.map(|found| match found {
            Some(found) => Reading::of_rest(found, catalogue),
            None => Reading::new(query, catalogue.for_names()),
        }))
    }

    /// The tables of a workspace, as far as it told them.
    pub(crate) fn tables_of(&self, workspace: &str) -> bind::Catalogue {
        self.schemas.get(workspace).cloned().unwrap_or_default()
    }

    fn is_local(&self, name: &str) -> bool {
        name == LOCAL_WORKSPACE || self.local.contains(name)
    }
}

/// Whether a query names a result of this session. One that searches every table does not.
fn reads_results(query: &str, catalogue: &Catalogue) -> bool {
    let mut names = highlight(query)
        .into_iter()
        .filter(|(_, kind)| *kind == TokenKind::Name)
        .filter_map(|(place, _)| query.get(place));
    // A result may be called as an operator is, and is then read by its name alone.
    catalogue.is_result(query.trim()) || names.any(|name| catalogue.is_result(name))
}

fn unheeded(wanted: &Wanted) -> Diagnostic {
    let place = wanted.timespan.as_ref().map(|(_, place)| place.clone());
    let message = "--timespan is of queries that a workspace runs";
    Diagnostic::error(place.unwrap_or_default(), message).hint(
        "name one with --workspace, or write it in the query: | where TimeGenerated > ago(1d)",
    )
}
