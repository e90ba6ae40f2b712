//! Requests of Kusto's REST protocol: queries in version 2, management commands in version 1.
//!
//! Sources: Azure Data Explorer's pages on the query and management requests, on request properties (`servertimeout`,
//! `results_progressive_enabled`, `request_readonly`, `truncationmaxrecords`, `truncationmaxsize`) and on `.cancel query`.

use serde::Serialize;
use spoor_table::ticks;

use super::{APPLICATION, Asked, Request, RequestError};
use crate::response::Form;

/// By this identifier a running query is found, and cancelled.
const ID: &str = "x-ms-client-request-id";

#[derive(Serialize)]
struct Body<'a> {
    db: &'a str,
    csl: &'a str,
    properties: Properties,
}

#[derive(Serialize)]
struct Properties {
    #[serde(rename = "Options")]
    options: Options,
}

#[derive(Serialize)]
struct Options {
    servertimeout: String,
    request_readonly: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    results_progressive_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncationmaxrecords: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncationmaxsize: Option<usize>,
}

pub(super) fn query(asked: &Asked<'_>, database: &str) -> Result<Request, RequestError> {
    let text = asked.query.text;
    if let Some(command) = command(text) {
        return match command {
            ".show" => manage(asked, database, text, true, Form::KustoV1),
            _ => Err(RequestError::Command {
                command: command.to_owned(),
            }),
        };
    }
    let limits = asked.workspace.limits;
    let options = Options {
        results_progressive_enabled: Some(true),
        truncationmaxrecords: Some(limits.rows),
        truncationmaxsize: Some(limits.bytes),
        ..options(asked, true)
    };
    send(
        asked,
        &["v2", "rest", "query"],
        database,
        text,
        options,
        Form::KustoV2,
    )
}

/// The first word of a management command.
fn command(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let first = text.split_whitespace().next()?;
    first.starts_with('.').then_some(first)
}

pub(super) fn cancel(
    asked: &Asked<'_>,
    database: &str,
    running: &str,
) -> Result<Request, RequestError> {
    let text = format!(".cancel query \"{running}\"");
    manage(asked, database, &text, false, Form::KustoV1)
}

pub(super) fn schema(asked: &Asked<'_>, database: &str) -> Result<Request, RequestError> {
    manage(
        asked,
        database,
        ".show database schema as json",
        true,
        Form::KustoSchema,
    )
}

fn manage(
    asked: &Asked<'_>,
    database: &str,
    text: &str,
    readonly: bool,
    form: Form,
) -> Result<Request, RequestError> {
    send(
        asked,
        &["v1", "rest", "mgmt"],
        database,
        text,
        options(asked, readonly),
        form,
    )
}

fn options(asked: &Asked<'_>, readonly: bool) -> Options {
    Options {
        servertimeout: ticks::timespan_text(i64::from(asked.seconds()) * ticks::SECOND),
        request_readonly: readonly,
        results_progressive_enabled: None,
        truncationmaxrecords: None,
        truncationmaxsize: None,
    }
}

fn send(
    asked: &Asked<'_>,
    path: &[&str],
    db: &str,
    csl: &str,
    options: Options,
    form: Form,
) -> Result<Request, RequestError> {
    let properties = Properties { options };
    let mut request = asked.post(
        path,
        form,
        ID,
        &Body {
            db,
            csl,
            properties,
        },
    )?;
    request.headers.push(("x-ms-app", APPLICATION.to_owned()));
    Ok(request)
}
