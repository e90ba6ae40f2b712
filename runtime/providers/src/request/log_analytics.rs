//! Requests to the Log Analytics query API, version 1.
//!
//! Sources: Azure Monitor's pages on the API's request format, on its `Prefer` options, on timeouts (`wait`, at most ten
//! minutes) and on querying logs of resources (`include-permissions`). That a workspace's own queries are told permissions too, as
//! those of a resource are, could not be confirmed.

use serde::Serialize;

use super::{Asked, Method, Request, RequestError};
use crate::response::Form;

/// The service's own record of a request is found by it.
const ID: &str = "x-ms-client-request-id";

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timespan: Option<&'a str>,
}

pub(super) fn query(asked: &Asked<'_>, workspace_id: &str) -> Result<Request, RequestError> {
    let body = Body {
        query: asked.query.text,
        timespan: asked.query.timespan,
    };
    let path = ["v1", "workspaces", workspace_id, "query"];
    let mut request = asked.post(&path, Form::LogAnalytics, ID, &body)?;
    request.headers.push(("prefer", prefer(asked.seconds())));
    Ok(request)
}

fn prefer(seconds: u32) -> String {
    format!(
        "wait={seconds}, include-statistics=true, include-render=true, include-permissions=true"
    )
}

pub(super) fn schema(asked: &Asked<'_>, workspace_id: &str) -> Request {
    Request {
        method: Method::Get,
        url: asked
            .remote
            .origin
            .join(&["v1", "workspaces", workspace_id, "metadata"]),
        headers: vec![
            ("accept", "application/json".to_owned()),
            (ID, asked.query.id.to_owned()),
        ],
        body: Vec::new(),
        timeout: asked.timeout(),
        form: Form::LogAnalyticsSchema,
    }
}
