//! Who is signed in to a realm, and the tokens that follow from it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use crate::binding::{self, AccountInfo, Application, TokenRequest, field, set, value};
use crate::error::SignInError;
use crate::realm::Realm;
use crate::token::Token;
use crate::told::line;
use crate::{redirect, servers};

/// `CacheLookupPolicy`: the token that is there, or none.
const KEPT: u8 = 1;
/// The token that is there, or one by the refresh token. Never by a hidden frame: the page's policy has no place for one, and
/// browsers keep the authority's cookies from it.
const RENEWED: u8 = 2;
/// One by the refresh token.
const ANEW: u8 = 3;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Names the account in the calls of [`Accounts`].
    pub id: String,
    /// What people know it by: often an address of mail.
    pub username: String,
    /// The person's name, where the authority tells it.
    pub name: Option<String>,
    /// The directory, of authorities that have several.
    pub tenant: Option<String>,
}

/// How the authority's page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a window of its own, which the browser opens right after a click alone.
    Popup,
    /// In place of this page, which is read anew afterwards. [`crate::finish_redirect`] then has the outcome.
    Redirect,
}

/// How far a sign-out goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// This browser forgets the account. The authority still knows the person, and the next sign-in may ask for nothing.
    Here,
    /// The authority ends its session too, where it has a way for that, on a page of its own in a window of its own.
    Everywhere,
}

/// The accounts of a realm. One application of MSAL serves all that have the same authority, client and place of keeping.
#[derive(Clone)]
pub struct Accounts {
    realm: Realm,
    keep: bool,
    shared: Rc<Shared>,
}

struct Shared {
    application: RefCell<Application>,
    /// The last that opened a window: one that renews may have taken its place.
    waiting: RefCell<Option<Application>>,
}

type Key = ((String, String), bool);

thread_local! {
    static OPEN: RefCell<HashMap<Key, Rc<Shared>>> = RefCell::default();
}

impl Accounts {
    /// The accounts of `realm`. Those that are kept (`keep`) hold in all tabs, as long as the browser's own session and, where an
    /// authority says that the person wants to stay signed in, beyond; the others in this tab alone, until it is closed.
    ///
    /// # Errors
    /// Where MSAL cannot be loaded, or the realm cannot be right.
    pub async fn open(realm: Realm, keep: bool) -> Result<Self, SignInError> {
        realm.check()?;
        let key = (realm.key(), keep);
        let known = OPEN.with_borrow(|open| open.get(&key).cloned());
        let shared = match known {
            Some(shared) => shared,
            None => {
                let application = binding::open(&realm, keep).await?;
                // Every page load has to, or a redirect that was left in the middle stands in the way of the next sign-in. Its
                // outcome is kept for who asks.
                let _ = application.redirected().await;
                let shared = Rc::new(Shared {
                    application: RefCell::new(application),
                    waiting: RefCell::default(),
                });
                OPEN.with_borrow_mut(|open| open.entry(key).or_insert(shared).clone())
            }
        };
        Ok(Accounts {
            realm,
            keep,
            shared,
        })
    }

    /// Whose accounts these are.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Everyone who is signed in.
    pub fn accounts(&self) -> Vec<Account> {
        self.infos()
            .into_iter()
            .map(|(_, info)| told(info))
            .collect()
    }

    /// Whose tokens are given where no account is named: who signed in or was chosen last.
    pub fn current(&self) -> Option<Account> {
        let active = self.application().active_account();
        let active = serde_wasm_bindgen::from_value::<AccountInfo>(active).ok();
        let mut infos = self.infos();
        let at = active.and_then(|active| {
            infos
                .iter()
                .position(|(_, info)| info.home_account_id == active.home_account_id)
        });
        let info = match at {
            Some(at) => infos.swap_remove(at),
            None => infos.pop()?,
        };
        Some(told(info.1))
    }

    /// Has an account's tokens given where none is named.
    pub fn choose(&self, id: &str) {
        if let Some((raw, _)) = self.find(id) {
            self.application().set_active_account(&raw);
        }
    }

