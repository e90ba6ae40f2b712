//! Signing in for a workspace. Each way ends with an account in the store, as the newest of its authority, directory and application.

use std::io;

use openidconnect::Nonce;
use openidconnect::core::CoreTokenResponse;
use spoor_providers::config::Workspace;

use crate::discovery::Provider;
use crate::error::SignInError;
use crate::flows::device::Prompt;
use crate::flows::managed_identity::Service;
use crate::flows::{azure_cli, browser, client_credentials, device};
use crate::oidc;
use crate::realm::Want;
use crate::secret::{Kept, Secret};
use crate::store::Store;
use crate::store::record::{Access, Account, How, Record};
use crate::told::line;

/// A sign-in for a workspace.
#[derive(Debug)]
pub struct SignIn<'a> {
    store: &'a Store,
    want: Want,
}

impl<'a> SignIn<'a> {
    /// For `workspace`, to be kept in `store`. Fails for a workspace that takes requests without a token.
    pub fn new(store: &'a Store, workspace: &Workspace) -> Result<Self, SignInError> {
        let want = Want::of(workspace);
        let want = want.ok_or_else(|| SignInError::NoAuthority(workspace.name.clone()))?;
        Ok(SignIn { store, want })
    }

    /// By a code (RFC 8628), which `show` shows the person together with the address to enter it at. Returns when they have, or
    /// when the code is worth nothing any more.
    pub fn device(&self, show: impl FnOnce(&Prompt)) -> Result<Account, SignInError> {
        let client_id = self.want.client_id()?;
        let provider = Provider::discover(&self.want.realm)?;
        let scopes = self.want.realm.scopes(&self.want.scope);
        let answer = device::run(&provider, client_id, &scopes, show)?;
        self.keep_person(&provider, client_id, &answer, None)
    }

    /// In a browser of this machine, which `open` opens at the address that it is given. Returns when the browser has come
    /// back, after five minutes at most.
    pub fn browser(
        &self,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<Account, SignInError> {
        let client_id = self.want.client_id()?;
        let realm = &self.want.realm;
        let provider = Provider::discover(realm)?;
        let scopes = realm.scopes(&self.want.scope);
        let (answer, nonce) = browser::run(&provider, realm, client_id, &scopes, open)?;
        self.keep_person(&provider, client_id, &answer, Some(&nonce))
    }

    /// As the workspace's application, by its secret, which is kept to renew the token with.
    pub fn client_credentials(&self, secret: Secret) -> Result<Account, SignInError> {
        let client_id = self.want.client_id()?;
        let provider = Provider::discover(&self.want.realm)?;
        let answer = client_credentials::run(&provider, client_id, &secret, &self.want.scope)?;
        let access = oidc::grant(&provider, &answer).access;
        let mut record = self.record(client_id.to_owned(), How::ClientSecret, access);
        record.client_secret = Some(Kept(secret));
        self.keep(record)
    }

    /// As the machine, which Azure gave an identity: its own, or the assigned one with the client id `identity`.
    pub fn managed_identity(&self, identity: Option<&str>) -> Result<Account, SignInError> {
        self.check_microsoft("a managed identity")?;
        let access = Service::of_environment()?.token(&self.want.scope, identity)?;
        let user = identity.map_or("this machine".to_owned(), |id| format!("identity {id}"));
        let mut record = self.record(user, How::ManagedIdentity, access);
        record.identity = identity.map(str::to_owned);
        self.keep(record)
    }

    /// As whoever has signed in with the Azure CLI on this machine.
    pub fn azure_cli(&self) -> Result<Account, SignInError> {
        self.check_microsoft("the Azure CLI")?;
        let access = azure_cli::token(&self.want.scope, self.want.realm.tenant.as_deref())?;
        let claims = oidc::payload(access.token.0.expose()).unwrap_or_default();
        let name = ["upn", "unique_name", "appid"]
            .iter()
            .find_map(|name| claims[name].as_str());
        let user = line(name.unwrap_or("the Azure CLI's account"));
        self.keep(self.record(user, How::AzureCli, access))
    }

    /// A workspace with another authority may name any scope, and these ways give tokens for all that the machine or the person
    /// may do in Azure: such a token is not for its server.
    fn check_microsoft(&self, way: &'static str) -> Result<(), SignInError> {
        if self.want.realm.is_microsoft() {
            return Ok(());
        }
        Err(SignInError::OnlyMicrosoft {
            way,
            workspace: self.want.workspace.clone(),
        })
    }

    fn keep_person(
        &self,
        provider: &Provider,
        client_id: &str,
        answer: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<Account, SignInError> {
        let user = oidc::person(provider, client_id, answer, nonce)?;
        let grant = oidc::grant(provider, answer);
        let mut record = self.record(user, How::Person, grant.access);
        record.refresh = grant.refresh;
        self.keep(record)
    }

    fn record(&self, user: String, how: How, access: Access) -> Record {
        let mut record = Record::new(self.want.realm.clone(), user, how, &self.want.scope);
        record.tokens.insert(self.want.scope.clone(), access);
        record
    }

    /// Waits for whoever renews the account just now, so that they do not put an old token over the new one.
    fn keep(&self, record: Record) -> Result<Account, SignInError> {
        let account = record.account();
        let _turn = self.store.turn(&account.id)?;
        self.store.update(|vault| vault.put(record))?;
        Ok(account)
    }
}
