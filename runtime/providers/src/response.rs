//! What answers say: tables, and how far they are to be believed.
//!
//! A driver makes a [`Decoder`] for a request's [`Form`], hands it the body's bytes as they come, and gets an [`Outcome`]. A service
//! may answer 200 and yet not have done all that was asked: what it says of that, and rows that are not as many as they are said to be,
//! make the outcome [`Completeness::Partial`]. An answer that ends before its end, or lacks what makes it a result, is a
//! [`DecodeError`]. Any other status than 200 is [`failure`]'s.

mod budget;
mod cells;
mod columns;
mod decoder;
mod defender;
mod failure;
mod fault;
mod frames;
mod kusto_v1;
mod kusto_v2;
mod log_analytics;
mod objects;
mod permissions;
mod place;
mod render;
mod resource_graph;
mod rows;
mod schema;
mod small;
mod status;
mod tables;
mod told;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spoor_table::{Table, TableError};

use crate::config::Limits;
use budget::{Budget, Cut};

pub use decoder::{Answer, Decoder, Progress, decode};
pub use failure::{ServiceError, failure};
pub use fault::{Fault, Inner};
pub use place::Place;
pub use render::Render;
pub use schema::{TableSchema, decode_schema};

/// Reasons that are kept: a result that is partial for more is no less so.
const MOST_REASONS: usize = 100;

/// What is missing of a result with a next page.
const MORE: &str = "there is a next page, which is not here";

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Log Analytics' query API, version 1.
    LogAnalytics,
    /// Log Analytics' metadata: see [`decode_schema`].
    LogAnalyticsSchema,
    /// Kusto's version 1: one object with all tables.
    KustoV1,
    /// Kusto's version 2: an array of frames.
    KustoV2,
    /// Kusto's version 1 with a database's schema: see [`decode_schema`].
    KustoSchema,
    /// Microsoft Graph's `runHuntingQuery`.
    Defender,
    /// Azure Resource Graph.
    ResourceGraph,
}

/// A table of an answer.
#[derive(Clone, Debug)]
pub struct Named {
    /// What the service calls it; `PrimaryResult` as a rule.
    pub name: String,
    /// Its rows.
    pub table: Table,
}

/// What a query came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The results: more than one where the query has several, none where the service says that there is nothing.
    pub tables: Vec<Named>,
    /// How the query asks to be drawn.
    pub render: Option<Render>,
    /// What the query took, as the service tells it.
    pub statistics: Option<Value>,
    /// Whether that is all.
    pub completeness: Completeness,
    /// Where the next page begins: to be asked with [`crate::request::Query::page`].
    pub next: Option<String>,
    /// How many rows there are over all pages, where the service says so.
    pub total_rows: Option<u64>,
}

/// Whether a result is all that was asked for. Drivers write it beside the rows for the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// As far as the service says.
    #[default]
    Complete,
    /// Something is missing.
    Partial {
        /// Why, in the order in which it was learnt; never empty.
        reasons: Vec<Reason>,
    },
}

/// Why something is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of reason it is.
    pub cause: Cause,
    /// What the service says; of the crate's own reasons, what happened.
    pub fault: Fault,
}

/// Kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The service reports an error beside the rows.
    Service,
    /// The query was cancelled before its end.
    Cancelled,
    /// The workspace's own limits of rows or bytes.
    Limit,
    /// The service gives no more than this in one answer, or says that it left something out.
    Truncated,
    /// Sources were left out that the user may not read.
    Permissions,
    /// The answer contradicts itself, or ends before its end.
    Broken,
}

impl Completeness {
    /// The reasons; none of a complete result.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Completeness::Complete => &[],
            Completeness::Partial { reasons } => reasons,
        }
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        matches!(self, Completeness::Complete)
    }

    pub(crate) fn add(&mut self, cause: Cause, fault: Fault) {
        let reason = Reason { cause, fault };
        match self {
            Completeness::Complete => {
                *self = Completeness::Partial {
                    reasons: vec![reason],
                };
            }
            // Kusto reports an error where it happened and again at the end.
            Completeness::Partial { reasons }
                if reasons.len() >= MOST_REASONS || reasons.contains(&reason) => {}
            Completeness::Partial { reasons } => reasons.push(reason),
        }
    }

    /// Takes in the reasons of another.
    pub(crate) fn take_in(&mut self, other: &Completeness) {
        for reason in other.reasons() {
            self.add(reason.cause, reason.fault.clone());
        }
    }

    /// Takes back a reason of the crate's own.
    fn forget(&mut self, message: &str) {
        if let Completeness::Partial { reasons } = self {
            reasons.retain(|reason| reason.fault.message != message);
            if reasons.is_empty() {
                *self = Completeness::Complete;
            }
        }
    }

    pub(crate) fn note(&mut self, cause: Cause, message: impl Into<String>) {
        self.add(cause, Fault::told(message));
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            Cause::Service => "the service reports an error",
            Cause::Cancelled => "the query was cancelled",
            Cause::Limit => "the result was cut",
            Cause::Truncated => "the service left rows out",
            Cause::Permissions => "sources were left out that you may not read",
            Cause::Broken => "the answer is not whole",
        };
        write!(f, "{what}: {}", self.fault)
    }
}

