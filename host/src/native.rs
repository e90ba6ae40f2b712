//! Queries that run natively: what `spoor serve`, and a session whose cell says `%%kql host`, ask of an engine.
//!
//! The engine is behind [`Query`], so that neither of them knows it. It asks often whether it is still wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use spoor_protocol::{FetchError, Mistake};

/// Queries that run at once. Each uses all cores; the next waits.
pub const AT_ONCE: usize = 2;

/// What runs queries.
pub trait Query: Send + Sync {
    /// Runs a query to its end and writes its result to `out` as an Arrow IPC stream, the schema as soon as
    /// it is known to succeed. Asks `watch` some times a second, and ends with any problem when that says so.
    ///
    /// # Errors
    /// Why there is no result.
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<(), Problem>;
}

/// Why a query has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nobody waits for it any more.
    Gone,
    /// Its time is up.
    TimeUp,
}

/// Tells a running query whether it is still wanted.
pub struct Watch {
    gone: Box<dyn Fn() -> bool + Send>,
    end: Option<Instant>,
}

impl Watch {
    /// For a query that nobody waits for once `gone` says so, and whose time is up at `end`.
    pub fn new(gone: impl Fn() -> bool + Send + 'static, end: Option<Instant>) -> Self {
        Self {
            gone: Box::new(gone),
            end,
        }
    }

    /// Why the query has to stop; `None` while it need not.
    pub fn stop(&self) -> Option<Stop> {
        if (self.gone)() {
            return Some(Stop::Gone);
        }
        let late = self.end.is_some_and(|end| Instant::now() >= end);
        late.then_some(Stop::TimeUp)
    }
}

/// Why a query gives no result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where in the query: line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// What to do about it.
    pub hint: Option<String>,
    /// All that is wrong with the query's text, if that is what is wrong.
    pub mistakes: Vec<Mistake>,
}

impl From<Problem> for FetchError {
    fn from(problem: Problem) -> Self {
        Self {
            message: problem.message,
            hint: problem.hint,
            mistakes: problem.mistakes,
        }
    }
}

/// Who runs queries in the kernel's stead, by the names that cells call them by.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<String, Arc<dyn Query>>);

impl Providers {
    /// The provider `host` alone: this machine.
    pub fn host(engine: Arc<dyn Query>) -> Self {
        Self(BTreeMap::from([("host".to_owned(), engine)]))
    }

    /// The provider of a name.
    pub fn get(&self, name: &str) -> Option<&dyn Query> {
        self.0.get(name).map(|engine| &**engine)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
