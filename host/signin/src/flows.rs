//! The ways to a token, each in a file.

pub(crate) mod azure_cli;
pub(crate) mod browser;
pub(crate) mod client_credentials;
pub(crate) mod device;
mod loopback;
pub(crate) mod managed_identity;
