//! One query, from its text to its result, in slices: load what it reads, plan it, run it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use spoor_kql::{PluginCall, Query, QueryError, Step};
use spoor_kql_syntax::{Diagnostic, render};
use spoor_protocol::PluginOutcome;
use spoor_table::{Table, Value, ticks};

use crate::bundle::{Answer, Render};
use crate::catalogue::{Catalogue, Loading};
use crate::output::{Failure, Output, red};
use crate::plugins::Calling;
use crate::values;

/// How long a step works before it comes back, so that an interrupt can be delivered.
pub(crate) const SLICE: Duration = Duration::from_millis(30);

/// A query on its way.
pub(crate) struct Job {
    text: String,
    /// The query as people wrote it, in which everything has the same place.
    whole: String,
    /// Tables that it alone reads.
    beside: Vec<(String, Table)>,
    reads: Vec<String>,
    wanted: VecDeque<String>,
    /// Python's values that the text mentions.
    values: BTreeMap<String, Value>,
    /// Those of them that it uses.
    used: Vec<String>,
    query: Option<Query>,
    /// The calls of plugins that it waits for, by their numbers in the session.
    calls: BTreeMap<u64, Calling>,
    /// What their answers have beside the query's rows.
    more: Vec<Answer>,
}

/// The most further tables and charts of plugins that a query's result has.
const MOST_MORE: usize = 16;

/// How far a query has come.
pub(crate) enum Progress {
    /// A driver's `Data` is awaited.
    Waiting,
    /// The slice is over.
    More,
    /// It has ended.
    Done(Result<Answer, Failure>),
}

impl Job {
    /// The query `text`; nothing is done yet.
    pub(crate) fn new(text: String, catalogue: &Catalogue) -> Self {
        let reads = catalogue.references(&text);
        let wanted = catalogue.unloaded(&reads);
        Self {
            whole: text.clone(),
            text,
            beside: Vec::new(),
            reads,
            wanted,
            values: BTreeMap::new(),
            used: Vec::new(),
            query: None,
            calls: BTreeMap::new(),
            more: Vec::new(),
        }
    }

    /// The query `text`, which is left of `whole`, over tables that it alone reads, beside those of the catalogue.
    pub(crate) fn over(
        text: String,
        whole: String,
        beside: Vec<(String, Table)>,
        catalogue: &Catalogue,
    ) -> Self {
        Self {
            whole,
            beside,
            ..Self::new(text, catalogue)
        }
    }

    /// Lets the query use `values` by their names.
    pub(crate) fn with_values(self, values: BTreeMap<String, Value>) -> Self {
        Self { values, ..self }
    }

    /// Those of its values that it uses, once they are known.
    pub(crate) fn take_used(&mut self) -> Vec<String> {
        std::mem::take(&mut self.used)
    }

    /// The tables that the query may read.
    pub(crate) fn reads(&self) -> &[String] {
        &self.reads
    }

    /// Has the driver make calls that the query waits for.
    fn call(
        &mut self,
        calls: Vec<PluginCall>,
        catalogue: &mut Catalogue,
        out: &mut Output,
    ) -> Progress {
        for call in calls {
            let plugin = call.function.plugin.clone();
            let Some((number, calling)) = catalogue.plugins.call(call, out) else {
                let message = format!("the plugin {plugin} was taken away while the query ran");
                return Progress::Done(Err(Failure::new("KqlError", message)));
            };
            self.calls.insert(number, calling);
        }
        Progress::Waiting
    }

    /// Takes what came of a call; `false` if the query does not wait for it.
    pub(crate) fn called(&mut self, number: u64, outcome: PluginOutcome, bytes: &[u8]) -> bool {
        let (Some(calling), Some(query)) = (self.calls.remove(&number), &mut self.query) else {
            return false;
        };
        // Its stream may have given it up meanwhile, as below a `take`; the query goes on all the same.
        let called = calling.ended(outcome, bytes);
        if let Ok(answer) = &called {
            let room = MOST_MORE.saturating_sub(self.more.len());
            self.more.extend(calling.more(answer, room));
        }
        query.answer(calling.number(), called);
        true
    }

    /// Works for a slice.
    pub(crate) fn advance(&mut self, catalogue: &mut Catalogue, out: &mut Output) -> Progress {
        let deadline = Instant::now() + SLICE;
        match catalogue.load(&mut self.wanted, deadline, out) {
            Loading::Ready => {}
            Loading::Waiting => return Progress::Waiting,
            Loading::More => return Progress::More,
            Loading::Failed(failure) => return Progress::Done(Err(failure)),
        }
        let query = match &mut self.query {
            Some(query) => query,
            none => {
                self.used = values::used(&self.text, &self.values, catalogue);
                let values = std::mem::take(&mut self.values);
                let beside = std::mem::take(&mut self.beside);
                catalogue.engine.set_values(values);
                match catalogue.start(&self.text, beside, now()) {
                    Ok(query) => none.insert(query),
                    Err(diagnostics) => {
                        return Progress::Done(Err(refusal(&self.whole, &diagnostics)));
                    }
                }
            }
        };
        match query.step(deadline.saturating_duration_since(Instant::now())) {
            Ok(Step::More) => Progress::More,
            Ok(Step::Call(calls)) => self.call(calls, catalogue, out),
            Ok(Step::Done(result)) => {
                let render = result.render.as_ref().map(|r| Render::read(r, &self.text));
                Progress::Done(Ok(Answer {
                    table: result.table,
                    render,
                    more: std::mem::take(&mut self.more),
                    origin: catalogue.origin(&self.reads, result.lacks),
                }))
            }
            Err(QueryError::Diagnostics(diagnostics)) => {
                Progress::Done(Err(refusal(&self.whole, &diagnostics)))
            }
            Err(error) => Progress::Done(Err(Failure::new("KqlError", error.to_string()))),
        }
    }
}

/// The failure of a query that the engine refused: each diagnostic with its line and a caret.
pub(crate) fn refusal(text: &str, diagnostics: &[Diagnostic]) -> Failure {
    let first = diagnostics
        .first()
        .map_or("the query was refused", |d| d.message.as_str());
    let shown = render(text, diagnostics);
    Failure {
        name: "KqlError".into(),
        value: first.to_string(),
        traceback: shown.lines().map(coloured).collect(),
    }
}

/// Messages and carets in red.
fn coloured(line: &str) -> String {
    let caret = line.trim_start_matches([' ', '|']);
    let is_caret = !caret.is_empty() && caret.chars().all(|c| c == '^');
    if line.starts_with("error") || is_caret {
        red(line)
    } else {
        line.to_string()
    }
}

/// Kusto's ticks of now, by WASI's clock. A clock before 1970 is taken for 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ticks = i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX);
    ticks::UNIX_EPOCH
        .saturating_add(ticks)
        .min(ticks::DATETIME_MAX)
}
