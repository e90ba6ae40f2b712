//! The plugin ABI `spoor_abi_1` in Rust: the names that both sides use, how a call's frame is laid out, what the
//! answer's `i64` holds, and the manifest. The gate, the hosts and the SDK all depend on it; `plugins/ABI.md` says the
//! same in prose. It runs nothing, knows no engine, and reads no Arrow.
//!
//! Everything that comes from a guest is checked before use: no function here panics, whatever the bytes are, and none
//! allocates by a number that it was given and has not compared with the bytes that are there.
#![no_std]

extern crate alloc;

mod frame;
#[cfg(feature = "manifest")]
mod manifest;
#[cfg(feature = "manifest")]
mod message;
mod packed;
mod types;

pub use frame::{FRAME_ALIGN, Frame, FrameError, MAX_SEGMENTS, encode_frame};
#[cfg(feature = "manifest")]
pub use manifest::{
    Capability, Function, InputMode, Limits, MAX_MANIFEST, Manifest, ManifestError, Output,
    OutputColumn, Parameter, ParameterKind, RowMode,
};
#[cfg(feature = "manifest")]
pub use message::{AnswerHeader, CallHeader, Chart};
pub use packed::Packed;
pub use types::Type;
#[cfg(feature = "manifest")]
pub use types::Types;

/// The number of this ABI: the manifest's `abi`.
pub const ABI: u32 = 1;

/// The marker that a module exports, a function of no parameters and no results that is never called; also the only
/// module that imports may come from.
pub const MARKER: &str = "spoor_abi_1";

/// The module name of every import.
pub const IMPORT_MODULE: &str = MARKER;

/// The export of the linear memory.
pub const EXPORT_MEMORY: &str = "memory";

/// The export `alloc(len: i32) -> i32`: a pointer, a multiple of [`FRAME_ALIGN`], to `len` free bytes; 0 for no room.
pub const EXPORT_ALLOC: &str = "alloc";

/// The export `call(ptr: i32, len: i32) -> i64`: takes a frame, answers with a [`Packed`].
pub const EXPORT_CALL: &str = "call";

/// The export `_initialize()`, which may be missing: called once, before `alloc`.
pub const EXPORT_INITIALIZE: &str = "_initialize";

/// The exported immutable `i32` global that may be missing: where in memory the guest leaves what it has to say when it
/// traps, as `u32` pointer and `u32` length of UTF-8 text (0, 0: nothing). The host reads it after a trap and runs nothing.
pub const EXPORT_PANIC: &str = "spoor_panic";

/// The most of that text that a host shows, in bytes.
pub const MAX_PANIC: usize = 4096;

/// The import `log(ptr: i32, len: i32)`: one line of UTF-8 for the user.
pub const IMPORT_LOG: &str = "log";

/// The import `progress(permille: i32)`: how much of this call is done, 0 to 1000.
pub const IMPORT_PROGRESS: &str = "progress";

/// The import `time() -> i64`: nanoseconds since the Unix epoch.
pub const IMPORT_TIME: &str = "time";

/// The custom section that holds the manifest: one JSON object, UTF-8.
pub const MANIFEST_SECTION: &str = "spoor.manifest";

/// The custom section that holds the signature: the module's last.
pub const SIGNATURE_SECTION: &str = "spoor.signature";

/// Bytes of the Ed25519 public key that the signature section begins with.
pub const PUBLIC_KEY_LENGTH: usize = 32;

/// Bytes of the Ed25519 signature that follows the key.
pub const SIGNATURE_LENGTH: usize = 64;

/// Bytes of the signature section's content.
pub const SIGNATURE_SECTION_LENGTH: usize = PUBLIC_KEY_LENGTH + SIGNATURE_LENGTH;

/// The first column of an `indexed` answer: `UInt32`, never null, the input row that each answer row belongs to.
pub const ROW_COLUMN: &str = "_row";

/// Fuel of a call where neither the manifest nor the user says otherwise, in instructions.
pub const DEFAULT_FUEL: u64 = 2_000_000_000;

/// What is added to that for each row of the input, so that what is done to each row does not run out because there are many. A call
/// whose fuel its user says, or its manifest lowers, has no such addition.
pub const DEFAULT_FUEL_PER_ROW: u64 = 50_000;

/// Linear memory of an instance where neither the manifest nor the user says otherwise, in bytes.
pub const DEFAULT_MEMORY: u64 = 256 << 20;

/// Size of an answer where neither the manifest nor the user says otherwise, in bytes.
pub const DEFAULT_OUTPUT: u64 = 64 << 20;

/// Wall time of a call where neither the manifest nor the user says otherwise, in milliseconds.
pub const DEFAULT_WALL: u64 = 30_000;

/// The largest module, in bytes.
pub const MAX_MODULE: usize = 16 << 20;
