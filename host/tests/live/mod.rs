//! What the tests of live sessions share: the real kernel and the real Python guest, loaded once
//! for a binary, and a notebook that runs cells in them.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use spoor::aot::Cache;
use spoor::assets::Assets;
use spoor::session::{End, Message, Options, Report, Runtime, Session};
use spoor_protocol::Event;

/// The real kernel and the real guest, loaded once.
pub fn runtime() -> Arc<Runtime> {
    static RUNTIME: std::sync::OnceLock<Arc<Runtime>> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(load).clone()
}

fn load() -> Arc<Runtime> {
    // A test's executable is in target/PROFILE/deps; the assets are in target/PROFILE.
    let beside = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("assets");
    let assets = match std::env::var_os("SPOOR_ASSETS") {
        Some(_) => Assets::find(),
        None => Assets::at(beside),
    };
    let assets = assets.unwrap_or_else(|error| panic!("{error}"));
    Runtime::load(
        assets,
        Cache::of_user(),
        Box::new(|progress| eprintln!("{progress}")),
    )
    .unwrap()
}

/// A session, and what it reports.
pub struct Notebook {
    /// The session itself.
    pub session: Session,
    /// What it reports.
    pub reports: Receiver<Report>,
    requests: usize,
}

impl Notebook {
    /// A notebook with a session of its own.
    pub fn open(options: Options) -> Self {
        let (sender, reports) = channel();
        let session =
            Session::open(&runtime(), options, move |report| drop(sender.send(report))).unwrap();
        Self {
            session,
            reports,
            requests: 0,
        }
    }

    /// Sends a request and gives the messages that answer it.
    pub fn request(&mut self, make: impl FnOnce(String) -> Event) -> Vec<Message> {
        self.requests += 1;
        self.session.send(make(self.requests.to_string())).unwrap();
        self.finish().0
    }

    /// The messages up to the end of the request that runs.
    pub fn finish(&self) -> (Vec<Message>, End) {
        let mut messages = Vec::new();
        loop {
            match self.reports.recv_timeout(Duration::from_secs(240)).unwrap() {
                Report::Message(message) => messages.push(message),
                Report::Note(_) | Report::Preparing | Report::Prepared => {}
                Report::Done(end) => return (messages, end.unwrap()),
            }
        }
    }

    /// Runs a cell and gives what it shows: streams, text of results, names of errors.
    pub fn cell(&mut self, code: &str) -> String {
        let messages = self.request(|id| execute(id, code));
        messages.iter().map(shown).collect()
    }
}

/// The request to run a cell.
pub fn execute(id: String, code: &str) -> Event {
    Event::Execute {
        id,
        cell_id: None,
        code: code.into(),
        silent: false,
        allow_stdin: false,
    }
}

/// What a message shows: a stream's text, a result's plain text, an error's name.
pub fn shown(message: &Message) -> String {
    let at = |path: &str| {
        Value::Object(message.content.clone())
            .pointer(path)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match message.msg_type.as_str() {
        "stream" => at("/text"),
        "execute_result" | "display_data" => at("/data/text~1plain"),
        "error" => at("/ename"),
        _ => None,
    }
    .unwrap_or_default()
}
