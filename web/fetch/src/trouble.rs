//! Why a query has no result, and how that is told.

use std::time::Duration;

use spoor_protocol::FetchError;
use spoor_providers::config::Workspace;
use spoor_providers::request::RequestError;
use spoor_providers::response::{DecodeError, ServiceError};
use spoor_providers::retry::Failure;

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The browser says no more of it, lest a page learn what is on its user's network.
    #[error("the server does not answer this page")]
    Unreached,
    #[error("the connection ended after {0} bytes, in the middle of the answer")]
    Cut(usize),
    #[error("there was no whole answer within {0:?}")]
    Time(Duration),
    #[error("it sends the request elsewhere, where nothing of a workspace may go")]
    Redirect,
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("nobody is signed in")]
    Token(FetchError),
    #[error(transparent)]
    Service(Box<ServiceError>),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the rows cannot be handed on: {0}")]
    Rows(String),
    #[error("the result is too large")]
    TooLarge,
    #[error("as many queries of the workspace wait as may")]
    Full,
}

impl Failed {
    /// As what may be tried again.
    pub(crate) fn failure(&self) -> Option<Failure<'_>> {
        match self {
            Failed::Unreached => Some(Failure::Connection { answered: false }),
            Failed::Cut(_) => Some(Failure::Connection { answered: true }),
            Failed::Service(error) => Some(Failure::of(error)),
            _ => None,
        }
    }

    /// Whether the service takes the token for none of its own, or for one that is over.
    pub(crate) fn is_unknown_token(&self) -> bool {
        matches!(self, Failed::Service(error) if error.status == 401)
    }

    /// Whether the query may still run at the service.
    pub(crate) fn leaves_running(&self) -> bool {
        match self {
            Failed::Cut(_) | Failed::Time(_) => true,
            Failed::Decode(error) => matches!(error, DecodeError::TooLarge { .. }),
            _ => false,
        }
    }

    /// For people, who wrote `query`; `page` is this page's origin.
    pub(crate) fn told(&self, workspace: &Workspace, query: &str, page: &str) -> FetchError {
        let (service, name) = (workspace.service.title(), &workspace.name);
        let error = match self {
            Failed::Service(error) => return error.to_fetch_error(query),
            Failed::Token(error) => return error.clone(),
            Failed::TooLarge => return FetchError::too_large(),
            Failed::Request(_) | Failed::Decode(_) | Failed::Full => {
                FetchError::new(self.to_string())
            }
            _ => FetchError::new(format!("{service}, workspace '{name}': {self}")),
        };
        match self.hint(page) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn hint(&self, page: &str) -> Option<String> {
        Some(match self {
            Failed::Unreached => format!(
                "see whether it is up and its certificate good; it has to let pages of {page} ask it (CORS; for `spoor serve --api`: --api-origin {page})"
            ),
            Failed::Cut(_) => "run the query again".to_owned(),
            Failed::Time(_) => {
                "look at a shorter time, or raise the workspace's 'limits.timeout-seconds'"
                    .to_owned()
            }
            Failed::Redirect => "check the workspace's 'endpoint'".to_owned(),
            Failed::Full => "wait until some are done".to_owned(),
            _ => return None,
        })
    }
}
