//! MSAL's application as Rust sees it, and what is said to it. Its documentation is in the npm package's types.

use js_sys::{Array, Function, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::error::SignInError;
use crate::realm::Realm;

#[wasm_bindgen(raw_module = "spoor:msal")]
extern "C" {
    #[wasm_bindgen(js_name = openApplication, catch)]
    async fn open_application(configuration: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = lock, catch)]
    async fn lock_named(name: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// `PublicClientApplication`, of one authority and one client.
    #[derive(Clone)]
    pub(crate) type Application;

    #[wasm_bindgen(method, js_name = getAllAccounts)]
    pub(crate) fn all_accounts(this: &Application) -> Array;
    #[wasm_bindgen(method, js_name = getActiveAccount)]
    pub(crate) fn active_account(this: &Application) -> JsValue;
    #[wasm_bindgen(method, js_name = setActiveAccount)]
    pub(crate) fn set_active_account(this: &Application, account: &JsValue);
    #[wasm_bindgen(method, catch, js_name = acquireTokenPopup)]
    pub(crate) async fn acquire_token_popup(
        this: &Application,
        request: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = acquireTokenRedirect)]
    pub(crate) async fn acquire_token_redirect(
        this: &Application,
        request: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = acquireTokenSilent)]
    pub(crate) async fn acquire_token_silent(
        this: &Application,
        request: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = clearCache)]
    pub(crate) async fn clear_cache(
        this: &Application,
        request: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = logoutPopup)]
    pub(crate) async fn logout_popup(
        this: &Application,
        request: &JsValue,
    ) -> Result<JsValue, JsValue>;
    /// What the redirect that led to this page brought, or null.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn redirected(this: &Application) -> Result<JsValue, JsValue>;
    /// Ends the wait for a window.
    #[wasm_bindgen(method)]
    pub(crate) fn cancel(this: &Application);
}

/// How long a person may take in the window, in milliseconds: second factors are looked for.
const PATIENCE: u32 = 10 * 60 * 1000;

/// How long before its end a token is renewed, in seconds. Some authorities' tokens last no longer than MSAL's own five minutes.
const RENEWED_BEFORE: u32 = 60;

/// How MSAL is set up (`Configuration`).
#[derive(Serialize)]
struct Configuration<'a> {
    auth: Auth<'a>,
    cache: Cache,
    system: System,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Auth<'a> {
    client_id: &'a str,
    authority: &'a str,
    known_authorities: Vec<String>,
    redirect_uri: &'a str,
    post_logout_redirect_uri: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    cache_location: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct System {
    protocol_mode: &'static str,
    popup_bridge_timeout: u32,
    token_renewal_offset_seconds: u32,
}

/// Makes an application that is ready for use. `keep` keeps accounts for other tabs and visits.
pub(crate) async fn open(realm: &Realm, keep: bool) -> Result<Application, SignInError> {
    let page = signin_page();
    let configuration = Configuration {
        auth: Auth {
            client_id: &realm.client_id,
            authority: &realm.authority,
            known_authorities: if realm.is_oidc || !realm.known_authorities.is_empty() {
                realm.hosts()
            } else {
                // Microsoft's own are known to MSAL.
                Vec::new()
            },
            redirect_uri: &page,
            post_logout_redirect_uri: &page,
        },
        cache: Cache {
            cache_location: if keep {
                "localStorage"
            } else {
                "sessionStorage"
            },
        },
        system: System {
            protocol_mode: if realm.is_oidc { "OIDC" } else { "AAD" },
            popup_bridge_timeout: PATIENCE,
            token_renewal_offset_seconds: RENEWED_BEFORE,
        },
    };
    let opened = open_application(&value(&configuration)).await;
    let opened = opened.map_err(|thrown| SignInError::of_opening(&thrown, &realm.authority))?;
    Ok(opened.unchecked_into())
}

/// The address of `signin.html`, which authorities know.
fn signin_page() -> String {
    let base = web_sys::window().and_then(|window| window.location().href().ok());
    let base = base.unwrap_or_default();
    let page = web_sys::Url::new_with_base("signin.html", &base);
    page.map(|page| page.href()).unwrap_or_default()
}

/// What is asked for (`PopupRequest`, `RedirectRequest`, `SilentRequest`).
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenRequest<'a> {
    pub(crate) scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<&'a str>,
    /// Where to look (`CacheLookupPolicy`), in silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_lookup_policy: Option<u8>,
    /// The newest sign-in counts: one that was left stands in nobody's way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) override_interaction_in_progress: bool,
}

/// What MSAL tells of an account (`AccountInfo`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountInfo {
    pub(crate) home_account_id: String,
    #[serde(default)]
    pub(crate) tenant_id: String,
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) authority_type: Option<String>,
    /// Of this application alone.
    #[serde(default)]
    pub(crate) id_token_claims: Option<Claims>,
}

/// What the ID token says.
#[derive(Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: String,
    #[serde(default)]
    pub(crate) sub: String,
    #[serde(default)]
    pub(crate) email: Option<String>,
}

/// A value that MSAL takes: plain objects, whose absent fields are absent.
pub(crate) fn value(of: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // What is said to MSAL is text, numbers and lists, all of which JavaScript has.
    of.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

/// A field of an object; undefined if there is none.
pub(crate) fn field(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a field of an object that was made here.
pub(crate) fn set(of: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(of, &name.into(), value);
}

/// A lock that is held in all tabs; dropping it gives it back.
pub(crate) struct Held(Option<Function>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Waits for the lock of that name. Where the browser refuses locks there is nobody to wait for.
pub(crate) async fn lock(name: &str) -> Held {
    let release = lock_named(name).await.ok();
    Held(release.and_then(|release| release.dyn_into().ok()))
}
