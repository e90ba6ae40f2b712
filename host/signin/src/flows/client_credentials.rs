//! An application that signs in with its own secret (RFC 6749, 4.4).

use openidconnect::Scope;
use openidconnect::core::CoreTokenResponse;

use crate::discovery::Provider;
use crate::error::Fault;
use crate::oidc;
use crate::secret::Secret;

/// Asks for a token of `scope`.
pub(crate) fn run(
    provider: &Provider,
    client_id: &str,
    secret: &Secret,
    scope: &str,
) -> Result<CoreTokenResponse, Fault> {
    let scopes = scope
        .split_whitespace()
        .map(|scope| Scope::new(scope.to_owned()));
    oidc::client(provider, client_id, Some(secret))
        .exchange_client_credentials()
        .map_err(|_| provider.unusable("it names no token endpoint"))?
        .add_scopes(scopes)
        .request(&provider.http)
        .map_err(|error| oidc::fault(provider, error, &[secret]))
}
