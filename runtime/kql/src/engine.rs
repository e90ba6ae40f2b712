//! The engine: a catalogue of tables and the queries that run over them, in slices. The kernel and the host's `query`
//! command drive it. It reads no files, and asks only the clock how long a slice has lasted.

use std::sync::Arc;
use std::time::Duration;

use datafusion::datasource::DefaultTableSource;
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{self, Render};
use spoor_table::{Column, Table, Value};

use crate::bind::{self, BindInput, Binding, BoundPlan, Catalogue, CatalogueTable};
use crate::cut;
use crate::exec::{
    Called, Desk, ExecutionError, Executor, MemoryTable, Running, StoredRows, StoredTable,
};
use crate::functions::plugin::{PluginCall, PluginFunction};

/// How an engine may use the machine.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Bytes that all running queries may hold together, tables of the catalogue apart.
    pub memory_bytes: usize,
    /// Threads; 1 runs queries on the caller's thread, which is all that WebAssembly has.
    pub threads: usize,
    /// The most rows of a result, unless the query says otherwise; none where a result is always whole.
    pub result_rows: Option<usize>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            memory_bytes: 1 << 30,
            threads: 1,
            result_rows: None,
        }
    }
}

/// A catalogue of tables, and what runs queries over them.
pub struct Engine {
    catalogue: Catalogue,
    tables: std::collections::BTreeMap<String, Arc<MemoryTable>>,
    executor: Arc<Executor>,
    result_rows: Option<usize>,
}

/// Why a query did not give a result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query's text is wrong, which showed only when a part of it had run.
    #[error("{}", .0.first().map_or("the query is wrong", |d| d.message.as_str()))]
    Diagnostics(Vec<Diagnostic>),
    /// It failed while running.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// It calls a plugin, and whoever runs it makes no calls.
    #[error("the query calls a plugin, which cannot be run here: run it in a notebook")]
    Uncalled,
    /// It was asked for more after its end.
    #[error("the query has already ended")]
    Ended,
}

/// What a query gives.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The rows of the last tabular statement.
    pub table: Table,
    /// How the query asks to draw them.
    pub render: Option<Render>,
    /// Why it may be less than Kusto's result, a sentence each; none where it is whole.
    pub lacks: Vec<String>,
}

/// Where a query stands after a slice.
#[derive(Debug)]
pub enum Step {
    /// There is more to do.
    More,
    /// It waits for calls of plugins. Those that are new since the last step are to be made; [`Query::answer`] hands in what
    /// comes of each, and then there is more to do.
    Call(Vec<PluginCall>),
    /// It is done.
    Done(QueryResult),
}

impl Engine {
    /// An engine without tables.
    ///
    /// # Errors
    /// When the machine refuses threads.
    pub fn new(options: EngineOptions) -> Result<Self, ExecutionError> {
        Ok(Engine {
            catalogue: Catalogue::new(),
            tables: std::collections::BTreeMap::new(),
            executor: Arc::new(Executor::new(options.memory_bytes, options.threads)?),
            result_rows: options.result_rows,
        })
    }

    /// Adds a table, or replaces the one of that name. Running queries keep the old one.
    pub fn register(&mut self, name: &str, table: Table) {
        let columns = table.shared_columns();
        let paths = bind::paths(&table);
        let provider = Arc::new(MemoryTable::new(table));
        let source = Arc::new(DefaultTableSource::new(provider.clone()));
        self.catalogue.insert(
            name.to_owned(),
            CatalogueTable {
                columns,
                source,
                paths,
                open: false,
            },
        );
        self.tables.insert(name.to_owned(), provider);
    }

    /// Adds a table whose rows are read when a query asks for them, or replaces the one of that name.
    pub fn register_stored(&mut self, name: &str, rows: Arc<dyn StoredRows>) {
        let table = CatalogueTable {
            columns: rows.columns(),
            source: Arc::new(DefaultTableSource::new(Arc::new(StoredTable::new(rows)))),
            paths: Arc::from([]),
            open: false,
        };
        self.tables.remove(name);
        self.catalogue.insert(name.to_owned(), table);
    }

