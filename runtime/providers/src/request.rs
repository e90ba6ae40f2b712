//! What to send for a query: method, address, headers and body. Never an `Authorization` header: the driver that holds the
//! token adds it, to the address that stands here and to no other.
//!
//! An identifier that the driver makes up goes with each request, so that the service's own records can be found again, and
//! so that Kusto's queries can be cancelled.

mod kusto;
mod log_analytics;
mod resources;
mod timespan;

use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::config::{Remote, Service, Workspace};
use crate::response::Form;

pub use resources::PAGE_ROWS;

/// What the services see of who asks.
const APPLICATION: &str = "Spoor";

/// Time for an answer to travel, beyond what the service may take to find it.
const TRAVEL: Duration = Duration::from_secs(30);

/// The longest query, in bytes. Services stop earlier.
const MOST_TEXT: usize = 1 << 20;

/// A query of a workspace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// KQL.
    pub text: &'a str,
    /// The time that it looks at, in ISO 8601: a duration (`P1D`), or two of times and duration (`start/end`).
    pub timespan: Option<&'a str>,
    /// What the request is called in the service's records: letters, digits, `-`, `_`, `.` and `;`, unique.
    pub id: &'a str,
    /// The page to go on with, as the last answer's [`crate::response::Outcome::next`] says.
    pub page: Option<&'a str>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With one.
    Post,
}

impl Method {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// A request to a workspace's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How it is made.
    pub method: Method,
    /// Where it goes: an address at the workspace's origin.
    pub url: Url,
    /// Headers, none of which identifies anyone.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for [`Method::Get`].
    pub body: Vec<u8>,
    /// How long to wait for the whole answer.
    pub timeout: Duration,
    /// How the answer is read.
    pub form: Form,
}

/// Why there is nothing to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The workspace is the session itself.
    #[error("workspace '{0}' is this session's own data, which is not asked over a network")]
    Local(String),
    /// There is no text.
    #[error("the query is empty")]
    Empty,
    /// There is too much of it.
    #[error("the query is longer than {} KiB; load its lists as a table instead", MOST_TEXT >> 10)]
    TooLong,
    /// The time span is none.
    #[error(
        "'{text}' is no time span; write a duration as P1D or PT4H, or two times with '/' between them"
    )]
    Timespan {
        /// What was given.
        text: String,
    },
    /// The service takes none beside the query.
    #[error(
        "{service} takes no time span beside the query; write it in the query: | where Timestamp > ago(1d)"
    )]
    NoTimespan {
        /// The service.
        service: &'static str,
    },
    /// A management command that changes something.
    #[error(
        "'{command}' is a management command; only .show is sent, as the others can change the cluster"
    )]
    Command {
        /// Its first word.
        command: String,
    },
    /// Pages are Resource Graph's.
    #[error("{service} gives no pages")]
    NoPages {
        /// The service.
        service: &'static str,
    },
    /// The identifier cannot stand in a header.
    #[error("the request's identifier '{0}' cannot be sent")]
    Id(String),
    /// The body could not be written.
    #[error("the request could not be written: {0}")]
    Body(String),
}

/// The request for a query.
pub fn query(workspace: &Workspace, query: &Query<'_>) -> Result<Request, RequestError> {
    let remote = remote(workspace)?;
    check(workspace, query)?;
    let asked = Asked {
        workspace,
        remote,
        query,
    };
    match &workspace.service {
        Service::LogAnalytics { workspace_id } => log_analytics::query(&asked, workspace_id),
        Service::Kusto { database } | Service::Spoor { database } => kusto::query(&asked, database),
        Service::Defender => resources::hunting(&asked),
        Service::ResourceGraph { subscriptions } => resources::graph(&asked, subscriptions),
        Service::Local => Err(RequestError::Local(workspace.name.clone())),
    }
}

/// The request that ends a query which was sent as `running`, if the service has one; closing the connection is all that can be
/// done elsewhere. `id` is this request's own identifier. Whether the service has ended it is in its answer.
pub fn cancel(
    workspace: &Workspace,
    running: &str,
    id: &str,
) -> Result<Option<Request>, RequestError> {
    let remote = remote(workspace)?;
    check_id(running)?;
    check_id(id)?;
    let query = Query {
        id,
        ..Query::default()
    };
    let asked = Asked {
        workspace,
        remote,
        query: &query,
    };
    match &workspace.service {
        Service::Kusto { database } | Service::Spoor { database } => {
            kusto::cancel(&asked, database, running).map(Some)
        }
        _ => Ok(None),
    }
}

/// The request for the tables and columns of a workspace, if the service tells them.
pub fn schema(workspace: &Workspace, id: &str) -> Result<Option<Request>, RequestError> {
    let remote = remote(workspace)?;
    check_id(id)?;
    let query = Query {
        id,
        ..Query::default()
    };
    let asked = Asked {
        workspace,
        remote,
        query: &query,
    };
    match &workspace.service {
        Service::LogAnalytics { workspace_id } => {
            Ok(Some(log_analytics::schema(&asked, workspace_id)))
        }
        Service::Kusto { database } | Service::Spoor { database } => {
            kusto::schema(&asked, database).map(Some)
        }
        Service::Defender | Service::ResourceGraph { .. } | Service::Local => Ok(None),
    }
}

/// Everything that a request is made of.
struct Asked<'a> {
    workspace: &'a Workspace,
    remote: &'a Remote,
    query: &'a Query<'a>,
}

impl Asked<'_> {
    fn post(
        &self,
        segments: &[&str],
        form: Form,
        id_header: &'static str,
        body: &impl Serialize,
    ) -> Result<Request, RequestError> {
        let body =
            serde_json::to_vec(body).map_err(|error| RequestError::Body(error.to_string()))?;
        Ok(Request {
            method: Method::Post,
            url: self.remote.origin.join(segments),
            headers: vec![
                ("content-type", "application/json; charset=utf-8".to_owned()),
                ("accept", "application/json".to_owned()),
                (id_header, self.query.id.to_owned()),
            ],
            body,
            timeout: self.timeout(),
            form,
        })
    }

    fn seconds(&self) -> u32 {
        self.workspace.limits.timeout_seconds
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds())) + TRAVEL
    }
}

fn remote(workspace: &Workspace) -> Result<&Remote, RequestError> {
    let remote = workspace.remote.as_ref();
    remote.ok_or_else(|| RequestError::Local(workspace.name.clone()))
}

fn check(workspace: &Workspace, query: &Query<'_>) -> Result<(), RequestError> {
    check_id(query.id)?;
    if query.text.trim().is_empty() {
        return Err(RequestError::Empty);
    }
    if query.text.len() > MOST_TEXT {
        return Err(RequestError::TooLong);
    }
    let service = workspace.service.title();
    if let Some(text) = query.timespan {
        if !matches!(
            workspace.service,
            Service::LogAnalytics { .. } | Service::Defender
        ) {
            return Err(RequestError::NoTimespan { service });
        }
        if !timespan::is_one(text) {
            return Err(RequestError::Timespan {
                text: text.to_owned(),
            });
        }
    }
    if query.page.is_some() && !matches!(workspace.service, Service::ResourceGraph { .. }) {
        return Err(RequestError::NoPages { service });
    }
    Ok(())
}

/// What may stand in a header and between the quotation marks of `.cancel query`.
fn check_id(id: &str) -> Result<(), RequestError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ';');
    if id.is_empty() || id.len() > 200 || !id.chars().all(plain) {
        return Err(RequestError::Id(
            id.chars().take(50).flat_map(char::escape_default).collect(),
        ));
    }
    Ok(())
}
