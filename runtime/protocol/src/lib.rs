//! What a driver and the kernel say to each other: events in, effects out, both in frames.
//!
//! The kernel (`spoor-kernel`) is sans-IO. A driver (the wasmtime host, the browser's worker)
//! encodes an [`Event`] as a [`Frame`], calls the kernel's `step` with it, and carries out the
//! [`Effect`]s that come back, feeding their results in as further events. Both drivers and the
//! kernel use this crate, so there is one definition of every message.
//!
//! What faces people is in Jupyter's own terms: [`Effect::Publish`] carries the content of a
//! message of the Jupyter messaging protocol, with Jupyter's field names.
//!
//! Invariants
//! - A frame is self-describing and checked in full before any part is used: a hostile or
//!   truncated frame is a [`FrameError`], never a panic or an allocation of a size it names.
//! - Nothing here does I/O, reads a clock or draws randomness.
//! - No event or effect carries a credential.

mod effect;
mod event;
mod fetch;
mod frame;
mod plugin;

pub use effect::{Channel, Effect, Effects, STALE};
pub use event::{DataFormat, Event, Outcome, SourceSpec};
pub use fetch::{
    FetchError, LOCAL_WORKSPACE, MAX_FETCHED, MAX_FETCHED_TABLES, Mistake, Provider, Told,
};
pub use frame::{Frame, FrameError, MAX_BUFFERS, MAX_HEADER};
pub use plugin::{PluginLimits, PluginOutcome, PluginWish};

/// The version of this protocol. The kernel exports it as `spoor_kernel_protocol`; a driver
/// refuses a kernel whose number differs.
pub const PROTOCOL_VERSION: u32 = 1;
