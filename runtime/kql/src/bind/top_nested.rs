//! `top-nested`: level by level, the values with the greatest measure within each value of the level before.
//!
//! Where the measures can be had from sums, the rows are first summed up by the values of all levels: they are read once, and the
//! levels look at a few groups.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column as PlanColumn, JoinType, NullEquality};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{
    AggregateUDF, Expr as PlanExpr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit,
};
use spoor_kql_syntax::ast::{Name, Span, TopNested};
use spoor_table::{KustoType, Value};

use super::expression::Row;
use super::naming::Projection;
use super::relation::{BoundColumn, Relation};
use super::scope::Scope;
use super::summarize::Output;
use super::{Bind, Binder};
use crate::functions;
use crate::typed::Typed;

/// A level, bound over the rows.
struct Level {
    /// Its values.
    of: Projection,
    /// Their measure, by which the last column of it decides.
    measure: Vec<Output>,
    /// How many of them are kept; all where not said.
    count: Option<usize>,
    ascending: bool,
    /// What stands for each column of those that are not kept, where they are to be told of.
    others: Option<Vec<Value>>,
}

impl Level {
    /// What stands in the level's columns where its values are not kept; `measures` has the next ones of those that tell of others.
    fn of_others(&self, measures: &mut impl Iterator<Item = BoundColumn>) -> Vec<Typed> {
        let values = self.of.columns.iter().enumerate().map(|(at, of)| {
            let other = self.others.as_ref().and_then(|others| others.get(at));
            functions::literal(other.cloned().unwrap_or(Value::null(of.ty)))
        });
        let mut typed: Vec<Typed> = values.collect();
        for output in &self.measure {
            let ty = output.typed.ty;
            let measured = self.others.as_ref().and_then(|_| measures.next());
            typed.push(match measured {
                Some(measure) => Typed::new(measure.expr(), ty),
                None => functions::literal(Value::null(ty)),
            });
        }
        typed
    }
}

