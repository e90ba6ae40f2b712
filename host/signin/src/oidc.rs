//! The client of the `openidconnect` crate for an authority, and what is taken from its answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AuthType, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet, ErrorResponse,
    IssuerUrl, Nonce, OAuth2TokenResponse, RequestTokenError, TokenResponse,
};
use serde_json::Value;

use crate::clock;
use crate::discovery::{Provider, is_guid};
use crate::error::Fault;
use crate::http::HttpError;
use crate::secret::{Kept, Secret};
use crate::store::record::Access;
use crate::told::told;
use crate::web::name;

/// Seconds that a token of unknown lifetime is believed to live. Authorities SHOULD say (RFC 6749, 5.1).
const UNSAID: i64 = 600;

pub(crate) type Oidc = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A client of `provider`. Applications with a secret say it in the way that the authority takes.
pub(crate) fn client(provider: &Provider, client_id: &str, secret: Option<&Secret>) -> Oidc {
    let id = ClientId::new(client_id.to_owned());
    let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
    let methods = provider.metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|all| all.contains(&method));
    let basic = methods.is_none() || takes(CoreClientAuthMethod::ClientSecretBasic);
    let kind = if secret.is_none() || takes(CoreClientAuthMethod::ClientSecretPost) || !basic {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    };
    CoreClient::from_provider_metadata(provider.metadata.clone(), id, secret).set_auth_type(kind)
}

/// The error of a token request, without what the answer's body held.
pub(crate) fn fault<T: ErrorResponse>(
    provider: &Provider,
    error: RequestTokenError<HttpError, T>,
    secrets: &[&Secret],
) -> Fault {
    match error {
        RequestTokenError::Request(error) => Fault::Http(error),
        RequestTokenError::ServerResponse(answer) => refused(provider, &answer, secrets),
        RequestTokenError::Parse(error, _) => provider.unusable(format!(
            "its answer cannot be read at '{}'",
            told(&error.path().to_string(), secrets)
        )),
        RequestTokenError::Other(_) => provider.unusable("its answer is empty or of another type"),
    }
}

/// Reads `error` and `error_description` of a refusal, whichever of the crate's types it has.
fn refused(provider: &Provider, answer: &impl ErrorResponse, secrets: &[&Secret]) -> Fault {
    let fields = serde_json::to_value(answer).unwrap_or_default();
    let field = |name: &str| told(fields[name].as_str().unwrap_or_default(), secrets);
    Fault::Refused {
        authority: provider.name.clone(),
        code: field("error"),
        description: field("error_description"),
    }
}

/// Tokens of an answer.
pub(crate) struct Grant {
    pub(crate) access: Access,
    pub(crate) refresh: Option<Kept>,
}

