//! Requests of a front end and the work that answers them.

use std::collections::VecDeque;
use std::time::Instant;

use serde_json::{Map, Value};

use crate::cell::Cell;
use crate::output::Failure;
use crate::page::ForPage;
use crate::running::Running;
use crate::session::Names;
use crate::values::Values;

/// What a front end asks for, as in Jupyter's messages.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    Execute(Execute),
    Complete {
        code: String,
        cursor_pos: usize,
    },
    Inspect {
        code: String,
        cursor_pos: usize,
        detail_level: u8,
    },
    IsComplete {
        code: String,
    },
    /// What is wrong with a Python source.
    Diagnose {
        code: String,
    },
    Describe {
        table: String,
        rows: usize,
    },
}

/// A cell to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Execute {
    pub cell_id: Option<String>,
    pub code: String,
    pub silent: bool,
    pub allow_stdin: bool,
}

impl Ask {
    /// The source that it is about; nothing for a table.
    pub(crate) fn code(&self) -> &str {
        match self {
            Ask::Execute(execute) => &execute.code,
            Ask::Complete { code, .. }
            | Ask::Inspect { code, .. }
            | Ask::IsComplete { code }
            | Ask::Diagnose { code } => code,
            Ask::Describe { .. } => "",
        }
    }

    /// The type of the message that answers it.
    pub(crate) fn reply_type(&self) -> &'static str {
        match self {
            Ask::Execute(_) => "execute_reply",
            Ask::Complete { .. } => "complete_reply",
            Ask::Inspect { .. } => "inspect_reply",
            Ask::IsComplete { .. } => "is_complete_reply",
            Ask::Diagnose { .. } => "diagnose_reply",
            Ask::Describe { .. } => "describe_reply",
        }
    }

    /// Whether it is a request of Jupyter's, which the session's status goes with.
    pub(crate) fn has_status(&self) -> bool {
        !matches!(self, Ask::Diagnose { .. })
    }
}

/// The request that is being answered.
pub(crate) struct Request {
    pub id: String,
    pub ask: Ask,
    pub begun: Instant,
    /// The cell's language, for `Ask::Execute`.
    pub cell: Cell,
    /// The count that the cell got; for a silent one the session's.
    pub count: u64,
    /// Rows of a KQL cell's result.
    pub rows: Option<usize>,
    /// What is said of a KQL cell's result where it comes from.
    pub origin: Option<Map<String, Value>>,
    /// What to add where its query fails.
    pub note: Option<String>,
    /// What the cell reads and writes.
    pub names: Names,
    /// Its work waits for a driver's `Data` or `Fetched`.
    pub awaits_data: bool,
    pub work: Work,
}

/// What a request waits for.
pub(crate) enum Work {
    /// A KQL cell's query.
    Query(Running),
    /// A KQL cell's result, being written for the page.
    Page(Box<ForPage>),
    /// Tables that completion, inspection or a description wants to know.
    Tables(VecDeque<String>),
    /// The Python guest.
    Python(Turn),
}

/// A turn of the Python guest.
#[derive(Default)]
pub(crate) struct Turn {
    /// The guest has asked what to do.
    pub told: bool,
    /// The kept results that it was told to bind.
    pub bound: Vec<String>,
    /// Those of them that it has not fetched yet.
    pub to_fetch: Vec<String>,
    /// What the guest answered.
    pub done: Option<Map<String, Value>>,
    /// Python's values after it, if it ran code.
    pub values: Option<Values>,
    /// The upcall that waits for its answer.
    pub upcall: Option<Upcall>,
}

/// An upcall that is not answered at once.
pub(crate) enum Upcall {
    /// `kql(...)`.
    Query {
        running: Running,
        keep: Option<String>,
    },
    /// `input()`.
    Input,
}

/// How a request ended.
pub(crate) enum Ending {
    /// With these fields of a reply whose status is `ok`.
    Ok(Map<String, Value>),
    /// With an error, which is also published if it comes from a cell.
    Failed(Failure),
    /// With the reply that the Python guest made; it has published its errors itself.
    Guest(Map<String, Value>),
    /// Not run, or not to its end: the session was restarted.
    Aborted,
}

impl Request {
    /// Whose output displays belong to: the cell, or the request where it has no id.
    pub(crate) fn owner(&self) -> &str {
        match &self.ask {
            Ask::Execute(Execute {
                cell_id: Some(id), ..
            }) => id,
            _ => &self.id,
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        matches!(&self.ask, Ask::Execute(Execute { silent: true, .. }))
    }
}
