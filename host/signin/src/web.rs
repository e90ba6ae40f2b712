//! Sign-in to a server of ours, in the browsers of those who use it: an authorization code, bound to one attempt by PKCE
//! (RFC 7636), `state` and `nonce`, that comes back to the server's own address (OpenID Connect Core 1.0, 3.1).
//!
//! `spoor-door` calls it. Sessions, cookies and roles are that crate's; here is what is said to the authority, and what is believed
//! of its answers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::core::{CoreAuthenticationFlow, CoreIdTokenClaims};
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock::TOLERANCE;
use crate::discovery::Provider;
use crate::error::{Fault, WebSignInError};
use crate::oidc;
use crate::realm::Realm;
use crate::secret::Secret;
use crate::told::{line, told};

/// How long what an authority says of itself is believed. Its keys are asked for at each sign-in.
const BELIEVED: Duration = Duration::from_secs(600);

/// What the authority knows of the server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The authority, without the directory.
    pub authority: String,
    /// The directory, of Microsoft's authorities.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// The application's secret, if it was given one.
    pub secret: Option<Secret>,
    /// Where browsers come back to, as it is registered.
    pub redirect: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
}

/// Signs people in to a server.
pub struct WebSignIn {
    registration: Registration,
    realm: Realm,
    redirect: RedirectUrl,
    provider: Mutex<Option<(Instant, Arc<Provider>)>>,
}

/// One attempt to sign in: what the answer has to match. It is good for one answer.
pub struct Attempt {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// What the browser brought back, as its address had it.
#[derive(Default)]
pub struct Returned {
    /// The code, if the authority gave one.
    pub code: Option<String>,
    /// Who the authority says that it is (RFC 9207).
    pub issuer: Option<String>,
    /// OAuth's code for why there is none.
    pub error: Option<String>,
    /// What the authority says of it.
    pub description: Option<String>,
}

/// Who signed in. Everything here was vouched for by the authority, and checked.
#[derive(Debug)]
pub struct Person {
    /// Who it is to the authority, for ever.
    pub subject: String,
    /// What people call them.
    pub name: String,
    /// All that the ID token says.
    pub claims: Value,
    /// The person's own access token.
    pub access: Secret,
    /// How long that lives from now on, if the authority said so.
    pub lifetime: Option<Duration>,
}

/// Whether a tenant is none in particular: everybody's people could sign in.
fn is_any_directory(tenant: &str) -> bool {
    ["common", "organizations", "consumers"]
        .iter()
        .any(|any| tenant.eq_ignore_ascii_case(any))
}

impl WebSignIn {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// When the address to come back to is none, or the directory is missing where everybody's would be let in.
    pub fn new(registration: Registration) -> Result<Self, WebSignInError> {
        let redirect = RedirectUrl::new(registration.redirect.clone())
            .map_err(|_| WebSignInError::Redirect(registration.redirect.clone()))?;
        let realm = Realm {
            authority: registration.authority.trim_end_matches('/').to_owned(),
            tenant: registration.tenant.clone(),
            client_id: Some(registration.client_id.clone()),
            server: None,
        };
        if realm.is_microsoft() && realm.tenant.as_deref().is_none_or(is_any_directory) {
            return Err(WebSignInError::NoTenant(realm.authority));
        }
        Ok(Self {
            registration,
            realm,
            redirect,
            provider: Mutex::default(),
        })
    }

    /// Begins an attempt: where to send the browser, and what its answer has to match. Blocks.
    ///
    /// # Errors
    /// When the authority cannot be reached, or is none.
    pub fn begin(&self) -> Result<(String, Attempt), Fault> {
        let provider = self.provider()?;
        let client = self.client(&provider);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.registration.scopes.iter();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            // The client adds it by itself.
            .add_scopes(
                scopes
                    .filter(|scope| *scope != "openid")
                    .cloned()
                    .map(Scope::new),
            )
            .set_pkce_challenge(challenge)
            .url();
        let attempt = Attempt {
            state,
            nonce,
            verifier,
        };
        Ok((url.into(), attempt))
    }

