//! Remote queries in the browser: a worker of its own that knows the user's workspaces, asks them, and reads their answers.
//!
//! What to send and how answers read is `spoor-providers`', which the host uses too; here are the browser's requests and the waiting.
//! A request goes to the one origin that its workspace names, without cookies, without a referrer and without following redirects,
//! and carries a token that the page was given by the library that signs people in. Nothing here keeps a token longer than its
//! query runs, and what a service says is searched for it before it is shown.
//!
//! Where to look
//! - `fetcher`: messages in and out, and what runs;
//! - `run`: one query from its beginning to its end;
//! - `gate`: where queries wait for their turn;
//! - `wire`: a request as the browser sends it;
//! - `known`: what the page is told of the configuration.

// Without a browser the tests alone use it.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

mod gate;
mod known;
mod trouble;

#[cfg(target_arch = "wasm32")]
mod fetcher;
#[cfg(target_arch = "wasm32")]
mod run;
#[cfg(target_arch = "wasm32")]
mod wire;
