//! Spoor as a store: Log Analytics' query API (version 1) and Kusto's (versions 1 and 2), so that clients that were made for
//! those services ask an engine of ours.
//!
//! `spoor serve --api` hands its engine in as an [`Engine`], and serves [`Store::routes`]. What is said on the wire is made from
//! tables in pieces ([`pieces`]), so that a large answer is never one text. Nothing here plans or runs a query, reads a data file,
//! or knows a browser: there are no cookies, and what a page of a browser causes is refused unless the
//! page's origin was named.
#![forbid(unsafe_code)]

mod cells;
mod engine;
pub mod kusto;
pub mod log_analytics;
pub mod pieces;
mod server;
mod timespan;
pub mod tls;

pub use engine::{Answer, Asked, Engine, Fault, Problem, Render, Stop, TableSchema};
pub use server::{NoOrigin, Options, Origins, Store};
pub use spoor_door::{TokenError, Tokens};
