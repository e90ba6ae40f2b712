//! Queries over real connections, to a server on this machine that answers as services do, and as they should not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod asking;
mod confined;
mod faults;
mod queue;
mod server;
mod settings;
mod stopping;
mod tls;
mod tokens;
