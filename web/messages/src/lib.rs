//! What the page and the worker say to each other, both ways as JSON with a `type`.
//!
//! Buffers of a `publish` travel beside it as transferred `Uint8Array`s in the field `buffers`.

pub mod fetch;
pub mod results;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spoor_protocol::{Channel, DataFormat, Event, FetchError, PluginWish, SourceSpec};

/// From the page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Begin: load the kernel and open a session. Comes first, once.
    Open {
        /// What to load and from where.
        site: Box<Site>,
        /// The options of [`Event::Open`].
        #[serde(default)]
        options: BTreeMap<String, Value>,
        /// The tables that the session can read.
        #[serde(default)]
        sources: Vec<Source>,
        /// Where the providers of [`spoor_protocol::Effect::Fetch`] are, by name: URLs that take a query and that need no
        /// more than what the browser adds to any request of the page's origin. A workspace's name stands behind [`WORKSPACE`].
        #[serde(default)]
        providers: BTreeMap<String, String>,
        /// Hash what is loaded and report it in `loaded`. Costs the streaming compilation.
        #[serde(default)]
        verify: bool,
    },
    /// Load Python behind the kernel, since a cell will need it. The first of these decides.
    PreparePython {
        /// What it will need at once.
        #[serde(default)]
        image: ImageName,
    },
    /// Where the recorded answers of the notebook's workspaces are: the URL of a folder, without a slash at its end.
    UseRecorded {
        /// The folder.
        url: String,
    },
    /// The answer to a [`FromWorker::Fetch`]. Beside it a `Uint8Array` for each table, an Arrow IPC stream. Neither an answer nor an
    /// error says that the page knows no such workspace.
    Fetched {
        /// The worker's number for the query.
        id: u32,
        /// What is said beside the rows, where there is an answer: a [`spoor_protocol::Told`] as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<String>,
        /// Why there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<FetchError>,
    },
    /// One more table that the session can read, and a file of Python's; one of the same name takes
    /// the place of that which was there. Waits its turn among the requests.
    AddSource {
        /// The source.
        source: Source,
    },
    /// Take a table away, and its file from Python. Waits its turn among the requests.
    RemoveSource {
        /// The table's name.
        name: String,
    },
    /// One more plugin, whose functions queries may call; one of the same name takes the place of that which was there.
    /// Waits its turn among the requests. Answered by a `publish` of a `plugin_reply`, as [`Event::AddPlugin`] has it,
    /// also where its bytes cannot be had; once more when the session had to be restarted.
    AddPlugin {
        /// The request's id.
        id: String,
        /// Where the module is, as it was published: a blob's URL, or one of the page's origin, relative to the worker's
        /// script. At most 16 MiB are taken.
        url: String,
        /// The module that it has to be: its SHA-256 in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// The capabilities that the user grants it: `log`, `progress`, `time`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        granted: Vec<String>,
        /// What the user says of the limits of its calls.
        #[serde(default)]
        limits: PluginWish,
    },
    /// Take a plugin away, and its functions with it. Waits its turn among the requests.
    RemovePlugin {
        /// The plugin's name.
        name: String,
    },
    /// End the Python code that runs, whatever it does, and go back to the state before its cell.
    /// What it wrote to files is gone. Nothing is done where no Python code runs.
    RollBack,
    /// A request to the kernel: `execute`, `complete`, `inspect`, `is_complete`, `interrupt`,
    /// `restart`, `input_reply`, or what else a page asks of it. The driver's own events are refused.
    Request {
        /// The event, as the kernel's protocol has it.
        event: Event,
    },
}

/// What stands before a workspace's name among the providers of [`ToWorker::Open`].
pub const WORKSPACE: &str = "workspace/";

/// The engines of a site. URLs are relative to the worker's script.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Site {
    /// `kernel.wasm` in parts: what a session begins with, then what it asks for by its number.
    pub kernel: Vec<Asset>,
    /// The Python guest.
    pub python: PythonSite,
    /// The script that keeps the site for use offline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// The Python guest, as a page loads it; `guest.json` on the host says how it is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PythonSite {
    /// Its code: the guest itself, then the parts that it asks for by their number.
    pub parts: Vec<Asset>,
    /// Its linear memory as it is before the first turn; none for a guest that starts itself.
    #[serde(default)]
    pub images: BTreeMap<ImageName, Image>,
    /// A JSON array of its folders, in the order of their file descriptors from 3 on, as
    /// `makeWasi` in `js/wasi.mjs` takes them.
    pub mounts: Asset,
    /// Its environment, `NAME=value`.
    pub environment: Vec<String>,
    /// What to change in its memory for its code to raise `KeyboardInterrupt`.
    #[serde(default)]
    pub interrupt: Vec<Poke>,
}

