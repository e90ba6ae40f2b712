//! Queries of remote workspaces, carried out on the host: the configuration file, the connections, and what comes of a query.
//!
//! What to send and how answers read is `spoor-providers`'; this crate has the sockets, the clock and the waiting. A request
//! goes to the one origin that its workspace names, over a connection whose address was checked, and carries a token that
//! nothing here prints, keeps on disk, or hands on. Who signs in, and how, is behind [`Tokens`]. There are no proxies, no cookies and no
//! cache.
//!
//! Calls block. They may be made on any thread but one that drives a tokio runtime (one of its blocking threads is right).
#![forbid(unsafe_code)]

mod client;
mod options;
mod settings;
mod tokens;
mod watch;
mod wire;

pub use client::{Ask, Client};
pub use options::{Options, Resolver, Timings};
pub use settings::{Places, Settings, SettingsError};
pub use spoor_providers::progress::Progress;
pub use spoor_providers::secret::Secret;
pub use tokens::{TokenError, Tokens};
pub use watch::{Until, Watch};
