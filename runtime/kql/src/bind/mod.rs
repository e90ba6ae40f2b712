//! From the syntax tree to a DataFusion logical plan: names are resolved, Kusto types are checked, and Kusto's naming, ordering and
//! null rules become explicit. The engine calls `bind`, and the kernel `complete` and `hover`; nothing here runs a query.
//!
//! Columns have internal ids that are unique in a query (`c12`), so that no plan has an ambiguous or an odd name; `BoundPlan::columns`
//! says what Kusto calls the plan's fields, one for one.
//!
//! Some things must be known before a plan can be made: the value of `toscalar(...)`, the list in `x in (T | ...)`, the columns of
//! `pivot`. Binding then stops with `Binding::Stage`: the engine runs that plan and binds again with its result.

mod call;
mod columns;
mod complete;
mod documentation;
mod expand;
mod expression;
mod join;
mod limits;
mod literal;
mod naming;
mod order;
mod parse;
mod project;
mod range;
mod references;
mod relation;
mod scope;
mod series;
mod statement;
mod summarize;
mod tabular;
mod union;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{Query, Render, Span};
use spoor_table::{Column, Table};

pub use complete::{Completion, CompletionKind, Completions, Hover, complete, hover};
pub use references::references;
use relation::Relation;

/// The tables that a query may read, by name.
pub type Catalogue = BTreeMap<String, CatalogueTable>;

/// One of them.
#[derive(Clone)]
pub struct CatalogueTable {
    /// Its columns, in order.
    pub columns: Arc<[Column]>,
    /// Where its rows come from; its schema has the columns' names and Arrow types.
    pub source: Arc<dyn TableSource>,
}

/// What binding depends on besides the query.
pub struct BindInput<'a> {
    /// The tables.
    pub catalogue: &'a Catalogue,
    /// The query's `now()`, in ticks.
    pub now_ticks: i64,
    /// The results of the stages asked for so far, in order.
    pub stages: &'a [Table],
}

/// What binding gives.
pub enum Binding {
    /// The whole query.
    Ready(Bound),
    /// A part of the query that must run first; its result is the next of `BindInput::stages`.
    Stage(BoundPlan),
}

/// A bound query.
pub struct Bound {
    /// The last tabular statement: its result is the query's.
    pub plan: BoundPlan,
    /// How to draw it, if the query ends in `render`.
    pub render: Option<Render>,
}

/// A plan and what its columns are.
pub struct BoundPlan {
    /// Its fields are the columns in order, under internal names.
    pub plan: LogicalPlan,
    /// The result's columns.
    pub columns: Vec<Column>,
}

/// Binds a parsed query. Errors are diagnostics with places in the query's text.
pub fn bind(query: &Query, input: &BindInput<'_>) -> Result<Binding, Vec<Diagnostic>> {
    let mut binder = Binder::new(input, false);
    let outcome = binder.query(query);
    match outcome {
        Ok(plan) if binder.diagnostics.is_empty() => Ok(Binding::Ready(Bound {
            plan,
            render: binder.render,
        })),
        Err(Stop::Stage(stage)) if binder.diagnostics.is_empty() => Ok(Binding::Stage(*stage)),
        _ => Err(binder.diagnostics),
    }
}

/// What is wrong with a query, told without running anything: what a part of it would give is not known.
pub(crate) fn check(query: &Query, input: &BindInput<'_>) -> Vec<Diagnostic> {
    let mut binder = Binder::new(input, true);
    // An error is among the diagnostics.
    let _ = binder.query(query);
    binder.diagnostics
}

/// The columns of a query's result and the names that its `let`s define, without running anything; `None` where it does not
/// bind.
fn shape(query: &Query, input: &BindInput<'_>) -> Option<Shape> {
    let mut binder = Binder::new(input, true);
    let (scope, result) = binder.statements(query).ok()?;
    let columns = result
        .map(|(relation, _)| relation.columns)
        .unwrap_or_default();
    Some(Shape { columns, scope })
}

/// What is in scope at a place of a query.
struct Shape {
    columns: Vec<relation::BoundColumn>,
    scope: scope::Scope,
}

/// Calls of user functions within each other.
const CALL_LIMIT: usize = 32;

/// Why binding stops.
enum Stop {
    /// An error, which has been reported.
    Reported,
    /// A part must run first.
    Stage(Box<BoundPlan>),
}

type Bind<T> = Result<T, Stop>;

struct Binder<'a> {
    /// Only the columns matter: a stage's result may be an empty table.
    dry: bool,
    input: &'a BindInput<'a>,
    ids: usize,
    next_stage: usize,
    /// Calls of user functions that are being bound.
    depth: usize,
    /// See `limits`.
    nesting: usize,
    /// See `limits`.
    calls: usize,
    /// Functions of which it is being asked whether they give tables, one called by the other.
    probes: Cell<usize>,
    diagnostics: Vec<Diagnostic>,
    render: Option<Render>,
}

impl<'a> Binder<'a> {
    fn new(input: &'a BindInput<'a>, dry: bool) -> Self {
        Binder {
            dry,
            input,
            ids: 0,
            next_stage: 0,
            depth: 0,
            nesting: 0,
            calls: 0,
            probes: Cell::new(0),
            diagnostics: Vec::new(),
            render: None,
        }
    }
}

impl Binder<'_> {
    /// A new internal name.
    fn id(&mut self) -> String {
        self.ids += 1;
        format!("c{}", self.ids)
    }

    fn error(&mut self, span: Span, message: impl Into<String>) -> Stop {
        self.diagnostics.push(Diagnostic::error(span, message));
        Stop::Reported
    }

    fn error_hint(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: Option<impl Into<String>>,
    ) -> Stop {
        let mut diagnostic = Diagnostic::error(span, message);
        diagnostic.hint = hint.map(Into::into);
        self.diagnostics.push(diagnostic);
        Stop::Reported
    }

    /// An error of DataFusion's while building a plan: a mistake of ours that must not become a wrong answer.
    fn internal(&mut self, span: Span, error: DataFusionError) -> Stop {
        self.error(
            span,
            format!("this cannot be planned: {}", error.strip_backtrace()),
        )
    }

    fn plan(
        &mut self,
        span: Span,
        plan: Result<LogicalPlan, DataFusionError>,
    ) -> Bind<LogicalPlan> {
        let plan = plan.map_err(|error| self.internal(span, error))?;
        self.bounded_plan(&plan, span)?;
        Ok(plan)
    }

    /// The result of a part of the query that runs first: the table, or a stop that asks for it.
    fn stage(&mut self, relation: Relation, span: Span) -> Bind<Table> {
        let at = self.next_stage;
        self.next_stage += 1;
        if let Some(table) = self.input.stages.get(at) {
            return Ok(table.clone());
        }
        let plan = self.finish(relation, span)?;
        if self.dry {
            return Ok(Table::empty(plan.columns));
        }
        Err(Stop::Stage(Box::new(plan)))
    }
}