/// Takes the tokens out of an answer that came just now.
pub(crate) fn grant(provider: &Provider, answer: &CoreTokenResponse) -> Grant {
    let token = answer.access_token().secret().clone();
    let lifetime = answer
        .expires_in()
        .map(|time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let now = clock::now();
    let expires = end(
        now,
        lifetime.unwrap_or(UNSAID),
        &token,
        provider.http.skew(),
    );
    Grant {
        access: Access {
            token: Kept(Secret::new(token)),
            obtained: now,
            expires,
        },
        refresh: answer
            .refresh_token()
            .map(|token| Kept(Secret::new(token.secret().clone()))),
    }
}

/// When a token ends, by this machine's clock. The answer's lifetime counts from now on, so no clock matters; but where the token
/// itself says an earlier time, that is what the service will go by, and the server's `Date` says what it means here.
fn end(now: i64, lifetime: i64, token: &str, skew: Option<i64>) -> i64 {
    let by_answer = now.saturating_add(lifetime.clamp(0, 10 * 365 * 86_400));
    let own = payload(token).and_then(|claims| claims["exp"].as_i64());
    match (own, skew) {
        (Some(own), Some(skew)) => by_answer.min(own.saturating_sub(skew)),
        _ => by_answer,
    }
}

/// The claims of a JSON Web Token, unverified; `None` if it is none.
pub(crate) fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Who signed in, by the ID token of the answer: signature, issuer, audience, time and, where there was one, the nonce are checked.
pub(crate) fn person(
    provider: &Provider,
    client_id: &str,
    answer: &CoreTokenResponse,
    nonce: Option<&Nonce>,
) -> Result<String, Fault> {
    // Somebody whose clock is wrong can sign in too: the token is as old as the server says.
    let skew = provider.http.skew().unwrap_or(0);
    verified(provider, client_id, answer, nonce, skew).map(|(claims, _)| name(claims))
}

/// The ID token of an answer and its claims, all of which was checked, at a time that is `ahead` of this machine's by so many seconds.
pub(crate) fn verified<'a>(
    provider: &Provider,
    client_id: &str,
    answer: &'a CoreTokenResponse,
    nonce: Option<&Nonce>,
    ahead: i64,
) -> Result<(&'a CoreIdTokenClaims, &'a CoreIdToken), Fault> {
    let token = answer
        .id_token()
        .ok_or_else(|| provider.unusable("it does not say who signed in (there is no ID token)"))?;
    let keys = CoreJsonWebKeySet::fetch(provider.metadata.jwks_uri(), &provider.http)
        .map_err(|_| provider.unusable("its keys cannot be read"))?;
    let issuer = issuer(provider, token);
    let verifier =
        CoreIdTokenVerifier::new_public_client(ClientId::new(client_id.to_owned()), issuer, keys)
            .set_allowed_algs(signatures(provider))
            .set_time_fn(move || now(ahead));
    let claims = token.claims(&verifier, |found: Option<&Nonce>| match nonce {
        Some(nonce) if found.map(Nonce::secret) != Some(nonce.secret()) => {
            Err("it is another sign-in's".to_owned())
        }
        _ => Ok(()),
    });
    let claims = claims.map_err(|cause| {
        provider.unusable(format!(
            "its ID token does not hold: {}",
            told(&cause.to_string(), &[])
        ))
    })?;
    // The crate leaves this out (OpenID Connect Core 1.0, 3.1.3.7, 5): the token was made for this client, not just also for it.
    let party = claims.authorized_party();
    if party.is_some_and(|party| party.as_str() != client_id) {
        return Err(
            provider.unusable("its ID token does not hold: its authorized party is another client")
        );
    }
    Ok((claims, token))
}

fn now(skew: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(clock::now().saturating_add(skew), 0).unwrap_or_else(Utc::now)
}

/// The issuer that the ID token must have. Entra's document for all directories has a place where the directory goes.
fn issuer(provider: &Provider, token: &CoreIdToken) -> IssuerUrl {
    let issuer = provider.metadata.issuer().clone();
    let tenant =
        payload(&token.to_string()).and_then(|claims| Some(claims["tid"].as_str()?.to_owned()));
    match tenant {
        Some(tenant) if is_guid(&tenant) => {
            let own = issuer.as_str().replace("{tenantid}", &tenant);
            IssuerUrl::new(own).unwrap_or(issuer)
        }
        _ => issuer,
    }
}

/// Signatures with public keys only: nobody here has a secret that could be one.
fn signatures(provider: &Provider) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm as Alg;
    let sound = |alg: &Alg| {
        !matches!(
            alg,
            Alg::None | Alg::HmacSha256 | Alg::HmacSha384 | Alg::HmacSha512
        )
    };
    let all = provider.metadata.id_token_signing_alg_values_supported();
    all.iter().filter(|alg| sound(alg)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(exp: i64) -> String {
        let claims = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}"));
        format!("e30.{claims}.c2ln")
    }

    #[test]
    fn the_end_of_a_token_is_by_this_clock() {
        // What the answer says, if the token says nothing or the same.
        assert_eq!(end(1000, 600, "opaque", Some(0)), 1600);
        assert_eq!(end(1000, 600, &token(1600), Some(0)), 1600);
        // A server whose clock is ten hours ahead.
        assert_eq!(end(1000, 600, &token(37_600), Some(36_000)), 1600);
        // A token that ends before its answer says so.
        assert_eq!(end(1000, 600, &token(1300), Some(0)), 1300);
        // Without a Date nothing is known of the other clock.
        assert_eq!(end(1000, 600, &token(1300), None), 1600);
        assert_eq!(
            end(1000, i64::MAX, "opaque", None),
            1000 + 10 * 365 * 86_400
        );
    }
}
