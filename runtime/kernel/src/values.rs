//! Python's plain values in KQL cells: `ago(days * 1d)`, where `days` is a variable of Python's.
//!
//! After each of its turns the guest tells the variables that hold a number, a text, a time or a list of such, as literals of
//! KQL's. A query that runs here may name them: columns and the query's own names come first. A query that a provider runs gets
//! only what it asks for by a `let` of its own, `let window = days;`, for what the provider's columns are called nobody here
//! knows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use spoor_kql::bind::{self, TokenSense};
use spoor_kql_syntax::ast::{ExprKind, Query, StatementKind};
use spoor_kql_syntax::parse;
use spoor_table::Value as Scalar;

use crate::catalogue::Catalogue;
use crate::job;

/// The most characters of all literals together. The guest keeps below it; what is over is left out.
const MOST: usize = 4 << 20;

/// Literals by the names of Python's variables.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    /// What a guest tells of them: `{name: literal}`.
    pub(crate) fn read(told: &Value) -> Self {
        let mut left = MOST;
        let pairs = told.as_object().into_iter().flatten();
        let mut kept = BTreeMap::new();
        for (name, literal) in pairs {
            let Some(literal) = literal.as_str() else {
                continue;
            };
            let Some(rest) = left.checked_sub(name.len() + literal.len()) else {
                break;
            };
            left = rest;
            kept.insert(name.clone(), literal.to_string());
        }
        Self(kept)
    }

    /// The values that a query may use: maybe too many, for a column can have the same name.
    pub(crate) fn mentioned(&self, query: &str) -> BTreeMap<String, Scalar> {
        let names: Vec<String> = self.0.keys().cloned().collect();
        let mentioned = bind::references(query, &names).into_iter();
        let value = |name: String| {
            let value = bind::constant(self.0.get(&name)?)?;
            Some((name, value))
        };
        mentioned.filter_map(value).collect()
    }

    /// The query with literals in the place of variables that its `let`s name, and which variables those are.
    pub(crate) fn written_into(&self, mut query: String) -> (String, Vec<String>) {
        let parsed = parse(&query);
        let mut own = BTreeSet::new();
        let mut places = Vec::new();
        for (name, value) in lets(&parsed.query) {
            if let ExprKind::Name(meant) = &value.kind
                && !own.contains(meant.as_str())
                && let Some(literal) = self.0.get(meant)
                && bind::constant(literal).is_some()
            {
                places.push((value.span.range(), literal, meant.clone()));
            }
            own.insert(name);
        }
        let used = places.iter().map(|(_, _, name)| name.clone()).collect();
        for (place, literal, _) in places.into_iter().rev() {
            query.replace_range(place, literal);
        }
        (query, used)
    }
}

/// The query's `let`s: names and values.
fn lets(query: &Query) -> impl Iterator<Item = (&str, &spoor_kql_syntax::ast::Expr)> {
    query.statements.iter().filter_map(|s| match &s.kind {
        StatementKind::Let { name, value } => Some((name.text.as_str(), value)),
        _ => None,
    })
}

/// Those of `values` that a query uses, whose tables are loaded.
pub(crate) fn used(
    query: &str,
    values: &BTreeMap<String, Scalar>,
    catalogue: &Catalogue,
) -> Vec<String> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut names = catalogue.for_names();
    names.values.clone_from(values);
    let parsed = parse(query);
    let own: BTreeSet<&str> = lets(&parsed.query).map(|(name, _)| name).collect();
    let tokens = bind::diagnose(query, &names, job::now()).tokens.into_iter();
    let variables = tokens.filter(|(_, sense)| *sense == TokenSense::Variable);
    let used: BTreeSet<&str> = variables
        .filter_map(|(span, _)| query.get(span))
        .filter(|name| values.contains_key(*name) && !own.contains(name))
        .collect();
    used.into_iter().map(String::from).collect()
}
