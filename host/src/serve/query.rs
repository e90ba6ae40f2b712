//! KQL on the server: a query in, an Arrow stream out, as it is written.
//!
//! The engine works on a thread of its own: a client that goes away, and the time limit, end it.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spoor_protocol::Mistake;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::needs::HOST;
use super::noted::{Asking, Noted};
use super::{App, Shared};
use crate::native::{AT_ONCE, Problem, Query, Watch};
use spoor_door::Refusal;

/// The longest query, in bytes.
pub const LONGEST: usize = 4 << 20;

/// Bytes of a result in one part, and the parts that wait for a slow client.
const PART: usize = 1 << 18;
const WAITING: usize = 8;

/// The MIME type of Arrow's IPC streams.
const ARROW: &str = "application/vnd.apache.arrow.stream";

/// The way to a client: parts of a body, or why it breaks off.
type Client = mpsc::Sender<Result<Bytes, io::Error>>;

/// What the server needs for queries.
pub struct Queries {
    engine: Arc<dyn Query>,
    time: Duration,
    room: Arc<Semaphore>,
}

impl Queries {
    /// Queries by `engine`, each of which may take `time`.
    pub fn new(engine: Arc<dyn Query>, time: Duration) -> Self {
        Self {
            engine,
            time,
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// A client's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The query.
    query: String,
    /// Names that it may use, and their values.
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// The routes below `/api`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/kql", post(answer))
        .layer(DefaultBodyLimit::max(LONGEST))
}

async fn answer(
    State(shared): App,
    asking: Asking,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(asked) = asked.map_err(|e| Refusal::new(e.status(), e.body_text()))?;
    let Some(queries) = &shared.query else {
        return Err(Refusal::not_found("data to query").hint("start spoor serve with --data DIR"));
    };
    let work = Work {
        engine: queries.engine.clone(),
        room: queries.room.clone(),
        time: queries.time,
        workspace: HOST.to_owned(),
        declared: declared(&asked.parameters)?,
        query: asked.query,
    };
    work.answer(&shared, asking).await
}

/// A query to run, and by what.
pub struct Work {
    /// What runs it.
    pub engine: Arc<dyn Query>,
    /// How many run at once.
    pub room: Arc<Semaphore>,
    /// How long it may take.
    pub time: Duration,
    /// Where it runs, as it is written down.
    pub workspace: String,
    /// What stands above it, in whole lines.
    pub declared: String,
    /// Its text.
    pub query: String,
}

impl Work {
    /// Runs it, and answers with its result as that is written.
    pub async fn answer(self, shared: &Shared, asking: Asking) -> Result<Response, Refusal> {
        // Closed only when the server has gone. It is held until the engine has ended.
        let room = self.room.clone().acquire_owned().await;
        let room = room.map_err(|e| Refusal::broken(&e))?;
        let (client, parts) = mpsc::channel(WAITING);
        let noted = Noted::of(shared, asking);
        let running = tokio::task::spawn_blocking(move || {
            let _room = room;
            self.run(client, noted.as_ref())
        });
        streamed(running, parts).await
    }

    fn run(&self, client: Client, noted: Option<&Noted>) -> Result<u64, Problem> {
        let end = Instant::now() + self.time;
        let text = format!("{}{}", self.declared, self.query);
        let watch = watch(&client, end);
        let done = run(self.engine.as_ref(), &text, client, &watch, end);
        if let Some(noted) = noted {
            let rows = done.as_ref().ok().copied();
            noted.query(&self.workspace, &self.query, rows, watch.stop().is_some());
        }
        done.map_err(|problem| above(problem, &self.declared))
    }
}

/// The parts of a result while it is written.
async fn streamed(
    running: tokio::task::JoinHandle<Result<u64, Problem>>,
    mut parts: mpsc::Receiver<Result<Bytes, io::Error>>,
) -> Result<Response, Refusal> {
    // Nobody reads a client that has gone: the sender learns of it when this is dropped.
    match parts.recv().await {
        Some(first) => {
            // A body that lacks its last part would pass for a whole one: it ends as the query did.
            let end = tokio_stream::once(running)
                .then(|running| running)
                .filter_map(|ended| match ended {
                    Ok(Ok(_)) => None,
                    _ => Some(Err(io::Error::other("the query failed"))),
                });
            let body = tokio_stream::once(first)
                .chain(ReceiverStream::new(parts))
                .chain(end);
            Ok(([(header::CONTENT_TYPE, ARROW)], Body::from_stream(body)).into_response())
        }
        None => match running.await.map_err(|e| Refusal::broken(&e))? {
            Err(problem) => Err(refusal(problem)),
            Ok(_) => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the query gave nothing",
            )),
        },
    }
}

