//! Kusto's errors: "OneApi" objects with `code`, `message`, `@type`, `@message`, `@context` and `@permanent`.
//!
//! Sources: Azure Data Explorer's pages on the responses of both versions, and what Microsoft's Python client reads of an error.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Identity;
use crate::engine::{Fault, Problem, Stop};
use crate::pieces::Cut;

/// A problem's status and body. `text` is the query, for places in it.
pub fn failure(problem: &Problem, text: &str, identity: &Identity) -> (StatusCode, Value) {
    let (kind, told) = match problem.fault {
        Fault::Syntax => (
            Kind::SYNTAX,
            format!("Syntax error: SYN0002: {}", placed(problem, text)),
        ),
        Fault::Semantic => (
            Kind::SEMANTIC,
            format!("Semantic error: SEM0100: {}", placed(problem, text)),
        ),
        Fault::Stopped(Stop::TimeUp) => (Kind::TIMEOUT, problem.told()),
        Fault::Stopped(_) => (
            Kind::CANCELLED,
            "Query was cancelled (E_QUERY_CANCELLED, 0x80DA0006).".to_owned(),
        ),
        Fault::Failed => (Kind::FAILED, problem.told()),
        Fault::Broken => (Kind::BROKEN, problem.told()),
    };
    let mut error = one(kind, &told, identity);
    if let Some(place) = problem.place(text) {
        error["innererror"] = json!({
            "code": if problem.fault == Fault::Syntax { "SYN0002" } else { "SEM0100" },
            "message": problem.told(),
            "line": place.line,
            "pos": place.column,
            "token": place.token,
        });
    }
    (kind.status, json!({ "error": error }))
}

fn placed(problem: &Problem, text: &str) -> String {
    match problem.place(text) {
        Some(place) => format!(
            "'{}': {} [line:position={}:{}]",
            place.token,
            problem.told(),
            place.line,
            place.column
        ),
        None => problem.told(),
    }
}

/// The error of a result that was cut, as it stands between its rows and at its end.
pub(super) fn too_large(cut: Cut, identity: &Identity) -> Value {
    let told = format!(
        "Query execution has exceeded the allowed limits (80DA0003): {}",
        cut.told()
    );
    json!({ "error": one(Kind::LIMITS, &told, identity) })
}

/// What kind of error it is, in the service's words.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The status of an answer that is nothing but this error.
    pub status: StatusCode,
    code: &'static str,
    message: &'static str,
    exception: &'static str,
    permanent: bool,
}

impl Kind {
    /// The request makes no sense.
    pub const REQUEST: Kind = Kind {
        status: StatusCode::BAD_REQUEST,
        code: "General_BadRequest",
        message: "Request is invalid and cannot be executed.",
        exception: "KustoBadRequestException",
        permanent: true,
    };
    const SYNTAX: Kind = Kind {
        exception: "SyntaxException",
        ..Kind::REQUEST
    };
    const SEMANTIC: Kind = Kind {
        exception: "SemanticException",
        ..Kind::REQUEST
    };
    /// There is no such database.
    pub const NOT_FOUND: Kind = Kind {
        code: "BadRequest_EntityNotFound",
        exception: "EntityNotFoundException",
        ..Kind::REQUEST
    };
    /// There is no such path.
    pub const NO_PATH: Kind = Kind {
        status: StatusCode::NOT_FOUND,
        code: "General_NotFound",
        message: "The requested resource does not exist.",
        exception: "KustoServiceException",
        permanent: true,
    };
    /// The caller may not ask.
    pub const UNAUTHORIZED: Kind = Kind {
        status: StatusCode::UNAUTHORIZED,
        code: "General_AuthorizationFailure",
        message: "Authentication is required.",
        exception: "KustoUnauthorizedException",
        permanent: true,
    };
    /// The request is too long.
    pub const TOO_LONG: Kind = Kind {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "General_RequestTooLarge",
        ..Kind::REQUEST
    };
    const TIMEOUT: Kind = Kind {
        status: StatusCode::GATEWAY_TIMEOUT,
        code: "General_Timeout",
        message: "Request execution has timed-out on the service side.",
        exception: "KustoServiceTimeoutException",
        permanent: false,
    };
    const CANCELLED: Kind = Kind {
        code: "QueryCancelled",
        message: "The query was cancelled.",
        exception: "KustoQueryCancelledException",
        permanent: false,
        ..Kind::REQUEST
    };
    const FAILED: Kind = Kind {
        code: "General_QueryFailure",
        message: "Query execution failed.",
        exception: "KustoServicePartialQueryFailureException",
        permanent: false,
        ..Kind::REQUEST
    };
    const LIMITS: Kind = Kind {
        code: "LimitsExceeded",
        exception: "KustoServicePartialQueryFailureLimitsExceededException",
        permanent: false,
        ..Kind::REQUEST
    };
    /// It is our fault.
    pub const BROKEN: Kind = Kind {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "General_InternalServerError",
        message: "An internal error occurred.",
        exception: "KustoServiceException",
        permanent: false,
    };
}

/// The body of an error.
pub fn error(kind: Kind, told: &str, identity: &Identity) -> Value {
    json!({ "error": one(kind, told, identity) })
}

fn one(kind: Kind, told: &str, identity: &Identity) -> Value {
    json!({
        "code": kind.code,
        "message": kind.message,
        "@type": format!("Kusto.Data.Exceptions.{}", kind.exception),
        "@message": told,
        "@context": {
            "serviceAlias": "SPOOR",
            "clientRequestId": identity.client_request_id,
            "activityId": identity.activity_id,
            "subActivityId": identity.activity_id,
            "parentActivityId": identity.activity_id,
        },
        "@permanent": kind.permanent,
    })
}
