//! Who signs people in to their workspaces.

use spoor_messages::fetch::Known;
use spoor_protocol::FetchError;
use web_sys::HtmlElement;

use crate::dom::el;

/// A token for a workspace; another one than the last where that was refused.
///
/// # Errors
/// Why there is none, and what to do.
pub async fn token_for(known: &Known, _is_refused: bool) -> Result<String, FetchError> {
    let error = FetchError::new(format!("nobody is signed in to '{}'", known.name));
    Err(error.hint("sign in under Workspaces, then run the cell again"))
}

/// What a workspace's row has for signing in and out.
pub fn control(_known: &Known) -> HtmlElement {
    el("span").build()
}
