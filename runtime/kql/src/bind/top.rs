//! The operators that keep the most of something: `top-hitters`, `top-nested`, and `sample-distinct`.

use datafusion::common::{Column as PlanColumn, JoinType, NullEquality};
use datafusion::logical_expr::LogicalPlanBuilder;
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, Name, NamedExpr, Span, TopNested};

use super::naming::{Projection, default_name};
use super::relation::{BoundColumn, Relation};
use super::scope::Scope;
use super::{Bind, Binder};

impl Binder<'_> {
    /// `sample-distinct n of x`: any values of a column, each once.
    pub(super) fn sample_distinct(
        &mut self,
        input: Relation,
        count: &Expr,
        of: &Expr,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let rows = self.count(count, scope, "the number of values")?;
        let distinct = self.distinct(input, &[unnamed(of)], scope, span)?;
        self.sorted(distinct, Some(rows), span)
    }

    /// `top-hitters n of x by weight`: the values that occur most, or whose weights add up to most. The sums are exact.
    pub(super) fn top_hitters(
        &mut self,
        input: Relation,
        count: &Expr,
        of: &Expr,
        by: Option<&Expr>,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let rows = self.count(count, scope, "the number of values")?;
        let name_of = |expr: &Expr| default_name(expr).unwrap_or_default();
        let (name, measure) = match by {
            Some(weight) => (
                format!("approximate_sum_{}", name_of(weight)),
                call("sum", vec![weight.clone()], weight.span),
            ),
            None => (
                format!("approximate_count_{}", name_of(of)),
                call("count", Vec::new(), of.span),
            ),
        };
        let level = TopNested {
            count: None,
            of: unnamed(of),
            others: None,
            by: NamedExpr {
                names: vec![Name {
                    text: name,
                    span: measure.span,
                }],
                span: measure.span,
                value: measure,
            },
            ascending: false,
        };
        let mut hitters = self.top_nested(input, std::slice::from_ref(&level), scope, span)?;
        if let Some(measure) = hitters.columns.last() {
            hitters.order.keys = vec![measure.expr().sort(false, false)];
        }
        self.sorted(hitters, Some(rows), span)
    }

    /// `top-nested`: level by level, the values with the greatest measure within each value of the level before.
    pub(super) fn top_nested(
        &mut self,
        input: Relation,
        levels: &[TopNested],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut rows = self.without_stand_ins(input, span)?;
        let mut nested = Projection::default();
        for (at, level) in levels.iter().enumerate() {
            let best = self.nested_level(&rows, &nested, level, scope, span)?;
            if at + 1 == levels.len() {
                return Ok(best);
            }
            rows = self.within_best(rows, &best, &mut nested, level, scope, span)?;
        }
        Err(self.error(
            span,
            "`top-nested` needs a level: top-nested 3 of x by count()",
        ))
    }

    /// The best values of a level: the columns of the levels before, the value and its measure.
    fn nested_level(
        &mut self,
        rows: &Relation,
        before: &Projection,
        level: &TopNested,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        if let Some(others) = &level.others {
            let problem = Diagnostic::error(others.span, "`with others` is not supported yet")
                .hint("take it out: the values that are not kept are then left out");
            return Err(self.report(problem));
        }
        let row = self.row(rows, scope);
        let mut keys = Projection::default();
        for (expr, column) in before.exprs.iter().zip(&before.columns) {
            keys.declare(expr.clone(), column.clone());
        }
        let own = self.projection(std::slice::from_ref(&level.of), &row)?;
        let mut value = None;
        for (expr, column) in own.exprs.into_iter().zip(own.columns) {
            self.refuse_dynamic(&column, level.of.span, "top-nested")?;
            value = Some(column.name.clone());
            keys.add(expr, column, "");
        }
        let mut measure = level.by.clone();
        if measure.names.is_empty() {
            measure.names.push(Name {
                text: format!("aggregated_{}", value.unwrap_or_default()),
                span: measure.span,
            });
        }
        let outputs = self.aggregate(&measure, &row, &[])?;
        let mut best = self.aggregated(rows, keys, outputs, span)?;
        if let Some(measure) = best.columns.last() {
            let descending = !level.ascending;
            best.order.keys = vec![measure.expr().sort(!descending, false)];
        }
        let Some(count) = &level.count else {
            best.order.keys.clear();
            return Ok(best);
        };
        let kept = self.count(count, scope, "the number of values")?;
        let parts = std::mem::replace(
            &mut best.parts,
            before
                .columns
                .iter()
                .map(|column| column.id.clone())
                .collect(),
        );
        best.parts.extend(parts.iter().cloned());
        let mut best = self.sorted(best, Some(kept), span)?;
        best.parts = parts;
        best.order.keys.clear();
        Ok(best)
    }

    /// The rows of the values that a level kept, and as `nested` its columns beside them.
    fn within_best(
        &mut self,
        rows: Relation,
        best: &Relation,
        nested: &mut Projection,
        level: &TopNested,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let row = self.row(&rows, scope);
        let own = self.projection(std::slice::from_ref(&level.of), &row)?;
        let mut exprs: Vec<_> = rows.columns.iter().map(BoundColumn::expr).collect();
        exprs.extend(nested.columns.iter().map(BoundColumn::expr));
        let mut row_keys: Vec<String> = nested.columns.iter().map(|c| c.id.clone()).collect();
        for expr in own.exprs {
            let id = self.id();
            exprs.push(expr.alias(&id));
            row_keys.push(id);
        }
        let columns = rows.columns.clone();
        let rows = self.project_to(rows, exprs, columns, span)?;
        let kept = self.fresh(best, span)?;
        let keys = |ids: Vec<&String>| -> Vec<PlanColumn> {
            ids.into_iter().map(PlanColumn::new_unqualified).collect()
        };
        let kept_keys = kept.columns.iter().take(row_keys.len()).map(|c| &c.id);
        let on = (keys(kept_keys.collect()), keys(row_keys.iter().collect()));
        // What is on the left is held while the right streams by: a few values, not all rows.
        let plan = LogicalPlanBuilder::from(kept.plan.clone())
            .join_detailed(
                rows.plan.clone(),
                JoinType::Inner,
                on,
                None,
                NullEquality::NullEqualsNull,
            )
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        *nested = Projection::of(&kept.columns);
        Ok(Relation {
            plan,
            order: Default::default(),
            ..rows
        })
    }
}

fn unnamed(expr: &Expr) -> NamedExpr {
    NamedExpr {
        names: Vec::new(),
        value: expr.clone(),
        span: expr.span,
    }
}

fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    let arguments = arguments
        .into_iter()
        .map(|value| Argument { name: None, value })
        .collect();
    Expr {
        kind: ExprKind::Call {
            name: Name {
                text: name.to_owned(),
                span,
            },
            arguments,
        },
        span,
    }
}
