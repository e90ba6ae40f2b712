//! Who may ask a server of Spoor, and for what.
//!
//! `spoor serve --access FILE` opens a [`Door`] and puts its routes behind it with [`Door::guard`]. People sign in with their
//! browsers at an OpenID Connect authority (what is said there is `spoor-signin`'s) and are known by a session cookie from then on; machines bring a
//! bearer token, of which the file has the hash. The file says which role each of them has, and where ([`Role`], [`Place`]); limits and the
//! audit log apply to all. The crate knows nothing of notebooks, data or queries: what a request needs is handed in.
//!
//! No token, cookie, code or query is in an error, a `Debug` text or the audit log.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod access;
mod attempts;
mod audit;
mod caller;
mod cookies;
mod door;
mod guard;
mod ids;
mod limits;
mod machines;
mod origin;
mod peer;
mod reply;
mod roles;
mod sessions;
mod signin;
mod token;
mod tokens;

pub use access::{Access, AccessError, Identity, Listening};
pub use audit::{Audit, Outcome, Query, Save};
pub use caller::{Caller, Kind};
pub use door::{Door, Needs};
pub use peer::Peer;
pub use reply::Refusal;
pub use roles::{Grant, Need, Place, Role};
pub use token::UserToken;
pub use tokens::{TokenError, Tokens};
