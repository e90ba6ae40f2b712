//! Queries of workspaces, which the server asks for its callers: as itself, or with the caller's own token, as the access file says.
//!
//! No workspace is asked that the access file does not name, and no caller sees a token.

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use spoor_door::{Caller, Identity, Need, Place, Refusal, Role, UserToken};
use spoor_protocol::{FetchError, Told};
use spoor_providers::config::Workspace;
use spoor_remote::{Secret, TokenError, Tokens};
use spoor_table::ipc;
use tokio::sync::Semaphore;

use super::crowd::{Crowd, Entry};
use super::noted::Asking;
use super::query::{LONGEST, Work};
use super::{App, Entrance, Shared};
use crate::native::{Answered, Asked, Problem, Query, Remote, Watch};
use crate::remote::Workspaces;

/// Queries of workspaces that wait for an answer at once.
const AT_ONCE: usize = 16;

/// What the server needs to ask workspaces.
pub struct Upstream {
    pub(super) workspaces: Arc<Workspaces>,
    /// How long an answer may take.
    pub(super) time: Duration,
    pub(super) room: Arc<Semaphore>,
    crowd: Arc<Crowd>,
}

impl Upstream {
    /// Asks these, each query for so long.
    pub fn new(workspaces: Arc<Workspaces>, time: Duration) -> Self {
        Self {
            workspaces,
            time,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            crowd: Arc::default(),
        }
    }
}

/// A client's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    /// The query.
    query: String,
    /// The time that it looks at, in ISO 8601.
    timespan: Option<String>,
    /// Whether a result may be less than all.
    #[serde(default)]
    allow_partial: bool,
}

/// What the service said beside the rows: [`Told`] as JSON, without its statistics.
const TOLD: HeaderName = HeaderName::from_static("spoor-told");

/// Sentences on what is missing that are sent.
const SENTENCES: usize = 20;
/// Characters of each.
const SENTENCE: usize = 300;

/// The routes below `/api`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/workspaces/{name}/query", post(answer))
        .layer(DefaultBodyLimit::max(LONGEST))
}

async fn answer(
    State(shared): App,
    UrlPath(name): UrlPath<String>,
    asking: Asking,
    token: Option<Extension<UserToken>>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = wanted.map_err(|e| Refusal::new(e.status(), e.body_text()))?;
    let (upstream, identity) = named(&shared, &name)?;
    let token = token_for(identity, token, &name)?;
    let entry = admit(upstream, &asking)?;
    let told = Arc::new(OnceLock::new());
    let engine = One {
        _entry: entry,
        told: told.clone(),
        workspaces: upstream.workspaces.clone(),
        name: name.clone(),
        timespan: wanted.timespan,
        allow_partial: wanted.allow_partial,
        token,
    };
    let work = Work {
        engine: Arc::new(engine),
        room: upstream.room.clone(),
        time: upstream.time,
        workspace: name,
        declared: String::new(),
        query: wanted.query,
    };
    let mut response = work.answer(&shared, asking).await?;
    // The rows begin once it is known.
    if let Some(said) = told.get().and_then(written) {
        response.headers_mut().insert(TOLD, said);
    }
    Ok(response)
}

/// What is said of an answer, within what a header may be.
fn written(told: &Told) -> Option<HeaderValue> {
    let sentences = told.partial.iter().take(SENTENCES);
    let told = Told {
        partial: sentences
            .map(|why| why.chars().take(SENTENCE).collect())
            .collect(),
        statistics: None,
        ..told.clone()
    };
    let mut ascii = String::new();
    for c in serde_json::to_string(&told).ok()?.chars() {
        match c.is_ascii() {
            true => ascii.push(c),
            false => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                ascii.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    HeaderValue::from_str(&ascii).ok()
}

/// The workspaces that a caller may ask here.
pub fn offered(shared: &Shared, caller: Option<&Caller>) -> Vec<String> {
    let (Some(upstream), Some(caller)) = (&shared.upstream, caller) else {
        return Vec::new();
    };
    let may = |name: &String| {
        let need = Need::new(Role::Responder, Place::Workspace(name.clone()));
        caller.may(&need) && named(shared, name).is_ok()
    };
    upstream.workspaces.names().filter(may).collect()
}

/// A caller's place among those whose queries are under way.
pub(super) fn admit(upstream: &Upstream, asking: &Asking) -> Result<Entry, Refusal> {
    let subject = asking.as_ref().map(|Extension(caller)| &caller.subject);
    let entry = upstream.crowd.enter(subject.map_or("", String::as_str));
    entry.ok_or_else(|| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "as many of your queries of workspaces are under way as one caller may have",
        )
        .hint("ask again when one of them has ended")
    })
}

