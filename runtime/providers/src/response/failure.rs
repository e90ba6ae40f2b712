//! Answers that are no results: what went wrong, by which name the service's people find it, and what to do.

use std::fmt;

use serde_json::Value;
use spoor_protocol::{FetchError, Mistake};

use super::fault::Fault;
use super::{Answer, DecodeError};
use crate::config::{Service, Workspace};

/// Characters of a body that is no error which are shown.
const MOST_SHOWN: usize = 200;

/// The longest body of an error that is read, in bytes.
const MOST_BODY: usize = 1 << 20;

/// Headers with the name by which a service's people find a request.
const REQUEST_IDS: [&str; 3] = [
    "x-ms-request-id",
    "request-id",
    "x-ms-correlation-request-id",
];

/// A service's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The status; 200 where a good answer turned out to be an error.
    pub status: u16,
    /// What the service says.
    pub fault: Fault,
    /// By which the service's people find the request.
    pub request_id: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The `Retry-After` header, or the service's own in its place, for [`crate::retry`].
    pub retry_after: Option<String>,
}

/// What an answer without a good status says.
pub fn failure(workspace: &Workspace, answer: &Answer<'_>) -> ServiceError {
    let body = answer
        .body
        .get(..MOST_BODY.min(answer.body.len()))
        .unwrap_or_default();
    let said = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|value| Fault::of(&value));
    let fault = said.unwrap_or_else(|| unexplained(workspace, answer.status, body));
    told(workspace, answer, fault)
}

/// A fault with what the headers say.
fn told(workspace: &Workspace, answer: &Answer<'_>, mut fault: Fault) -> ServiceError {
    fault.activity_id = fault
        .activity_id
        .or_else(|| header(answer, &["x-ms-activity-id"]));
    if is_overrun(workspace, answer.status) {
        fault.permanent = Some(true);
    }
    ServiceError {
        status: answer.status,
        request_id: header(answer, &REQUEST_IDS),
        hint: hint(workspace, answer, &fault),
        retry_after: retry_after(workspace, answer),
        fault,
    }
}

impl ServiceError {
    /// Of an answer whose status was good, and which says that there was an error; `None` for other trouble. `headers` are the
    /// answer's.
    pub fn of_decoding(
        workspace: &Workspace,
        headers: &[(&str, &str)],
        error: &DecodeError,
    ) -> Option<Self> {
        let DecodeError::Service(fault) = error else {
            return None;
        };
        let answer = Answer {
            status: 200,
            headers,
            body: &[],
        };
        Some(told(workspace, &answer, fault.as_ref().clone()))
    }

    /// As the kernel shows it, with its place in the query.
    pub fn to_fetch_error(&self, query: &str) -> FetchError {
        let mut error = FetchError::new(self.to_string());
        error.hint.clone_from(&self.hint);
        if let Some(place) = &self.fault.place {
            let (start, end) = place.span(query);
            error.mistakes.push(Mistake {
                start,
                end,
                message: self.fault.message.clone(),
                hint: self.hint.clone(),
            });
        }
        error
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        match &self.request_id {
            Some(id) => write!(f, " [request {id}]"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServiceError {}

/// Most likely a page of something that stands between.
fn unexplained(workspace: &Workspace, status: u16, body: &[u8]) -> Fault {
    let service = workspace.service.title();
    let start = body.get(..MOST_SHOWN * 4).unwrap_or(body);
    let start = String::from_utf8_lossy(start.trim_ascii());
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let start: String = start.chars().take(MOST_SHOWN).map(shown).collect();
    Fault::told(if matches!(start.as_str(), "" | "{}" | "[]" | "null") {
        format!("{service} answered with status {status} and no reason")
    } else {
        format!("{service} answered with status {status} and '{start}'")
    })
}

/// An identifier in a header. What is no plain text is none.
fn header(answer: &Answer<'_>, names: &[&str]) -> Option<String> {
    let found = names.iter().find_map(|name| answer.header(name))?.trim();
    let plain = !found.is_empty()
        && found.len() <= 200
        && found.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    plain.then(|| found.to_owned())
}

/// When to ask again. Resource Graph says it with every answer, in a header of its own.
fn retry_after(workspace: &Workspace, answer: &Answer<'_>) -> Option<String> {
    let graph = matches!(workspace.service, Service::ResourceGraph { .. }) && answer.status == 429;
    let own = || header(answer, &["x-ms-user-quota-resets-after"]);
    header(answer, &["retry-after"]).or_else(|| graph.then(own)?)
}

/// Log Analytics' documentation has 504 for queries that take longer than they may: asking again takes as long again.
fn is_overrun(workspace: &Workspace, status: u16) -> bool {
    status == 504 && matches!(workspace.service, Service::LogAnalytics { .. })
}

fn hint(workspace: &Workspace, answer: &Answer<'_>, fault: &Fault) -> Option<String> {
    let name = &workspace.name;
    let codes = || std::iter::once(&fault.code).chain(fault.inner.iter().map(|inner| &inner.code));
    Some(match answer.status {
        300..=399 => {
            "the server sends the request elsewhere: check the workspace's endpoint".to_owned()
        }
        401 => format!("sign in to the workspace '{name}' again"),
        403 => format!("ask for {}", role(&workspace.service)),
        404 => missing(&workspace.service),
        429 => match retry_after(workspace, answer) {
            Some(after) => format!("too many queries at once; wait for {}", waiting(&after)),
            None => {
                "too many queries at once, or too much of the service's time; wait and try again"
                    .to_owned()
            }
        },
        413 => "ask for fewer rows or columns, or for a shorter time".to_owned(),
        504 => overrun(workspace),
        500..=599 => "the service has trouble of its own; try again later".to_owned(),
        _ if codes().any(|code| code.contains("DatabaseNotExist")) => missing(&workspace.service),
        _ => return None,
    })
}

fn waiting(after: &str) -> String {
    let seconds = after.bytes().all(|byte| byte.is_ascii_digit());
    if seconds {
        format!("{after} seconds")
    } else {
        format!("the time {after}")
    }
}

/// What lets a user read, as the services' documentation names it.
fn role(service: &Service) -> &'static str {
    match service {
        Service::LogAnalytics { .. } => {
            "the role Log Analytics Reader or Microsoft Sentinel Reader on the workspace"
        }
        Service::Kusto { .. } => {
            "the role viewer of the database, or All Databases Viewer of the cluster"
        }
        Service::Defender => {
            "the permission ThreatHunting.Read.All for the application, and the role Security Reader for yourself"
        }
        Service::ResourceGraph { .. } => "the role Reader on the subscriptions",
        Service::Spoor { .. } => "the role responder on that server, for this workspace",
        Service::Local => "nothing: it is this session's own data",
    }
}

fn missing(service: &Service) -> String {
    match service {
        Service::LogAnalytics { workspace_id } => {
            format!("check 'workspace-id', which is {workspace_id}, and 'cloud'")
        }
        Service::Kusto { database } | Service::Spoor { database } => {
            format!("check 'endpoint' and 'database', which is '{database}'")
        }
        _ => "check 'endpoint' and 'cloud'".to_owned(),
    }
}

fn overrun(workspace: &Workspace) -> String {
    let seconds = workspace.limits.timeout_seconds;
    format!(
        "the query took longer than {seconds} seconds: look at a shorter time, or raise 'limits.timeout-seconds'"
    )
}
