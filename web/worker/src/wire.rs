//! What the two threads say to each other: the kernel's, and the one that holds Python.
//!
//! A message is JSON, and beside it an array of what is not JSON. The kernel's thread takes what
//! Python's says as it takes what the guest itself says: nothing is believed, sizes are checked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use spoor_messages::{Asset, Poke, Shape};

/// A page of a guest's memory as the threads hand it over, in bytes.
pub const PAGE: u32 = 1 << 14;

/// From the kernel's thread.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPython {
    /// Make the guest. Comes first, once. Beside it: an array of the modules of the code's first
    /// parts; the image's bytes or null; the state's bytes or null; and, where the guest waits by
    /// blocking, the memory for the answers ([`crate::answers`]), else null.
    Start(Box<Start>),
    /// Run a turn. Answered by [`FromPython::Ended`].
    Turn {
        /// What to run.
        source: String,
    },
    /// The answer to a [`FromPython::Call`] or [`FromPython::Rest`]. Beside it: its bytes.
    Answer,
    /// The running code is to raise `KeyboardInterrupt`.
    Interrupt {
        /// Whether its flags are still to be set: who shares the memory sets them himself.
        poke: bool,
    },
    /// A file is to appear in a read-only folder.
    AddFile {
        /// The folder.
        path: String,
        /// The file, as `makeWasi` in `js/wasi.mjs` takes those with URLs of their own.
        file: Value,
    },
    /// A file is to be gone from a read-only folder.
    RemoveFile {
        /// The folder.
        path: String,
        /// The file's name.
        name: String,
    },
}

/// What a guest is made of.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    /// The image's shape, where there is one.
    pub image: Option<Shape>,
    /// The state to begin with, over the image: how long the memory is, in bytes, and which pages
    /// the state's bytes are.
    pub state: Option<(u32, Vec<u32>)>,
    /// The guest's folders, as `makeWasi` takes them.
    pub mounts: Value,
    /// Its environment, `NAME=value`.
    pub environment: Vec<String>,
    /// What to change in its memory for its code to raise `KeyboardInterrupt`.
    pub interrupt: Vec<Poke>,
    /// All the parts of its code.
    pub parts: Vec<Asset>,
}

/// From Python's thread.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromPython {
    /// The guest is made.
    Ready,
    /// The guest cannot be made.
    Unavailable {
        /// Why.
        message: String,
    },
    /// The guest has an instance, and threads share memory here. Beside it: the instance's memory.
    Memory,
    /// The guest asks its host and waits. Beside it: the request's bytes.
    Call,
    /// The guest tells its host, which need not answer. Beside it: the request's bytes.
    Tell,
    /// The guest wrote to a file descriptor. Beside it: the bytes.
    Write {
        /// 1 or 2.
        fd: u8,
    },
    /// An interrupt has reached the guest, whose code raises `KeyboardInterrupt` when it goes on.
    Interrupted,
    /// The guest waits until all that it has told and written is taken in.
    Rest,
    /// The guest, which is blocked, has taken a part of an answer and wants the next.
    More,
    /// The turn has ended.
    Ended {
        /// Why the guest trapped, if it did. It is as it was before the turn then.
        trap: Option<String>,
        /// How long its memory is, in bytes.
        memory: f64,
    },
    /// What has changed in the guest's memory since the last of these or, if it is the first, since
    /// it began. Beside it: the changed pages' bytes; and, the first time, the image's bytes, which
    /// are not needed any more, else null.
    Checkpoint {
        /// How long the memory is, in bytes.
        length: u32,
        /// The pages that changed, of [`PAGE`] bytes.
        pages: Vec<u32>,
    },
    /// Bytes of a further part of the code have arrived.
    Loading {
        /// Bytes so far.
        loaded: f64,
        /// Bytes in all.
        total: f64,
    },
    /// A further part of the code is there.
    Loaded {
        /// Milliseconds from its first request.
        ms: f64,
    },
}
