//! Requests to Microsoft Graph's hunting and to Azure Resource Graph.
//!
//! Sources: Microsoft Graph's page on `security: runHuntingQuery` (version 1.0), and Azure's REST reference of Resource Graph's
//! `Resources`. That 2022-10-01 is a version of it was seen in use; whether later ones differ was not looked at.

use serde::Serialize;

use super::{Asked, Request, RequestError};
use crate::response::Form;

/// The most rows that Resource Graph gives in one answer.
pub const PAGE_ROWS: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Hunting<'a> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timespan: Option<&'a str>,
}

pub(super) fn hunting(asked: &Asked<'_>) -> Result<Request, RequestError> {
    let body = Hunting {
        query: asked.query.text,
        timespan: asked.query.timespan,
    };
    let path = ["v1.0", "security", "runHuntingQuery"];
    asked.post(&path, Form::Defender, "client-request-id", &body)
}

#[derive(Serialize)]
struct Graph<'a> {
    query: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    subscriptions: &'a [String],
    options: GraphOptions<'a>,
}

#[derive(Serialize)]
struct GraphOptions<'a> {
    /// With it the answer has its columns' types; the other form, of objects, has none.
    #[serde(rename = "resultFormat")]
    result_format: &'a str,
    #[serde(rename = "$top")]
    top: usize,
    #[serde(rename = "$skipToken", skip_serializing_if = "Option::is_none")]
    skip_token: Option<&'a str>,
}

pub(super) fn graph(asked: &Asked<'_>, subscriptions: &[String]) -> Result<Request, RequestError> {
    let body = Graph {
        query: asked.query.text,
        subscriptions,
        options: GraphOptions {
            result_format: "table",
            top: PAGE_ROWS.min(asked.workspace.limits.rows),
            skip_token: asked.query.page,
        },
    };
    let path = ["providers", "Microsoft.ResourceGraph", "resources"];
    let mut request = asked.post(&path, Form::ResourceGraph, "x-ms-client-request-id", &body)?;
    request.url.set_query(Some("api-version=2022-10-01"));
    Ok(request)
}
