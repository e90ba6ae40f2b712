//! The server over real sockets: who is let in, what is reached, what is saved, what is streamed.

#![allow(clippy::unwrap_used)]

mod access;
mod doors;
mod files;
mod notebooks;
mod place;
mod query;
