//! Row order: sorting where it shows, total orders for window functions, and window functions in expressions.

use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFunctionDefinition, lit,
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
        if let Some(limit) = limit
            && !relation.parts.is_empty()
        {
            return self.limited_parts(relation, limit, span);
        }
        let builder = LogicalPlanBuilder::from(relation.plan.clone());
        let keys = relation.order.keys.clone();
        let plan = match (keys.is_empty(), limit) {
            (true, None) => builder.build(),
            (true, Some(_)) => builder.limit(0, limit).and_then(LogicalPlanBuilder::build),
            (false, None) => builder.sort(keys).and_then(LogicalPlanBuilder::build),
            (false, Some(_)) => builder
                .sort(keys)
                .and_then(|sorted| sorted.limit(0, limit))
                .and_then(LogicalPlanBuilder::build),
        };
        Ok(Relation {
            plan: self.plan(span, plan)?,
            ..relation
        })
    }

    /// At most `limit` rows of each part of a relation.
    fn limited_parts(&mut self, relation: Relation, limit: usize, span: Span) -> Bind<Relation> {
        // Stand-ins are numbered apart, so that they take no row's place.
        let parts = relation.parts.iter().chain(&relation.genuine);
        let (plan, number) = self.numbered(
            relation.plan.clone(),
            parts.map(|part| column(part)).collect(),
            relation.order.keys.clone(),
            span,
        )?;
        let kept = relation.sparing(column(&number).lt_eq(lit(limit as u64)));
        let plan = LogicalPlanBuilder::from(plan)
            .filter(kept)
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation {
            plan: self.plan(span, plan)?,
            ..relation
        })
    }

    /// A plan with a new column that numbers the rows, of each part alone, in an order.
    fn numbered(
        &mut self,
        plan: LogicalPlan,
        parts: Vec<Expr>,
        by: Vec<SortExpr>,
        span: Span,
    ) -> Bind<(LogicalPlan, String)> {
        let id = self.id();
        let function = WindowFunctionDefinition::WindowUDF(row_number_udwf());
        let mut window = WindowFunction::new(function, Vec::new());
        window.params = WindowFunctionParams {
            partition_by: parts,
            order_by: by,
            ..window.params
        };
        let number = Expr::from(window).alias(&id);
        let plan = LogicalPlanBuilder::from(plan)
            .window([number])
            .and_then(LogicalPlanBuilder::build);
        Ok((self.plan(span, plan)?, id))
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

    /// The relation with a hidden column that tells its rows apart, and that column's id.
    pub(super) fn with_row_id(
        &mut self,
        mut relation: Relation,
        span: Span,
    ) -> Bind<(Relation, String)> {
        let (plan, id) = self.numbered(relation.plan, Vec::new(), Vec::new(), span)?;
        relation.plan = plan;
        Ok((relation, id))
    }

    /// Adds a hidden column that numbers the rows in the given order, which becomes the relation's.
    fn row_numbers(
        &mut self,
        mut relation: Relation,
        by: Vec<SortExpr>,
        span: Span,
    ) -> Bind<Relation> {
        let (plan, id) = self.numbered(relation.plan, Vec::new(), by, span)?;
        relation.plan = plan;
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
        // A window function in another's arguments goes first.
        let (mut plan, mut exprs) = (plan, exprs);
        loop {
            let windows = innermost_windows(&exprs);
            if windows.is_empty() {
                return Ok((plan, exprs));
            }
            let (below, ready) = self.with_argument_columns(plan, &windows, span)?;
            let ids: Vec<String> = windows.iter().map(|_| self.id()).collect();
            let aliased: Vec<Expr> = ready
                .into_iter()
                .zip(&ids)
                .map(|(window, id)| window.alias(id))
                .collect();
            let named: Vec<(Expr, String)> = windows.into_iter().zip(ids).collect();
            let below = LogicalPlanBuilder::from(below)
                .window(aliased)
                .and_then(LogicalPlanBuilder::build);
            plan = self.plan(span, below)?;
            let mut replaced = Vec::new();
            for expr in exprs {
                replaced.push(self.replace(expr, &named, span)?);
            }
            exprs = replaced;
        }
    }

    /// A plan in which what some window functions compute their arguments from are columns, and the functions over it. Else
    /// DataFusion, which computes what windows have in common below all of them, would look there for other windows' results.
    fn with_argument_columns(
        &mut self,
        plan: LogicalPlan,
        windows: &[Expr],
        span: Span,
    ) -> Bind<(LogicalPlan, Vec<Expr>)> {
        let mut named: Vec<(Expr, String)> = Vec::new();
        for argument in windows.iter().flat_map(computed_arguments) {
            if !named.iter().any(|(known, _)| known == argument) {
                named.push((argument.clone(), self.id()));
            }
        }
        if named.is_empty() {
            return Ok((plan, windows.to_vec()));
        }
        let kept = plan.schema().columns().into_iter().map(Expr::Column);
        let computed = named.iter().map(|(expr, id)| expr.clone().alias(id));
        let exprs: Vec<Expr> = kept.chain(computed).collect();
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build);
        let mut ready = Vec::new();
        for window in windows {
            ready.push(self.replace(window.clone(), &named, span)?);
        }
        Ok((self.plan(span, plan)?, ready))
    }

    /// An expression with each of some subexpressions replaced by a column.
    pub(super) fn replace(
        &mut self,
        expr: Expr,
        named: &[(Expr, String)],
        span: Span,
    ) -> Bind<Expr> {
        let by_column = |node: &Expr| {
            let found = named.iter().find(|(wanted, _)| wanted == node);
            found.map(|(_, id)| column(id))
        };
        self.substitute(expr, by_column, span)
    }

    /// An expression with each subexpression replaced that there is another for.
    pub(super) fn substitute(
        &mut self,
        expr: Expr,
        other: impl Fn(&Expr) -> Option<Expr>,
        span: Span,
    ) -> Bind<Expr> {
        let replaced = expr.transform_down(|node| {
            Ok(match other(&node) {
                Some(other) => Transformed::yes(other),
                None => Transformed::no(node),
            })
        });
        replaced
            .map(|transformed| transformed.data)
            .map_err(|error| self.internal(span, error))
    }
}

/// A window function's arguments that are neither columns nor constants.
fn computed_arguments(window: &Expr) -> impl Iterator<Item = &Expr> {
    let arguments = match window {
        Expr::WindowFunction(function) => function.params.args.as_slice(),
        _ => &[],
    };
    arguments
        .iter()
        .filter(|argument| !matches!(argument, Expr::Column(_) | Expr::Literal(..)))
}

/// The window functions that have none in their arguments, each once.
fn innermost_windows(exprs: &[Expr]) -> Vec<Expr> {
    let mut found: Vec<Expr> = Vec::new();
    let mut pending = find_window_exprs(exprs);
    while let Some(window) = pending.pop() {
        let Expr::WindowFunction(function) = &window else {
            continue;
        };
        let inner = find_window_exprs(&function.params.args);
        if inner.is_empty() {
            if !found.contains(&window) {
                found.push(window);
            }
        } else {
            pending.extend(inner);
        }
    }
    found
}
