//! `find`: rows of many tables for which a predicate holds, under the columns that the query names, or those that matter to it:
//! the columns of all tables and those of the predicate, and the others in a bag.

use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, Find, FindColumn, Literal, Name, Span};
use spoor_table::{KustoType, Value};

use super::naming::Projection;
use super::relation::Relation;
use super::scope::Scope;
use super::search::{names, without};
use super::{Bind, Binder};
use crate::functions;

/// A column of the result.
struct Wanted {
    name: String,
    ty: Option<KustoType>,
}

impl Binder<'_> {
    pub(super) fn find(&mut self, find: &Find, scope: &Scope, span: Span) -> Bind<Relation> {
        let tables = self.searched(&find.tables, scope, span)?;
        let open = tables.iter().any(|table| table.open);
        let (wanted, packs) = match &find.project {
            Some(columns) => self.found_columns(columns)?,
            None => smart_columns(&tables, &find.predicate),
        };
        let known = |name: &str| tables.iter().any(|table| table.find(name).is_some());
        let mut found = Vec::new();
        for table in tables.clone() {
            let lacks = |name: &str| {
                table.find(name).is_none() && scope.get(name).is_none() && (open || known(name))
            };
            let own = without(&find.predicate, &lacks);
            let rows = self.filter(table.clone(), &own, scope)?;
            found.push(self.projected_find(rows, &wanted, packs, scope, span)?);
        }
        let source = find
            .with_source
            .as_ref()
            .map_or("source_", |name| name.text.as_str());
        self.united(found, false, Some(source), span)
    }

    fn found_columns(&mut self, columns: &[FindColumn]) -> Bind<(Vec<Wanted>, bool)> {
        let mut wanted = Vec::new();
        let mut packs = false;
        for column in columns {
            match column {
                FindColumn::Pack(_) => packs = true,
                FindColumn::Column { name, ty } => {
                    let ty = match ty {
                        Some(ty) => Some(self.type_named(ty)?),
                        None => None,
                    };
                    wanted.push(Wanted {
                        name: name.text.clone(),
                        ty,
                    });
                }
            }
        }
        Ok((wanted, packs))
    }

    /// A table's rows under the result's columns.
    fn projected_find(
        &mut self,
        rows: Relation,
        wanted: &[Wanted],
        packs: bool,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut projection = Projection::default();
        for column in wanted {
            let own = rows.find(&column.name).cloned();
            let typed = match (own, column.ty) {
                (Some(own), Some(ty)) if own.ty != ty => {
                    let context = self.constant_row(scope).context;
                    let converted = functions::convert(&context, own.typed(), ty);
                    self.applied(converted, span, &[])?
                }
                (Some(own), _) => {
                    projection.declare(own.expr(), own);
                    continue;
                }
                (None, Some(ty)) => functions::literal(Value::null(ty)),
                // The column comes with another table.
                (None, None) => continue,
            };
            let (expr, bound) = self.computed(&column.name, &typed);
            projection.declare(expr, bound);
        }
        if packs {
            let left = rows
                .columns
                .iter()
                .filter(|c| !wanted.iter().any(|w| w.name == c.name));
            let packed = bag_of(left.map(|column| column.name.as_str()), span);
            let row = self.row(&rows, scope);
            let typed = self.expression(&packed, &row)?;
            let (expr, bound) = self.computed("pack_", &typed);
            projection.declare(expr, bound);
        }
        self.project_to(rows, projection.exprs, projection.columns, span)
    }
}

/// The columns that all tables have and those of the predicate; whether there are others, which are packed.
fn smart_columns(tables: &[Relation], predicate: &Expr) -> (Vec<Wanted>, bool) {
    let used = names(predicate);
    let in_all = |name: &str| tables.iter().all(|table| table.find(name).is_some());
    let all = || tables.iter().flat_map(|table| &table.columns);
    let common = all().filter(|column| in_all(&column.name));
    let rest = all().filter(|column| used.contains(&column.name.as_str()));
    let mut wanted: Vec<Wanted> = Vec::new();
    for column in common.chain(rest) {
        if !wanted.iter().any(|known| known.name == column.name) {
            wanted.push(Wanted {
                name: column.name.clone(),
                ty: None,
            });
        }
    }
    let packs = all().any(|column| !wanted.iter().any(|known| known.name == column.name));
    (wanted, packs)
}

/// `bag_pack("a", a, ...)` over some columns.
fn bag_of<'n>(columns: impl Iterator<Item = &'n str>, span: Span) -> Expr {
    let at = |kind| Argument {
        name: None,
        value: Expr { kind, span },
    };
    let arguments = columns
        .flat_map(|name| {
            [
                at(ExprKind::Literal(Literal::String(name.to_owned()))),
                at(ExprKind::Name(name.to_owned())),
            ]
        })
        .collect();
    let name = Name {
        text: "bag_pack".to_owned(),
        span,
    };
    Expr {
        kind: ExprKind::Call { name, arguments },
        span,
    }
}
