//! Clients, workspaces and tokens of the tests. Whatever is asked, no token may stand in what is told of it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use spoor_protocol::FetchError;
use spoor_providers::config::{Workspace, Workspaces};
use spoor_providers::response::Outcome;
use spoor_providers::retry::Policy;
use spoor_remote::{
    Ask, Client, Options, Progress, Secret, Timings, TokenError, Tokens, Until, Watch,
};

use super::server::Server;

/// What a token is here, and the one that comes after it.
pub const CANARY: &str = "canary-one-0123456789-abcdefghijklmnopqrstuvwxyz";
/// The second one.
pub const SECOND: &str = "canary-two-0123456789-abcdefghijklmnopqrstuvwxyz";

/// An answer of Log Analytics with two rows.
pub const TWO: &str = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"N","type":"long"}],"rows":[[1],[2]]}]}"#;

/// Gives the canary, and its second once a refresh is forced.
#[derive(Default)]
pub struct Canaries {
    /// Whether each call forced a refresh.
    pub calls: Mutex<Vec<bool>>,
}

impl Tokens for Canaries {
    fn token(
        &self,
        _: &Workspace,
        force: bool,
        _: &dyn Fn() -> bool,
    ) -> Result<Secret, TokenError> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(force);
        Ok(Secret::new(if force { SECOND } else { CANARY }))
    }
}

/// Says stop at a time.
pub struct StopAt(pub Instant);

impl Watch for StopAt {
    fn is_stopped(&self) -> bool {
        Instant::now() >= self.0
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// A workspace at a server on this machine. `more` is more of its configuration.
pub fn workspace(kind: &str, server: &Server, more: &str) -> Workspace {
    at(kind, &format!("http://127.0.0.1:{}", server.port), more)
}

/// A workspace at an address.
pub fn at(kind: &str, endpoint: &str, more: &str) -> Workspace {
    let own = match kind {
        "log-analytics" => "workspace-id = '0f0e0d0c-0b0a-0908-0706-050403020100'",
        "kusto" => "database = 'Hunts'",
        _ => "",
    };
    let text = format!(
        "[workspaces.soc]\nkind = '{kind}'\ncloud = 'custom'\nendpoint = '{endpoint}'\nplain-loopback = true\nauthority = 'https://login.lab.example'\n{own}\n{more}"
    );
    let workspaces = Workspaces::read(&text).unwrap();
    workspaces.get("soc").unwrap().clone()
}

/// Short of everything.
pub fn options() -> Options {
    Options {
        policy: Policy {
            attempts: 3,
            base: Duration::from_millis(20),
            most: Duration::from_millis(50),
            total: Duration::from_secs(4),
        },
        timings: Timings {
            connect: Duration::from_millis(500),
            idle: Duration::from_millis(500),
            whole: Duration::from_millis(1_500),
        },
        ..Options::default()
    }
}

/// What came of a query.
pub struct Came {
    /// The result.
    pub result: Result<Outcome, FetchError>,
    /// What was told on the way.
    pub progress: Vec<Progress>,
    /// How long it took.
    pub took: Duration,
}

impl Came {
    /// The error's message and hint.
    pub fn error(&self) -> String {
        let error = self.result.as_ref().expect_err("there is an error");
        let hint = error.hint.as_deref().unwrap_or_default();
        format!("{}; {hint}", error.message)
    }

    /// Rows of the result.
    pub fn rows(&self) -> usize {
        self.result.as_ref().expect("there is a result").rows()
    }
}

/// Asks with a watch, by a client.
pub fn ask_by(
    client: &Client,
    workspace: &Workspace,
    tokens: &dyn Tokens,
    watch: &dyn Watch,
) -> Came {
    let ask = Ask {
        text: "SecurityEvent | take 2",
        timespan: None,
    };
    let (mut progress, began) = (Vec::new(), Instant::now());
    let result = client.query(workspace, &ask, tokens, watch, &mut |told| {
        progress.push(told)
    });
    let took = began.elapsed();
    let lines: Vec<String> = progress.iter().map(ToString::to_string).collect();
    let mut told = format!("{progress:?} {lines:?} {client:?}");
    match &result {
        Ok(outcome) => {
            let (partial, taken) = (&outcome.completeness, &outcome.statistics);
            told += &format!("{partial:?} {taken:?} {:?}", outcome.render);
        }
        Err(error) => told += &format!("{error:?}"),
    }
    assert!(!told.contains("canary"), "{told}");
    Came {
        result,
        progress,
        took,
    }
}

/// Asks a workspace, with nobody to stop it.
pub fn ask(workspace: &Workspace) -> Came {
    ask_by(
        &Client::new(options()),
        workspace,
        &Canaries::default(),
        &Until(None),
    )
}

/// Asks a server of Log Analytics.
pub fn ask_logs(server: &Server) -> Came {
    ask(&workspace("log-analytics", server, ""))
}
