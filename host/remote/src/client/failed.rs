//! Why a query has no result, and how that is told.

use spoor_protocol::FetchError;
use spoor_providers::config::Workspace;
use spoor_providers::request::RequestError;
use spoor_providers::response::{DecodeError, ServiceError};
use spoor_providers::retry::Failure;

use crate::tokens::TokenError;
use crate::wire::Trouble;

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Service(Box<ServiceError>),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("as many queries of the workspace wait as may")]
    Full,
    #[error("the machine gives no random numbers")]
    Random,
    #[error("reading the answer failed, which is a fault of Spoor's")]
    Reading,
}

impl Failed {
    /// As what may be tried again.
    pub(super) fn failure(&self) -> Option<Failure<'_>> {
        match self {
            Failed::Trouble(trouble) => trouble.failure(),
            Failed::Service(error) => Some(Failure::of(error)),
            _ => None,
        }
    }

    /// Whether the service takes the token for none of its own, or for one that is over.
    pub(super) fn is_unknown_token(&self) -> bool {
        matches!(self, Failed::Service(error) if error.status == 401)
    }

    /// Whether the query may still run at the service.
    pub(super) fn leaves_running(&self) -> bool {
        match self {
            Failed::Trouble(trouble) => trouble.leaves_running(),
            Failed::Decode(error) => matches!(error, DecodeError::TooLarge { .. }),
            _ => false,
        }
    }

    /// For people, who wrote `query`.
    pub(super) fn told(&self, workspace: &Workspace, query: &str) -> FetchError {
        let service = workspace.service.title();
        let name = &workspace.name;
        match self {
            Failed::Service(error) => error.to_fetch_error(query),
            Failed::Trouble(Trouble::Stopped | Trouble::Deadline)
            | Failed::Token(TokenError::Stopped) => {
                hinted(FetchError::new(self.to_string()), self.hint())
            }
            Failed::Trouble(trouble) => {
                let message = format!("{service}, workspace '{name}': {trouble}");
                hinted(FetchError::new(message), self.hint())
            }
            _ => hinted(FetchError::new(self.to_string()), self.hint()),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Failed::Trouble(trouble) => trouble.hint().map(str::to_owned),
            Failed::Token(error) => error.hint(),
            Failed::Full => Some("wait until some are done".to_owned()),
            Failed::Reading => Some("ask for other columns, and report it".to_owned()),
            _ => None,
        }
    }
}

fn hinted(error: FetchError, hint: Option<String>) -> FetchError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