impl Outcome {
    /// Puts the rows of the next page behind these, up to the limits in all. Fails where its columns are others, and where a page leads
    /// to itself or has no rows and leads on: there would be no end. The result is partial until its last page.
    pub fn append(&mut self, page: Outcome, limits: Limits) -> Result<(), DecodeError> {
        if page.next.is_some() && (page.rows() == 0 || page.next == self.next) {
            let told = "its pages lead nowhere: the next one has no rows, or is the same again";
            return Err(DecodeError::Shape(told.to_owned()));
        }
        self.completeness.forget(MORE);
        self.completeness.take_in(&page.completeness);
        self.next = page.next;
        self.total_rows = page.total_rows.or(self.total_rows);
        for other in page.tables {
            let Some(own) = self.tables.iter().position(|own| own.name == other.name) else {
                return Err(DecodeError::Shape(
                    "the pages of the result have different tables".to_owned(),
                ));
            };
            self.extend(own, &other.table, limits)?;
        }
        Ok(())
    }

    fn extend(&mut self, at: usize, page: &Table, limits: Limits) -> Result<(), DecodeError> {
        let rows = limits.rows.saturating_sub(self.rows());
        let bytes = limits.bytes.saturating_sub(self.bytes());
        let own = &mut self.tables[at].table;
        if own.columns() != page.columns() {
            return Err(DecodeError::Shape(
                "the pages of the result have different columns".to_owned(),
            ));
        }
        let kept = if page.memory() > bytes { 0 } else { rows };
        for batch in page.slice(0, kept).batches() {
            own.push(batch.clone())?;
        }
        if kept < page.rows() {
            self.next = None;
            self.completeness.forget(MORE);
            let budget = Budget::new(limits);
            let cut = if kept < rows { Cut::Bytes } else { Cut::Rows };
            self.completeness.note(Cause::Limit, budget.told(cut));
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.tables.iter().map(|named| named.table.memory()).sum()
    }

    /// Rows over all tables.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|named| named.table.rows()).sum()
    }
}

/// Why an answer with a good status cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The connection ended, or the service stopped writing.
    #[error("the answer ends after {bytes} bytes, in the middle; run the query again")]
    Cut {
        /// Bytes that came.
        bytes: usize,
    },
    /// What came is no result, or not all of one.
    #[error(
        "the service answered with status {0}, under which there is no whole result; run the query again"
    )]
    Status(u16),
    /// There is nothing at all, where the service always answers something.
    #[error("the service answered with nothing; run the query again")]
    Empty,
    /// Most likely a page of something that stands between.
    #[error(
        "the answer is not JSON; it begins with '{start}': see whether a proxy or a sign-in page stands between"
    )]
    NotJson {
        /// Its first characters.
        start: String,
    },
    /// JSON that breaks the protocol, or is none after all.
    #[error("the answer cannot be read: {0}")]
    Json(String),
    /// The protocol is kept, and yet it makes no sense.
    #[error("the answer cannot be read: {0}")]
    Shape(String),
    /// More than the workspace allows.
    #[error(
        "the answer is longer than {limit} bytes, the limit of the workspace; ask for fewer rows or columns"
    )]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The whole answer is an error, though its status was a good one.
    #[error("{0}")]
    Service(Box<Fault>),
    /// The columns and rows do not make a table.
    #[error("the answer makes no table: {0}")]
    Table(#[from] TableError),
}

impl DecodeError {
    /// What serde says of `body`.
    pub(crate) fn of(error: &serde_json::Error, body: &[u8]) -> Self {
        let start = body.trim_ascii_start();
        if start.is_empty() {
            return DecodeError::Empty;
        }
        if error.is_eof() {
            return DecodeError::Cut { bytes: body.len() };
        }
        if !matches!(start.first(), Some(b'{' | b'[')) {
            let text = String::from_utf8_lossy(start.get(..60).unwrap_or(start));
            let start = text
                .chars()
                .take(40)
                .flat_map(char::escape_default)
                .collect();
            return DecodeError::NotJson { start };
        }
        DecodeError::Json(error.to_string())
    }
}
