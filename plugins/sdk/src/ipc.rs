//! Arrow IPC streams as ABI.md has them: one schema, one record batch, uncompressed.
//!
//! Why not the crate `arrow-ipc`: with its flatbuffers types alone, without its reader and writer, the smallest plugin
//! had 148 kB, for a verifier and builders of every type that Arrow has; with this module it has 90 kB.
//! `tests/frames.rs` holds both sides against `arrow-ipc`.

mod flat;
mod read;
mod write;

pub(crate) use read::{Table, read};
pub(crate) use write::{Field, write};

/// What precedes every message's length.
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// What the metadata's and the buffers' lengths are a multiple of.
const ALIGN: usize = 8;

/// Arrow's numbers for the kinds of messages (format/Message.fbs, `MessageHeader`).
mod header {
    pub const SCHEMA: u8 = 1;
    pub const RECORD_BATCH: u8 = 3;
}

/// Arrow's numbers for types (format/Schema.fbs, `Type`).
mod kind {
    pub const INT: u8 = 2;
    pub const FLOATING_POINT: u8 = 3;
    pub const UTF8: u8 = 5;
    pub const BOOL: u8 = 6;
    pub const DECIMAL: u8 = 7;
}
