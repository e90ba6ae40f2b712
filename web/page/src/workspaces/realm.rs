//! Where people sign in to workspaces.

use spoor_messages::fetch::Known;
use spoor_protocol::FetchError;

use crate::signin::{self, Entry, Realm};

/// The realm of a workspace; none where requests go without a token.
///
/// # Errors
/// Where the configuration names no application: a page has none of its own that every directory knows.
pub(super) fn realm_of(known: &Known) -> Result<Option<Realm>, FetchError> {
    let Some(sign_in) = &known.sign_in else {
        return Ok(None);
    };
    let no_client = || {
        FetchError::new(format!("nobody can sign in to '{}' from a page: its configuration names no application", known.name))
            .hint("register one as a single-page application whose redirect URI is this site's signin.html, and write its number as client-id")
    };
    Ok(Some(Realm {
        authority: sign_in.authority.clone(),
        client_id: sign_in.client_id.clone().ok_or_else(no_client)?,
        scopes: sign_in.scopes.clone(),
        is_oidc: !sign_in.is_entra,
        known_authorities: Vec::new(),
        resource: None,
        server: sign_in.server.clone(),
    }))
}

/// Why there is no token.
pub(super) struct NoToken {
    pub error: FetchError,
    /// Whether signing in is what to do.
    pub wants_sign_in: bool,
}

impl From<FetchError> for NoToken {
    fn from(error: FetchError) -> Self {
        Self {
            error,
            wants_sign_in: false,
        }
    }
}

/// A token for a workspace; another one than the last where that was refused.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) async fn token_for(known: &Known, is_refused: bool) -> Result<String, NoToken> {
    let Some(realm) = realm_of(known)? else {
        return Err(FetchError::new(format!("'{}' takes no token", known.name)).into());
    };
    match signin::token_for(&realm, is_refused).await {
        Ok(token) => Ok(token.expose().to_owned()),
        Err(error) => {
            let told = FetchError::new(format!("workspace '{}': {error}", known.name));
            let wants_sign_in = error.wants_sign_in();
            Err(NoToken {
                error: match wants_sign_in {
                    true => told.hint("once you are signed in, run the cell again"),
                    false => told,
                },
                wants_sign_in,
            })
        }
    }
}

/// The realms of all workspaces with the workspaces' names, and what keeps people from signing in to some.
pub(super) fn entries(all: &[Known]) -> (Vec<Entry>, Vec<FetchError>) {
    let (mut entries, mut errors): (Vec<Entry>, Vec<FetchError>) = Default::default();
    for known in all {
        let realm = match realm_of(known) {
            Ok(Some(realm)) => realm,
            Ok(None) => continue,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match entries.iter_mut().find(|entry| entry.realm == realm) {
            Some(entry) => entry.workspaces.push(known.name.clone()),
            None => entries.push(Entry {
                realm,
                workspaces: vec![known.name.clone()],
            }),
        }
    }
    (entries, errors)
}
