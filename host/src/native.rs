//! Queries that no kernel runs: what `spoor serve`, and a session whose cell says `%%kql host` or names a workspace, ask of others.
//!
//! The engine is behind [`Query`] and the workspaces are behind [`Remote`], so that neither of them knows either. Both ask often
//! whether they are still wanted.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use spoor_protocol::{FetchError, Mistake, Told};
use spoor_table::Table;

/// Queries that run at once. Each uses all cores; the next waits.
pub const AT_ONCE: usize = 2;

/// What runs queries.
pub trait Query: Send + Sync {
    /// Runs a query to its end and writes its result to `out` as an Arrow IPC stream, the schema as soon as
    /// it is known to succeed. Asks `watch` some times a second, and ends with any problem when that says so. Gives the number
    /// of rows.
    ///
    /// # Errors
    /// Why there is no result.
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<u64, Problem>;
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

    /// When its time is up; `None` where nothing but its being unwanted ends it.
    pub fn end(&self) -> Option<Instant> {
        self.end
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

/// A query of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The workspace's name, as the cell gave it.
    pub workspace: &'a str,
    /// The query.
    pub text: &'a str,
    /// The time that it looks at, in ISO 8601.
    pub timespan: Option<&'a str>,
}

/// A workspace's answer: its tables, of which the first is the result, and what is said of them.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The tables; at least one.
    pub tables: Vec<Table>,
    /// What is said beside the rows.
    pub told: Told,
}

/// What asks workspaces, or remembers what they answered.
pub trait Remote: Send + Sync {
    /// Asks a workspace, and gives up when `watch` says so, which it asks some times a second.
    ///
    /// # Errors
    /// Why there is no result: no such workspace, nobody is signed in, the service refuses, it cannot be reached.
    fn ask(&self, asked: Asked<'_>, watch: &Watch) -> Result<Answered, FetchError>;

    /// The workspaces that are the session's own data, and are not asked.
    fn local(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Who runs queries in the kernel's stead.
#[derive(Clone, Default)]
pub struct Providers {
    /// This machine.
    pub host: Option<Arc<dyn Query>>,
    /// The workspaces of the configuration.
    pub remote: Option<Arc<dyn Remote>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("host", &self.host.is_some())
            .field("remote", &self.remote.is_some())
            .finish()
    }
}
