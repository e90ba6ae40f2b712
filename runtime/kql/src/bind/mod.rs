//! From the syntax tree to a DataFusion logical plan: names are resolved, Kusto types are checked, and Kusto's naming, ordering and
//! null rules become explicit. The engine calls `bind`, and the kernel `complete` and `hover`; nothing here runs a query.
//!
//! Columns have internal ids that are unique in a query (`c12`), so that no plan has an ambiguous or an odd name; `BoundPlan::columns`
//! says what Kusto calls the plan's fields, one for one.
//!
//! Some things must be known before a plan can be made: the value of `toscalar(...)`, the list in `x in (T | ...)`, the columns of
//! `pivot`. Binding then stops with `Binding::Stage`: the engine runs that plan and binds again with its result.

mod basket;
mod call;
mod call_own;
mod cluster;
mod columns;
mod complete;
mod documentation;
mod evaluate;
mod expand;
mod expression;
mod find;
mod funnel;
mod graph;
mod graph_match;
mod graph_names;
mod graph_shortest;
mod hover;
mod join;
mod kustos;
mod limits;
mod literal;
mod lookups;
mod naming;
mod order;
mod parse;
mod parse_kv;
mod parsers;
mod paths;
mod pivot;
mod place;
mod project;
mod range;
mod recovery;
mod reduce;
mod references;
mod relation;
mod scan;
mod scope;
mod search;
mod semantic;
mod sequence;
mod series;
mod several;
mod statement;
mod summarize;
mod tabular;
mod taken;
mod top;
mod top_nested;
mod union;
mod unpack;
mod written;
mod written_texts;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::datasource::DefaultTableSource;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use spoor_kql_syntax::ast::{Query, Render, Span, StatementKind};
use spoor_kql_syntax::{Diagnostic, parse};
use spoor_table::{Column, Table, Value};

pub use complete::{Completion, CompletionKind, Completions, complete};
pub use hover::{Hover, hover};
pub use kustos::is_kustos;
pub(crate) use paths::paths;
pub use references::references;
use relation::Relation;
pub use semantic::{Diagnosis, TokenSense, diagnose};

use crate::exec::MemoryTable;
use crate::functions::plugin::PluginFunction;

/// What a query may name: it is a map of tables by name, with the functions of plugins beside it.
#[derive(Clone, Default)]
pub struct Catalogue {
    tables: BTreeMap<String, CatalogueTable>,
    /// The functions that `evaluate` calls, by name.
    pub functions: BTreeMap<String, Arc<PluginFunction>>,
    /// Scalars from outside of the query, by name. Columns, and the query's own names, come before them.
    pub values: BTreeMap<String, Value>,
    /// What to say where a name that is no table stands for one.
    pub hints: BTreeMap<String, String>,
}

impl Catalogue {
    /// A catalogue of nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for Catalogue {
    type Target = BTreeMap<String, CatalogueTable>;

    fn deref(&self) -> &Self::Target {
        &self.tables
    }
}

impl DerefMut for Catalogue {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tables
    }
}

/// One of them.
#[derive(Clone)]
pub struct CatalogueTable {
    /// Its columns, in order.
    pub columns: Arc<[Column]>,
    /// Where its rows come from; its schema has the columns' names and Arrow types.
    pub source: Arc<dyn TableSource>,
    /// What names the values in its dynamic columns have: `column.name.name`, as far as is known.
    pub paths: Arc<[String]>,
    /// Whether there may be columns besides, because nobody has read the table yet. No name is then called unknown.
    pub open: bool,
}

impl CatalogueTable {
    /// A table of which only the columns are known.
    pub fn known(columns: Vec<Column>) -> Self {
        let table = Table::empty(columns);
        let columns = table.shared_columns();
        Self {
            columns,
            source: Arc::new(DefaultTableSource::new(Arc::new(MemoryTable::new(table)))),
            paths: Arc::from([]),
            open: false,
        }
    }

