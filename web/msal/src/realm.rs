//! Where people sign in, and as which application.

use serde::{Deserialize, Serialize};

use crate::error::SignInError;

/// An authority, an application that is registered there, and what a sign-in is to be good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    /// The authority's address: of Entra with the directory (`https://login.microsoftonline.com/contoso.example`, or `organizations`
    /// for the person's own), of others the issuer.
    pub authority: String,
    /// The application, registered as a single-page application whose redirect URI is the site's `signin.html`.
    pub client_id: String,
    /// What people are asked to grant. Who they are, and that it lasts, is asked for beside it.
    pub scopes: Vec<String>,
    /// Whether the authority is another OpenID Connect authority than Entra.
    pub is_oidc: bool,
    /// Hosts that the authority may name as its own beside that of its address; a private cloud's, for one.
    pub known_authorities: Vec<String>,
    /// The resource indicator (RFC 8707) of authorities that want one: the address of the service.
    pub resource: Option<String>,
    /// Of servers that no cloud lists: the one (its origin) that the tokens are for. A sign-in for it is for no other, as whoever
    /// wrote a configuration may name any server beside an authority where somebody is signed in.
    pub server: Option<String>,
}

impl Realm {
    /// Whether it can be signed in to at all: MSAL says the same, and only when somebody tries.
    pub(crate) fn check(&self) -> Result<(), SignInError> {
        let authority = self.authority.clone();
        if self.client_id.is_empty() {
            return Err(SignInError::NoClient { authority });
        }
        match self.authority.strip_prefix("https://") {
            Some(rest) if !rest.is_empty() => Ok(()),
            _ => Err(SignInError::Misconfigured {
                authority,
                code: "authority_uri_insecure".to_owned(),
            }),
        }
    }

    /// The hosts that are believed to be the authority, without asking Microsoft which hosts are.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let own = self.host().map(str::to_owned);
        own.into_iter()
            .chain(self.known_authorities.iter().cloned())
            .collect()
    }

    /// The authority's host and port.
    pub(crate) fn host(&self) -> Option<&str> {
        let (_, rest) = self.authority.split_once("://")?;
        rest.split(['/', '?', '#']).next()
    }

    /// Whether an issuer is this authority, of those that have one address.
    pub(crate) fn is_issuer(&self, issuer: &str) -> bool {
        issuer.trim_end_matches('/') == self.authority.trim_end_matches('/')
    }

    /// What two realms share when they share their accounts.
    pub(crate) fn key(&self) -> (String, String) {
        (
            self.authority.trim_end_matches('/').to_owned(),
            self.client_id.clone(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_the_authority() {
        let mut realm = Realm {
            authority: "https://id.example:8443/realms/soc/".to_owned(),
            client_id: "hunting".to_owned(),
            scopes: Vec::new(),
            is_oidc: true,
            known_authorities: vec!["login.example".to_owned()],
            resource: None,
            server: None,
        };
        assert_eq!(realm.hosts(), ["id.example:8443", "login.example"]);
        assert!(realm.is_issuer("https://id.example:8443/realms/soc"));
        assert!(!realm.is_issuer("https://id.example:8443/realms/other"));
        assert!(realm.check().is_ok());
        realm.authority = "http://id.example".to_owned();
        assert!(realm.check().is_err());
        realm.authority = "id.example".to_owned();
        assert_eq!(realm.hosts(), ["login.example"]);
    }
}
