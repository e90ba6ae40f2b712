//! A new access token for an account, each kind in its way.

use openidconnect::{RefreshToken, Scope};

use crate::clock;
use crate::discovery::Provider;
use crate::error::{AzureCliError, Fault, ManagedIdentityError};
use crate::flows::managed_identity::Service;
use crate::flows::{azure_cli, client_credentials};
use crate::oidc::{self, Grant};
use crate::secret::{Kept, Secret};
use crate::store::record::{Access, How, Record};

/// Why there is none.
pub(crate) enum Failed {
    /// The account is of no use any more.
    Ended(String),
    /// The account is good, and not for this scope.
    NotGranted(String),
    /// It may work another time.
    Fault(Fault),
    AzureCli(AzureCliError),
    ManagedIdentity(ManagedIdentityError),
}

/// Asks for a token of `scope`.
pub(crate) fn renew(record: &Record, scope: &str) -> Result<Grant, Failed> {
    let local = |access| Grant {
        access,
        refresh: None,
    };
    match record.how {
        How::Person => person(record, scope),
        How::ClientSecret => application(record, scope),
        How::ManagedIdentity => Service::of_environment()
            .and_then(|service| service.token(scope, record.identity.as_deref()))
            .map(local)
            .map_err(Failed::ManagedIdentity),
        How::AzureCli => azure_cli::token(scope, record.realm.tenant.as_deref())
            .map(local)
            .map_err(Failed::AzureCli),
    }
}

fn person(record: &Record, scope: &str) -> Result<Grant, Failed> {
    let Some(Kept(refresh)) = &record.refresh else {
        return Err(unrenewable(record, scope));
    };
    let provider = Provider::discover(&record.realm).map_err(Failed::Fault)?;
    let client_id = record.realm.client_id.as_deref().unwrap_or_default();
    let client = oidc::client(&provider, client_id, None);
    let token = RefreshToken::new(refresh.expose().to_owned());
    let request = client.exchange_refresh_token(&token);
    let request =
        request.map_err(|_| Failed::Fault(provider.unusable("it names no token endpoint")))?;
    let answer = request
        .add_scopes(scopes(record, scope).into_iter().map(Scope::new))
        .request(&provider.http)
        .map_err(|error| {
            failed(
                record,
                scope,
                oidc::fault(&provider, error, &record.secrets()),
            )
        })?;
    Ok(oidc::grant(&provider, &answer))
}

/// Why an account without a refresh token gives no new one. It is ended only where the token that it was signed in for is: another
/// workspace's, or a service that refuses a token which has not ended, is no reason to forget it.
fn unrenewable(record: &Record, scope: &str) -> Failed {
    let alive = |access: &Access| access.is_alive(clock::now());
    if record.scope == scope && !record.tokens.get(scope).is_some_and(alive) {
        let why = "it came without a refresh token, and its access token is used up";
        return Failed::Ended(why.to_owned());
    }
    Failed::NotGranted(
        "it came without a refresh token, so no other token can be had for it".to_owned(),
    )
}

/// What to ask for. Without scopes, an authority gives what was granted (RFC 6749, 6), and some give nothing to who asks for more
/// than that; Entra gives tokens for every resource, and has to be told which.
fn scopes(record: &Record, scope: &str) -> Vec<String> {
    if record.realm.is_microsoft() {
        let mut scopes = record.realm.scopes(scope);
        scopes.push("openid".to_owned());
        scopes
    } else if record.scope == scope {
        Vec::new()
    } else {
        scope.split_whitespace().map(str::to_owned).collect()
    }
}

fn application(record: &Record, scope: &str) -> Result<Grant, Failed> {
    let secret = needed(record.client_secret.as_ref(), "its secret is gone")?;
    let provider = Provider::discover(&record.realm).map_err(Failed::Fault)?;
    let client_id = record.realm.client_id.as_deref().unwrap_or_default();
    let answer = client_credentials::run(&provider, client_id, secret, scope)
        .map_err(|fault| failed(record, scope, fault))?;
    Ok(oidc::grant(&provider, &answer))
}

fn needed<'a>(kept: Option<&'a Kept>, why: &str) -> Result<&'a Secret, Failed> {
    kept.map(|kept| &kept.0)
        .ok_or_else(|| Failed::Ended(why.to_owned()))
}

/// What a refusal means. Entra says `invalid_grant` of a scope that was not consented to as well: that ends nothing, so only a refusal of
/// what the account was signed in for does.
fn failed(record: &Record, scope: &str, fault: Fault) -> Failed {
    let Fault::Refused {
        code, description, ..
    } = &fault
    else {
        return Failed::Fault(fault);
    };
    let why = if description.is_empty() {
        code.clone()
    } else {
        format!("{code}: {description}")
    };
    match code.as_str() {
        "invalid_grant"
        | "interaction_required"
        | "login_required"
        | "invalid_client"
        | "unauthorized_client" => {
            if record.realm.is_microsoft() && record.scope != scope {
                Failed::NotGranted(why)
            } else {
                Failed::Ended(why)
            }
        }
        "invalid_scope" | "consent_required" | "access_denied" | "invalid_target"
        | "invalid_resource" => Failed::NotGranted(why),
        _ => Failed::Fault(fault),
    }
}