/// As whom the workspace is asked, if it may be at all.
pub(super) fn named<'s>(
    shared: &'s Shared,
    name: &str,
) -> Result<(&'s Upstream, Identity), Refusal> {
    let identity = match &shared.entrance {
        Entrance::Door(door) => door.identity(name),
        Entrance::Secret(_) => None,
    };
    shared.upstream.as_ref().zip(identity).ok_or_else(|| {
        let message = format!("this server asks no workspace '{name}' for its callers");
        Refusal::new(StatusCode::NOT_FOUND, message)
            .hint("name it in spoor.toml, and in [workspaces] of the access file with an identity")
    })
}

/// The token to ask with; none where the server asks with its own.
pub(super) fn token_for(
    identity: Identity,
    token: Option<Extension<UserToken>>,
    name: &str,
) -> Result<Option<Forwarded>, Refusal> {
    match identity {
        Identity::Server => Ok(None),
        Identity::User => own(token, name).map(Some),
    }
}

/// The caller's own token.
fn own(token: Option<Extension<UserToken>>, name: &str) -> Result<Forwarded, Refusal> {
    let Some(Extension(token)) = token else {
        let message = format!(
            "the workspace '{name}' is asked with people's own tokens, and a machine has none"
        );
        return Err(Refusal::new(StatusCode::FORBIDDEN, message)
            .hint("sign in with a browser, or ask a workspace whose identity is the server's"));
    };
    let secret = token.secret().ok_or_else(|| {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "the token that the authority gave at the sign-in has ended",
        )
        .hint("open /signin to sign in again")
    })?;
    Ok(Forwarded(Secret::new(secret.expose())))
}

/// A query of one workspace.
struct One {
    _entry: Entry,
    told: Arc<OnceLock<Told>>,
    workspaces: Arc<Workspaces>,
    name: String,
    timespan: Option<String>,
    allow_partial: bool,
    token: Option<Forwarded>,
}

impl Query for One {
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<u64, Problem> {
        let asked = Asked {
            workspace: &self.name,
            text,
            timespan: self.timespan.as_deref(),
        };
        let answered = match &self.token {
            Some(token) => self.workspaces.ask_with(asked, token, watch),
            None => self.workspaces.ask(asked, watch),
        };
        let answered = answered.map_err(problem)?;
        let table = self.whole(&answered)?;
        let _ = self.told.set(answered.told.clone());
        ipc::write_stream(table, out).map_err(|error| said(error.to_string()))?;
        Ok(table.rows() as u64)
    }
}

impl One {
    /// The one table of an answer that may stand for it.
    fn whole<'a>(&self, answered: &'a Answered) -> Result<&'a spoor_table::Table, Problem> {
        let partial = &answered.told.partial;
        if !partial.is_empty() && !self.allow_partial {
            return Err(Problem {
                hint: Some("send \"allowPartial\": true to take it as it is".into()),
                ..said(format!("the result is not all: {}", partial.join("; ")))
            });
        }
        match answered.tables.as_slice() {
            [table] => Ok(table),
            tables => Err(Problem {
                hint: Some("ask for one of them".into()),
                ..said(format!("the query has {} results", tables.len()))
            }),
        }
    }
}

/// Somebody's own token, sent on.
pub(super) struct Forwarded(Secret);

impl Tokens for Forwarded {
    fn token(
        &self,
        workspace: &Workspace,
        force_refresh: bool,
        _: &dyn Fn() -> bool,
    ) -> Result<Secret, TokenError> {
        if force_refresh {
            return Err(TokenError::Failed {
                workspace: workspace.name.clone(),
                cause: "its service refuses the token of your sign-in; `scopes` of the access file's authority has to name the \
                        workspace's"
                    .to_owned(),
            });
        }
        Ok(self.0.clone())
    }
}

fn problem(error: FetchError) -> Problem {
    Problem {
        message: error.message,
        hint: error.hint,
        mistakes: error.mistakes,
        ..Problem::default()
    }
}

fn said(message: String) -> Problem {
    Problem {
        message,
        ..Problem::default()
    }
}
