//! Kusto's names for columns that a query does not name, and how clashing names are told apart. Source: the rules of Kusto's own
//! language service: a name follows from a column, a path or a function's first argument; else it is `Column1`, `Column2`...

use std::collections::{HashMap, HashSet};

use datafusion::logical_expr::Expr as PlanExpr;
use spoor_kql_syntax::ast::{Expr, ExprKind, Literal};

use super::relation::BoundColumn;

/// Functions whose result is called as their first argument.
const FIRST_ARGUMENT: &[&str] = &[
    "bin",
    "bin_at",
    "bin_auto",
    "ceiling",
    "floor",
    "materialize",
    "round",
    "split",
    "startofday",
    "todynamic",
    "parse_json",
    "toobject",
    "passthrough",
];

/// Functions whose result is called as their only argument.
const ONLY_ARGUMENT: &[&str] = &[
    "tobool",
    "toboolean",
    "todatetime",
    "todecimal",
    "todouble",
    "toguid",
    "toint",
    "tolong",
    "toreal",
    "tostring",
    "totimespan",
    "totime",
];

/// Functions whose result is called as they are, and after their first argument.
const PREFIXED: &[&str] = &["dcount_hll", "percentile_tdigest"];

/// The name that an expression gives its column, if any.
pub(super) fn default_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Paren(inner) => default_name(inner),
        ExprKind::Member { base, name } => Some(joined(default_name(base), &name.text)),
        ExprKind::Index { base, index } => match &index.kind {
            ExprKind::Literal(Literal::Long(Some(at))) => {
                Some(joined(default_name(base), &at.to_string()))
            }
            ExprKind::Literal(Literal::String(key)) => Some(joined(default_name(base), key)),
            _ => default_name(base),
        },
        ExprKind::Call { name, arguments } => {
            let first = arguments.first()?;
            if PREFIXED.contains(&name.text.as_str()) {
                let of = default_name(&first.value).unwrap_or_default();
                return Some(format!("{}_{of}", name.text));
            }
            let named = FIRST_ARGUMENT.contains(&name.text.as_str())
                || ONLY_ARGUMENT.contains(&name.text.as_str()) && arguments.len() == 1;
            if name.text == "column_ifexists" || name.text == "columnifexists" {
                return match &first.value.kind {
                    ExprKind::Literal(Literal::String(column)) => Some(column.clone()),
                    _ => None,
                };
            }
            if named {
                default_name(&first.value)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn joined(base: Option<String>, name: &str) -> String {
    match base {
        Some(base) if !base.is_empty() => format!("{base}_{name}"),
        _ => name.to_owned(),
    }
}

/// A list of columns that is being built.
#[derive(Default)]
pub(super) struct Projection {
    pub columns: Vec<BoundColumn>,
    pub exprs: Vec<PlanExpr>,
    places: HashMap<String, usize>,
    declared: HashSet<String>,
    /// Names that will be declared, which default names must leave free.
    reserved: HashSet<String>,
}

impl Projection {
    /// Keeps names for columns that the query will declare.
    pub(super) fn reserve(&mut self, names: impl Iterator<Item = String>) {
        self.reserved.extend(names);
    }

    /// The columns of a relation as they are.
    pub(super) fn of(columns: &[BoundColumn]) -> Self {
        let mut projection = Self::default();
        for column in columns {
            projection.push(column.expr(), column.clone());
        }
        projection
    }

    fn push(&mut self, expr: PlanExpr, column: BoundColumn) {
        self.places.insert(column.name.clone(), self.columns.len());
        self.columns.push(column);
        self.exprs.push(expr);
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name) || self.reserved.contains(name)
    }

    /// Adds a column that the query names, in the place of one of that name that it did not name; false where it names it twice.
    pub(super) fn declare(&mut self, expr: PlanExpr, column: BoundColumn) -> bool {
        if !self.declared.insert(column.name.clone()) {
            return false;
        }
        match self.places.get(&column.name).copied() {
            Some(at) => {
                self.columns[at] = column;
                self.exprs[at] = expr;
            }
            None => self.push(expr, column),
        }
        true
    }

    /// Adds a column that the query does not name, under its default name or, where that is taken, one with a number.
    pub(super) fn add(&mut self, expr: PlanExpr, mut column: BoundColumn, base: &str) {
        if self.contains(&column.name) {
            let base = if base.is_empty() {
                column.name.as_str()
            } else {
                base
            };
            column.name = self.unique(base);
        }
        self.push(expr, column);
    }

    /// `base1`, `base2`...: the first that is free.
    pub(super) fn unique(&self, base: &str) -> String {
        (1..)
            .map(|number| format!("{base}{number}"))
            .find(|name| !self.contains(name))
            .unwrap_or_default()
    }
}
