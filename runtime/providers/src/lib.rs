//! Remote queries without I/O: the configuration of workspaces, requests to their services, and what the answers say.
//!
//! The host and the page share all of it. Time and randomness are handed to it.
//!
//! Nothing here opens a socket, reads a file, asks the time, or holds a credential: no request has an `Authorization` header.
#![forbid(unsafe_code)]

mod address;
pub mod cloud;
pub mod config;
pub mod endpoint;
