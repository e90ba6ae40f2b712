//! What the kernel asks of a driver.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{PluginLimits, Provider};

/// The message type of a broadcast of ours: its content's `stale` has the ids of all cells that are stale, after data was replaced or
/// taken away while no cell ran. Jupyter's front ends pass over types that they do not know.
pub const STALE: &str = "spoor_stale";

/// The effects of one step, in the order in which to carry them out.
pub type Effects = Vec<Effect>;

/// Jupyter's channels, as far as a kernel writes to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Broadcasts: outputs and status.
    Iopub,
    /// Replies to requests.
    Shell,
    /// Questions to the user (`input_request`).
    Stdin,
}

/// One thing that the driver is to do. Buffers are those of the frame that carries the effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Publish a Jupyter message.
    Publish {
        /// Where to.
        channel: Channel,
        /// Jupyter's message type: `execute_result`, `stream`, `status`, `complete_reply` ...
        msg_type: String,
        /// The request that caused it.
        parent: String,
        /// The message's content, as Jupyter's protocol has it.
        content: Map<String, Value>,
        /// The message's metadata. Replies to `execute` carry `spoor` here: the cell's language,
        /// rows of its result, elapsed milliseconds, the plugins that it called (`{name: {version, sha256}}`), and the ids of
        /// cells that are now stale.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Value>,
        /// Indices of raw buffers (an Arrow IPC stream of a result for the page, say).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buffers: Vec<usize>,
    },
    /// Run a turn of the Python guest: give `source` to its `turn` export. Upcalls arrive
    /// meanwhile; the end is reported by [`crate::Event::PythonDone`].
    RunPython {
        /// A line of Python, the kernel's own.
        source: String,
    },
    /// Throw the Python guest's instance away; the next [`Effect::RunPython`] starts anew.
    ResetPython,
    /// The answer to [`crate::Event::Upcall`]: the bytes in buffer `buffer`.
    UpcallReply {
        /// Index of the buffer.
        buffer: usize,
    },
    /// Read a data source and hand it in as [`crate::Event::Data`], whole or in order in parts.
    /// Every `Read` is answered to its last part or an error, even if the request that wanted it
    /// has been interrupted meanwhile.
    Read {
        /// The source's name.
        name: String,
    },
    /// Have a provider run a query, and hand its result in as [`crate::Event::Fetched`], whole or in order in parts.
    /// What a provider is reached by, and who lets a query in there, is the driver's alone: there is neither a URL nor
    /// a credential here. A driver without the provider answers with an error. The fetch is over with its last part,
    /// with an error, or with an [`crate::Event::Interrupt`] or [`crate::Event::Restart`]: the driver then stops the query, and
    /// what comes of it all the same is passed over.
    Fetch {
        /// The number of the fetch, which no other of the session has.
        fetch: u64,
        /// Who runs it.
        provider: Provider,
        /// The query. Places in an error are places in it.
        query: String,
        /// The time that it looks at beside what its text says, in ISO 8601: a duration (`P1D`), or two of times and
        /// durations with `/` between them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timespan: Option<String>,
    },
    /// Compile a plugin's module and keep it by its name here: calls of it follow. It was admitted and rewritten to count what
    /// it uses. Said again of a module that is kept already, it changes nothing.
    LoadPlugin {
        /// What it is called from now on: the SHA-256 of the plugin's own bytes, in hexadecimal.
        plugin: String,
        /// The plugin's name, for messages.
        name: String,
        /// The capabilities that it imports and was granted: `log`, `progress`, `time`.
        imports: Vec<String>,
        /// Index of the buffer with the module.
        buffer: usize,
    },
    /// Call a plugin in an instance of its own, and hand in what comes of it as [`crate::Event::PluginCalled`], within
    /// the limits' time. The call is over with that, or with an [`crate::Event::Interrupt`] or [`crate::Event::Restart`]: the
    /// driver then stops it, and what comes of it all the same is passed over.
    CallPlugin {
        /// The number of the call, which no other of the session has.
        call: u64,
        /// The plugin, as in [`Effect::LoadPlugin`].
        plugin: String,
        /// What the call may use.
        limits: PluginLimits,
        /// Index of the buffer with the call's frame (plugins/ABI.md).
        buffer: usize,
    },
    /// A slice of work is done and more is left: send [`crate::Event::Continue`], after any
    /// interrupt that is waiting.
    Continue,
    /// The event did not fit: the driver has a fault, or the bytes were not a frame. Nothing else
    /// was done. Drivers write it to their log.
    Refuse {
        /// What did not fit, and why.
        reason: String,
    },
    /// Nothing is left to do for the request `parent`.
    Idle {
        /// The request that has ended.
        parent: String,
    },
}
