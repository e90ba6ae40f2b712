//! Native queries of `spoor serve`, its page and its API, and of cells that say `%%kql host`: on all cores, over the files of
//! `--data`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arrow::array::{AsArray, Int64Array};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use arrow::compute::{and, filter_record_batch};
use arrow::datatypes::Int64Type;
use spoor_data::Progress;
use spoor_kql::{Engine, Query as Running, QueryError, QueryResult, Step};
use spoor_kql_syntax::{Diagnostic, line_column};
use spoor_protocol::Mistake;
use spoor_table::{KustoType, Table, TableError, ipc};

use super::{plugin, plugins, query};
use crate::native::{Problem, Query, Stop, Watch};
use crate::plugins::{Callable, Runner};
use crate::sources::{Data, Source};

/// How long a query runs between two looks at whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

/// The most mistakes of a query that are told.
const MISTAKES: usize = 20;

/// The column that a time span is about.
const TIME: &str = "TimeGenerated";

/// Why a query has to stop, if it has to.
pub type Wanted<'a> = &'a dyn Fn() -> Option<Stop>;

/// From when to when, in ticks, both included.
pub type Between = (i64, i64);

/// Queries over the data files, on all cores. Tables are kept from query to query while their files stay.
pub struct Local {
    data: Data,
    /// How many queries may run at once.
    at_once: usize,
    tables: Mutex<BTreeMap<String, Kept>>,
    /// Keeps the plugins that queries call as they were compiled.
    runner: Runner,
}

/// A table and the file that it was read from.
struct Kept {
    state: (u64, SystemTime),
    table: Table,
}

impl Query for Local {
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<u64, Problem> {
        let result = self.answer(text, None, &|| watch.stop())?;
        ipc::write_stream(&result.table, out).map_err(|error| said(error.to_string()))?;
        Ok(result.table.rows() as u64)
    }
}

impl Local {
    /// Over these files, for so many queries at once.
    pub fn new(data: Data, at_once: usize) -> Self {
        Self {
            data,
            at_once,
            tables: Mutex::default(),
            runner: plugin::runner(),
        }
    }

    /// The files.
    pub fn sources(&self) -> &[Source] {
        &self.data.sources
    }

    /// Runs a query to its end. Of tables that say when their rows were made it sees those `between`, if that is given.
    pub fn answer(
        &self,
        text: &str,
        between: Option<Between>,
        wanted: Wanted<'_>,
    ) -> Result<QueryResult, Problem> {
        let mut engine = self.engine(text, between, wanted)?;
        let plugins = plugins::for_query(text, &[], &self.runner);
        let plugins = plugins.map_err(|failure| said(failure.message))?;
        plugins.offer(&mut engine);
        let now = query::now();
        let running = engine.start(text, now).map_err(|wrong| {
            at(
                text,
                &query::explained(&mut engine, text, now, &self.data, wrong),
            )
        })?;
        finish(running, text, wanted, &plugins)
    }

    /// An engine with the tables that a query may read.
    fn engine(
        &self,
        text: &str,
        between: Option<Between>,
        wanted: Wanted<'_>,
    ) -> Result<Engine, Problem> {
        let mut options = query::options();
        // So that all that run at once stay within what one may take by itself.
        options.memory_bytes /= self.at_once;
        let mut engine = Engine::new(options).map_err(|error| said(error.to_string()))?;
        for source in query::wanted(text, &self.data) {
            heed(wanted)?;
            let table = self.table(source, wanted)?;
            let table = match between {
                Some(between) => within(&table, between).map_err(|e| said(e.to_string()))?,
                None => table,
            };
            engine.register(&source.spec.name, table);
        }
        Ok(engine)
    }