    /// Removes a table; `false` if there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        self.tables.remove(name);
        self.catalogue.remove(name).is_some()
    }

    /// Adds the function of a plugin, which `evaluate` then calls by its name, or replaces it. Running queries keep the old one.
    pub fn add_function(&mut self, function: PluginFunction) {
        let name = function.function.name.clone();
        self.catalogue.functions.insert(name, Arc::new(function));
    }

    /// Removes the functions of a plugin, by what the caller knows it by.
    pub fn remove_functions(&mut self, module: &str) {
        let functions = &mut self.catalogue.functions;
        functions.retain(|_, function| function.module != module);
    }

    /// Sets the scalars that queries may name besides their own; those that have been started keep theirs.
    pub fn set_values(&mut self, values: std::collections::BTreeMap<String, Value>) {
        self.catalogue.values = values;
    }

    /// Sets what is said where a query takes `name` for a table and it is none; `None` for no more than that.
    pub fn set_hint(&mut self, name: &str, hint: Option<String>) {
        match hint {
            Some(hint) => self.catalogue.hints.insert(name.to_owned(), hint),
            None => self.catalogue.hints.remove(name),
        };
    }

    /// The functions of plugins, by name.
    pub fn functions(&self) -> impl Iterator<Item = &PluginFunction> {
        self.catalogue.functions.values().map(AsRef::as_ref)
    }

    /// The columns of a table.
    pub fn schema(&self, name: &str) -> Option<&[Column]> {
        self.catalogue.get(name).map(|table| table.columns.as_ref())
    }

    /// A table of the catalogue whose rows are in memory.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name).map(|table| table.table())
    }

    /// The tables' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.catalogue.keys().map(String::as_str)
    }

    /// The catalogue, for completion and hover.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Those of the `declared` names that a query may read, so that they can be loaded before it starts; too many rather
    /// than too few.
    pub fn references(&self, text: &str, declared: &[String]) -> Vec<String> {
        bind::references(text, declared)
    }

    /// What is wrong with a query, without running any of it: no errors for one that [`Engine::start`] takes, but maybe
    /// warnings.
    pub fn check(&self, text: &str, now_ticks: i64) -> Vec<Diagnostic> {
        bind::diagnose(text, &self.catalogue, now_ticks).diagnostics
    }

    /// Parses and binds a query, and starts it; `now_ticks` is what `now()` gives.
    ///
    /// # Errors
    /// What is wrong with the text, with places in it.
    pub fn start(&self, text: &str, now_ticks: i64) -> Result<Query, Vec<Diagnostic>> {
        let parsed = spoor_kql_syntax::parse(text);
        if !parsed.diagnostics.is_empty() {
            return Err(parsed.diagnostics);
        }
        let mut query = Query {
            executor: self.executor.clone(),
            catalogue: self.catalogue.clone(),
            most: cut::most_rows(&parsed.query, self.result_rows),
            text: parsed.query,
            now_ticks,
            stages: Vec::new(),
            render: None,
            lacks: Vec::new(),
            part: Part::Ended,
        };
        query.bind()?;
        Ok(query)
    }

    /// Runs a query to its end.
    ///
    /// # Errors
    /// As [`Engine::start`] and [`Query::step`].
    pub fn run(&self, text: &str, now_ticks: i64) -> Result<QueryResult, QueryError> {
        let mut query = self
            .start(text, now_ticks)
            .map_err(QueryError::Diagnostics)?;
        loop {
            match query.step(Duration::from_secs(3600))? {
                Step::Done(result) => return Ok(result),
                Step::More => {}
                Step::Call(_) => return Err(QueryError::Uncalled),
            }
        }
    }
}

/// A query that has been started. Dropping it cancels it.
pub struct Query {
    executor: Arc<Executor>,
    catalogue: Catalogue,
    text: ast::Query,
    now_ticks: i64,
    /// Results of the parts that binding needs.
    stages: Vec<Table>,
    render: Option<Render>,
    /// The most rows of the result.
    most: Option<usize>,
    lacks: Vec<String>,
    part: Part,
}

enum Part {
    /// A part that binding needs before it can go on.
    Stage(Running),
    /// The query itself.
    Last(Running),
    Ended,
}

impl Query {
    /// Binds as far as the stages' results allow, and starts what comes next.
    fn bind(&mut self) -> Result<(), Vec<Diagnostic>> {
        let input = BindInput {
            catalogue: &self.catalogue,
            now_ticks: self.now_ticks,
            stages: &self.stages,
        };
        self.part = match bind::bind(&self.text, &input)? {
            Binding::Stage(stage) => {
                Part::Stage(self.executor.start(stage.plan, stage.columns, None))
            }
            Binding::Ready(bound) => {
                self.render = bound.render;
                self.lacks = bound.lacks;
                let BoundPlan { plan, columns } = bound.plan;
                Part::Last(self.executor.start(plan, columns, self.most))
            }
        };
        Ok(())
    }

    fn desk(&self) -> Option<&Desk> {
        match &self.part {
            Part::Stage(running) | Part::Last(running) => Some(running.desk()),
            Part::Ended => None,
        }
    }

    fn more(&self) -> Step {
        match self.desk() {
            Some(desk) if desk.waits() => Step::Call(desk.take()),
            _ => Step::More,
        }
    }

    /// Hands in what came of the call of this number; `false` if the query does not wait for it.
    pub fn answer(&mut self, number: u64, called: Called) -> bool {
        self.desk().is_some_and(|desk| desk.answer(number, called))
    }

    /// Runs for about `budget`. A batch of rows is never cut short, so a slice may last some milliseconds longer.
    ///
    /// # Errors
    /// When the query fails, after which it has ended.
    pub fn step(&mut self, budget: Duration) -> Result<Step, QueryError> {
        let (outcome, last) = match &mut self.part {
            Part::Stage(running) => (running.step(budget), false),
            Part::Last(running) => (running.step(budget), true),
            Part::Ended => return Err(QueryError::Ended),
        };
        let Some(outcome) = outcome else {
            return Ok(self.more());
        };
        self.part = Part::Ended;
        let table = outcome?;
        if last {
            let most = self.most.filter(|most| table.rows() > *most);
            let mut lacks = std::mem::take(&mut self.lacks);
            lacks.extend(most.map(cut::told));
            return Ok(Step::Done(QueryResult {
                table: match most {
                    Some(most) => table.slice(0, most),
                    None => table,
                },
                render: self.render.take(),
                lacks,
            }));
        }
        self.stages.push(table);
        self.bind().map_err(QueryError::Diagnostics)?;
        Ok(Step::More)
    }
}
