//! The routes of both services, and what their requests share.

mod cloud;
mod guard;
mod kusto;
mod log_analytics;
mod pages;
mod refusal;
mod run;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, middleware};
use spoor_door::Tokens;
use spoor_table::ticks;

use crate::engine::Engine;
use crate::kusto::Identity;
use crate::pieces::Limits;

pub use pages::{NoOrigin, Origins};

/// The longest request, in bytes.
const LONGEST: usize = 4 << 20;

/// What Kusto's clients call a database that nobody named.
const ANY_DATABASE: &str = "NetDefaultDB";

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the one database, and the one workspace, is called.
    pub name: String,
    /// The program's version, for clients that ask.
    pub version: String,
    /// Who may ask; without, whoever reaches the port, which therefore has to be this machine's own.
    pub tokens: Option<Tokens>,
    /// Pages that may ask as well.
    pub origins: Origins,
    /// What one answer may take, unless the client says otherwise.
    pub limits: Limits,
    /// How long a query may take.
    pub time: Duration,
    /// Queries that run at once; others wait.
    pub at_once: usize,
    /// Whether clients reach it over TLS: it matters to the addresses that it tells.
    pub is_encrypted: bool,
}

/// An engine, and how to serve it.
pub struct Store {
    engine: Arc<dyn Engine>,
    options: Options,
    queue: run::Queue,
}

impl Store {
    /// Serves `engine`.
    pub fn new(engine: Arc<dyn Engine>, options: Options) -> Self {
        let queue = run::Queue::new(options.at_once);
        Self {
            engine,
            options,
            queue,
        }
    }

    /// The routes of both services.
    pub fn routes(self) -> Router {
        let shared = Arc::new(self);
        let guarded = middleware::from_fn_with_state(shared.clone(), guard::check);
        let dressed = middleware::from_fn_with_state(shared.clone(), guard::dress);
        let pages = shared.options.origins.layer();
        Router::new()
            .route(kusto::METADATA, get(kusto::metadata))
            .route(cloud::ENDPOINTS, get(cloud::endpoints))
            .route("/v2/rest/query", post(kusto::query_v2))
            .route("/v1/rest/query", post(kusto::query_v1))
            .route("/v1/rest/mgmt", post(kusto::manage))
            .route("/v1/$batch", post(log_analytics::batch))
            .route(
                "/v1/workspaces/{workspace}/query",
                get(log_analytics::get_query).post(log_analytics::post_query),
            )
            .route(
                "/v1/workspaces/{workspace}/metadata",
                get(log_analytics::metadata).post(log_analytics::metadata),
            )
            .fallback(nowhere)
            .method_not_allowed_fallback(nowhere)
            .layer(guarded)
            .layer(pages)
            .layer(dressed)
            .with_state(shared)
    }

    /// Whether a database or a workspace of this name is the one that there is.
    fn is_ours(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.options.name)
    }
}

async fn nowhere(uri: Uri, Extension(identity): Extension<Identity>) -> Response {
    refusal::Refusal::no_path(uri.path()).of(uri.path(), &identity)
}

/// The time in Kusto's ticks.
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since_1970.unwrap_or_default().as_nanos();
    ticks::from_unix_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}
