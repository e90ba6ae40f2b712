//! What the kernel's `execute_reply` says of a run.

use serde_json::{Map, Value};
use spoor_notebook::PluginPin;

use super::{Outcome, Queue};
use crate::document::Document;
use crate::notebook::Change;

/// The parts of an `execute_reply` that the page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// How it ended.
    pub outcome: Outcome,
    /// Rows of the result, if it was a query's.
    pub rows: Option<u64>,
    /// The name by which the result is kept.
    pub kept: Option<String>,
    /// The ids of all cells that are stale now; `None` if the kernel does not say.
    pub stale: Option<Vec<String>>,
    /// The plugins that it called.
    pub plugins: Vec<(String, PluginPin)>,
}

impl Reply {
    /// Reads a reply's content and metadata. What is missing or of another type is left out.
    pub fn read(content: &Map<String, Value>, metadata: &Map<String, Value>) -> Self {
        let spoor = metadata.get("spoor").and_then(Value::as_object);
        let field = |name: &str| spoor?.get(name);
        Self {
            outcome: outcome(content),
            rows: field("rows").and_then(Value::as_u64),
            kept: field("kept").and_then(Value::as_str).map(str::to_owned),
            stale: spoor.and_then(stale_ids),
            plugins: pins(field("plugins")),
        }
    }
}

/// The ids of all stale cells in what the kernel says.
pub fn stale_ids(said: &Map<String, Value>) -> Option<Vec<String>> {
    let ids = said.get("stale")?.as_array()?.iter();
    let ids = ids.filter_map(Value::as_str);
    Some(ids.map(str::to_owned).collect())
}

fn pins(plugins: Option<&Value>) -> Vec<(String, PluginPin)> {
    let plugins = plugins.and_then(Value::as_object).into_iter().flatten();
    let pins = plugins.filter_map(|(name, pin)| {
        let text = |key: &str| Some(pin.get(key)?.as_str()?.to_owned());
        let (version, sha256) = (text("version")?, text("sha256")?);
        Some((name.clone(), PluginPin { version, sha256 }))
    });
    pins.collect()
}

fn outcome(content: &Map<String, Value>) -> Outcome {
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    match text("status") {
        Some("ok") => Outcome::Ok,
        _ if text("ename") == Some("KeyboardInterrupt") => Outcome::Interrupted,
        Some("aborted" | "abort") => Outcome::Interrupted,
        _ => Outcome::Error,
    }
}

impl Queue {
    /// Takes the reply to a request: the run ends, and the stale marks are the kernel's. A reply to
    /// a request that is not the running one's changes nothing.
    pub fn reply(
        &mut self,
        document: &Document,
        request: &str,
        reply: &Reply,
        now: f64,
    ) -> Vec<Change> {
        let Some(key) = self.key_of(request) else {
            return Vec::new();
        };
        if let Some(record) = self.records.get_mut(&key) {
            record.rows = reply.rows;
            record.kept.clone_from(&reply.kept);
        }
        let mut changes = self.finish(request, reply.outcome, now);
        if let Some(ids) = &reply.stale {
            changes.extend(self.set_stale_ids(document, ids));
        }
        changes
    }
}
