//! A tabular expression while it is bound: a plan, Kusto's columns over it, and the order of its rows.
//!
//! `sort` does not sort: it notes the order. The plan sorts where the order shows: at the end, before `take`, in window functions and
//! in aggregates that list values. An order is kept in hidden columns that projections carry along.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use datafusion::common::{Column as PlanColumn, TableReference};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use spoor_kql_syntax::ast::Span;
use spoor_table::{Column, KustoType};

use super::{Bind, Binder, BoundPlan};
use crate::exec::{Graph, SharedTable};
use crate::typed::Typed;

/// A column of a relation.
#[derive(Debug, Clone)]
pub(super) struct BoundColumn {
    /// Kusto's name.
    pub name: String,
    pub ty: KustoType,
    /// The plan's name.
    pub id: String,
}

impl BoundColumn {
    pub(super) fn expr(&self) -> Expr {
        column(&self.id)
    }

    pub(super) fn typed(&self) -> Typed {
        Typed::new(self.expr(), self.ty)
    }
}

/// A reference to a plan's column by its exact name.
pub(super) fn column(id: &str) -> Expr {
    Expr::Column(PlanColumn::new_unqualified(id))
}

/// The order of a relation's rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// Whether Kusto calls the rows serialized, so that window functions may look at neighbours.
    pub serialized: bool,
    /// The keys, over columns of the plan. Empty: as they come.
    pub keys: Vec<SortExpr>,
    /// Whether the keys order every two rows.
    pub total: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub plan: LogicalPlan,
    pub columns: Vec<BoundColumn>,
    pub order: Order,
    /// What `union withsource=` calls it: a table's name, or that of `as`.
    pub source: Option<String>,
    /// Hidden columns that split the rows: in the subquery of `mv-apply` or `partition`, operators work on each part alone.
    pub parts: Vec<String>,
    /// Hidden columns that are the same throughout each part: what `mv-apply` puts beside the subquery's columns.
    pub carried: Vec<String>,
    /// A hidden column that is false in stand-ins: rows of which each part has one, so that an aggregate over none of its
    /// rows still gives one. No operator counts them or drops them.
    pub genuine: Option<String>,
    /// Whether there may be columns that are not known: those of a table that nobody has read, or what a mistaken operator
    /// would have given. Only what is not run is ever open.
    pub open: bool,
    /// The graph that stands for the rows, which then have no columns.
    pub graph: Option<Rc<Graph>>,
}

impl Relation {
    pub(super) fn unordered(plan: LogicalPlan, columns: Vec<BoundColumn>) -> Self {
        Self {
            plan,
            columns,
            order: Order::default(),
            source: None,
            parts: Vec::new(),
            carried: Vec::new(),
            genuine: None,
            open: false,
            graph: None,
        }
    }

    /// A condition that keeps stand-ins whatever it says of them.
    pub(super) fn sparing(&self, condition: Expr) -> Expr {
        match &self.genuine {
            Some(genuine) => condition.or(Expr::Not(Box::new(column(genuine)))),
            None => condition,
        }
    }

    /// The relation's hidden columns in an aggregate over it: what to group by, and what to take any of.
    pub(super) fn hidden_in_aggregate(&self) -> (Vec<Expr>, Vec<Expr>) {
        let keys = self.parts.iter().map(|part| column(part)).collect();
        let carried = self
            .carried
            .iter()
            .filter(|id| !self.parts.contains(id))
            .map(|id| first_value_udaf().call(vec![column(id)]).alias(id))
            .collect();
        (keys, carried)
    }

    pub(super) fn find(&self, name: &str) -> Option<&BoundColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Binder<'_> {
    /// A new column for an expression: its place in a projection and what it is.
    pub(super) fn computed(&mut self, name: &str, typed: &Typed) -> (Expr, BoundColumn) {
        let id = self.id();
        (
            typed.expr.clone().alias(&id),
            BoundColumn {
                name: name.to_owned(),
                ty: typed.ty,
                id,
            },
        )
    }

    /// A relation of the given columns, each an existing one or computed, over another's rows, whose order is kept.
    pub(super) fn project_to(
        &mut self,
        input: Relation,
        exprs: Vec<Expr>,
        columns: Vec<BoundColumn>,
        span: Span,
    ) -> Bind<Relation> {
        let Relation {
            plan,
            order,
            source,
            parts,
            carried,
            genuine,
            open,
            ..
        } = input;
        let (plan, mut exprs) = self.hoist_windows(plan, exprs, span)?;
        let mut kept: HashSet<String> = HashSet::new();
        exprs.retain(|expr| kept.insert(expr.schema_name().to_string()));
        let keys = order.keys.iter().flat_map(|key| key.expr.column_refs());
        let hidden = keys.map(|key| &key.name).chain(&parts).chain(&carried);
        for hidden in hidden.chain(&genuine) {
            if kept.insert(hidden.clone()) {
                exprs.push(column(hidden));
            }
        }
        // A plan must have a column for its rows to be counted; one that is there already costs nothing.
        if exprs.is_empty() {
            let any = plan.schema().columns().into_iter().next();
            exprs.extend(any.map(Expr::Column));
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation {
            plan: self.plan(span, plan)?,
            columns,
            order,
            source,
            parts,
            carried,
            genuine,
            open,
            graph: None,
        })
    }

