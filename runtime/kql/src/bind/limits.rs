//! How large a query may become while it is bound. Functions, `let`s and subqueries can make a few lines of text grow without
//! end, and everything after the binder walks expressions and plans recursively: a limit here is a message, where later it would
//! be an overflow of the stack or a full memory.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column as PlanColumn, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use spoor_kql_syntax::ast::Span;

use super::{Bind, Binder};
use crate::exec::KeptTable;

/// Nodes of one expression.
const EXPRESSION_SIZE: usize = 200_000;
/// Nodes of one expression within each other.
const EXPRESSION_DEPTH: usize = 500;
/// Nodes of a condition, with all that its columns are computed from.
const CONDITION_SIZE: usize = 2_000;
/// Tables of a union times the columns of its result.
pub(super) const UNION_SIZE: usize = 4_000_000;
/// Steps of a plan.
pub(super) const PLAN_SIZE: usize = 10_000;
/// Steps of a plan one after another. An operator of Kusto's takes one to three.
pub(super) const PLAN_DEPTH: usize = 400;
/// Expressions and subqueries within each other, through functions too.
pub(super) const NESTING: usize = 500;
/// Calls of the query's own functions, those in their bodies included.
pub(super) const CALLS: usize = 20_000;

impl Binder<'_> {
    /// Binds something within what is being bound.
    pub(super) fn within<T>(
        &mut self,
        span: Span,
        bind: impl FnOnce(&mut Self) -> Bind<T>,
    ) -> Bind<T> {
        if self.nesting >= NESTING {
            self.exhausted = true;
            let message = format!("this is more than {NESTING} levels deep");
            return Err(self.error_hint(span, message, Some("name parts of it with `let`")));
        }
        self.nesting += 1;
        let bound = bind(self);
        self.nesting -= 1;
        bound
    }

    /// Counts a call of one of the query's functions.
    pub(super) fn count_call(&mut self, span: Span) -> Bind<()> {
        self.calls += 1;
        if self.calls <= CALLS {
            return Ok(());
        }
        self.exhausted = true;
        let message = format!("the query's functions are called more than {CALLS} times");
        let hint = Some("functions that call others several times multiply their calls");
        Err(self.error_hint(span, message, hint))
    }

    /// Refuses an expression that has grown too large.
    pub(super) fn bounded(&mut self, expr: &Expr, span: Span) -> Bind<()> {
        let mut left = EXPRESSION_SIZE;
        if fits(expr, EXPRESSION_DEPTH, &mut left) {
            return Ok(());
        }
        self.exhausted = true;
        let hint = Some("compute parts of it in an `extend` of their own");
        Err(self.error_hint(span, "this expression has become too large", hint))
    }

    /// Refuses a union each of whose many tables would have the columns of all.
    pub(super) fn bounded_union(&mut self, tables: usize, columns: usize, span: Span) -> Bind<()> {
        if tables.saturating_mul(columns) <= UNION_SIZE {
            return Ok(());
        }
        self.exhausted = true;
        let message = format!("{tables} tables together have {columns} columns, which is too many");
        let hint = Some("name the tables that matter: union T1, T2 or search in (T1, T2)");
        Err(self.error_hint(span, message, hint))
    }

    /// The plan that a condition may stand after: its rows are kept as a table's where the condition would grow too large before them.
    pub(super) fn before_filter(
        &mut self,
        plan: LogicalPlan,
        condition: &Expr,
        span: Span,
    ) -> Bind<LogicalPlan> {
        if size(condition, &column_sizes(&plan)) <= CONDITION_SIZE {
            return Ok(plan);
        }
        let columns = plan.schema().columns();
        self.over_rows(Arc::new(KeptTable::new(plan)), columns, span)
    }

    /// A plan over a table of another's rows, with its columns.
    pub(super) fn over_rows(
        &mut self,
        rows: Arc<dyn TableProvider>,
        columns: Vec<PlanColumn>,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let table = TableReference::bare(self.id());
        let source = provider_as_source(rows);
        let kept = LogicalPlanBuilder::scan(table.clone(), source, None).and_then(|scan| {
            let same = columns.iter().map(|column| {
                let from = PlanColumn::new(Some(table.clone()), column.name.clone());
                Expr::Column(from).alias(&column.name)
            });
            scan.project(same.collect::<Vec<_>>())?.build()
        });
        self.plan(span, kept)
    }

    /// Refuses a plan that has grown too large.
    pub(super) fn bounded_plan(&mut self, plan: &LogicalPlan, span: Span) -> Bind<()> {
        if plan_fits(plan) {
            return Ok(());
        }
        self.exhausted = true;
        let message =
            format!("the query takes more than {PLAN_DEPTH} steps in a row, or {PLAN_SIZE} in all");
        let hint = Some("write several conditions or columns into one operator, and join less");
        Err(self.error_hint(span, message, hint))
    }
}

/// How many nodes each column of a plan has once it is what it is computed from, at every step: that is what a condition on it becomes
/// before the projections, where the optimizer puts it. A column that is read twice is there twice. Those of one node are left out.
fn column_sizes(plan: &LogicalPlan) -> HashMap<String, usize> {
    let mut below: HashMap<String, usize> = HashMap::new();
    for input in plan.inputs() {
        for (column, size) in column_sizes(input) {
            let known = below.entry(column).or_default();
            *known = size.max(*known);
        }
    }
    let computed = |exprs: &[Expr]| -> HashMap<String, usize> {
        let sizes = exprs
            .iter()
            .map(|expr| (expr.schema_name().to_string(), size(expr, &below)));
        sizes.filter(|(_, size)| *size > 1).collect()
    };
    match plan {
        LogicalPlan::Projection(projection) => computed(&projection.expr),
        LogicalPlan::Aggregate(aggregate) => computed(&aggregate.group_expr),
        _ => below,
    }
}

/// The nodes of an expression whose columns have sizes of their own.
fn size(expr: &Expr, columns: &HashMap<String, usize>) -> usize {
    let mut total: usize = 0;
    let walked = expr.apply(|node| {
        let own = match node {
            Expr::Column(column) => columns.get(&column.name).copied().unwrap_or(1),
            Expr::Alias(_) => 0,
            _ => 1,
        };
        total = total.saturating_add(own);
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_or(usize::MAX, |_| total)
}

/// Whether an expression keeps to a depth and to what is left of a size.
fn fits(expr: &Expr, depth: usize, left: &mut usize) -> bool {
    let (Some(depth), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else {
        return false;
    };
    *left = rest;
    // A list of constants is flat, and as long as the text or the table that it came from.
    if let Expr::InList(list) = expr {
        return fits(&list.expr, depth, left);
    }
    let mut fit = true;
    let walked = expr.apply_children(|child| {
        fit = fits(child, depth, left);
        Ok(match fit {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    });
    fit && walked.is_ok()
}

fn plan_fits(plan: &LogicalPlan) -> bool {
    let mut pending = vec![(plan, PLAN_DEPTH)];
    let mut left = PLAN_SIZE;
    while let Some((plan, depth)) = pending.pop() {
        let (Some(depth), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else {
            return false;
        };
        left = rest;
        pending.extend(plan.inputs().into_iter().map(|input| (input, depth)));
    }
    true
}
