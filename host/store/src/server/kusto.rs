//! The routes of Kusto: queries in both versions, management commands, and what clients ask before they sign in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spoor_table::{parse, ticks};

use super::refusal::{self, Refusal};
use super::{ANY_DATABASE, Store, now, run};
use crate::engine::{Problem, TableSchema};
use crate::kusto::fault::failure;
use crate::kusto::manage::{self, Command};
use crate::kusto::{Identity, v1, v2};
use crate::pieces::Limits;

/// By this path refusals are known.
const HERE: &str = "/v1/rest";

/// What is asked before there is a token.
pub(super) const METADATA: &str = "/v1/rest/auth/metadata";

/// Where clients would sign in.
pub(super) const LOGIN: &str = "https://login.microsoftonline.com";

/// A request.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    db: Option<String>,
    csl: String,
    /// An object, or its text.
    #[serde(default)]
    properties: Value,
}

/// What a request says beside its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Properties {
    #[serde(rename = "Options", alias = "options")]
    options: Map<String, Value>,
    #[serde(rename = "Parameters", alias = "parameters")]
    parameters: Map<String, Value>,
}

/// Options of Kusto's that change what a query gives, and that the engine does not know.
const CHANGING: [&str; 4] = [
    "query_datetimescope_column",
    "query_datetimescope_from",
    "query_datetimescope_to",
    "query_take_max_records",
];

impl Properties {
    fn read(value: Value) -> Result<Self, Refusal> {
        let read = match value {
            Value::Null => return Ok(Self::default()),
            Value::String(text) if text.is_empty() => return Ok(Self::default()),
            Value::String(text) => serde_json::from_str(&text),
            value => serde_json::from_value(value),
        };
        read.map_err(|error| Refusal::request(format!("the properties cannot be read: {error}")))
    }

    /// An option that is given, would change the result, and is not heeded.
    fn ignored(&self) -> Option<&'static str> {
        let given = |name: &&str| {
            self.options
                .get(*name)
                .is_some_and(|value| !value.is_null())
        };
        CHANGING.into_iter().find(given)
    }

    fn is_on(&self, name: &str) -> bool {
        match self.options.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    fn count(&self, name: &str) -> Option<usize> {
        let count = match self.options.get(name)? {
            Value::String(text) => text.parse().ok()?,
            value => value.as_u64()?,
        };
        usize::try_from(count).ok()
    }

    fn limits(&self, usual: Limits) -> Limits {
        if self.is_on("notruncation") {
            let all = usize::MAX;
            return Limits {
                rows: all,
                bytes: all,
            };
        }
        Limits {
            rows: self.count("truncationmaxrecords").unwrap_or(usual.rows),
            bytes: self.count("truncationmaxsize").unwrap_or(usual.bytes),
        }
    }

    /// What `servertimeout` says, if that is not longer than may be.
    fn time(&self, most: Duration) -> Duration {
        let asked = self.options.get("servertimeout").and_then(Value::as_str);
        let asked = asked.and_then(parse::timespan).filter(|ticks| *ticks > 0);
        let micros = asked.map(|ticks| ticks.unsigned_abs() / ticks::MICROSECOND.unsigned_abs());
        micros.map_or(most, |micros| Duration::from_micros(micros).min(most))
    }
}

/// A query that may run.
struct Query {
    text: String,
    properties: Properties,
}

/// `POST /v2/rest/query`
pub(super) async fn query_v2(
    State(store): State<Arc<Store>>,
    Extension(identity): Extension<Identity>,
    body: Body,
) -> Response {
    let query = match read(&store, body).await {
        Ok(query) => query,
        Err(refusal) => return refusal.of(HERE, &identity),
    };
    let form = v2::Form {
        progressive: query.properties.is_on("results_progressive_enabled"),
        limits: query.properties.limits(store.options.limits),
        identity: identity.clone(),
        seconds: 0.0,
        when: String::new(),
    };
    answer(&store, query, &identity, move |done, when| {
        let form = v2::Form {
            seconds: done.1,
            when,
            ..form
        };
        v2::answer(done.0, form)
    })
    .await
}

/// `POST /v1/rest/query`
pub(super) async fn query_v1(
    State(store): State<Arc<Store>>,
    Extension(identity): Extension<Identity>,
    body: Body,
) -> Response {
    let query = match read(&store, body).await {
        Ok(query) => query,
        Err(refusal) => return refusal.of(HERE, &identity),
    };
    let limits = query.properties.limits(store.options.limits);
    let own = identity.clone();
    answer(&store, query, &identity, move |done, when| {
        v1::answer(done.0, limits, own, done.1, when)
    })
    .await
}