/// Wanted while its client is there, until its time is up.
fn watch(client: &Client, end: Instant) -> Watch {
    let waiting = client.clone();
    Watch::new(move || waiting.is_closed(), Some(end))
}

/// Runs a query, and gives the number of its rows. A problem before the first part is given back as a refusal; one after it breaks the
/// stream off in [`streamed`].
fn run(
    engine: &dyn Query,
    text: &str,
    client: Client,
    watch: &Watch,
    end: Instant,
) -> Result<u64, Problem> {
    let mut out = BufWriter::with_capacity(PART, Parts { client, end });
    let done = engine.run(text, watch, &mut out).and_then(|rows| {
        out.flush().map_err(|_| Problem {
            message: "the result was not taken in time".into(),
            ..Problem::default()
        })?;
        Ok(rows)
    });
    // What is in the buffer of a query that failed is half a result.
    let _ = out.into_parts();
    done
}

fn refusal(problem: Problem) -> Refusal {
    let (line, column) = problem.place.unzip();
    let refusal = Refusal::new(StatusCode::BAD_REQUEST, problem.message)
        .with("line", line)
        .with("column", column)
        .with("hint", problem.hint);
    if problem.mistakes.is_empty() {
        return refusal;
    }
    // Texts and numbers can always be written.
    refusal.with("mistakes", json!(problem.mistakes))
}

/// The problem as the query without what is `declared` above it has it.
fn above(problem: Problem, declared: &str) -> Problem {
    let (lines, points) = (declared.lines().count(), declared.chars().count());
    let place = problem.place.and_then(|(line, column)| {
        Some((line.checked_sub(lines).filter(|line| *line > 0)?, column))
    });
    let mistakes = problem.mistakes.into_iter().filter_map(|mistake| {
        Some(Mistake {
            start: mistake.start.checked_sub(points)?,
            end: mistake.end.checked_sub(points)?,
            ..mistake
        })
    });
    Problem {
        place,
        mistakes: mistakes.collect(),
        ..problem
    }
}

/// Sends what is written to the client, and waits while that is slow, but no longer than a query may take.
struct Parts {
    client: Client,
    end: Instant,
}

impl Parts {
    /// Called on a thread that may block.
    fn send(&self, part: Bytes) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let sent = tokio::time::timeout_at(self.end.into(), self.client.send(Ok(part)));
        let sent = tokio::runtime::Handle::current().block_on(sent);
        sent.map_err(|_| gone())?.map_err(|_| gone())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(Bytes::copy_from_slice(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The parameters as KQL declares names, on one line; nothing if there are none.
fn declared(parameters: &Map<String, Value>) -> Result<String, Refusal> {
    let mut line = String::new();
    for (name, value) in parameters {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                format!("{name:?} cannot name a parameter"),
            ));
        }
        line.push_str(&format!("let {name} = {}; ", literal(value)));
    }
    if !line.is_empty() {
        line.push('\n');
    }
    Ok(line)
}

/// A value as KQL writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "dynamic(null)".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) if number.is_i64() => format!("long({number})"),
        Value::Number(number) => format!("real({number})"),
        Value::String(text) => quoted(text),
        other => format!("parse_json({})", quoted(&other.to_string())),
    }
}

/// Text as KQL quotes it. All but plain letters is escaped, so that nothing ends the line or the text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn parameters_are_declared_on_one_line() {
        let parameters = json!({ "user": "a\"b\\\n", "n": 3, "x": 1.5, "on": true, "list": [1] });
        let line = declared(parameters.as_object().unwrap()).unwrap();
        assert_eq!(
            line,
            "let user = \"a\\\"b\\\\\\n\"; let n = long(3); let x = real(1.5); let on = true; let list = parse_json(\"[1]\"); \n"
        );
        assert!(declared(json!({ "a; drop": 1 }).as_object().unwrap()).is_err());
    }

    #[test]
    fn places_are_the_query_s_own() {
        let at = |place| {
            above(
                Problem {
                    place,
                    ..Problem::default()
                },
                "let n = 1; \n",
            )
            .place
        };
        assert_eq!(at(Some((3, 7))), Some((2, 7)));
        assert_eq!((at(Some((1, 2))), at(None)), (None, None));
        let mistake = |start, end| Mistake {
            start,
            end,
            message: "no".into(),
            hint: None,
        };
        let problem = Problem {
            mistakes: vec![mistake(13, 15), mistake(4, 5)],
            ..Problem::default()
        };
        let above = above(problem, "let \u{e9} = 1; \n");
        assert_eq!(above.mistakes, [mistake(1, 3)]);
    }
}
