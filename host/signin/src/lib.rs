//! Sign-in to remote workspaces on the host: who asks, how they prove it, and where the proof is kept.
//!
//! [`SignIn`] signs somebody in for a workspace, in one of five ways; [`Store`] keeps what came of it; [`Accounts`] gives an access
//! token whenever a request needs one. [`WebSignIn`] signs people in to a server of ours in their own browsers. The commands `login`, `accounts` and `logout` and the host's fetch layer call it.
//!
//! Everything blocks: callers with an event loop use a thread for it. Nothing here knows of WebAssembly: no token ever reaches a
//! guest. No token or secret is in an error, a `Debug` text, an environment variable or an argument.
//!
//! Copies that the libraries beneath make of a token while a request is under way are not erased afterwards; [`Secret`] is.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod accounts;
mod clock;
mod discovery;
mod error;
mod flows;
mod http;
mod oidc;
mod realm;
mod renew;
mod secret;
mod signin;
mod store;
mod told;
mod web;

pub use accounts::{Accounts, LoggedOut, Revoked};
pub use error::{
    AzureCliError, Fault, ManagedIdentityError, SignInError, StoreError, TokenError, WebSignInError,
};
pub use flows::device::Prompt;
pub use http::HttpError;
pub use realm::MICROSOFT_CLIENT;
pub use secret::Secret;
pub use signin::SignIn;
pub use store::record::{Account, How};
pub use store::{KeyPlace, Store};
pub use web::{Attempt, Person, Registration, Returned, WebSignIn};
