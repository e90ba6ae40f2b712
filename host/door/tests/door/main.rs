//! The door, with a real authority, over real connections: who is let in, who is not, and what is said and written down of it.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../../../signin/tests/support/authority.rs"]
mod authority;
#[path = "../../../signin/tests/support/browser.rs"]
mod browser;

mod audit;
mod cached;
mod forged;
mod limits;
mod pages;
mod place;
mod roles;
mod sessions;