/// What a guest has imported when its first turn begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageName {
    /// IPython: the smallest.
    Bare,
    /// pandas too, and so all that `kql(...)` needs.
    #[default]
    Pandas,
}

/// A memory without its empty pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shape {
    /// How long the memory is, in bytes.
    pub memory: u32,
    /// Where each run of bytes is in memory, and how long, in bytes.
    pub runs: Vec<(u32, u32)>,
}

/// A guest's memory without its empty pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Image {
    /// The bytes of the runs, one after the other.
    #[serde(flatten)]
    pub asset: Asset,
    /// How long the memory is, and where the runs are in it.
    #[serde(flatten)]
    pub shape: Shape,
    /// How many parts of the code, from the first on, its turns are about to need.
    pub parts: usize,
}

/// A byte to change in a guest's memory.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Poke {
    /// Where.
    pub address: u32,
    /// The bits to set.
    pub or: u8,
}

/// A file of the site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asset {
    /// Where it is.
    pub url: String,
    /// Its length in bytes, unpacked.
    pub bytes: f64,
    /// Its SHA-256 in hexadecimal, if it is to be kept from visit to visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How a site has it in pieces.
    #[serde(flatten)]
    pub pieces: Pieces,
}

/// How a site has a file that is too large for common hosts. `js/engines.mjs` joins the pieces.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Pieces {
    /// The pieces' URLs, of `block` bytes each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<Vec<String>>,
    /// How long each piece is but the last, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<f64>,
    /// The URLs of pieces of the file as gzip packs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip: Option<Vec<String>>,
}

/// A file that becomes a table, and is seen by Python as `/data/FILE`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The table's name.
    pub name: String,
    /// The file's name, with its extensions.
    pub file: String,
    /// Where it is.
    pub url: String,
    /// Its length in bytes.
    pub bytes: f64,
    /// How to read it.
    pub format: DataFormat,
    /// Its SHA-256 in hexadecimal, if it is to be kept from visit to visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How a site has it in pieces.
    #[serde(flatten)]
    pub pieces: Pieces,
}

impl Source {
    /// A file as a table: its name and how to read it are what the file's name says.
    pub fn of_file(file: &str, url: &str, bytes: f64) -> Self {
        Self {
            name: spoor_names::table_name(file),
            file: file.to_owned(),
            url: url.to_owned(),
            bytes,
            format: DataFormat::of_path(file),
            sha256: None,
            pieces: Pieces::default(),
        }
    }

    /// The source as the kernel is told of it.
    pub fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.name.clone(),
            label: self.file.clone(),
            bytes: Some(self.bytes as u64),
            format: self.format,
        }
    }
}

/// The kernel's state, as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its bytes are on the way or being compiled.
    Loading,
    /// Ready for a request.
    Idle,
    /// Working on one.
    Busy,
    /// It cannot go on; see the `failed` message before.
    Dead,
}

