//! The accounts that are signed in, and their tokens.

use http::{Request, StatusCode, header};
use spoor_providers::config::Workspace;
use url::form_urlencoded;

use crate::clock;
use crate::discovery::Provider;
use crate::error::{StoreError, TokenError};
use crate::oidc::Grant;
use crate::realm::Want;
use crate::renew::{Failed, renew};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::record::{Access, Account, Record};
use crate::told::told;

/// The accounts of a store. It can be shared by threads and cloned; processes that share a store see each other's tokens.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
}

/// What became of a signed-out account's tokens at the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The authority took them back.
    Yes,
    /// There is nothing that could be taken back, or the authority has no way for it: tokens end by themselves.
    NotOffered,
    /// It could not be asked, or refused, for this reason. The account is gone from this machine all the same.
    Failed(String),
}

/// An account that was signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The account.
    pub account: Account,
    /// What became of its tokens.
    pub revoked: Revoked,
}

impl Accounts {
    /// The accounts of `store`.
    pub fn new(store: Store) -> Self {
        Accounts { store }
    }

    /// All accounts, the newest last.
    pub fn list(&self) -> Result<Vec<Account>, StoreError> {
        let vault = self.store.read()?;
        Ok(vault.accounts.iter().map(Record::account).collect())
    }

    /// Forgets an account, by its [`Account::id`], and has the authority revoke its refresh token where it can. `None` if
    /// there is no such account.
    pub fn logout(&self, id: &str) -> Result<Option<LoggedOut>, StoreError> {
        if self.list()?.iter().all(|account| account.id != id) {
            return Ok(None);
        }
        // Whoever renews just now would put the tokens back.
        let _turn = self.store.turn(id)?;
        let removed = self.store.update(|vault| {
            let at = vault.accounts.iter().position(|record| record.id() == id)?;
            Some(vault.accounts.remove(at))
        })?;
        Ok(removed.map(|record| LoggedOut {
            account: record.account(),
            revoked: revoke(&record),
        }))
    }

    /// A token for requests to `workspace`, good for some minutes. `force_refresh` asks for another one than was given last, for
    /// when the service has refused that. Errors say what to do.
    pub fn token(&self, workspace: &Workspace, force_refresh: bool) -> Result<Secret, TokenError> {
        let want =
            Want::of(workspace).ok_or_else(|| TokenError::NoAuthority(workspace.name.clone()))?;
        let before = self.newest(&want)?;
        let had = before.tokens.get(&want.scope);
        match had {
            Some(access) if !force_refresh && access.is_fresh(clock::now()) => {
                return Ok(access.token.0.clone());
            }
            _ => {}
        }
        // One at a time: a refresh token may be good for one use, and a second one ends the account.
        let turn = self.store.turn(&before.id())?;
        let record = self.newest(&want)?;
        if record.id() != before.id() {
            // Somebody else signed in meanwhile: it is their turn that counts, and two who wait hold none.
            drop(turn);
            return self.token(workspace, false);
        }
        match record.tokens.get(&want.scope) {
            Some(access) if access.is_fresh(clock::now()) && !is_same(had, access) => {
                Ok(access.token.0.clone())
            }
            _ => self.renew(&record, &want, force_refresh),
        }
    }

    fn newest(&self, want: &Want) -> Result<Record, TokenError> {
        let vault = self.store.read()?;
        let found = vault.newest(&want.realm);
        let record = found.ok_or_else(|| TokenError::NoAccount(want.workspace.clone()))?;
        match &record.signed_out {
            Some(why) => Err(signed_out(record, want, why.clone())),
            None => Ok(record.clone()),
        }
    }

    fn renew(&self, record: &Record, want: &Want, force: bool) -> Result<Secret, TokenError> {
        let alive = record
            .tokens
            .get(&want.scope)
            .filter(|access| !force && access.is_alive(clock::now()));
        if let (Some(access), false) = (alive, record.is_renewable()) {
            return Ok(access.token.0.clone());
        }
        match renew(record, &want.scope) {
            Ok(grant) => self.keep(record, want, grant),
            Err(Failed::Ended(why)) => {
                self.store.update(|vault| {
                    if let Some(kept) = vault.find(&record.id()) {
                        kept.sign_out(why.clone());
                    }
                })?;
                Err(signed_out(record, want, why))
            }
            Err(Failed::NotGranted(why)) => Err(TokenError::NotGranted {
                workspace: want.workspace.clone(),
                account: record.user.clone(),
                why,
            }),
            // What was to be renewed ahead of time may still be good.
            Err(failed) => match alive.filter(|access| access.is_alive(clock::now())) {
                Some(access) => Ok(access.token.0.clone()),
                None => Err(fault(failed, want)),
            },
        }
    }

    /// Keeps new tokens. An account that is gone by now stays so.
    fn keep(&self, record: &Record, want: &Want, grant: Grant) -> Result<Secret, TokenError> {
        let token = grant.access.token.0.clone();
        let kept = self.store.update(|vault| {
            let kept = vault.find(&record.id())?;
            kept.tokens.insert(want.scope.clone(), grant.access);
            // Who gives no new refresh token leaves the old one in force (RFC 6749, 6).
            kept.refresh = grant.refresh.or(kept.refresh.take());
            Some(())
        })?;
        kept.map(|()| token)
            .ok_or_else(|| TokenError::NoAccount(want.workspace.clone()))
    }
}

fn is_same(had: Option<&Access>, access: &Access) -> bool {
    had.is_some_and(|had| had.token.0.expose() == access.token.0.expose())
}

fn signed_out(record: &Record, want: &Want, why: String) -> TokenError {
    TokenError::SignedOut {
        workspace: want.workspace.clone(),
        account: record.user.clone(),
        why,
    }
}

fn fault(failed: Failed, want: &Want) -> TokenError {
    let workspace = want.workspace.clone();
    match failed {
        Failed::Fault(fault) => TokenError::Fault { workspace, fault },
        Failed::AzureCli(error) => error.into(),
        Failed::ManagedIdentity(error) => error.into(),
        Failed::Ended(why) | Failed::NotGranted(why) => TokenError::NotGranted {
            workspace,
            account: want.realm.authority.clone(),
            why,
        },
    }
}

/// Has the authority take back the refresh token (RFC 7009), and with it, where it keeps to the specification, all that came of it.
fn revoke(record: &Record) -> Revoked {
    let Some(refresh) = &record.refresh else {
        return Revoked::NotOffered;
    };
    let provider = match Provider::discover(&record.realm) {
        Ok(provider) => provider,
        Err(fault) => return Revoked::Failed(fault.to_string()),
    };
    let Some(endpoint) = provider.revocation() else {
        return Revoked::NotOffered;
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", refresh.0.expose())
        .append_pair("token_type_hint", "refresh_token")
        .append_pair(
            "client_id",
            record.realm.client_id.as_deref().unwrap_or_default(),
        )
        .finish();
    let request = Request::post(endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes());
    let Ok(request) = request else {
        return Revoked::Failed("the authority's revocation endpoint is no address".to_owned());
    };
    match provider.http.send(request) {
        Ok(answer) if answer.status() == StatusCode::OK => Revoked::Yes,
        Ok(answer) => Revoked::Failed(format!("the authority answers {}", answer.status())),
        Err(error) => Revoked::Failed(told(&error.to_string(), &record.secrets())),
    }
}