    /// Signs somebody in. `hint` is the username of whom the page expects. By [`Way::Redirect`] the page is left, and it only
    /// comes to an end here if that fails.
    ///
    /// # Errors
    /// Where the person, the browser or the authority would not.
    pub async fn sign_in(&self, way: Way, hint: Option<&str>) -> Result<Account, SignInError> {
        let request = TokenRequest {
            scopes: &self.realm.scopes,
            prompt: self.prompt(hint),
            login_hint: hint,
            resource: self.realm.resource.as_deref(),
            override_interaction_in_progress: way == Way::Popup,
            ..TokenRequest::default()
        };
        let request = value(&request);
        let application = self.application();
        match way {
            Way::Popup => {
                self.shared.waiting.replace(Some(application.clone()));
                let answer = application.acquire_token_popup(&request).await;
                self.signed_in(&answer.map_err(|thrown| self.error(&thrown))?)
            }
            Way::Redirect => {
                redirect::leave(&self.realm, self.keep);
                let left = application.acquire_token_redirect(&request).await;
                redirect::stay();
                Err(left.map_or_else(|thrown| self.error(&thrown), |_| SignInError::TimedOut))
            }
        }
    }

    /// Ends the wait for a sign-in or sign-out in a window.
    pub fn cancel(&self) {
        if let Some(application) = &*self.shared.waiting.borrow() {
            application.cancel();
        }
    }

    /// A token for `scopes`, of an account by its id or of the current one. It is good for a minute at least, unless the
    /// authority's last for less. `force_refresh` asks for another one than was given last, for when the service has refused that.
    ///
    /// # Errors
    /// [`SignInError::InteractionNeeded`] where only the person helps.
    pub async fn token(
        &self,
        scopes: &[String],
        account: Option<&str>,
        force_refresh: bool,
    ) -> Result<Token, SignInError> {
        let id = match account {
            Some(id) => Some(id.to_owned()),
            None => self.current().map(|account| account.id),
        };
        let id = id.ok_or_else(|| self.interaction_needed())?;
        let server = self.realm.server.as_deref();
        if server.is_some_and(|server| !servers::has(&self.realm, self.keep, server)) {
            self.find(&id).ok_or_else(|| self.interaction_needed())?;
            return Err(SignInError::OtherServer {
                authority: self.realm.authority.clone(),
                server: server.unwrap_or_default().to_owned(),
            });
        }
        if !force_refresh && let Ok(token) = self.silent(scopes, &id, KEPT).await {
            return Ok(token);
        }
        // One at a time in all tabs: a refresh token may be good for one use, and its second use ends the sign-in.
        let _turn = binding::lock(&format!("spoor-signin {}", self.realm.client_id)).await;
        if self.keep {
            // Another tab may have renewed, and MSAL hears of that only some time later: read what is kept anew.
            let application = binding::open(&self.realm, self.keep).await?;
            self.shared.application.replace(application);
        }
        let policy = if force_refresh { ANEW } else { RENEWED };
        self.silent(scopes, &id, policy).await
    }

    /// Signs an account out, or all of this realm's.
    ///
    /// # Errors
    /// Where the authority's page could not be shown. The accounts are gone from this browser all the same.
    pub async fn sign_out(&self, account: Option<&str>, extent: Extent) -> Result<(), SignInError> {
        let infos = self.infos();
        let all = infos.len();
        let mut leaving: Vec<_> = infos
            .into_iter()
            .filter(|(_, info)| account.is_none_or(|id| info.home_account_id == id))
            .collect();
        let nobody_is_left = leaving.len() == all;
        let last = match extent {
            Extent::Here => None,
            // One window is all that one click may open, and the authority's session is one.
            Extent::Everywhere => leaving.pop(),
        };
        for (raw, _) in &leaving {
            let request = JsValue::from(js_sys::Object::new());
            set(&request, "account", raw);
            let cleared = self.application().clear_cache(&request).await;
            cleared.map_err(|thrown| self.error(&thrown))?;
        }
        if nobody_is_left {
            servers::forget(&self.realm, self.keep);
        }
        match last {
            Some((raw, _)) => self.end_session(&raw).await,
            None => Ok(()),
        }
    }

    /// Forgets the account, and has the authority end its session.
    async fn end_session(&self, raw: &JsValue) -> Result<(), SignInError> {
        let request = JsValue::from(js_sys::Object::new());
        set(&request, "account", raw);
        if self.realm.is_oidc {
            // By it the authority knows whom to sign out and where to go back to (OpenID Connect RP-Initiated Logout 1.0, 2).
            set(&request, "idTokenHint", &field(raw, "idToken"));
        }
        let application = self.application();
        self.shared.waiting.replace(Some(application.clone()));
        let ended = application.logout_popup(&request).await;
        ended.map(drop).map_err(|thrown| self.error(&thrown))
    }

