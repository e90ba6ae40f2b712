//! What is kept of an account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock;
use crate::realm::Realm;
use crate::secret::{Kept, Secret};

/// Seconds before its end at which a token is renewed: a query that was begun with it should be able to end with it.
const AHEAD: i64 = 300;

/// Everything that is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Vault {
    pub(crate) accounts: Vec<Record>,
}

/// How an account's tokens are come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A person signed in, with a device code or in a browser; a refresh token is kept.
    Person,
    /// An application signs in with its secret, which is kept.
    ClientSecret,
    /// The machine has an identity of Azure's; nothing but tokens is kept.
    ManagedIdentity,
    /// The Azure CLI has signed in; nothing but tokens is kept.
    AzureCli,
}

impl How {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            How::Person => "person",
            How::ClientSecret => "client secret",
            How::ManagedIdentity => "managed identity",
            How::AzureCli => "Azure CLI",
        }
    }
}

/// An account, without what is secret about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Eight hexadecimal digits that tell it from all others.
    pub id: String,
    /// Who it is: a person's user name, an application's id.
    pub name: String,
    /// Who signed them in.
    pub authority: String,
    /// The directory, where the workspace names one.
    pub tenant: Option<String>,
    /// The application that was signed in to.
    pub client_id: Option<String>,
    /// How.
    pub how: How,
    /// When, in seconds since 1970.
    pub signed_in: i64,
    /// Why it is signed out, if it is.
    pub signed_out: Option<String>,
}

/// An account with its tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) realm: Realm,
    pub(crate) user: String,
    pub(crate) how: How,
    /// What was granted when it was signed in.
    pub(crate) scope: String,
    pub(crate) signed_in: i64,
    pub(crate) signed_out: Option<String>,
    pub(crate) refresh: Option<Kept>,
    pub(crate) client_secret: Option<Kept>,
    /// The client id of a managed identity that is not the machine's own.
    pub(crate) identity: Option<String>,
    /// Access tokens by scope.
    pub(crate) tokens: BTreeMap<String, Access>,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) token: Kept,
    /// By this machine's clock.
    pub(crate) obtained: i64,
    /// By this machine's clock.
    pub(crate) expires: i64,
}

impl Access {
    /// Whether it is good for a while yet: five minutes, or a quarter of its life if that is less. If this machine's clock was put
    /// back since, nothing is known about its end.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        let ahead = AHEAD.min(self.expires.saturating_sub(self.obtained) / 4);
        self.obtained <= now.saturating_add(clock::TOLERANCE)
            && now < self.expires.saturating_sub(ahead)
    }

    /// Whether it has not ended, as far as is known.
    pub(crate) fn is_alive(&self, now: i64) -> bool {
        now < self.expires
    }
}

impl Record {
    pub(crate) fn new(realm: Realm, user: String, how: How, scope: &str) -> Self {
        Record {
            realm,
            user,
            how,
            scope: scope.to_owned(),
            signed_in: clock::now(),
            signed_out: None,
            refresh: None,
            client_secret: None,
            identity: None,
            tokens: BTreeMap::new(),
        }
    }

    /// Tells it from all others: the same person at the same authority for the same application is the same account.
    pub(crate) fn id(&self) -> String {
        let Realm {
            authority,
            tenant,
            client_id,
            server,
        } = &self.realm;
        let key = (authority, tenant, client_id, server, &self.user, self.how);
        // A tuple of strings always becomes JSON.
        let text = serde_json::to_vec(&key).unwrap_or_default();
        Sha256::digest(&text)[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether a new token can be asked for. An authority may give no refresh token.
    pub(crate) fn is_renewable(&self) -> bool {
        self.how != How::Person || self.refresh.is_some()
    }

    pub(crate) fn account(&self) -> Account {
        Account {
            id: self.id(),
            name: self.user.clone(),
            authority: self.realm.authority.clone(),
            tenant: self.realm.tenant.clone(),
            client_id: self.realm.client_id.clone(),
            how: self.how,
            signed_in: self.signed_in,
            signed_out: self.signed_out.clone(),
        }
    }

    /// Every secret of it, for messages to be searched for.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        let tokens = self.tokens.values().map(|access| &access.token);
        let all = self.refresh.iter().chain(&self.client_secret).chain(tokens);
        all.map(|kept| &kept.0).collect()
    }

    /// Ends it: what could be used is forgotten, and why is remembered.
    pub(crate) fn sign_out(&mut self, why: String) {
        self.signed_out = Some(why);
        self.refresh = None;
        self.client_secret = None;
        self.tokens.clear();
    }
}

impl Vault {
    /// As JSON, erased when it is dropped. It is written into a buffer that is large enough, as one that grows leaves copies.
    pub(crate) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let size = self.accounts.iter().map(Record::size).sum::<usize>() + 64;
        let mut text = Zeroizing::new(Vec::with_capacity(size));
        // Maps have strings for keys, and a vector takes all that is written.
        let _ = serde_json::to_writer(&mut *text, self);
        text
    }

    pub(crate) fn find(&mut self, id: &str) -> Option<&mut Record> {
        self.accounts.iter_mut().find(|record| record.id() == id)
    }

    /// Keeps an account as the newest of its realm, in place of what was kept of it.
    pub(crate) fn put(&mut self, record: Record) {
        let id = record.id();
        self.accounts.retain(|other| other.id() != id);
        self.accounts.push(record);
    }

    /// The account of a realm: who signed in last. Whether they are still signed in is the caller's to ask; nobody else is taken
    /// instead of them.
    pub(crate) fn newest(&self, realm: &Realm) -> Option<&Record> {
        self.accounts
            .iter()
            .rev()
            .find(|record| record.realm == *realm)
    }
}

impl Record {
    /// More bytes than its JSON has, as long as no string is mostly control characters.
    fn size(&self) -> usize {
        let secrets: usize = self
            .secrets()
            .iter()
            .map(|secret| secret.expose().len())
            .sum();
        let scopes: usize = self.tokens.keys().map(String::len).sum();
        let rest = self.user.len() + self.scope.len() + self.realm.authority.len();
        2 * (secrets + scopes + rest + self.signed_out.as_ref().map_or(0, String::len))
            + 1024
            + 128 * self.tokens.len()
    }
}
