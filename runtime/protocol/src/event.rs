//! What a driver tells the kernel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spoor_names::Format;

use crate::{FetchError, PluginOutcome, PluginWish, Told};

/// One thing that happened outside the kernel. `step` takes exactly one.
///
/// `id` is the driver's name for a request (Jupyter's `msg_id`); it comes back as `parent` in
/// every [`crate::Effect`] that the request causes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The session begins. Comes first, once.
    Open {
        /// Free-form options of the session. Known keys: `trusted` (bool), `headless` (bool, no
        /// front end answers `input()`), `memory_bytes` (the query engine's memory cap), `results`
        /// (`"arrow"`: a KQL cell's `execute_result` carries the rows as an Arrow IPC stream in
        /// buffer 0, up to 256 MiB, and says so in its metadata as `spoor.result`: `{buffer, rows,
        /// shown, truncated, columns: [{name, type}]}`, where `shown` of the `rows` are there).
        #[serde(default)]
        options: BTreeMap<String, Value>,
    },
    /// Offers a data source as a table of the catalogue. Its bytes are asked for with
    /// [`crate::Effect::Read`] when a query first needs them.
    AddSource {
        /// The table it becomes.
        source: SourceSpec,
    },
    /// Takes a data source away, and its table with it. Queries that name it are refused from then on.
    RemoveSource {
        /// The source's name, as in [`SourceSpec::name`].
        name: String,
    },
    /// Bytes of a source, in the order asked for. Buffer 0 holds them.
    Data {
        /// The source's name, as in [`SourceSpec::name`].
        name: String,
        /// Whether the source ends with these bytes.
        last: bool,
        /// Why the source could not be read, if it could not; the buffer is then ignored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Adds a plugin, of which buffer 0 holds the module as it was published. The answer is a message of Spoor's own,
    /// `plugin_reply`: with `status` `ok` its `name`, `version`, `sha256`, `publisher` (a key, or null) and `functions`, a
    /// list of names; with `error` `ename` and `evalue`.
    AddPlugin {
        /// The request's id.
        id: String,
        /// The module that it has to be: its SHA-256 in hexadecimal. Another one is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// The capabilities that the user grants it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        granted: Vec<String>,
        /// What the user says of its limits; what is left out is as the plugin's manifest and the defaults have it.
        #[serde(default)]
        limits: PluginWish,
    },
    /// Takes a plugin away, and its functions with it.
    RemovePlugin {
        /// Its name.
        name: String,
    },
    /// What came of a call of a plugin. Buffer 0 holds the answer's bytes, or those of the plugin's error message.
    PluginCalled {
        /// The number of the call, as in [`crate::Effect::CallPlugin`].
        call: u64,
        /// How it ended.
        outcome: PluginOutcome,
    },
    /// What came of a fetch, in order in parts. Buffer 0 holds bytes of an Arrow IPC stream, of at most
    /// [`crate::MAX_FETCHED`] bytes in all.
    Fetched {
        /// The number of the fetch, as in [`crate::Effect::Fetch`].
        fetch: u64,
        /// The table of the answer that the bytes are of: 0 is the result, others are further results of the query. They come one
        /// after the other, at most [`crate::MAX_FETCHED_TABLES`].
        #[serde(default)]
        table: usize,
        /// Whether the result ends with these bytes.
        last: bool,
        /// Why there is no result, if there is none; the buffer is then ignored, and nothing follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<FetchError>,
        /// What the answer says beside its rows; heeded with the last bytes.
        #[serde(default)]
        told: Box<Told>,
    },
    /// Says which workspaces mean what from now on.
    Workspaces {
        /// The one that runs queries which name none and read no result of the session. None: they run here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current: Option<String>,
        /// Those that are the session's own data, beside [`crate::LOCAL_WORKSPACE`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        local: Vec<String>,
    },
    /// Tells the tables of a workspace, for completion and inspection of queries that go there.
    Schema {
        /// The workspace.
        workspace: String,
        /// Each table's name, and its columns by name and Kusto's type, in order.
        tables: Vec<(String, Vec<(String, String)>)>,
    },
    /// Runs a cell (Jupyter's `execute_request`).
    Execute {
        /// The request's id.
        id: String,
        /// The cell's id (nbformat 4.5), where it has one; stale marks are kept by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell_id: Option<String>,
        /// The cell's source.
        code: String,
        /// Do not count, store or show it.
        #[serde(default)]
        silent: bool,
        /// Whether a front end can answer `input()`.
        #[serde(default)]
        allow_stdin: bool,
    },
    /// Asks for completions (Jupyter's `complete_request`).
    Complete {
        /// The request's id.
        id: String,
        /// The cell's source.
        code: String,
        /// Where the cursor is, in Unicode code points.
        cursor_pos: usize,
    },
    /// Asks about the name under the cursor (Jupyter's `inspect_request`).
    Inspect {
        /// The request's id.
        id: String,
        /// The cell's source.
        code: String,
        /// Where the cursor is, in Unicode code points.
        cursor_pos: usize,
        /// 0 or 1, as in Jupyter.
        #[serde(default)]
        detail_level: u8,
    },
    /// Asks what is wrong with a source and what its words are, without running it. The answer is a message of Spoor's own,
    /// `diagnose_reply`, at once, even while a cell runs; nothing is loaded for it. Where `language` is `python`, Python is
    /// loaded and nothing runs, it is Python's, in a turn. Its content: `status`, `language`,
    /// `diagnostics` of `{start, end, severity, message, hint?, fixes: [{title, safe, edits: [{start, end, text}]}]}`, and
    /// `tokens` of `[start, end, kind]`. Places are Unicode code points of `code`.
    Diagnose {
        /// The request's id.
        id: String,
        /// The cell's source.
        code: String,
        /// `kql` for a query without a line `%%kql`; `python` for what Python is to look at; left out, the source says what it is, as for [`Event::Execute`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// Asks what a table holds. A source that is not loaded yet is loaded for it. Changes neither the count of cells nor
    /// what a notebook shows. The answer is a message of Spoor's own, `describe_reply`: `status`, and with `ok` `rows`,
    /// `columns` of `{name, type}` and `first`, the first rows as texts, each as Kusto prints it and cut after
    /// 200 characters; with `error` `ename` and `evalue`.
    Describe {
        /// The request's id.
        id: String,
        /// The table's name.
        table: String,
        /// How many of its rows are wanted; at most 100 are given.
        rows: usize,
    },
    /// Asks whether the source is whole (Jupyter's `is_complete_request`).
    IsComplete {
        /// The request's id.
        id: String,
        /// The cell's source.
        code: String,
    },
    /// Stop the request that is running. A query ends at its next slice; a Python loop is the
    /// driver's to interrupt.
    Interrupt,
    /// Forget everything but the data sources, as a restarted kernel does.
    Restart,
    /// The Python guest called its host. Buffer 0 holds the request's bytes (a frame of
    /// `runtime/python`'s own protocol). Answered by exactly one [`crate::Effect::UpcallReply`],
    /// at once or after some [`Event::Continue`].
    Upcall,
    /// The guest wrote to a file descriptor of its own (C code does). Buffer 0 holds the bytes.
    PythonOutput {
        /// 1 for standard output, 2 for standard error.
        fd: u8,
    },
    /// The turn that [`crate::Effect::RunPython`] began has ended.
    PythonDone {
        /// How.
        outcome: Outcome,
    },
    /// The answer to an `input_request` (Jupyter's `input_reply`).
    InputReply {
        /// What was typed; `None` if there is no front end to ask.
        value: Option<String>,
    },
    /// Go on with the slice of work that [`crate::Effect::Continue`] announced.
    Continue,
}

/// A file that becomes a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table's name (the file's, without its extensions).
    pub name: String,
    /// What people call it in messages: the file's path as they gave it.
    pub label: String,
    /// Its length in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How to read it.
    pub format: DataFormat,
}

/// How a source's bytes are to be read. Compression (gzip, zstd, zip) is found from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON document: an array of objects, or one object.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
    /// Find out from the bytes.
    Auto,
}

impl DataFormat {
    /// What a file's name says of its format.
    pub fn of_path(path: &str) -> Self {
        match Format::of_path(path) {
            Some(Format::Csv) => Self::Csv,
            Some(Format::Parquet) => Self::Parquet,
            Some(Format::Arrow) => Self::Arrow,
            // Whether by lines or whole is found from the bytes.
            Some(Format::Json) | None => Self::Auto,
        }
    }
}

/// How a Python turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The guest returned; a Python exception has been published by the guest itself.
    Returned,
    /// The guest trapped. Its memory was rolled back to the state before the turn.
    Trapped {
        /// The engine's word for it.
        message: String,
    },
    /// The guest passed its memory limit; rolled back as above.
    OutOfMemory {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The guest passed its time limit and did not heed an interrupt; rolled back as above.
    TimedOut {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// A person had the turn ended, which did not heed an interrupt; rolled back as above. What the
    /// guest wrote to files is gone.
    Stopped,
    /// The guest could not be started at all.
    Unavailable {
        /// Why, and what to do.
        message: String,
    },
}
