//! The routes of Log Analytics: a query of a workspace, several in one request, and what tables there are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};
use spoor_table::ticks;
use tokio::sync::mpsc;

use super::refusal::{self, Refusal};
use super::{Store, now, run};
use crate::engine::Problem;
use crate::kusto::{Identity, v1};
use crate::log_analytics::{self, Prefer};
use crate::pieces::Pieces;
use crate::timespan;

/// By this path requests and refusals are known.
const HERE: &str = "/v1/workspaces";

/// Queries of one request, at most, as the service has it.
const MOST: usize = 100;

/// A query.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    query: String,
    #[serde(default)]
    timespan: Option<String>,
    /// Further workspaces, of which there are none but ours.
    #[serde(default)]
    workspaces: Option<Vec<String>>,
}

impl Asked {
    /// Of what stands behind an address's question mark.
    fn of_address(text: &str) -> Option<Self> {
        let mut query = None;
        let mut timespan = None;
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8().ok()?.into_owned();
            match name {
                "query" => query = Some(value),
                "timespan" => timespan = Some(value),
                _ => {}
            }
        }
        Some(Asked {
            query: query?,
            timespan,
            workspaces: None,
        })
    }
}

/// Several queries.
#[derive(Debug, Deserialize)]
struct Batch {
    requests: Vec<One>,
}

/// One of them.
#[derive(Debug, Deserialize)]
struct One {
    id: String,
    workspace: String,
    body: Asked,
    #[serde(default)]
    headers: Map<String, Value>,
}

/// An error's status and body.
type Failed = (StatusCode, Value);

/// A result that is ready to be sent.
struct Ready {
    pieces: Pieces,
    room: tokio::sync::OwnedSemaphorePermit,
}

/// `POST /v1/workspaces/{workspace}/query`
pub(super) async fn post_query(
    State(store): State<Arc<Store>>,
    Path(workspace): Path<String>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match refusal::body(body).await {
        Ok(asked) => query(&store, &workspace, asked, &headers, &identity).await,
        Err(refusal) => refusal.of(HERE, &identity),
    }
}

/// `GET /v1/workspaces/{workspace}/query?query=...`
pub(super) async fn get_query(
    State(store): State<Arc<Store>>,
    Path(workspace): Path<String>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    RawQuery(asked): RawQuery,
) -> Response {
    match Asked::of_address(asked.as_deref().unwrap_or_default()) {
        Some(asked) => query(&store, &workspace, asked, &headers, &identity).await,
        None => Refusal::request("the address has no query: ?query=...").of(HERE, &identity),
    }
}

async fn query(
    store: &Store,
    workspace: &str,
    asked: Asked,
    headers: &HeaderMap,
    identity: &Identity,
) -> Response {
    let prefer = headers.get("prefer").and_then(|value| value.to_str().ok());
    let prefer = Prefer::read(prefer.unwrap_or_default());
    match ready(store, workspace, asked, prefer, identity).await {
        Ok(ready) => run::send(ready.pieces, ready.room, store.options.time),
        Err((status, body)) => (status, Json(body)).into_response(),
    }
}

/// Runs a query to its end.
async fn ready(
    store: &Store,
    workspace: &str,
    asked: Asked,
    prefer: Prefer,
    identity: &Identity,
) -> Result<Ready, Failed> {
    let named = asked.workspaces.iter().flatten().map(String::as_str);
    if let Some(other) = std::iter::once(workspace)
        .chain(named)
        .find(|name| !store.is_ours(name))
    {
        return Err(Refusal::no_workspace(other).log_analytics());
    }
    let span = asked.timespan.as_deref().filter(|text| !text.is_empty());
    let between = span
        .map(|text| timespan::between(text, now()).ok_or(text))
        .transpose();
    let between = between.map_err(|text| {
        let told =
            format!("'{text}' is no timespan in ISO 8601, such as P1D or 2024-02-01/2024-02-15");
        Refusal::request(told).log_analytics()
    })?;
    let wait = prefer.wait.map(Duration::from_secs);
    let job = run::Job {
        text: asked.query.clone(),
        between,
        time: wait.unwrap_or(store.options.time).min(store.options.time),
        name: identity.client_request_id.clone(),
    };
    let done = run::query(store, job).await;
    let done = done.map_err(|problem| log_analytics::failure(&problem, &asked.query))?;
    let limits = store.options.limits;
    let pieces = if prefer.unthinned {
        let when = ticks::datetime_text(now());
        v1::answer(done.answer, limits, identity.clone(), done.seconds, when)
    } else {
        log_analytics::answer(done.answer, prefer, limits, done.seconds)
    };
    Ok(Ready {
        pieces,
        room: done.room,
    })
}

