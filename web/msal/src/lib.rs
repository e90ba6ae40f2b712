//! Signing in from the page: npm's `@azure/msal-browser`, bound with wasm-bindgen.
//!
//! The library does the protocols (authorization code with PKCE, renewal, sign-out) and has the tokens; here is what the page asks
//! of it, in the page's terms. Its JavaScript is a chunk that is loaded when [`Accounts::open`] is first called, so a page that
//! asks no workspace never has it. It works for Microsoft's authorities and for every other OpenID Connect authority that lets
//! pages ask it (CORS) and issues refresh tokens to them; hidden frames are not used, which the page's policy forbids.
//!
//! What it is not for: sending a token anywhere ([`Token::expose`] is for the one request that carries it), and deciding
//! which server may get one beyond [`Realm::server`].

mod accounts;
mod binding;
mod error;
mod realm;
mod redirect;
mod servers;
mod token;
mod told;

pub use accounts::{Account, Accounts, Extent, Way};
pub use error::SignInError;
pub use realm::Realm;
pub use redirect::{Finished, finish_redirect};
pub use token::Token;
