//! `union`: rows of several tables under the columns of all of them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::logical_expr::{
    Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder, Union as PlanUnion, lit,
};
use spoor_kql_syntax::ast::{Expr, ExprKind, Literal, Property, Span, Union};
use spoor_kql_syntax::{Diagnostic, Fix, suggest};
use spoor_table::{KustoType, Value};

use super::columns::wildcard;
use super::relation::{BoundColumn, Relation};
use super::scope::{Entity, Scope};
use super::{Bind, Binder, Stop};
use crate::functions;

/// The options of a union, and the words that may be their values.
pub(super) const UNION_OPTIONS: &[(&str, &[&str])] = &[
    ("isfuzzy", &["true", "false"]),
    ("kind", &["inner", "outer"]),
    ("withsource", &[]),
];

/// A column of the result before it has an id.
struct Merged {
    name: String,
    /// The name in the tables.
    source: String,
    ty: KustoType,
}

impl Binder<'_> {
    pub(super) fn union(
        &mut self,
        input: Option<Relation>,
        union: &Union,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (inner, fuzzy) = self.union_options(union)?;
        let mut tables: Vec<Relation> = input.into_iter().collect();
        self.each(&union.tables, |binder, table| {
            binder.union_table(table, scope, fuzzy, &mut tables)
        })?;
        let source = union.with_source.as_ref().map(|name| name.text.as_str());
        self.united(tables, inner, source, span)
    }

    /// The rows of some tables under the columns of all of them, or those that all have; `source` names a column for each
    /// table's name.
    pub(super) fn united(
        &mut self,
        tables: Vec<Relation>,
        inner: bool,
        source: Option<&str>,
        span: Span,
    ) -> Bind<Relation> {
        for table in &tables {
            self.is_table(table, span)?;
        }
        let open = tables.iter().any(|table| table.open);
        let merged = merge(&tables, inner);
        self.bounded_union(tables.len(), merged.len(), span)?;
        let columns: Vec<BoundColumn> = merged
            .iter()
            .map(|m| BoundColumn {
                name: m.name.clone(),
                ty: m.ty,
                id: self.id(),
            })
            .collect();
        let source = source.map(|name| BoundColumn {
            name: name.to_owned(),
            ty: KustoType::String,
            id: self.id(),
        });
        let mut branches = Vec::new();
        for (at, table) in tables.into_iter().enumerate() {
            let branch = self.branch(table, at, &merged, &columns, source.as_ref(), span)?;
            branches.push(Arc::new(branch));
        }
        let plan = match branches.as_slice() {
            [] => return Err(self.error(span, "this union has no tables")),
            [only] => LogicalPlan::clone(only),
            _ => {
                let union = PlanUnion::try_new(branches).map(LogicalPlan::Union);
                self.plan(span, union)?
            }
        };
        let all = source.into_iter().chain(columns).collect();
        Ok(Relation {
            open,
            ..Relation::unordered(plan, all)
        })
    }

    /// `kind=inner` and `isfuzzy=true`.
    fn union_options(&mut self, union: &Union) -> Bind<(bool, bool)> {
        let (mut inner, mut fuzzy) = (false, false);
        for property in &union.properties {
            match (property.name.text.as_str(), &property.value.kind) {
                ("kind", ExprKind::Name(kind)) if kind == "inner" || kind == "outer" => {
                    inner = kind == "inner"
                }
                ("isfuzzy", ExprKind::Literal(Literal::Bool(Some(value)))) => fuzzy = *value,
                (name, _) if name.starts_with("hint.") => {}
                (name, _) => {
                    let message = format!("`{name}` is no such option of a union");
                    let problem = Diagnostic::error(property.name.span, message).hint(
                        "its options are kind=inner|outer, withsource=name, isfuzzy=true|false",
                    );
                    return Err(self.no_such_option(problem, property, UNION_OPTIONS));
                }
            }
        }
        Ok((inner, fuzzy))
    }

    /// Reports an option that does not exist or has no such value, and offers one of `known` that is near: names, each with the
    /// words that may be its value.
    pub(super) fn no_such_option(
        &mut self,
        mut problem: Diagnostic,
        property: &Property,
        known: &[(&str, &[&str])],
    ) -> Stop {
        let name = property.name.text.as_str();
        let values = known.iter().find(|(known, _)| *known == name);
        let found = match (values, &property.value.kind) {
            (Some((_, values)), ExprKind::Name(value)) => {
                suggest(value, values.iter().copied()).map(|found| (property.value.span, found))
            }
            (Some(_), _) => None,
            (None, _) => suggest(name, known.iter().map(|(known, _)| *known))
                .map(|found| (property.name.span, found)),
        };
        let fix = found.map(|(span, text)| Fix::replace(span, text));
        problem.fixes.extend(fix);
        self.report(problem)
    }

    /// Adds the tables that an operand of `union`, `search` or `find` means.
    pub(super) fn union_table(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        fuzzy: bool,
        tables: &mut Vec<Relation>,
    ) -> Bind<()> {
        let pattern = match &expr.kind {
            ExprKind::Star => "*",
            ExprKind::Pattern(pattern) => pattern,
            ExprKind::Name(name)
                if fuzzy
                    && scope.get(name).is_none()
                    && !self.input.catalogue.contains_key(name) =>
            {
                return Ok(());
            }
            _ => {
                tables.push(self.tabular(expr, scope, None)?);
                return Ok(());
            }
        };
        let known = self.input.catalogue.keys().map(String::as_str);
        let views = scope.names().filter(|(_, entity)| is_view(entity));
        let names: Vec<String> = known
            .chain(views.map(|(name, _)| name))
            .filter(|name| wildcard(pattern, name))
            .map(str::to_owned)
            .collect();
        if names.is_empty() && !fuzzy {
            return Err(self.error(expr.span, format!("no table matches `{pattern}`")));
        }
        for name in names {
            tables.push(self.table(&name, expr.span, scope)?);
        }
        Ok(())
    }

    /// One table's rows under the union's columns.
    fn branch(
        &mut self,
        table: Relation,
        at: usize,
        merged: &[Merged],
        columns: &[BoundColumn],
        source: Option<&BoundColumn>,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let mut exprs: Vec<PlanExpr> = Vec::new();
        if let Some(source) = source {
            let name = table
                .source
                .clone()
                .unwrap_or_else(|| format!("union_arg{at}"));
            exprs.push(lit(name).alias(&source.id));
        }
        for (wanted, column) in merged.iter().zip(columns) {
            let found = table
                .find(&wanted.source)
                .filter(|found| found.ty == wanted.ty);
            let expr = match found {
                Some(found) => found.expr(),
                None => functions::literal(Value::null(wanted.ty)).expr,
            };
            exprs.push(expr.alias(&column.id));
        }
        let plan = LogicalPlanBuilder::from(table.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build);
        self.plan(span, plan)
    }
}

