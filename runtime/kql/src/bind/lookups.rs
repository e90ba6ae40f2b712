//! `evaluate ipv4_lookup(...)` and its kin: the rows of a small table beside the rows that lie in what it holds, networks or shapes.
//! Each pair of rows is looked at, as there are no keys to join on.

use datafusion::common::{Column as PlanColumn, JoinType, NullEquality};
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder};
use spoor_kql_syntax::ast::{Argument, ExprKind, Literal, Name, Span};

use super::naming::Projection;
use super::relation::{BoundColumn, Relation};
use super::scope::Scope;
use super::{Bind, Binder, Stop};
use crate::functions;
use crate::typed::Typed;

/// The plugins, and how many arguments they take after the table.
const LOOKUPS: &[(&str, usize)] = &[
    ("geo_line_lookup", 4),
    ("geo_polygon_lookup", 3),
    ("ipv4_lookup", 2),
    ("ipv6_lookup", 2),
];

/// What the last arguments say.
#[derive(Default)]
struct Options {
    /// Whether rows that lie in nothing are part of the result.
    unmatched: bool,
    /// Whether the column of shapes is.
    key: bool,
    /// How many metres from a shape still count.
    radius: Option<Typed>,
}

/// Whether a plugin is one of these.
pub(super) fn is_lookup(name: &str) -> bool {
    LOOKUPS.iter().any(|(known, _)| *known == name)
}