impl Binder<'_> {
    /// See the module.
    pub(super) fn top_nested(
        &mut self,
        input: Relation,
        levels: &[TopNested],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let rows = self.without_stand_ins(input, span)?;
        let row = self.row(&rows, scope);
        let levels = self.each(levels, |binder, level| binder.level(level, &row, scope))?;
        let (mut rows, levels) = self.condensed(rows, levels, span)?;
        let mut nested = Projection::default();
        let mut rests = Vec::new();
        for (at, level) in levels.iter().enumerate() {
            let best = self.best(&rows, &nested, level, span)?;
            let below = levels.get(at..).unwrap_or_default();
            if level.count.is_some() && below.iter().any(|level| level.others.is_some()) {
                rests.push(self.rest(&rows, &best, &nested, below, span)?);
            }
            if at + 1 == levels.len() {
                return self.with_rests(best, rests, span);
            }
            rows = self.within_best(rows, &best, &mut nested, level, span)?;
        }
        Err(self.error(
            span,
            "`top-nested` needs a level: top-nested 3 of x by count()",
        ))
    }

    fn level(&mut self, level: &TopNested, row: &Row<'_>, scope: &Scope) -> Bind<Level> {
        let of = self.projection(std::slice::from_ref(&level.of), row)?;
        for column in &of.columns {
            self.refuse_dynamic(column, level.of.span, "top-nested")?;
        }
        let mut measure = level.by.clone();
        if measure.names.is_empty() {
            let value = of.columns.last().map(|column| column.name.as_str());
            measure.names.push(Name {
                text: format!("aggregated_{}", value.unwrap_or_default()),
                span: measure.span,
            });
        }
        let measure = self.aggregate(&measure, row, &[])?;
        let count = level.count.as_ref();
        let count = count.map(|count| self.count(count, scope, "the number of values"));
        let others = match &level.others {
            Some(others) => {
                let value = self.constant(others, scope, "what stands for the others")?;
                let columns = of.columns.iter();
                let as_its =
                    |column: &BoundColumn| self.constant_as(value.clone(), column.ty, others.span);
                Some(columns.map(as_its).collect::<Bind<Vec<_>>>()?)
            }
            None => None,
        };
        Ok(Level {
            of,
            measure,
            count: count.transpose()?,
            ascending: level.ascending,
            others,
        })
    }

    /// The rows summed up by the values of all levels, and the levels over these sums; as they are where the rows are looked at once
    /// anyway, or a measure takes more than sums.
    fn condensed(
        &mut self,
        rows: Relation,
        levels: Vec<Level>,
        span: Span,
    ) -> Bind<(Relation, Vec<Level>)> {
        let is_read_once = levels.len() < 2 && levels.iter().all(|level| level.others.is_none());
        let measures = levels.iter().flat_map(|level| &level.measure);
        let parts = find_aggregate_exprs(measures.map(|output| &output.typed.expr));
        let mergers = parts.iter().map(|part| merger(part, &rows.plan));
        let mergers: Option<Vec<_>> = mergers.collect();
        let (Some(mergers), false, true) = (mergers, is_read_once, rows.parts.is_empty()) else {
            return Ok((rows, levels));
        };
        let mut keys = Projection::default();
        for of in levels.iter().map(|level| &level.of) {
            for (expr, column) in of.exprs.iter().zip(&of.columns) {
                let name = self.id();
                keys.declare(
                    expr.clone(),
                    BoundColumn {
                        name,
                        ..column.clone()
                    },
                );
            }
        }
        let sums = parts
            .iter()
            .map(|part| self.unnamed_output(part.clone(), span));
        let sums = sums.collect();
        let width = keys.columns.len();
        let groups = self.aggregated(&rows, keys, sums, span)?;
        // Each level looks at them.
        let groups = self.shared(groups, span)?;
        let sums = groups.columns.get(width..).unwrap_or_default();
        let merged = |node: &PlanExpr| {
            let at = parts.iter().position(|part| part == node)?;
            Some(mergers.get(at)?.call(vec![sums.get(at)?.expr()]))
        };
        let mut over_groups = Vec::new();
        for mut level in levels {
            for output in &mut level.measure {
                output.typed.expr = self.substitute(output.typed.expr.clone(), merged, span)?;
            }
            level.of = Projection::of(&level.of.columns);
            over_groups.push(level);
        }
        Ok((groups, over_groups))
    }

    /// An aggregate whose column nobody sees, nor asks for its type.
    fn unnamed_output(&mut self, aggregate: PlanExpr, span: Span) -> Output {
        Output {
            declared: true,
            name: self.id(),
            base: String::new(),
            typed: Typed::new(aggregate, KustoType::Long),
            span,
        }
    }

    /// The best values of a level: the columns of the levels before, the value and its measure.
    fn best(
        &mut self,
        rows: &Relation,
        before: &Projection,
        level: &Level,
        span: Span,
    ) -> Bind<Relation> {
        let mut keys = Projection::default();
        for (expr, column) in before.exprs.iter().zip(&before.columns) {
            keys.declare(expr.clone(), column.clone());
        }
        for (expr, column) in level.of.exprs.iter().zip(&level.of.columns) {
            keys.add(expr.clone(), column.clone(), "");
        }
        let mut best = self.aggregated(rows, keys, level.measure.clone(), span)?;
        let Some(kept) = level.count else {
            return Ok(best);
        };
        if let Some(measure) = best.columns.last() {
            let descending = !level.ascending;
            best.order.keys = vec![measure.expr().sort(!descending, false)];
        }
        let ids = before.columns.iter().map(|column| column.id.clone());
        let parts = std::mem::replace(&mut best.parts, ids.collect());
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
        level: &Level,
        span: Span,
    ) -> Bind<Relation> {
        let (kept, plan) =
            self.joined_to_best(&rows, best, nested, level, JoinType::Inner, span)?;
        *nested = Projection::of(&kept.columns);
        Ok(Relation {
            plan,
            order: Default::default(),
            ..rows
        })
    }

    /// The rows, with the columns of the levels before, joined to the values that a level kept, which come with ids of their own.
    fn joined_to_best(
        &mut self,
        rows: &Relation,
        best: &Relation,
        nested: &Projection,
        level: &Level,
        kind: JoinType,
        span: Span,
    ) -> Bind<(Relation, LogicalPlan)> {
        let kept = self.fresh(best, span)?;
        let mut exprs: Vec<_> = rows.columns.iter().map(BoundColumn::expr).collect();
        exprs.extend(nested.columns.iter().map(BoundColumn::expr));
        let mut row_keys: Vec<String> = nested.columns.iter().map(|c| c.id.clone()).collect();
        for expr in &level.of.exprs {
            let id = self.id();
            exprs.push(expr.clone().unalias().alias(&id));
            row_keys.push(id);
        }
        let rows = self.project_to(rows.clone(), exprs, Vec::new(), span)?;
        let keys = |ids: Vec<&String>| -> Vec<PlanColumn> {
            ids.into_iter().map(PlanColumn::new_unqualified).collect()
        };
        let kept_keys = kept.columns.iter().take(row_keys.len()).map(|c| &c.id);
        let on = (keys(kept_keys.collect()), keys(row_keys.iter().collect()));
        // What is on the left is held while the right streams by: a few values, not all rows.
        let plan = LogicalPlanBuilder::from(kept.plan.clone())
            .join_detailed(rows.plan, kind, on, None, NullEquality::NullEqualsNull)
            .and_then(LogicalPlanBuilder::build);
        Ok((kept, self.plan(span, plan)?))
    }

    /// The rows that a level does not keep, as one for each value of the level before: what stands for the others at this level and
    /// those below, with their measures, or nothing where a level does not tell of others.
    fn rest(
        &mut self,
        rows: &Relation,
        best: &Relation,
        before: &Projection,
        below: &[Level],
        span: Span,
    ) -> Bind<Relation> {
        let Some(level) = below.first() else {
            return Ok(best.clone());
        };
        let (_, plan) =
            self.joined_to_best(rows, best, before, level, JoinType::RightAnti, span)?;
        let fallen = Relation {
            plan,
            order: Default::default(),
            ..rows.clone()
        };
        let told = below.iter().filter(|level| level.others.is_some());
        let measures = told.flat_map(|level| &level.measure);
        let measures = measures.map(|output| output.typed.expr.clone());
        let all = std::iter::once(count_udaf().call(vec![lit(1_i64)])).chain(measures);
        let all = all.map(|measure| self.unnamed_output(measure, span));
        let all = all.collect();
        let keys = Projection::of(&before.columns);
        let total = self.aggregated(&fallen, keys, all, span)?;
        let mut columns = total.columns.clone();
        let mut measures = columns.split_off(before.columns.len()).into_iter();
        // Without a level before there is a row even of nothing.
        let some = measures.next().map(|some| some.expr().gt(lit(0_i64)));
        let plan = LogicalPlanBuilder::from(total.plan.clone())
            .filter(some.unwrap_or(lit(true)))
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let mut exprs: Vec<_> = columns.iter().map(BoundColumn::expr).collect();
        for typed in below
            .iter()
            .flat_map(|level| level.of_others(&mut measures))
        {
            let (expr, column) = self.computed("", &typed);
            exprs.push(expr);
            columns.push(column);
        }
        self.project_to(Relation { plan, ..total }, exprs, columns, span)
    }

    /// The best values of all levels, and under them the rows of the others, whose columns are the same by place.
    fn with_rests(
        &mut self,
        best: Relation,
        mut rests: Vec<Relation>,
        span: Span,
    ) -> Bind<Relation> {
        if rests.is_empty() {
            return Ok(best);
        }
        for rest in &mut rests {
            for (column, named) in rest.columns.iter_mut().zip(&best.columns) {
                column.name.clone_from(&named.name);
            }
        }
        // The deepest first, as Kusto has them.
        let all = std::iter::once(best).chain(rests.into_iter().rev());
        let all = all.collect();
        self.united(all, false, None, span)
    }
}

/// What makes an aggregate of a group out of the aggregates of its parts, where that is enough.
fn merger(aggregate: &PlanExpr, plan: &LogicalPlan) -> Option<Arc<AggregateUDF>> {
    let PlanExpr::AggregateFunction(function) = aggregate else {
        return None;
    };
    if function.params.distinct || !function.params.order_by.is_empty() {
        return None;
    }
    match function.func.name() {
        "count" => Some(sum_udaf()),
        "min" | "max" => Some(function.func.clone()),
        // Of decimals and times a sum has another type than what is summed up.
        "sum" => match aggregate.get_type(plan.schema()).ok()? {
            DataType::Int64 | DataType::Float64 => Some(sum_udaf()),
            _ => None,
        },
        _ => None,
    }
}