    /// Redeems what came back for `attempt`, and checks who it says has signed in: signature, issuer, audience, authorised party,
    /// nonce and time. Blocks.
    ///
    /// # Errors
    /// When the authority refused, is another, or says something that does not hold.
    pub fn finish(&self, attempt: Attempt, returned: Returned) -> Result<Person, Fault> {
        let provider = self.provider()?;
        let code = code(&provider, returned)?;
        let secrets: Vec<&Secret> = self.registration.secret.iter().collect();
        let answer = self
            .client(&provider)
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| provider.unusable("it names no token endpoint"))?
            .set_pkce_verifier(attempt.verifier)
            .request(&provider.http)
            .map_err(|error| oidc::fault(&provider, error, &secrets))?;
        // A token counts for a minute longer than it says, for clocks that differ.
        let (claims, token) = oidc::verified(
            &provider,
            &self.registration.client_id,
            &answer,
            Some(&attempt.nonce),
            -TOLERANCE,
        )?;
        Ok(Person {
            subject: claims.subject().to_string(),
            name: name(claims),
            claims: oidc::payload(&token.to_string()).unwrap_or_default(),
            access: Secret::new(answer.access_token().secret().clone()),
            lifetime: answer.expires_in(),
        })
    }

    /// The authority, asked once in ten minutes.
    fn provider(&self) -> Result<Arc<Provider>, Fault> {
        let kept = self.provider.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept
            .as_ref()
            .filter(|(asked, _)| asked.elapsed() < BELIEVED);
        if let Some((_, provider)) = fresh {
            return Ok(provider.clone());
        }
        drop(kept);
        let found = Arc::new(Provider::discover(&self.realm)?);
        let mut kept = self.provider.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    fn client(&self, provider: &Provider) -> oidc::Oidc {
        let Registration {
            client_id, secret, ..
        } = &self.registration;
        oidc::client(provider, client_id, secret.as_ref()).set_redirect_uri(self.redirect.clone())
    }
}

impl Attempt {
    /// Whether `state`, which a browser brought back, is this attempt's. Takes as long wherever it differs.
    pub fn is_of(&self, state: &str) -> bool {
        // What is compared are hashes: how far they agree tells nothing of what was hashed.
        Sha256::digest(self.state.secret()) == Sha256::digest(state)
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(..)")
    }
}

impl fmt::Debug for WebSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebSignIn")
            .field(&self.registration)
            .finish()
    }
}

/// What people call who signed in.
pub(crate) fn name(claims: &CoreIdTokenClaims) -> String {
    let name = claims.preferred_username().map(|name| name.as_str());
    let name = name.or_else(|| claims.email().map(|email| email.as_str()));
    line(name.unwrap_or(claims.subject().as_str()))
}

fn code(provider: &Provider, returned: Returned) -> Result<String, Fault> {
    // An authority that says who it is (RFC 9207) must be the one that was asked.
    let own = provider.metadata.issuer().as_str();
    if returned.issuer.is_some_and(|issuer| issuer != own) {
        return Err(provider.unusable("the browser came back from another authority"));
    }
    match (returned.code, returned.error) {
        (Some(code), None) => Ok(code),
        (_, Some(error)) => Err(Fault::Refused {
            authority: provider.name.clone(),
            code: told(&error, &[]),
            description: told(&returned.description.unwrap_or_default(), &[]),
        }),
        (None, None) => Err(provider.unusable("the browser came back without a code")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(authority: &str, tenant: Option<&str>) -> Registration {
        Registration {
            authority: authority.to_owned(),
            tenant: tenant.map(str::to_owned),
            client_id: "spoor".to_owned(),
            secret: Some(Secret::new("canary".to_owned())),
            redirect: "https://hunt.example/signin/callback".to_owned(),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn a_server_is_for_one_directory() {
        let entra = "https://login.microsoftonline.com";
        let everybody = WebSignIn::new(registration(entra, None));
        assert!(matches!(everybody, Err(WebSignInError::NoTenant(_))));
        for any in ["common", "Organizations", "consumers"] {
            let everybody = WebSignIn::new(registration(entra, Some(any)));
            assert!(
                matches!(everybody, Err(WebSignInError::NoTenant(_))),
                "{any}"
            );
        }
        assert!(WebSignIn::new(registration(entra, Some("contoso.example"))).is_ok());
        assert!(WebSignIn::new(registration("https://id.example", None)).is_ok());
    }

    #[test]
    fn its_secret_is_not_shown() {
        let server = WebSignIn::new(registration("https://id.example", None)).unwrap();
        assert!(!format!("{server:?}").contains("canary"));
    }
}
