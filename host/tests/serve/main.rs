//! The server over real sockets: who is let in, what is reached, what is saved, what is streamed.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../../signin/tests/support/authority.rs"]
mod authority;
#[path = "../../signin/tests/support/browser.rs"]
mod browser;

mod access;
mod doors;
mod files;
mod notebooks;
mod place;
mod query;
mod upstream;
