//! Row order: sorting where it shows, total orders for window functions, and window functions in expressions.

use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFunctionDefinition,
};
use spoor_kql_syntax::ast::Span;

use super::relation::{Relation, column};
use super::{Bind, Binder};
use datafusion::common::tree_node::{Transformed, TreeNode};

impl Binder<'_> {
    /// The relation sorted by its order, at most `limit` rows of it; as it comes where it has none.
    pub(super) fn sorted(
        &mut self,
        relation: Relation,
        limit: Option<usize>,
        span: Span,
    ) -> Bind<Relation> {
        let Relation {
            plan,
            columns,
            order,
            source,
        } = relation;
        let builder = LogicalPlanBuilder::from(plan);
        let plan = match (order.keys.is_empty(), limit) {
            (true, None) => builder.build(),
            (true, Some(_)) => builder.limit(0, limit).and_then(LogicalPlanBuilder::build),
            (false, None) => builder
                .sort(order.keys.clone())
                .and_then(LogicalPlanBuilder::build),
            (false, Some(_)) => builder
                .sort(order.keys.clone())
                .and_then(|sorted| sorted.limit(0, limit))
                .and_then(LogicalPlanBuilder::build),
        };
        Ok(Relation {
            plan: self.plan(span, plan)?,
            columns,
            order,
            source,
        })
    }

    /// The relation with an order in which no two rows are equal; its rows count as serialized.
    pub(super) fn totally_ordered(&mut self, relation: Relation, span: Span) -> Bind<Relation> {
        if relation.order.total {
            return Ok(relation);
        }
        let keys = relation.order.keys.clone();
        let mut relation = self.row_numbers(relation, Vec::new(), span)?;
        if !keys.is_empty() {
            // Rows that the keys leave equal stay as they came.
            let by: Vec<SortExpr> = keys
                .into_iter()
                .chain(relation.order.keys.clone())
                .collect();
            relation = self.row_numbers(relation, by, span)?;
        }
        Ok(relation)
    }

    /// Adds a hidden column that numbers the rows in the given order, which becomes the relation's.
    fn row_numbers(
        &mut self,
        mut relation: Relation,
        by: Vec<SortExpr>,
        span: Span,
    ) -> Bind<Relation> {
        let id = self.id();
        let function = WindowFunctionDefinition::WindowUDF(row_number_udwf());
        let mut params = WindowFunction::new(function, Vec::new());
        params.params = WindowFunctionParams {
            order_by: by,
            ..params.params
        };
        let number = Expr::from(params).alias(&id);
        let plan = LogicalPlanBuilder::from(relation.plan)
            .window([number])
            .and_then(LogicalPlanBuilder::build);
        relation.plan = self.plan(span, plan)?;
        relation.order.keys = vec![column(&id).sort(true, false)];
        relation.order.total = true;
        Ok(relation)
    }

    /// Moves window functions out of expressions into a plan below, where DataFusion wants them.
    pub(super) fn hoist_windows(
        &mut self,
        plan: LogicalPlan,
        exprs: Vec<Expr>,
        span: Span,
    ) -> Bind<(LogicalPlan, Vec<Expr>)> {
        let windows = find_window_exprs(&exprs);
        if windows.is_empty() {
            return Ok((plan, exprs));
        }
        let mut named = Vec::new();
        for window in windows {
            let id = self.id();
            named.push((window, id));
        }
        let aliased = named.iter().map(|(window, id)| window.clone().alias(id));
        let plan = LogicalPlanBuilder::from(plan)
            .window(aliased)
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let mut replaced = Vec::new();
        for expr in exprs {
            replaced.push(self.replace(expr, &named, span)?);
        }
        Ok((plan, replaced))
    }

    /// An expression with each of some subexpressions replaced by a column.
    pub(super) fn replace(
        &mut self,
        expr: Expr,
        named: &[(Expr, String)],
        span: Span,
    ) -> Bind<Expr> {
        let replaced = expr.transform_down(|node| {
            Ok(match named.iter().find(|(wanted, _)| *wanted == node) {
                Some((_, id)) => Transformed::yes(column(id)),
                None => Transformed::no(node),
            })
        });
        replaced
            .map(|transformed| transformed.data)
            .map_err(|error| self.internal(span, error))
    }
}
