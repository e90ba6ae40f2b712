//! Requests that are refused before a query runs, in the words of the service whose path they came by.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::LONGEST;
use crate::kusto::Identity;
use crate::kusto::fault::{self, Kind};
use crate::log_analytics;

/// How long a request's body may take to come.
const SLOWEST: Duration = Duration::from_secs(60);

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: Kind,
    code: &'static str,
    told: String,
}

impl Refusal {
    /// The request makes no sense.
    pub(super) fn request(told: impl Into<String>) -> Self {
        Self::new(Kind::REQUEST, "BadArgumentError", told)
    }

    /// There is no such path.
    pub(super) fn no_path(path: &str) -> Self {
        let told = format!("there is nothing at {path}");
        Self::new(Kind::NO_PATH, "PathNotFoundError", told)
    }

    /// There is no such workspace.
    pub(super) fn no_workspace(name: &str) -> Self {
        let told = format!("The workspace {name} could not be found");
        Self::new(Kind::NO_PATH, "WorkspaceNotFoundError", told)
    }

    /// There is no such database. Clients of Kusto take 404 for a server without this path, so it is 400, as Kusto itself has it.
    pub(super) fn no_database(name: &str) -> Self {
        let told = format!("Entity ID '{name}' of kind 'Database' was not found.");
        Self::new(Kind::NOT_FOUND, "DatabaseNotFoundError", told)
    }

    /// The caller may not ask.
    pub(super) fn unauthorized() -> Self {
        let told =
            "Valid authentication was not provided: send a bearer token that the server knows";
        Self::new(Kind::UNAUTHORIZED, "AuthorizationRequiredError", told)
    }

    /// A page of a browser is behind the request.
    pub(super) fn browser() -> Self {
        let told = "a page of a browser caused this request, and this server does not answer it: start it with --api-origin and the page's address";
        let refused = Self::new(Kind::UNAUTHORIZED, "InsufficientAccessError", told);
        Self {
            status: StatusCode::FORBIDDEN,
            ..refused
        }
    }

    /// Somebody means another server.
    pub(super) fn misdirected(host: &str) -> Self {
        let told = format!(
            "this server is not {host:?}: call it by its address, or start it with tokens (--api-tokens)"
        );
        let refused = Self::new(Kind::REQUEST, "MisdirectedRequest", told);
        Self {
            status: StatusCode::MISDIRECTED_REQUEST,
            ..refused
        }
    }

    /// The request is too long.
    pub(super) fn too_long() -> Self {
        let told = format!("the request is longer than {LONGEST} bytes");
        Self::new(Kind::TOO_LONG, "RequestTooLargeError", told)
    }

    /// The request takes too long to come.
    fn too_slow() -> Self {
        let told = format!("the request did not come within {} s", SLOWEST.as_secs());
        Self::new(Kind::REQUEST, "RequestTimeout", told)
    }

    /// Work came to a bad end.
    pub(super) fn broken(error: &impl std::fmt::Display) -> Self {
        let told = format!("an internal error of spoor: {error}");
        Self::new(Kind::BROKEN, "InternalServerError", told)
    }

    fn new(kind: Kind, code: &'static str, told: impl Into<String>) -> Self {
        Self {
            status: kind.status,
            kind,
            code,
            told: told.into(),
        }
    }

    /// The status and the body, as Log Analytics has them.
    pub(super) fn log_analytics(&self) -> (StatusCode, Value) {
        (
            self.status,
            log_analytics::error(self.code, &self.told, None),
        )
    }

    /// The answer for a request that came by `path`.
    pub(super) fn of(&self, path: &str, identity: &Identity) -> Response {
        let is_log_analytics = path.starts_with("/v1/workspaces") || path == "/v1/$batch";
        let (status, body) = if is_log_analytics {
            self.log_analytics()
        } else {
            (self.status, fault::error(self.kind, &self.told, identity))
        };
        if status == StatusCode::UNAUTHORIZED {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"spoor\"")];
            return (status, challenge, Json(body)).into_response();
        }
        (status, Json(body)).into_response()
    }
}

/// Reads a request's body as JSON, whatever type it says it is of.
pub(super) async fn body<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = tokio::time::timeout(SLOWEST, axum::body::to_bytes(body, LONGEST)).await;
    let bytes = bytes.map_err(|_| Refusal::too_slow())?;
    // A client that breaks off does not hear this.
    let bytes = bytes.map_err(|_| Refusal::too_long())?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::request(format!("the request's body cannot be read: {error}")))
}
