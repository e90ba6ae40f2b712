//! What can go wrong in the host, said so that a person can act on it.
//!
//! Errors of a notebook's own code are not here: those are outputs of a cell.

use std::path::PathBuf;

/// An error of the host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The WebAssembly engine could not be set up.
    #[error("the WebAssembly engine did not start: {0}")]
    Engine(String),
    /// A file could not be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was being done: "cannot read".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A part of Spoor that set-up makes is not there.
    #[error(
        "{} is missing. Run `cargo xtask setup` once, or set SPOOR_ASSETS to the folder that holds kernel.wasm",
        path.display()
    )]
    MissingAsset {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The page is not there.
    #[error(
        "there is no page in {}. Make it with `cargo xtask site`, or name its folder with --site or SPOOR_SITE",
        path.display()
    )]
    MissingSite {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file is not the one that was pinned.
    #[error(
        "{} is not the expected file: its SHA-256 is {found}, not {expected}. Run `cargo xtask setup` to fetch it again",
        path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The pinned digest, in hex.
        expected: String,
        /// The digest found, in hex.
        found: String,
    },
    /// A WebAssembly module does not compile or lacks what it must have.
    #[error("{name} is not a module that this spoor can run: {reason}")]
    Module {
        /// The module's name.
        name: String,
        /// Why.
        reason: String,
    },
    /// `--data` named something that cannot be used.
    #[error("{0}")]
    Data(String),
    /// A result cannot be written in the format that was asked for.
    #[error("{0}")]
    Export(String),
    /// A file is not a recording, or not a whole one.
    #[error("{0}")]
    Recording(String),
    /// Spoor itself failed: a thread of its own panicked.
    #[error(
        "an internal error of spoor ended the session: {0}. What was finished before is kept; \
         run again, and please report it if it comes back"
    )]
    Internal(String),
    /// The kernel broke: it trapped, ran out of its limits or answered nonsense.
    #[error("the kernel stopped: {0}")]
    Kernel(String),
}

impl Error {
    /// A closure that turns a system error into [`Error::File`], for `map_err`.
    pub fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Error::File { what, path, source }
    }
}