impl Binder<'_> {
    pub(super) fn lookup_plugin(
        &mut self,
        input: Relation,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let wanted = LOOKUPS.iter().find(|(known, _)| *known == name.text);
        let wanted = wanted.map_or(0, |(_, wanted)| *wanted);
        let (options, given) = self.lookup_options(arguments, &name.text, scope)?;
        let Some((table, keys)) = given.split_first().filter(|(_, keys)| keys.len() >= wanted)
        else {
            let message = format!(
                "`{}` takes a table and {wanted} arguments after it",
                name.text
            );
            return Err(self.error(span, message));
        };
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(name.span, message));
        }
        let right = self.tabular(&table.value, scope, None)?;
        let right = self.fresh(&right, span)?;
        let (keys, extra) = keys.split_at(wanted);
        let radius = options.radius.clone();
        let sides = (&input, &right);
        let condition = self.lies_in(&name.text, sides, keys, radius, scope, span)?;
        let mut same: (Vec<PlanColumn>, Vec<PlanColumn>) = (Vec::new(), Vec::new());
        let mut dropped = Vec::new();
        for key in extra {
            let ExprKind::Name(key_name) = &key.value.kind else {
                return Err(self.error(key.value.span, "a further key is a column of both tables"));
            };
            let left = self.column_named(&input, key_name, key.value.span)?;
            let other = self.column_named(&right, key_name, key.value.span)?;
            if left.ty != other.ty {
                let message = format!(
                    "`{key_name}` is a {} here and a {} there",
                    left.ty, other.ty
                );
                return Err(self.error(key.value.span, message));
            }
            same.0.push(PlanColumn::new_unqualified(&left.id));
            same.1.push(PlanColumn::new_unqualified(&other.id));
            dropped.push(key_name.clone());
        }
        if name.text.starts_with("geo_")
            && !options.key
            && let Some(ExprKind::Name(shape)) = keys.first().map(|key| &key.value.kind)
        {
            dropped.push(shape.clone());
        }
        let right_first = name.text == "ipv6_lookup";
        let sides = (input, right, right_first);
        self.looked_up(sides, condition, same, &dropped, options.unmatched, span)
    }

    fn lookup_options<'a>(
        &mut self,
        arguments: &'a [Argument],
        plugin: &str,
        scope: &Scope,
    ) -> Bind<(Options, Vec<&'a Argument>)> {
        let mut options = Options::default();
        let mut given = Vec::new();
        for argument in arguments {
            let flag = match &argument.value.kind {
                ExprKind::Literal(Literal::Bool(Some(value))) => Some(*value),
                _ => None,
            };
            match (argument.name.as_ref().map(|n| n.text.as_str()), flag) {
                (None | Some("return_unmatched"), Some(value)) => options.unmatched = value,
                (Some("return_lookup_key"), Some(value)) => options.key = value,
                (Some("radius"), None) if plugin == "geo_polygon_lookup" => {
                    let row = self.constant_row(scope);
                    options.radius = Some(self.expression(&argument.value, &row)?);
                }
                (None, None) => given.push(argument),
                (Some(name), _) => {
                    let message = format!("`{name}` is no such option of this plugin");
                    let hint = Some("its options are return_unmatched and return_lookup_key");
                    return Err(self.error_hint(argument.value.span, message, hint));
                }
            }
        }
        Ok((options, given))
    }

    fn looked_up(
        &mut self,
        (left, right, right_first): (Relation, Relation, bool),
        condition: PlanExpr,
        keys: (Vec<PlanColumn>, Vec<PlanColumn>),
        dropped: &[String],
        unmatched: bool,
        span: Span,
    ) -> Bind<Relation> {
        let kind = if unmatched {
            JoinType::Left
        } else {
            JoinType::Inner
        };
        let plan = LogicalPlanBuilder::from(left.plan.clone())
            .join_detailed(
                right.plan.clone(),
                kind,
                keys,
                Some(condition),
                NullEquality::NullEqualsNull,
            )
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let mut projection = Projection::default();
        if right_first {
            self.side(&mut projection, &right, unmatched, dropped, span)?;
            self.side(&mut projection, &left, false, &[], span)?;
        } else {
            self.side(&mut projection, &left, false, &[], span)?;
            self.side(&mut projection, &right, unmatched, dropped, span)?;
        }
        let joined = Relation {
            open: left.open || right.open,
            ..Relation::unordered(plan, Vec::new())
        };
        self.project_to(joined, projection.exprs, projection.columns, span)
    }

    /// Whether a row's address or point lies in what a row of the table holds.
    fn lies_in(
        &mut self,
        name: &str,
        (left, right): (&Relation, &Relation),
        keys: &[&Argument],
        radius: Option<Typed>,
        scope: &Scope,
        span: Span,
    ) -> Bind<PlanExpr> {
        let row = self.row(left, scope);
        let of_left = |binder: &mut Self, at: usize| -> Bind<Typed> {
            let key = keys.get(at).ok_or(Stop::Reported)?;
            binder.expression(&key.value, &row)
        };
        let of_right = |binder: &mut Self, at: usize| -> Bind<Typed> {
            let key = keys.get(at).ok_or(Stop::Reported)?;
            let ExprKind::Name(column) = &key.value.kind else {
                return Err(binder.error(key.value.span, "this must be a column of the table"));
            };
            let column: BoundColumn = binder.column_named(right, column, key.value.span)?;
            Ok(column.typed())
        };
        let (function, arguments) = match name {
            "ipv4_lookup" => (
                "ipv4_is_in_range",
                vec![of_left(self, 0)?, of_right(self, 1)?],
            ),
            "ipv6_lookup" => (
                "ipv6_is_in_range",
                vec![of_left(self, 0)?, of_right(self, 1)?],
            ),
            _ => {
                let shape = of_right(self, 0)?;
                let point = [of_left(self, 1)?, of_left(self, 2)?];
                let [lon, lat] = point;
                match name {
                    "geo_polygon_lookup" if radius.is_some() => {
                        ("geo_distance_point_to_polygon", vec![lon, lat, shape])
                    }
                    "geo_line_lookup" => ("geo_distance_point_to_line", vec![lon, lat, shape]),
                    _ => ("geo_point_in_polygon", vec![lon, lat, shape]),
                }
            }
        };
        let Some(bind) = functions::scalar(function).map(|function| function.bind) else {
            return Err(Stop::Reported);
        };
        let found = self.applied(bind(&row.context, &arguments), span, &[])?;
        let radius = match radius {
            None if name != "geo_line_lookup" => return Ok(found.expr.is_true()),
            None => self.expression(&keys.get(3).ok_or(Stop::Reported)?.value, &row)?,
            Some(radius) => radius,
        };
        let radius = functions::convert(&row.context, radius, spoor_table::KustoType::Real);
        let radius = self.applied(radius, span, &[])?;
        let near = found.expr.lt_eq(radius.expr);
        Ok(near)
    }
}
