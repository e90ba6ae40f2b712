//! The operators that compute columns and choose rows: `where`, `extend`, `serialize`, `project`, `distinct`, `count`, `sort`, `print`.

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder, lit};
use spoor_kql_syntax::ast::{Expr, ExprKind, NamedExpr, SortKey, Span};
use spoor_table::KustoType;

use super::expression::Row;
use super::naming::{Projection, default_name};
use super::relation::{BoundColumn, Order, Relation, column};
use super::scope::Scope;
use super::summarize::{each_once, of_genuine_rows};
use super::{Bind, Binder, Stop};
use crate::functions;
use crate::typed::Typed;

impl Binder<'_> {
    pub(super) fn filter(
        &mut self,
        input: Relation,
        predicate: &Expr,
        scope: &Scope,
    ) -> Bind<Relation> {
        let span = predicate.span;
        let (input, condition) = self.with_windows(
            input,
            span,
            |binder, relation| {
                let row = binder.row(relation, scope);
                let typed = binder.expression(predicate, &row)?;
                binder.condition(typed, span)
            },
            |condition| vec![condition.clone()],
        )?;
        let (plan, mut exprs) = self.hoist_windows(input.plan.clone(), vec![condition], span)?;
        let condition = exprs.pop().ok_or(Stop::Reported)?;
        let plan = self.before_filter(plan, &condition, span)?;
        let plan = LogicalPlanBuilder::from(plan)
            .filter(input.sparing(condition))
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation {
            plan: self.plan(span, plan)?,
            ..input
        })
    }

    /// An expression as a condition, which must be a bool.
    pub(super) fn condition(&mut self, typed: Typed, span: Span) -> Bind<PlanExpr> {
        if typed.ty == KustoType::Bool {
            return Ok(typed.expr);
        }
        let hint = match typed.ty {
            KustoType::Dynamic => Some("convert it with tobool(...), or compare it"),
            _ => Some("compare it with something: ==, >, has, ..."),
        };
        Err(self.error_hint(
            span,
            format!(
                "this is {} where a condition is needed",
                functions::article(typed.ty)
            ),
            hint,
        ))
    }

    /// Binds against a relation; once more against one with a total order where window functions turn out to be used.
    fn with_windows<T>(
        &mut self,
        input: Relation,
        span: Span,
        bind: impl Fn(&mut Self, &Relation) -> Bind<T>,
        exprs: impl Fn(&T) -> Vec<PlanExpr>,
    ) -> Bind<(Relation, T)> {
        let stage = self.next_stage;
        let bound = bind(self, &input)?;
        if input.order.total || find_window_exprs(&exprs(&bound)).is_empty() {
            return Ok((input, bound));
        }
        self.next_stage = stage;
        let ordered = self.totally_ordered(input, span)?;
        let bound = bind(self, &ordered)?;
        Ok((ordered, bound))
    }

    pub(super) fn extend(
        &mut self,
        input: Relation,
        exprs: &[NamedExpr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (input, projection) = self.with_windows(
            input,
            span,
            |binder, relation| {
                let mut projection = Projection::of(&relation.columns);
                let row = binder.row(relation, scope);
                binder.extend_projection(&mut projection, exprs, &row)?;
                Ok(projection)
            },
            |projection| projection.exprs.clone(),
        )?;
        self.project_to(input, projection.exprs, projection.columns, span)
    }

    fn extend_projection(
        &mut self,
        projection: &mut Projection,
        exprs: &[NamedExpr],
        row: &Row<'_>,
    ) -> Bind<()> {
        self.each(exprs, |binder, named| {
            binder.extend_one(projection, named, row)
        })?;
        Ok(())
    }

    fn extend_one(
        &mut self,
        projection: &mut Projection,
        named: &NamedExpr,
        row: &Row<'_>,
    ) -> Bind<()> {
        if self.several_columns(projection, named, row)? {
            return Ok(());
        }
        let typed = self.expression(&named.value, row)?;
        let name = self.declared_name(named)?;
        let replaced = name.clone().or_else(|| default_name(&named.value));
        let label = replaced
            .clone()
            .unwrap_or_else(|| projection.unique("Column"));
        let (expr, column) = self.projected(&label, &typed, &named.value, row);
        match (name, replaced) {
            (None, None) => projection.add(expr, column, "Column"),
            _ => self.declare(projection, expr, column, named.span)?,
        }
        Ok(())
    }

    /// The one name that a query gives an expression.
    fn declared_name(&mut self, named: &NamedExpr) -> Bind<Option<String>> {
        match named.names.as_slice() {
            [] => Ok(None),
            [name] => Ok(Some(name.text.clone())),
            [_, second, ..] => Err(self.error(
                second.span,
                "this expression has one value, but more names are given",
            )),
        }
    }

    /// An expression's column: the column itself where it is one.
    fn projected(
        &mut self,
        name: &str,
        typed: &Typed,
        expr: &Expr,
        row: &Row<'_>,
    ) -> (PlanExpr, BoundColumn) {
        if let ExprKind::Name(source) = &expr.kind
            && let Some(column) = row.columns.iter().find(|column| column.name == *source)
        {
            return (
                column.expr(),
                BoundColumn {
                    name: name.to_owned(),
                    ..column.clone()
                },
            );
        }
        self.computed(name, typed)
    }

    fn declare(
        &mut self,
        projection: &mut Projection,
        expr: PlanExpr,
        column: BoundColumn,
        span: Span,
    ) -> Bind<()> {
        let name = column.name.clone();
        if projection.declare(expr, column) {
            return Ok(());
        }
        Err(self.error(span, format!("the column `{name}` is given twice")))
    }

    pub(super) fn serialize(
        &mut self,
        input: Relation,
        exprs: &[NamedExpr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut input = input;
        input.order.serialized = true;
        if exprs.is_empty() {
            Ok(input)
        } else {
            self.extend(input, exprs, scope, span)
        }
    }

    pub(super) fn project(
        &mut self,
        input: Relation,
        exprs: &[NamedExpr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (input, projection) = self.with_windows(
            input,
            span,
            |binder, relation| {
                let row = binder.row(relation, scope);
                binder.projection(exprs, &row)
            },
            |projection| projection.exprs.clone(),
        )?;
        let open = input.open && has_star(exprs);
        let projected = self.project_to(input, projection.exprs, projection.columns, span)?;
        Ok(Relation { open, ..projected })
    }

    /// The columns of `project`, `distinct` and `by`.
    pub(super) fn projection(&mut self, exprs: &[NamedExpr], row: &Row<'_>) -> Bind<Projection> {
        let mut projection = Projection::default();
        self.each(exprs, |binder, named| {
            binder.project_one(&mut projection, named, row)
        })?;
        Ok(projection)
    }

    fn project_one(
        &mut self,
        projection: &mut Projection,
        named: &NamedExpr,
        row: &Row<'_>,
    ) -> Bind<()> {
        if matches!(named.value.kind, ExprKind::Star) && named.names.is_empty() {
            for column in row.columns {
                projection.declare(column.expr(), column.clone());
            }
            return Ok(());
        }
        if self.several_columns(projection, named, row)? {
            return Ok(());
        }
        let typed = self.expression(&named.value, row)?;
        let name = self.declared_name(named)?;
        let is_column = matches!(&named.value.kind, ExprKind::Name(n) if row.columns.iter().any(|c| c.name == *n));
        let default = default_name(&named.value);
        let label = name
            .clone()
            .or_else(|| default.clone())
            .unwrap_or_else(|| "Column1".to_owned());
        let (expr, column) = self.projected(&label, &typed, &named.value, row);
        // A column that is named again gets a number; what is called twice by one name is a mistake.
        let again = is_column && projection.contains(&label);
        if name.is_some() || is_column && !again {
            return self.declare(projection, expr, column, named.span);
        }
        projection.add(expr, column, default.as_deref().unwrap_or("Column"));
        Ok(())
    }

    pub(super) fn distinct(
        &mut self,
        input: Relation,
        exprs: &[NamedExpr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let row = self.row(&input, scope);
        let projection = self.projection(exprs, &row)?;
        for column in &projection.columns {
            self.refuse_dynamic(column, span, "distinct")?;
        }
        let mut input = input;
        input.order = Order::default();
        let open = input.open && has_star(exprs);
        let input = self.project_to(input, projection.exprs, projection.columns.clone(), span)?;
        let distinct = self.distinct_columns(input, projection.columns, span)?;
        Ok(Relation { open, ..distinct })
    }

    /// Kusto's `distinct` and `by` take no dynamic values.
    pub(super) fn refuse_dynamic(
        &mut self,
        column: &BoundColumn,
        span: Span,
        operator: &str,
    ) -> Bind<()> {
        if column.ty != KustoType::Dynamic {
            return Ok(());
        }
        let message = format!(
            "`{}` is dynamic, which `{operator}` cannot compare",
            column.name
        );
        Err(self.error_hint(
            span,
            message,
            Some(format!("use tostring({})", column.name)),
        ))
    }

    /// The distinct rows of some columns.
    pub(super) fn distinct_columns(
        &mut self,
        mut input: Relation,
        columns: Vec<BoundColumn>,
        span: Span,
    ) -> Bind<Relation> {
        input.order = Order::default();
        let exprs = columns.iter().map(BoundColumn::expr).collect();
        let input = self.project_to(input, exprs, columns, span)?;
        let (parts, carried) = input.hidden_in_aggregate();
        let builder = LogicalPlanBuilder::from(input.plan);
        let plan = if carried.is_empty() {
            builder.distinct().and_then(LogicalPlanBuilder::build)
        } else {
            let own = input.columns.iter().map(BoundColumn::expr);
            let genuine = input.genuine.iter().map(|id| column(id));
            builder
                .aggregate(each_once(own.chain(parts).chain(genuine)), carried)
                .and_then(LogicalPlanBuilder::build)
        };
        let distinct = Relation::unordered(self.plan(span, plan)?, input.columns);
        Ok(Relation {
            parts: input.parts,
            carried: input.carried,
            genuine: input.genuine,
            ..distinct
        })
    }

    pub(super) fn count_rows(&mut self, input: Relation, span: Span) -> Bind<Relation> {
        let id = self.id();
        let count = count_udaf().call(vec![lit(1i64)]);
        let count = of_genuine_rows(count, input.genuine.as_deref()).alias(&id);
        let (parts, carried) = input.hidden_in_aggregate();
        let plan = LogicalPlanBuilder::from(input.plan)
            .aggregate(parts, carried.into_iter().chain([count]))
            .and_then(LogicalPlanBuilder::build);
        let counted = BoundColumn {
            name: "Count".to_owned(),
            ty: KustoType::Long,
            id,
        };
        let relation = Relation::unordered(self.plan(span, plan)?, vec![counted]);
        Ok(Relation {
            parts: input.parts,
            carried: input.carried,
            ..relation
        })
    }

    pub(super) fn sort(
        &mut self,
        input: Relation,
        keys: &[SortKey],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut order = Order {
            serialized: true,
            ..Order::default()
        };
        let mut exprs: Vec<PlanExpr> = input.columns.iter().map(BoundColumn::expr).collect();
        let before = exprs.len();
        self.each(keys, |binder, key| {
            let row = binder.row(&input, scope);
            let typed = binder.expression(&key.value.value, &row)?;
            if typed.ty == KustoType::Dynamic {
                let hint = Some("convert it with tostring(...), tolong(...) or the like");
                let message = "dynamic values have no order";
                return Err(binder.error_hint(key.value.span, message, hint));
            }
            let nulls_first = key.nulls_first.unwrap_or(key.ascending);
            if typed.ty == KustoType::Real {
                let (expr, marks) = binder.nan_marks(&typed, key.value.span, &row)?;
                exprs.push(expr);
                order
                    .keys
                    .push(marks.expr().sort(!nulls_first, nulls_first));
            }
            let (expr, column) = binder.projected("", &typed, &key.value.value, &row);
            exprs.push(expr);
            order
                .keys
                .push(column.expr().sort(key.ascending, nulls_first));
            Ok(())
        })?;
        let columns = input.columns.clone();
        let only_columns = exprs
            .iter()
            .skip(before)
            .all(|expr| matches!(expr, PlanExpr::Column(_)));
        let mut sorted = input;
        sorted.order = Order::default();
        if !only_columns {
            sorted = self.project_to(sorted, exprs, columns, span)?;
        }
        sorted.order = order;
        Ok(sorted)
    }

    /// A hidden column that is true where a number is NaN, and null where it is null. NaN has no place among the numbers:
    /// it stands beside the nulls, at whichever end they are
    /// (<https://learn.microsoft.com/kusto/query/sort-operator>, special floating-point values).
    fn nan_marks(
        &mut self,
        number: &Typed,
        span: Span,
        row: &Row<'_>,
    ) -> Bind<(PlanExpr, BoundColumn)> {
        let marks = functions::is_nan(&row.context, std::slice::from_ref(number));
        let marks = self.applied(marks, span, &[])?;
        Ok(self.computed("", &marks))
    }

    pub(super) fn print(
        &mut self,
        exprs: &[NamedExpr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut projection = Projection::default();
        self.each(exprs.iter().enumerate(), |binder, (at, named)| {
            let row = binder.constant_row(scope);
            if binder.several_columns(&mut projection, named, &row)? {
                return Ok(());
            }
            let typed = binder.expression(&named.value, &row)?;
            match binder.declared_name(named)? {
                Some(name) => {
                    let (expr, column) = binder.computed(&name, &typed);
                    binder.declare(&mut projection, expr, column, named.span)?;
                }
                None => {
                    let name = format!("print_{at}");
                    let (expr, column) = binder.computed(&name, &typed);
                    projection.add(expr, column, &name);
                }
            }
            Ok(())
        })?;
        let row = self.one_row(span)?;
        self.project_to(row, projection.exprs, projection.columns, span)
    }
}

/// Whether all columns are chosen, by `*`.
fn has_star(exprs: &[NamedExpr]) -> bool {
    exprs
        .iter()
        .any(|named| matches!(named.value.kind, ExprKind::Star))
}
