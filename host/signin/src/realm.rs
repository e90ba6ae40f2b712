//! Where a workspace's people sign in: the authority, the directory and the application. Accounts are kept by it.

use serde::{Deserialize, Serialize};
use spoor_providers::cloud;
use spoor_providers::config::{Service, Workspace};
use spoor_providers::endpoint::{Allow, Origin};

use crate::error::SignInError;
use crate::http::Reach;

/// The application that people sign in to at Microsoft's authorities where a workspace names none: that of the Azure CLI, which
/// every directory knows, and which Azure's own libraries use for the same purpose. A directory's administrators may
/// forbid it, and it has no permission for Defender's hunting: such workspaces set `client-id`.
pub const MICROSOFT_CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// Authority, directory and application of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Realm {
    /// As the workspace has it, without the tenant.
    pub(crate) authority: String,
    /// As the workspace has it.
    pub(crate) tenant: Option<String>,
    /// The workspace's, or that of everybody.
    pub(crate) client_id: Option<String>,
    /// Of servers that no cloud knows: the one that the sign-in was for, and the only one that its tokens go to. A stranger's
    /// configuration may name another server beside an authority where somebody is signed in.
    #[serde(default)]
    pub(crate) server: Option<String>,
}

/// What is wanted for a workspace: a token of a scope, from a realm.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub(crate) workspace: String,
    pub(crate) realm: Realm,
    pub(crate) scope: String,
}

impl Want {
    /// `None` for a workspace that takes requests without a token.
    pub(crate) fn of(workspace: &Workspace) -> Option<Self> {
        let remote = workspace.remote.as_ref()?;
        let authority = remote.authority.clone()?;
        let mut realm = Realm {
            authority,
            tenant: remote.tenant.clone(),
            client_id: remote.client_id.clone(),
            server: is_own(workspace).then(|| remote.origin.to_string()),
        };
        if realm.client_id.is_none() && realm.is_microsoft() {
            realm.client_id = Some(MICROSOFT_CLIENT.to_owned());
        }
        Some(Want {
            workspace: workspace.name.clone(),
            realm,
            scope: remote.scope.clone()?,
        })
    }

    /// The application, which all of OpenID Connect's ways need.
    pub(crate) fn client_id(&self) -> Result<&str, SignInError> {
        let missing = || SignInError::NoClient(self.workspace.clone());
        self.realm.client_id.as_deref().ok_or_else(missing)
    }
}

/// Whether a workspace's server is the configuration's word alone: clouds' own servers are listed, and so are their scopes.
fn is_own(workspace: &Workspace) -> bool {
    workspace.cloud.services().is_none() || matches!(workspace.service, Service::Spoor { .. })
}

impl Realm {
    /// Whether it is Entra, under one of its names. It departs from the specifications in places, and a refresh token of it is good
    /// for many scopes.
    pub(crate) fn is_microsoft(&self) -> bool {
        let host = self
            .authority
            .split('/')
            .take(3)
            .collect::<Vec<_>>()
            .join("/");
        let allow = Allow {
            plain_loopback: true,
        };
        Origin::parse(&host, allow).is_ok_and(|origin| cloud::is_authority(origin.host()))
    }

    /// The issuer's address: what `/.well-known/openid-configuration` is appended to.
    pub(crate) fn issuer(&self) -> String {
        if !self.is_microsoft() {
            return self.authority.clone();
        }
        // Without a directory, that of the person's work account.
        let tenant = self.tenant.as_deref().unwrap_or("organizations");
        format!("{}/{tenant}/v2.0", self.authority)
    }

    /// Where requests may go. The configuration let plain http stand only on this machine, and only where it is asked for.
    pub(crate) fn reach(&self) -> Reach {
        if self.authority.starts_with("http://") {
            Reach::Loopback
        } else {
            Reach::Https
        }
    }

    /// What people are to grant: the scope itself, who they are, and that it lasts.
    pub(crate) fn scopes(&self, scope: &str) -> Vec<String> {
        let mut scopes: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        for extra in ["profile", "offline_access"] {
            if !scopes.iter().any(|scope| scope == extra) {
                scopes.push(extra.to_owned());
            }
        }
        // The client adds it by itself.
        scopes.retain(|scope| scope != "openid");
        scopes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn realm(authority: &str, tenant: Option<&str>) -> Realm {
        Realm {
            authority: authority.to_owned(),
            tenant: tenant.map(str::to_owned),
            client_id: None,
            server: None,
        }
    }

    #[test]
    fn issuers_are_those_of_the_authority() {
        let entra = "https://login.microsoftonline.com";
        for (authority, tenant, issuer) in [
            (
                entra,
                None,
                "https://login.microsoftonline.com/organizations/v2.0",
            ),
            (
                entra,
                Some("contoso.example"),
                "https://login.microsoftonline.com/contoso.example/v2.0",
            ),
            (
                "https://id.example/realms/soc",
                Some("x"),
                "https://id.example/realms/soc",
            ),
            ("http://127.0.0.1:9", None, "http://127.0.0.1:9"),
        ] {
            assert_eq!(realm(authority, tenant).issuer(), issuer);
        }
        assert!(!realm("https://evilmicrosoftonline.com", None).is_microsoft());
    }

    #[test]
    fn a_sign_in_for_a_server_of_one_s_own_is_for_that_server_alone() {
        let config = serde_json::json!({ "workspaces": {
            "lab": { "kind": "kusto", "cloud": "custom", "endpoint": "https://logs.lab.example", "database": "D",
                "authority": "https://id.example", "client-id": "hunting", "scope": "https://logs.lab.example/.default" },
            "trap": { "kind": "kusto", "cloud": "custom", "endpoint": "https://evil.example", "database": "D",
                "authority": "https://id.example", "client-id": "hunting", "scope": "https://logs.lab.example/.default" },
            "one": { "kind": "kusto", "endpoint": "https://one.kusto.windows.net", "database": "D" },
            "two": { "kind": "kusto", "endpoint": "https://two.kusto.windows.net", "database": "D" },
        } });
        let config: spoor_providers::config::Config = serde_json::from_value(config).unwrap();
        let workspaces = config.check().unwrap();
        let realm = |name: &str| Want::of(workspaces.get(name).unwrap()).unwrap().realm;
        assert_ne!(realm("lab"), realm("trap"));
        assert_eq!(
            realm("lab").server.as_deref(),
            Some("https://logs.lab.example")
        );
        // What a cloud lists needs one sign-in: the scope says whose the token is.
        assert_eq!(realm("one"), realm("two"));
        assert_eq!(realm("one").server, None);
    }

    #[test]
    fn scopes_are_asked_for_once() {
        let realm = realm("https://id.example", None);
        assert_eq!(
            realm.scopes("hunt openid"),
            ["hunt", "profile", "offline_access"]
        );
    }
}