/// `POST /v1/$batch`: one query after the other, each answered when it is done.
pub(super) async fn batch(
    State(store): State<Arc<Store>>,
    Extension(identity): Extension<Identity>,
    body: Body,
) -> Response {
    let batch: Batch = match refusal::body(body).await {
        Ok(batch) => batch,
        Err(refusal) => return refusal.of(HERE, &identity),
    };
    if batch.requests.len() > MOST {
        let told = format!(
            "a request may hold {MOST} queries, and this has {}",
            batch.requests.len()
        );
        return Refusal::request(told).of(HERE, &identity);
    }
    let (client, parts) = mpsc::channel(1);
    let sending = tokio::spawn(async move {
        tokio::select! {
            // A client that has gone takes the query that runs along.
            () = client.closed() => false,
            whole = answer_all(&store, batch.requests, &identity, &client) => whole,
        }
    });
    run::body(parts, sending)
}

async fn answer_all(
    store: &Store,
    requests: Vec<One>,
    identity: &Identity,
    client: &mpsc::Sender<String>,
) -> bool {
    let mut before = "{\"responses\":[";
    for one in requests {
        if !answer_one(store, before, one, identity, client).await {
            return false;
        }
        before = ",";
    }
    let end = if before == "," {
        "]}"
    } else {
        "{\"responses\":[]}"
    };
    client.send(end.to_owned()).await.is_ok()
}

/// Answers one of several; `false` when nobody listens any more.
async fn answer_one(
    store: &Store,
    before: &str,
    one: One,
    identity: &Identity,
    client: &mpsc::Sender<String>,
) -> bool {
    let prefer = one
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("prefer"));
    let prefer = Prefer::read(
        prefer
            .and_then(|(_, value)| value.as_str())
            .unwrap_or_default(),
    );
    let ready = ready(store, &one.workspace, one.body, prefer, identity).await;
    let status = ready
        .as_ref()
        .map_or_else(|(status, _)| *status, |_| StatusCode::OK);
    let id = Value::String(one.id);
    let head = format!(
        r#"{before}{{"id":{id},"status":{},"headers":{{}},"body":"#,
        status.as_u16()
    );
    // Whoever does not read has a place for no longer than a query may take.
    let headed = tokio::time::timeout(store.options.time, client.send(head)).await;
    if !matches!(headed, Ok(Ok(()))) {
        return false;
    }
    let sent = match ready {
        Ok(ready) => {
            let _room = ready.room;
            run::pour(ready.pieces, client, Instant::now() + store.options.time).await
        }
        Err((_, body)) => client.send(body.to_string()).await.is_ok(),
    };
    sent && client.send("}".to_owned()).await.is_ok()
}

/// `/v1/workspaces/{workspace}/metadata`
pub(super) async fn metadata(
    State(store): State<Arc<Store>>,
    Path(workspace): Path<String>,
    Extension(identity): Extension<Identity>,
) -> Response {
    if !store.is_ours(&workspace) {
        return Refusal::no_workspace(&workspace).of(HERE, &identity);
    }
    let name = &identity.client_request_id;
    let told = run::work(&store, name, store.options.time, |engine, stop| {
        engine.schema(stop)
    })
    .await;
    let failed = |problem: Problem| {
        let (status, body) = log_analytics::failure(&problem, "");
        (status, Json(body)).into_response()
    };
    match told {
        Ok(done) => {
            Json(log_analytics::metadata(&store.options.name, &done.answer)).into_response()
        }
        Err(problem) => failed(problem),
    }
}
