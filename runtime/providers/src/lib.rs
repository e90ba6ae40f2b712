//! Remote queries without I/O: the configuration of workspaces, requests to their services, and what the answers say.
//!
//! The host and the page share all of it. A driver reads a [`config::Config`], asks [`request`] what to send, sends it with a
//! token that nothing here ever sees, and hands status, headers and bytes to [`response`]. [`retry`] and [`queue`] say when to send
//! again and who waits; time and randomness are handed to them.
//!
//! Nothing here opens a socket, reads a file, asks the time, or keeps a credential: no request has an `Authorization` header.
//! [`secret::Secret`] is for drivers, who do.
#![forbid(unsafe_code)]

mod address;
pub mod cloud;
pub mod config;
pub mod endpoint;
pub mod progress;
pub mod queue;
pub mod recorded;
pub mod request;
pub mod response;
pub mod retry;
pub mod secret;
