//! What tests see of signing in, as part of `globalThis.spoor`. No token leaves by it.

use std::cell::RefCell;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use spoor_msal::Realm;
use wasm_bindgen::prelude::*;

use super::{Entry, mount, token_for};
use crate::dialog;

#[derive(Deserialize)]
struct Asked {
    workspaces: Vec<String>,
    realm: Realm,
}

/// Opens a dialog with the accounts of `[{workspaces, realm}]`.
#[wasm_bindgen(js_name = probeSignin)]
pub fn show(entries: JsValue) -> Result<(), JsValue> {
    let entries: Vec<Asked> = serde_wasm_bindgen::from_value(entries)?;
    let entries = entries.into_iter().map(|asked| Entry {
        realm: asked.realm,
        workspaces: asked.workspaces,
    });
    let dialog = dialog::open("Workspaces", "settings");
    let panel = RefCell::new(Some(mount(&dialog.body, entries.collect())));
    dialog.on_close(move || drop(panel.take()));
    Ok(())
}

/// The SHA-256 of a realm's token, in hexadecimal.
#[wasm_bindgen(js_name = probeToken)]
pub async fn token(realm: JsValue, force_refresh: bool) -> Result<String, JsValue> {
    let realm: Realm = serde_wasm_bindgen::from_value(realm)?;
    let token = token_for(&realm, force_refresh).await;
    let token = token.map_err(|error| JsValue::from(error.to_string()))?;
    Ok(format!("{:x}", Sha256::digest(token.expose())))
}
