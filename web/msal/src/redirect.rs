//! Signing in on the page's own tab: the page is left for the authority's, and finds out about it when it is read again.

use js_sys::JSON;
use serde::{Deserialize, Serialize};
use web_sys::Storage;

use crate::accounts::{Account, Accounts};
use crate::binding::value;
use crate::error::SignInError;
use crate::realm::Realm;

/// For which realm the page was left. It holds no secret; what MSAL keeps meanwhile does, and MSAL takes it away.
const KEY: &str = "spoor.signin.redirect";

#[derive(Serialize, Deserialize)]
struct Left {
    realm: Realm,
    keep: bool,
}

/// A sign-in that began before the page was read.
pub struct Finished {
    /// Where.
    pub realm: Realm,
    /// Who signed in, or why nobody did.
    pub outcome: Result<Account, SignInError>,
}

/// Notes that the page is about to be left.
pub(crate) fn leave(realm: &Realm, keep: bool) {
    let left = Left {
        realm: realm.clone(),
        keep,
    };
    let text = JSON::stringify(&value(&left)).ok();
    if let (Some(storage), Some(text)) = (storage(), text) {
        let _ = storage.set_item(KEY, &String::from(text));
    }
}

/// Notes that it was not.
pub(crate) fn stay() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(KEY);
    }
}

/// To be called when the page begins: finishes the sign-in for which this tab was left, if it was. A tab that was not left loads
/// nothing for it.
pub async fn finish_redirect() -> Option<Finished> {
    let text = storage()?.get_item(KEY).ok()??;
    stay();
    let left = JSON::parse(&text).ok()?;
    let Left { realm, keep } = serde_wasm_bindgen::from_value(left).ok()?;
    let outcome = finish(&realm, keep).await;
    Some(Finished { realm, outcome })
}

async fn finish(realm: &Realm, keep: bool) -> Result<Account, SignInError> {
    let accounts = Accounts::open(realm.clone(), keep).await?;
    let answer = accounts.application().redirected().await;
    let answer = answer.map_err(|thrown| accounts.error(&thrown))?;
    if answer.is_null() || answer.is_undefined() {
        // Back by the browser's own button.
        return Err(SignInError::Cancelled);
    }
    accounts.signed_in(&answer)
}

fn storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}
