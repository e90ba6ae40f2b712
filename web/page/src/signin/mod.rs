//! Signing in to the authorities of workspaces: the page's side of `spoor-msal`.
//!
//! [`token_for`] is for what asks a workspace; [`mount`] shows who is signed in, wherever workspaces are configured. MSAL is loaded
//! by the first of either.

mod keep;
mod panel;
mod probe;

pub use panel::{Entry, Panel, mount};
pub use spoor_msal::{Realm, SignInError, Token};

use spoor_msal::{Accounts, Finished, finish_redirect};
use wasm_bindgen_futures::spawn_local;

use crate::files::sentence;
use crate::toast;

/// A token for a realm's scopes, of the account that was signed in or chosen last. `force_refresh` asks for another one than was
/// given last, for when the service has refused that.
///
/// # Errors
/// Their text says what to do. [`SignInError::wants_sign_in`] tells whether that is to sign in.
pub async fn token_for(realm: &Realm, force_refresh: bool) -> Result<Token, SignInError> {
    let accounts = accounts(realm).await?;
    accounts.token(&realm.scopes, None, force_refresh).await
}

/// Finishes a sign-in for which the page was left, if it was, and says how it went. To be called when the page begins.
pub fn resume() {
    spawn_local(async {
        let Some(Finished { realm, outcome }) = finish_redirect().await else {
            return;
        };
        toast::show(
            &match outcome {
                Ok(account) => signed_in(&account.username, &realm),
                Err(error) => sentence(&error.to_string()),
            },
            None,
        );
    });
}

async fn accounts(realm: &Realm) -> Result<Accounts, SignInError> {
    Accounts::open(realm.clone(), keep::keeps(realm)).await
}

fn signed_in(username: &str, realm: &Realm) -> String {
    format!("{username} is signed in at {}.", realm.authority)
}