fn is_view(entity: &Entity) -> bool {
    matches!(entity, Entity::Function(function) if function.view)
}

/// The columns of the result: of all tables in order, or those that all have. A name with several types gives a column for each,
/// called `name_type`.
fn merge(tables: &[Relation], inner: bool) -> Vec<Merged> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    // A name's types stand side by side.
    let mut all: Vec<(&str, Vec<KustoType>)> = Vec::new();
    for column in tables.iter().flat_map(|table| &table.columns) {
        let place = *places.entry(&column.name).or_insert_with(|| {
            all.push((&column.name, Vec::new()));
            all.len() - 1
        });
        if let Some((_, types)) = all.get_mut(place)
            && !types.contains(&column.ty)
        {
            types.push(column.ty);
        }
    }
    if inner {
        for (name, types) in &mut all {
            types.retain(|ty| {
                let has = |table: &Relation| table.find(name).is_some_and(|c| c.ty == *ty);
                tables.iter().all(has)
            });
        }
    }
    let is_single = |name: &str| {
        let types = places.get(name).and_then(|place| all.get(*place));
        types.is_some_and(|(_, types)| types.len() == 1)
    };
    let typed = |name: &str, ty: &KustoType| {
        let typed = format!("{name}_{ty}");
        let numbered = (1..).map(|number| format!("{typed}{number}"));
        std::iter::once(typed.clone())
            .chain(numbered)
            .find(|name| !is_single(name))
            .unwrap_or(typed.clone())
    };
    let columns = all
        .iter()
        .flat_map(|(name, types)| types.iter().map(move |ty| (*name, types.len(), *ty)));
    columns
        .map(|(name, types, ty)| Merged {
            name: if types > 1 {
                typed(name, &ty)
            } else {
                name.to_owned()
            },
            source: name.to_owned(),
            ty,
        })
        .collect()
}
