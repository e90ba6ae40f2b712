//! Why there is no whole answer.

use std::time::Duration;

use spoor_providers::endpoint::Refusal;
use spoor_providers::retry::Failure;

/// Why a request has no answer, or only the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the query was stopped")]
    Stopped,
    #[error("the query's time is up")]
    Deadline,
    #[error("there was no whole answer within {0:?}")]
    Time(Duration),
    #[error("there was no connection within {0:?}")]
    ConnectTime(Duration),
    #[error("nothing more of the answer came for {0:?}")]
    Idle(Duration),
    #[error("{0}")]
    Refused(Refusal),
    #[error("it sends the request elsewhere: {0}")]
    Redirect(Refusal),
    #[error("it sent the request on more than {0} times")]
    Redirects(usize),
    #[error("the name {host} cannot be looked up: {cause}")]
    Name { host: String, cause: String },
    #[error("there is no connection: {0}")]
    Connect(String),
    #[error("it cannot show that it is the one asked: {0}")]
    Tls(String),
    #[error("there are no certificates to know a server by: {0}")]
    Roots(String),
    #[error("the request cannot be sent: {0} has a character that no header may have")]
    Unsendable(&'static str),
    #[error("what it answered is no HTTP: {0}")]
    Protocol(String),
    #[error("the connection ended before an answer came")]
    Closed,
    #[error("the connection ended after {0} bytes, in the middle of the answer")]
    Cut(usize),
    #[error("the machine has no room for a connection: {0}")]
    Machine(String),
}

impl Trouble {
    /// Of an error before the head was there.
    pub(super) fn of_head(error: &hyper::Error) -> Self {
        if error.is_parse() {
            Trouble::Protocol(error.to_string())
        } else {
            Trouble::Closed
        }
    }

    /// Of an error after `seen` bytes of the body.
    pub(super) fn of_body(error: &hyper::Error, seen: usize) -> Self {
        if error.is_parse() {
            Trouble::Protocol(error.to_string())
        } else {
            Trouble::Cut(seen)
        }
    }

    /// As what may be tried again; `None` for what would be no better, or is not wanted. A name that cannot be looked up is misspelt
    /// as a rule, and whoever wrote it wants to know at once.
    pub(crate) fn failure(&self) -> Option<Failure<'static>> {
        let answered = match self {
            Trouble::ConnectTime(_) | Trouble::Connect(_) | Trouble::Closed => false,
            Trouble::Cut(_) | Trouble::Idle(_) => true,
            _ => return None,
        };
        Some(Failure::Connection { answered })
    }

    /// Whether a query may still run at the service.
    pub(crate) fn leaves_running(&self) -> bool {
        matches!(
            self,
            Trouble::Stopped
                | Trouble::Deadline
                | Trouble::Time(_)
                | Trouble::Idle(_)
                | Trouble::Closed
                | Trouble::Cut(_)
        )
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Trouble::Stopped => return None,
            Trouble::Deadline => "look at a shorter time, or allow the query more",
            Trouble::Time(_) => {
                "look at a shorter time, or raise the workspace's 'limits.timeout-seconds'"
            }
            Trouble::ConnectTime(_) | Trouble::Connect(_) => {
                "see whether this machine reaches the server; no proxy is used"
            }
            Trouble::Idle(_) | Trouble::Closed | Trouble::Cut(_) => {
                "run the query again, and see what stands between this machine and the service if it stays so"
            }
            Trouble::Refused(_) | Trouble::Redirect(_) | Trouble::Redirects(_) => {
                "check the workspace's 'endpoint', and who answers for its name"
            }
            Trouble::Name { .. } => "check the workspace's 'endpoint', and this machine's network",
            Trouble::Tls(_) | Trouble::Roots(_) => {
                "see whether something stands between, and whether its certificate is among the system's"
            }
            Trouble::Unsendable(_) => "sign in again; check the workspace's configuration",
            Trouble::Protocol(_) => "see whether the workspace's 'endpoint' is that of the service",
            Trouble::Machine(_) => "close what is not needed, and run the query again",
        })
    }
}