/// To the page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// Bytes of a part have arrived. At most one every 100 ms for each part.
    Loading {
        /// `kernel`, `python`, or a source's name.
        part: String,
        /// Bytes so far, unpacked.
        loaded: f64,
        /// Bytes in all.
        total: f64,
    },
    /// A part is ready.
    Loaded {
        /// As above.
        part: String,
        /// Milliseconds from its first request.
        ms: f64,
        /// SHA-256 of the bytes that are used, where `verify` asked for it: the modules', and
        /// for Python its image's last.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sha256: Vec<String>,
    },
    /// The kernel's state has changed.
    State {
        /// To this.
        state: State,
    },
    /// A Jupyter message, as the kernel published it. Those that only add to a cell's outputs are
    /// left out: they come as `outputs`. Where such a message has buffers it comes as well.
    Publish {
        /// Jupyter's channel.
        channel: Channel,
        /// Jupyter's message type.
        msg_type: String,
        /// The request that caused it.
        parent: String,
        /// The message's content.
        content: Map<String, Value>,
        /// The message's metadata.
        metadata: Map<String, Value>,
    },
    /// A cell's outputs have changed.
    Outputs {
        /// The cell's id, or the request's where it has none.
        cell: String,
        /// The first output that changed; those before are as they were.
        from: usize,
        /// The outputs from there on, as nbformat 4 has them.
        outputs: Vec<Value>,
        /// The cell's execution count.
        execution_count: Option<i64>,
    },
    /// Text was added to the end of an output that is a stream.
    StreamAppend {
        /// The cell's id, or the request's where it has none.
        cell: String,
        /// Which of its outputs.
        output: usize,
        /// What was added.
        text: String,
    },
    /// Ask a workspace. Answered by a [`ToWorker::Fetched`], unless it is stopped before.
    Fetch {
        /// The worker's number for it.
        id: u32,
        /// The workspace's name in the user's configuration.
        workspace: String,
        /// KQL.
        query: String,
        /// The time that it looks at.
        timespan: Option<String>,
    },
    /// Nobody waits for a [`FromWorker::Fetch`] any more.
    StopFetch {
        /// Its number.
        id: u32,
    },
    /// How much of the call of a plugin is done that the running request waits for, as the plugin says. At most one every 100 ms.
    Progress {
        /// Thousandths: 0 to 1000.
        permille: u16,
    },
    /// An interrupt was asked for a second ago, and the Python code still runs. `roll_back` ends it.
    Stuck {
        /// The request that runs it.
        parent: String,
        /// Whether interrupts reach code that neither prints nor asks for anything. They do not in a
        /// page that is not cross-origin isolated.
        can_interrupt: bool,
    },
    /// What the engines hold, in bytes. After each request.
    Memory {
        /// The kernel.
        kernel: f64,
        /// The Python guest; 0 before it is loaded.
        python: f64,
    },
    /// The request has ended.
    Done {
        /// The request.
        parent: String,
    },
    /// A part failed for good.
    Failed {
        /// `driver`, `kernel`, `python` or a source's name.
        part: String,
        /// What went wrong and what to do.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_page_sends_reads() {
        let open = json!({
            "type": "open",
            "site": {
                "kernel": [{ "url": "kernel0.wasm", "bytes": 5, "sha256": "00" }],
                "python": {
                    "parts": [{ "url": "python/part0.wasm", "bytes": 7 }],
                    "images": { "bare": { "url": "python/bare.pages", "bytes": 3, "memory": 65536, "runs": [[16, 3]], "parts": 1 } },
                    "mounts": { "url": "python/mounts.json", "bytes": 2 },
                    "environment": ["HOME=/tmp"],
                    "interrupt": [{ "address": 16, "or": 1 }],
                },
            },
            "sources": [{ "name": "T", "file": "T.csv.gz", "url": "data/T.csv.gz", "bytes": 9, "format": "csv" }],
        });
        let ToWorker::Open {
            site,
            sources,
            providers,
            verify,
            ..
        } = serde_json::from_value(open).unwrap()
        else {
            panic!("not an open message");
        };
        assert!(!verify && providers.is_empty());
        let image = &site.python.images[&ImageName::Bare];
        assert_eq!((image.parts, &image.shape.runs[..]), (1, &[(16, 3)][..]));
        assert_eq!(sources[0].spec().bytes, Some(9));
        let execute =
            json!({ "type": "request", "event": { "event": "execute", "id": "a", "code": "1" } });
        let ToWorker::Request { event } = serde_json::from_value(execute).unwrap() else {
            panic!("not a request");
        };
        assert!(matches!(event, Event::Execute { silent: false, .. }));
    }

    #[test]
    fn a_plugin_needs_no_more_than_an_id_and_a_place() {
        let add = json!({ "type": "add_plugin", "id": "p", "url": "blob:x", "limits": { "fuel": 1_u64 << 60 } });
        let ToWorker::AddPlugin {
            sha256,
            granted,
            limits,
            ..
        } = serde_json::from_value(add).unwrap()
        else {
            panic!("not a plugin");
        };
        assert_eq!((sha256, granted), (None, Vec::new()));
        assert_eq!((limits.fuel, limits.memory), (Some(1 << 60), None));
        let remove = json!({ "type": "remove_plugin", "name": "entropy" });
        let read = serde_json::from_value(remove).unwrap();
        assert!(matches!(read, ToWorker::RemovePlugin { name } if name == "entropy"));
    }

    #[test]
    fn the_page_reads_what_is_sent() {
        let loaded = FromWorker::Loaded {
            part: "kernel".into(),
            ms: 1.5,
            sha256: Vec::new(),
        };
        let text = serde_json::to_value(loaded).unwrap();
        assert_eq!(
            text,
            json!({ "type": "loaded", "part": "kernel", "ms": 1.5 })
        );
    }
}