    /// Takes in whom an answer of MSAL's is about.
    pub(crate) fn signed_in(&self, answer: &JsValue) -> Result<Account, SignInError> {
        let raw = field(answer, "account");
        let info = serde_wasm_bindgen::from_value::<AccountInfo>(raw.clone());
        let info = info.map_err(|_| SignInError::Failed {
            authority: self.realm.authority.clone(),
            code: "no_account".to_owned(),
        })?;
        self.application().set_active_account(&raw);
        if let Some(server) = &self.realm.server {
            servers::add(&self.realm, self.keep, server);
        }
        Ok(told(info))
    }

    pub(crate) fn application(&self) -> Application {
        self.shared.application.borrow().clone()
    }

    pub(crate) fn error(&self, thrown: &JsValue) -> SignInError {
        SignInError::of(thrown, &self.realm.authority)
    }

    /// What MSAL finds without asking anybody but the authority.
    async fn silent(&self, scopes: &[String], id: &str, policy: u8) -> Result<Token, SignInError> {
        let (raw, _) = self.find(id).ok_or_else(|| self.interaction_needed())?;
        let request = value(&TokenRequest {
            scopes,
            authority: Some(&self.realm.authority),
            resource: self.realm.resource.as_deref(),
            cache_lookup_policy: Some(policy),
            ..TokenRequest::default()
        });
        set(&request, "account", &raw);
        let answer = self.application().acquire_token_silent(&request).await;
        let answer = answer.map_err(|thrown| self.error(&thrown))?;
        let text = field(&answer, "accessToken").as_string();
        let text = text.filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| SignInError::Failed {
            authority: self.realm.authority.clone(),
            code: "no_access_token".to_owned(),
        })?;
        let expires = js_sys::Date::new(&field(&answer, "expiresOn")).get_time();
        Ok(Token::new(text, expires))
    }

    /// This realm's accounts, as MSAL has them and as they are read here: others may share the client or the storage.
    fn infos(&self) -> Vec<(JsValue, AccountInfo)> {
        let mut infos: Vec<(JsValue, AccountInfo)> = Vec::new();
        for raw in self.application().all_accounts().iter() {
            let Ok(info) = serde_wasm_bindgen::from_value::<AccountInfo>(raw.clone()) else {
                continue;
            };
            // MSAL has an account once for each directory in which it was used.
            let known = infos
                .iter()
                .any(|(_, known)| known.home_account_id == info.home_account_id);
            if !known && self.is_ours(&info) {
                infos.push((raw, info));
            }
        }
        infos
    }

    fn is_ours(&self, info: &AccountInfo) -> bool {
        let Some(claims) = &info.id_token_claims else {
            return false;
        };
        if self.realm.is_oidc {
            self.realm.is_issuer(&claims.iss)
        } else {
            // Any directory's: the account may be a guest in the realm's.
            info.authority_type.as_deref() == Some("MSSTS")
        }
    }

    fn find(&self, id: &str) -> Option<(JsValue, AccountInfo)> {
        let mut infos = self.infos().into_iter();
        infos.find(|(_, info)| info.home_account_id == id)
    }

    fn interaction_needed(&self) -> SignInError {
        SignInError::InteractionNeeded {
            authority: self.realm.authority.clone(),
        }
    }

    /// What the authority is to ask the person for, beyond what it asks by itself.
    fn prompt(&self, hint: Option<&str>) -> Option<&'static str> {
        match (self.realm.is_oidc, hint) {
            (false, None) => Some("select_account"),
            (false, Some(_)) => None,
            // Without consent `offline_access` is ignored, and nothing can be renewed (OpenID Connect Core 1.0, 11).
            (true, None) if !self.infos().is_empty() => Some("login consent"),
            (true, _) => Some("consent"),
        }
    }
}

fn told(info: AccountInfo) -> Account {
    let claims = info.id_token_claims.as_ref();
    let names = [
        Some(&info.username),
        claims.and_then(|claims| claims.email.as_ref()),
        claims.map(|claims| &claims.sub),
    ];
    let username = names.into_iter().flatten().find(|name| !name.is_empty());
    let username = line(username.unwrap_or(&info.home_account_id));
    Account {
        username,
        name: info
            .name
            .as_deref()
            .map(line)
            .filter(|name| !name.is_empty()),
        tenant: Some(line(&info.tenant_id)).filter(|tenant| !tenant.is_empty()),
        id: info.home_account_id,
    }
}