    /// A table of which only the name is known.
    pub fn unread() -> Self {
        let rows = Arc::new(MemoryTable::new(Table::empty([])));
        Self {
            columns: Arc::from([]),
            source: Arc::new(DefaultTableSource::new(rows)),
            paths: Arc::from([]),
            open: true,
        }
    }
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
    /// Why the result may be less than Kusto's, a sentence each.
    pub lacks: Vec<String>,
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
    let mut binder = Binder::new(input, Mode::Run);
    let outcome = binder.query(query);
    match outcome {
        Ok(plan) if binder.diagnostics.is_empty() => Ok(Binding::Ready(Bound {
            plan,
            render: binder.render,
            lacks: sentences(binder.lacks),
        })),
        Err(Stop::Stage(stage)) if binder.diagnostics.is_empty() => Ok(Binding::Stage(*stage)),
        _ => Err(binder.diagnostics),
    }
}

/// Each sentence once.
fn sentences(lacks: Vec<(Span, String)>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for (_, sentence) in lacks {
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }
    told
}

/// The value of a constant expression, such as a literal; `None` of what is none.
pub fn constant(text: &str) -> Option<Value> {
    let parsed = parse(text);
    let [statement] = parsed.query.statements.as_slice() else {
        return None;
    };
    let StatementKind::Expression(expr) = &statement.kind else {
        return None;
    };
    if !parsed.diagnostics.is_empty() {
        return None;
    }
    let input = BindInput {
        catalogue: &Catalogue::new(),
        now_ticks: 0,
        stages: &[],
    };
    let mut binder = Binder::new(&input, Mode::Run);
    binder.constant(expr, &scope::Scope::root(), "a value").ok()
}

/// The columns of a query's result and the names that its `let`s define, without running anything; `None` where it does not
/// bind.
fn shape(query: &Query, input: &BindInput<'_>) -> Option<Shape> {
    let mut binder = Binder::new(input, Mode::Shape);
    let (scope, result) = binder.statements(query).ok()?;
    let columns = result
        .map(|(relation, _)| relation.columns)
        .unwrap_or_default();
    Some(Shape { columns, scope })
}

/// What a query is bound for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// To run it: the first operator with a mistake ends binding.
    Run,
    /// For the columns of what binds.
    Shape,
    /// For all that is wrong with it, and for what its names are.
    Check,
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
    mode: Mode,
    input: &'a BindInput<'a>,
    ids: usize,
    next_stage: usize,
    /// Calls of user functions that are being bound.
    depth: usize,
    /// See `limits`.
    nesting: usize,
    /// See `limits`.
    calls: usize,
    /// Whether one of the limits was passed.
    exhausted: bool,
    /// Functions of which it is being asked whether they give tables, one called by the other.
    probes: Cell<usize>,
    diagnostics: Vec<Diagnostic>,
    /// What names were found to be, by their places; kept in `Mode::Check`.
    senses: Vec<(Span, TokenSense)>,
    render: Option<Render>,
    /// Why the result may be less than Kusto's, with the places that are at fault.
    lacks: Vec<(Span, String)>,
    /// Tables that the statement at hand names for later ones.
    named: Vec<(String, Relation)>,
    /// What columns were called before joins numbered their names, by the columns' ids.
    bases: HashMap<String, String>,
}

impl<'a> Binder<'a> {
    fn new(input: &'a BindInput<'a>, mode: Mode) -> Self {
        Binder {
            mode,
            input,
            ids: 0,
            next_stage: 0,
            depth: 0,
            nesting: 0,
            calls: 0,
            exhausted: false,
            probes: Cell::new(0),
            diagnostics: Vec::new(),
            senses: Vec::new(),
            render: None,
            lacks: Vec::new(),
            named: Vec::new(),
            bases: HashMap::new(),
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
        self.report(diagnostic)
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Stop {
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
        if self.mode != Mode::Run {
            return Ok(Table::empty(plan.columns));
        }
        Err(Stop::Stage(Box::new(plan)))
    }
}