    /// A file's table.
    pub fn table(&self, source: &Source, wanted: Wanted<'_>) -> Result<Table, Problem> {
        let state = state(source);
        let known = |tables: &BTreeMap<String, Kept>| {
            let kept = tables.get(&source.spec.name)?;
            (state.is_some() && Some(kept.state) == state).then(|| kept.table.clone())
        };
        if let Some(table) = known(&self.kept()) {
            return Ok(table);
        }
        let mut loader = query::loader(source).map_err(|failure| said(failure.message))?;
        let table = loop {
            heed(wanted)?;
            let step = loader
                .step(SLICE)
                .map_err(|error| said(error.to_string()))?;
            if let Progress::Done(table) = step {
                break table;
            }
        };
        if let Some(state) = state {
            self.keep(
                source,
                Kept {
                    state,
                    table: table.clone(),
                },
            );
        }
        Ok(table)
    }

    /// Keeps a table, if all that is kept stays within a quarter of the memory.
    fn keep(&self, source: &Source, new: Kept) {
        let mut tables = self.kept();
        tables.remove(&source.spec.name);
        let all: usize = tables.values().map(|kept| kept.table.memory()).sum();
        if all + new.table.memory() <= query::memory() / 4 {
            tables.insert(source.spec.name.clone(), new);
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells one state of a file from another.
fn state(source: &Source) -> Option<(u64, SystemTime)> {
    let meta = fs::metadata(&source.path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// The rows that were made between two times; all of a table that does not say when.
fn within(table: &Table, (start, end): Between) -> Result<Table, TableError> {
    let columns = table.columns();
    let is_time = |at: &usize| {
        columns
            .get(*at)
            .is_some_and(|c| c.ty == KustoType::DateTime)
    };
    let Some(at) = table.index_of(TIME).filter(is_time) else {
        return Ok(table.clone());
    };
    let (start, end) = (Int64Array::new_scalar(start), Int64Array::new_scalar(end));
    let mut kept = Table::empty(table.shared_columns());
    for batch in table.batches() {
        let times = batch.column(at).as_primitive::<Int64Type>();
        let inside = and(&gt_eq(times, &start)?, &lt_eq(times, &end)?)?;
        kept.push(filter_record_batch(batch, &inside)?)?;
    }
    Ok(kept)
}

/// Runs a query to its end, or until nobody wants it.
fn finish(
    mut running: Running,
    text: &str,
    wanted: Wanted<'_>,
    plugins: &Callable<'_>,
) -> Result<QueryResult, Problem> {
    loop {
        heed(wanted)?;
        match running.step(SLICE) {
            Ok(Step::More) => {}
            Ok(Step::Done(result)) => return Ok(result),
            Ok(Step::Call(calls)) => {
                plugins.answer(&mut running, &calls, &|| wanted().is_none());
            }
            Err(QueryError::Diagnostics(wrong)) => return Err(at(text, &wrong)),
            Err(error) => return Err(said(error.to_string())),
        }
    }
}

fn heed(wanted: Wanted<'_>) -> Result<(), Problem> {
    match wanted() {
        None => Ok(()),
        Some(Stop::Gone) => Err(said("nobody waits for the result".into())),
        Some(Stop::TimeUp) => Err(Problem {
            hint: Some("filter earlier, or start spoor serve with a longer --query-timeout".into()),
            ..said("the query took longer than it may".into())
        }),
    }
}

fn said(message: String) -> Problem {
    Problem {
        message,
        ..Problem::default()
    }
}

/// A query's diagnostics: the first of them, and each with its place.
fn at(text: &str, wrong: &[Diagnostic]) -> Problem {
    let Some(first) = wrong.first() else {
        return said("the query is wrong".into());
    };
    let mistake = |diagnostic: &Diagnostic| Mistake {
        start: position(text, diagnostic.span.start),
        end: position(text, diagnostic.span.end),
        message: diagnostic.message.clone(),
        hint: diagnostic.hint.clone(),
    };
    Problem {
        message: first.message.clone(),
        place: Some(line_column(text, first.span.start)),
        hint: first.hint.clone(),
        mistakes: wrong.iter().take(MISTAKES).map(mistake).collect(),
    }
}

/// The code point at which a byte is.
fn position(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count()
}
