//! A server with a door, and those who come to it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use spoor_door::{
    Caller, Door, Listening, Need, Outcome, Peer, Place as Where, Query, Refusal, Role,
};

use crate::authority::Authority;
use crate::browser::{Answer, Browser};

/// The token of the machine `nightly`, and its SHA-256.
pub const TOKEN: &str = "token-canary-nightly";
const TOKEN_HASH: &str = "5096232823644328f7cc35d69d16e8e6dd597e9ca46ff0992da06ea045e3f41c";

/// What is in no audit log and no refusal.
pub const QUERY: &str = "query-canary | count";

/// A server. It ends with the value.
pub struct Place {
    pub authority: Authority,
    pub address: String,
    audit: PathBuf,
    _folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

/// What differs from test to test.
#[derive(Default)]
pub struct With<'a> {
    /// More of the access file.
    pub access: &'a str,
    /// Of the authority.
    pub authority: Option<Value>,
    /// Whether the server has a secret at the authority.
    pub secret: bool,
}

impl Place {
    pub fn new() -> Self {
        Self::with(With::default())
    }

    pub fn with(with: With<'_>) -> Self {
        let groups = json!({ "groups": {
            "anna": ["lead"], "ben": ["tier-1"], "cleo": ["guest"], "dora": [],
        } });
        let authority = Authority::start(&with.authority.unwrap_or(groups));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let at = listener.local_addr().unwrap();
        let address = format!("http://{at}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        std::fs::write(
            &path,
            access(&address, &authority, with.access, with.secret),
        )
        .unwrap();
        secret(&folder.path().join("client-secret"));
        let listening = Listening {
            address: at,
            tls: false,
        };
        let door = Door::open(&path, listening).unwrap();
        let routes = door
            .guard(routes(&door), needs)
            .layer(from_fn(with_peer))
            .into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            authority,
            address,
            audit: folder.path().join("audit.jsonl"),
            _folder: folder,
            _runtime: runtime,
        }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A browser in which somebody has signed in.
    pub fn signed_in(&self, user: &str) -> Browser {
        let mut browser = Browser::default();
        let page = browser.visit(&self.at("/"), user);
        assert_eq!(page, "the page", "{user}");
        browser
    }

    /// Where the authority sends a browser back to, which has not gone there yet.
    pub fn about_to_return(&self, user: &str) -> (Browser, String) {
        let mut browser = Browser::stopping_at(self.at("/signin/callback"));
        let callback = browser.visit(&self.at("/signin"), user);
        assert!(callback.contains("code="), "{callback}");
        (browser, callback)
    }

    /// A request as a page of the server makes it.
    pub fn fetch(&self, browser: &mut Browser, method: &str, path: &str) -> Answer {
        let page = [
            ("Origin", self.address.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        browser.ask(method, &self.at(path), &page, QUERY.as_bytes())
    }

    /// A request as a program makes it.
    pub fn call(&self, token: &str, method: &str, path: &str, body: &[u8]) -> Answer {
        let token = format!("Bearer {token}");
        let headers = [("Authorization", token.as_str())];
        Browser::default().ask(method, &self.at(path), &headers, body)
    }

    pub fn audit_path(&self) -> &std::path::Path {
        &self.audit
    }

    pub fn audit_text(&self) -> String {
        std::fs::read_to_string(&self.audit).unwrap()
    }

    /// The audit log's lines of an action.
    pub fn audit(&self, action: &str) -> Vec<Value> {
        let text = self.audit_text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["action"] == action)
            .collect()
    }
}

fn access(address: &str, authority: &Authority, more: &str, secret: bool) -> String {
    let client = match secret {
        true => "client-id = \"door-with-secret\"\nclient-secret-file = \"client-secret\"",
        false => "client-id = \"door\"",
    };
    format!(
        r#"
address = "{address}"

[authority]
issuer = "{}"
{client}

[audit]
file = "audit.jsonl"

[[roles]]
role = "contributor"
claim = "groups"
values = ["lead"]
folders = ["*"]
workspaces = ["*"]

[[roles]]
role = "responder"
claim = "groups"
values = ["tier-1", "tier-2"]
folders = ["hunts/phishing"]
workspaces = ["host"]

[[roles]]
role = "reader"
claim = "groups"
values = ["guest"]
folders = ["hunts"]

[[machines]]
name = "nightly"
sha256 = "{}"
role = "responder"
workspaces = ["host"]

{more}
"#,
        authority.issuer, TOKEN_HASH,
    )
}

fn secret(path: &std::path::Path) {
    std::fs::write(path, "door-secret-canary\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

async fn with_peer(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> axum::response::Response {
    request.extensions_mut().insert(Peer(address));
    next.run(request).await
}

/// As `spoor serve` has it, with less behind it.
fn needs(method: &Method, path: &str) -> Result<Need, Refusal> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Ok(match path.strip_prefix("/api/notebooks/") {
        Some(notebook) if reads => Need::new(Role::Reader, Where::of_notebook(notebook)),
        Some(notebook) => Need::new(Role::Contributor, Where::of_notebook(notebook)),
        None if path == "/api/kql" => {
            Need::new(Role::Responder, Where::Workspace("host".to_owned()))
        }
        None => Need::new(Role::Reader, Where::Anywhere),
    })
}

fn routes(door: &Arc<Door>) -> Router {
    let writes = door.clone();
    let query = move |Extension(caller): Extension<Arc<Caller>>, text: Bytes| async move {
        let query = Query {
            workspace: "host",
            text: std::str::from_utf8(&text).unwrap(),
            rows: Some(3),
            took: std::time::Duration::from_millis(5),
            outcome: Outcome::Done,
        };
        writes.audit().query(&caller, query);
        text.len().to_string()
    };
    let cached = || async {
        let keep = [(header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        (keep, "a piece").into_response()
    };
    Router::new()
        .route("/api/kql", post(query))
        .route(
            "/api/notebooks/{*path}",
            get(|| async { "a notebook" }).put(|body: Bytes| async move { body.len().to_string() }),
        )
        .route("/pieces/one", get(cached))
        .fallback(|| async { "the page" })
}