/// Runs a query, and sends what `encode` makes of its answer, its seconds and the time.
async fn answer(
    store: &Store,
    query: Query,
    identity: &Identity,
    encode: impl FnOnce((crate::Answer, f64), String) -> crate::pieces::Pieces,
) -> Response {
    let time = query.properties.time(store.options.time);
    let job = run::Job {
        text: query.text.clone(),
        between: None,
        time,
        name: identity.client_request_id.clone(),
    };
    match run::query(store, job).await {
        Ok(done) => {
            let pieces = encode((done.answer, done.seconds), ticks::datetime_text(now()));
            run::send(pieces, done.room, store.options.time)
        }
        Err(problem) => failed(&problem, &query.text, identity),
    }
}

fn failed(problem: &Problem, text: &str, identity: &Identity) -> Response {
    let (status, body) = failure(problem, text, identity);
    (status, Json(body)).into_response()
}

async fn read(store: &Store, body: Body) -> Result<Query, Refusal> {
    let asked: Asked = refusal::body(body).await?;
    database(store, asked.db.as_deref())?;
    let properties = Properties::read(asked.properties)?;
    if let Some(name) = properties.ignored() {
        return Err(Refusal::request(format!(
            "the option '{name}' is not taken here, and the result would be another without it: write it into the query"
        )));
    }
    if let Some((name, _)) = properties.parameters.iter().next() {
        // The query's own value would be taken in silence.
        return Err(Refusal::request(format!(
            "parameters of a request are not taken here, and there is '{name}': write it as a let statement of the query"
        )));
    }
    Ok(Query {
        text: asked.csl,
        properties,
    })
}

fn database(store: &Store, name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some("") => Ok(()),
        Some(name) if name.eq_ignore_ascii_case(ANY_DATABASE) || store.is_ours(name) => Ok(()),
        Some(name) => Err(Refusal::no_database(name)),
    }
}

/// `POST /v1/rest/mgmt`
pub(super) async fn manage(
    State(store): State<Arc<Store>>,
    Extension(identity): Extension<Identity>,
    body: Body,
) -> Response {
    match command(&store, body).await {
        Ok(command) => managed(&store, &command, &identity).await,
        Err(refusal) => refusal.of(HERE, &identity),
    }
}

async fn command(store: &Store, body: Body) -> Result<Command, Refusal> {
    let asked: Asked = refusal::body(body).await?;
    database(store, asked.db.as_deref())?;
    let command = Command::read(&asked.csl).ok_or_else(|| {
        let first: String = asked.csl.chars().take(60).collect();
        Refusal::request(format!(
            "'{first}' is no management command that Spoor answers"
        ))
    })?;
    if let Command::Schema {
        database: Some(name),
        ..
    } = &command
    {
        database(store, Some(name))?;
    }
    Ok(command)
}

async fn managed(store: &Store, command: &Command, identity: &Identity) -> Response {
    if let Command::Cancel(name) = command
        && !store.queue.cancel(name)
    {
        let told = format!("no query runs that is called '{name}'");
        return Refusal::request(told).of(HERE, identity);
    }
    let tables = match schema(store, command, identity).await {
        Ok(tables) => tables,
        Err(problem) => return failed(&problem, "", identity),
    };
    let options = &store.options;
    let told = manage::answer(command, &options.name, &options.version, &tables);
    match told {
        Ok(table) => {
            let all = Limits {
                rows: usize::MAX,
                bytes: usize::MAX,
            };
            let text = v1::command(table, all).whole();
            let kind = [(
                axum::http::header::CONTENT_TYPE,
                "application/json; charset=utf-8",
            )];
            (kind, text).into_response()
        }
        Err(error) => Refusal::broken(&error).of(HERE, identity),
    }
}

async fn schema(
    store: &Store,
    command: &Command,
    identity: &Identity,
) -> Result<Vec<TableSchema>, Problem> {
    if !command.wants_schema() {
        return Ok(Vec::new());
    }
    let name = &identity.client_request_id;
    let time = store.options.time;
    let done = run::work(store, name, time, |engine, stop| engine.schema(stop)).await?;
    Ok(done.answer)
}

/// `GET /v1/rest/auth/metadata`: where clients would sign in. A client that has a token reads it, and does not go there.
pub(super) async fn metadata() -> Json<Value> {
    Json(json!({ "AzureAD": {
        "LoginEndpoint": LOGIN,
        "LoginMfaRequired": false,
        "KustoClientAppId": "db662dc1-0cfe-4e1c-a843-19a68e65be58",
        "KustoClientRedirectUri": "https://microsoft/kustoclient",
        "KustoServiceResourceId": "https://kusto.kusto.windows.net",
        "FirstPartyAuthorityUrl": format!("{LOGIN}/f8cdef31-a31e-4b4a-93e4-5f571e91255a"),
    } }))
}
