//! The driver of the Python guest: CPython in WebAssembly, run by wasmtime.
//!
//! A session calls [`PythonGuest`]; set-up calls [`snapshot::build`]. The guest comes as two
//! files: `python.wasm`, which is code alone, and `python.image`, the linear memory of an
//! interpreter that has IPython, pandas and `spoor` imported. Linear memory is the guest's whole
//! state, so starting is mapping the image, and a checkpoint is a copy of the pages that a turn
//! wrote (see [`memory`]).
//!
//! Nothing here knows what the guest and the kernel say to each other: their frames pass
//! through a [`Door`] as bytes. The one answer that is made here is the refusal of a frame that
//! is too large to pass.

pub mod assets;
mod clock;
mod door;
mod instance;
pub mod memory;
mod pages;
pub mod session;
mod shadow;
pub mod snapshot;
mod split;
mod wasi;
mod wheels;

pub use assets::PythonAssets;
pub use session::{Interpreter, Interrupter, PythonGuest};

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;

/// What the guest may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most linear memory, in bytes. Past it allocations fail, which Python code sees as
    /// `MemoryError`.
    pub memory_bytes: u64,
    /// The longest that a turn may take, what it asks at the door included. At the limit the
    /// code gets a `KeyboardInterrupt`, then more of them, and if it still goes on after
    /// [`GRACE`] it is stopped and rolled back.
    pub turn_time: Option<Duration>,
    /// The most that a session's guest may write to its files in all, in bytes. What is deleted
    /// is not given back. Past it there is no space left (`OSError` with `ENOSPC`).
    pub written_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            turn_time: None,
            written_bytes: 1 << 30,
        }
    }
}

/// How long a turn that passed its limit has to heed its `KeyboardInterrupt`.
pub const GRACE: Duration = Duration::from_secs(2);

/// A folder of the host that the guest sees.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The folder.
    pub host: PathBuf,
    /// Where the guest sees it: an absolute path (`/data`, `/data/logs`).
    pub guest: String,
    /// Whether the guest may not write there.
    pub read_only: bool,
}

/// Who answers the guest while a turn runs. All calls come on the thread that called
/// [`PythonGuest::turn`].
pub trait Door {
    /// The guest's `host.call`: a frame in, the frame that answers it out. An error stops the
    /// turn, which is then rolled back.
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, Error>;

    /// The guest wrote to its file descriptor 1 or 2. What `print` writes does not come this
    /// way; what C code and crash reports write does.
    fn output(&mut self, fd: u8, bytes: &[u8]);
}
