//! Sign-in in this machine's browser: an authorization code, bound to this process by PKCE (RFC 7636), `state` and `nonce`, that comes
//! back to a listener on this machine (RFC 8252).

use std::io;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreResponseType, CoreTokenResponse};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, RedirectUrl, Scope,
};

use super::loopback::{Answer, Loopback};
use crate::discovery::Provider;
use crate::error::{Fault, SignInError};
use crate::oidc;
use crate::realm::Realm;
use crate::told::told;

/// What a person may take to sign in: long enough to find a telephone for the second factor.
const PATIENCE: Duration = Duration::from_secs(300);

/// Has `open` open the authority's page, and waits until the browser comes back. Gives the answer, and the nonce its ID token has.
pub(crate) fn run(
    provider: &Provider,
    realm: &Realm,
    client_id: &str,
    scopes: &[String],
    open: impl FnOnce(&str) -> io::Result<()>,
) -> Result<(CoreTokenResponse, Nonce), SignInError> {
    let loopback = Loopback::bind().map_err(SignInError::Loopback)?;
    // Entra ignores the port of `localhost` when it compares addresses, and that of 127.0.0.1 only for applications that were
    // registered by hand. RFC 8252 prefers the number.
    let host = if realm.is_microsoft() {
        "localhost"
    } else {
        "127.0.0.1"
    };
    let address = RedirectUrl::new(format!("http://{host}:{}/", loopback.port()));
    let address = address.map_err(|_| provider.unusable("there is no address to come back to"))?;
    let client = oidc::client(provider, client_id, None).set_redirect_uri(address);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut request = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    request = request.add_prompt(if realm.is_microsoft() {
        CoreAuthPrompt::SelectAccount
    } else {
        // Without it, `offline_access` is ignored (OpenID Connect Core 1.0, 11).
        CoreAuthPrompt::Consent
    });
    let (url, state, nonce) = request.url();
    open(url.as_str()).map_err(SignInError::Show)?;
    let answer = loopback
        .wait(state.secret(), PATIENCE)
        .map_err(SignInError::Loopback)?;
    let code = code(provider, answer)?;
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|_| provider.unusable("it names no token endpoint"))?
        .set_pkce_verifier(verifier)
        .request(&provider.http)
        .map_err(|error| oidc::fault(provider, error, &[]))?;
    Ok((answer, nonce))
}

fn code(provider: &Provider, answer: Option<Answer>) -> Result<String, SignInError> {
    let Some(answer) = answer else {
        return Err(SignInError::TimedOut(PATIENCE.as_secs()));
    };
    // An authority that says who it is (RFC 9207) must be the one that was asked.
    let own = provider.metadata.issuer().as_str();
    if answer
        .issuer
        .is_some_and(|issuer| issuer != own && !own.contains("{tenantid}"))
    {
        return Err(provider
            .unusable("the browser came back from another authority")
            .into());
    }
    let description = told(&answer.description.unwrap_or_default(), &[]);
    match (answer.code, answer.error.as_deref()) {
        (Some(code), None) => Ok(code),
        (_, Some("access_denied")) => Err(SignInError::Denied(description)),
        (_, Some(error)) => Err(Fault::Refused {
            authority: provider.name.clone(),
            code: told(error, &[]),
            description,
        }
        .into()),
        (None, None) => Err(provider
            .unusable("the browser came back without a code")
            .into()),
    }
}