    /// The relation with its rows computed once, whoever reads them. Others than sums stay as they are: each use reads the columns
    /// that it needs, and all of them at once may be more than there is memory for.
    pub(super) fn materialized(&mut self, relation: Relation, span: Span) -> Bind<Relation> {
        let is_whole = relation.parts.is_empty() && !relation.open && relation.graph.is_none();
        if !is_whole || !is_summed_up(&relation.plan) {
            return Ok(relation);
        }
        self.shared(relation, span)
    }

    /// The relation with its rows computed once.
    pub(super) fn shared(&mut self, relation: Relation, span: Span) -> Bind<Relation> {
        let columns = relation.plan.schema().columns();
        let rows = Arc::new(SharedTable::new(relation.plan.clone()));
        Ok(Relation {
            plan: self.over_rows(rows, columns, span)?,
            ..relation
        })
    }

    /// The relation without its stand-ins.
    pub(super) fn without_stand_ins(&mut self, relation: Relation, span: Span) -> Bind<Relation> {
        let Some(genuine) = &relation.genuine else {
            return Ok(relation);
        };
        let plan = LogicalPlanBuilder::from(relation.plan.clone())
            .filter(column(genuine))
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation {
            plan: self.plan(span, plan)?,
            genuine: None,
            ..relation
        })
    }

    /// The same rows under new ids: what a name that is used twice gives each time.
    pub(super) fn fresh(&mut self, relation: &Relation, span: Span) -> Bind<Relation> {
        let mut copy = relation.clone();
        let mut exprs = Vec::new();
        let mut renamed = std::collections::HashMap::new();
        for bound in &mut copy.columns {
            let id = self.id();
            exprs.push(bound.expr().alias(&id));
            let base = self.bases.get(&bound.id).cloned();
            self.bases.extend(base.map(|base| (id.clone(), base)));
            renamed.insert(std::mem::replace(&mut bound.id, id.clone()), id);
        }
        for key in &mut copy.order.keys {
            for hidden in key.expr.clone().column_refs() {
                if !renamed.contains_key(&hidden.name) {
                    let id = self.id();
                    exprs.push(column(&hidden.name).alias(&id));
                    renamed.insert(hidden.name.clone(), id);
                }
            }
            key.expr = self.rename_columns(key.expr.clone(), &renamed, span)?;
        }
        if exprs.is_empty() {
            return Ok(copy);
        }
        let plan = LogicalPlanBuilder::from(copy.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build);
        copy.plan = self.plan(span, plan)?;
        Ok(copy)
    }

    fn rename_columns(
        &mut self,
        expr: Expr,
        names: &std::collections::HashMap<String, String>,
        span: Span,
    ) -> Bind<Expr> {
        use datafusion::common::tree_node::{Transformed, TreeNode};
        let renamed = expr.transform(|node| {
            Ok(match &node {
                Expr::Column(old) => match names.get(&old.name) {
                    Some(new) => Transformed::yes(column(new)),
                    None => Transformed::no(node),
                },
                _ => Transformed::no(node),
            })
        });
        renamed
            .map(|transformed| transformed.data)
            .map_err(|error| self.internal(span, error))
    }

    /// A relation over a table's source, whose fields have the columns' names.
    pub(super) fn scan(
        &mut self,
        source: std::sync::Arc<dyn datafusion::logical_expr::TableSource>,
        columns: &[Column],
        span: Span,
    ) -> Bind<Relation> {
        let table = TableReference::bare(self.id());
        let plan = LogicalPlanBuilder::scan(table.clone(), source, None)
            .and_then(LogicalPlanBuilder::build);
        let plan = self.plan(span, plan)?;
        let mut exprs = Vec::new();
        let mut bound = Vec::new();
        for declared in columns {
            let from = Expr::Column(PlanColumn::new(Some(table.clone()), declared.name.clone()));
            let (expr, column) = self.computed(&declared.name, &Typed::new(from, declared.ty));
            exprs.push(expr);
            bound.push(column);
        }
        self.project_to(Relation::unordered(plan, Vec::new()), exprs, bound, span)
    }

    /// The plan of a finished query: sorted, without hidden columns.
    pub(super) fn finish(&mut self, relation: Relation, span: Span) -> Bind<BoundPlan> {
        self.is_table(&relation, span)?;
        let relation = self.sorted(relation, None, span)?;
        let mut given: HashSet<&str> = HashSet::new();
        let mut exprs: Vec<Expr> = Vec::new();
        for bound in &relation.columns {
            let repeated = !given.insert(&bound.id);
            exprs.push(if repeated {
                bound.expr().alias(self.id())
            } else {
                bound.expr()
            });
        }
        let columns = relation
            .columns
            .iter()
            .map(|bound| Column {
                name: bound.name.clone(),
                ty: bound.ty,
            })
            .collect();
        let plan = LogicalPlanBuilder::from(relation.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build);
        Ok(BoundPlan {
            plan: self.plan(span, plan)?,
            columns,
        })
    }
}

/// Whether the rows are few by what they are: groups, or so many and no more, with what is computed of them.
fn is_summed_up(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) | LogicalPlan::Limit(_) => true,
        LogicalPlan::Projection(above) => is_summed_up(&above.input),
        LogicalPlan::Filter(above) => is_summed_up(&above.input),
        LogicalPlan::Sort(above) => above.fetch.is_some() || is_summed_up(&above.input),
        _ => false,
    }
}
