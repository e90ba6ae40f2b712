//! Where a workspace's server is, and who signs people in there.

use super::check::{Notes, guid};
use super::{Entry, Remote};
use crate::cloud::{self, Cloud, Services};
use crate::endpoint::{Allow, Origin};

pub(super) fn remote(kind: &str, cloud: Cloud, entry: &Entry, notes: &mut Notes) -> Option<Remote> {
    let origin = origin(kind, cloud, entry, notes);
    check_tenant(entry.tenant.as_deref(), notes);
    let client_id = match &entry.client_id {
        Some(id) if cloud != Cloud::Custom => guid("client-id", id, notes),
        written => written.clone(),
    };
    let authority = match (cloud.services(), &entry.authority) {
        (Some(services), _) => Some(services.authority.to_owned()),
        (None, Some(written)) => authority(written, entry, notes),
        (None, None) => None,
    };
    let origin = origin?;
    let scope = match cloud.services() {
        Some(services) => Some(implied_scope(kind, services, &origin)),
        None => scope(entry, authority.as_deref(), &origin, notes),
    };
    Some(Remote {
        origin,
        authority,
        scope,
        tenant: entry.tenant.clone(),
        client_id,
    })
}

/// The server: the written one if it is one of the cloud's, or the one that the cloud implies.
fn origin(kind: &str, cloud: Cloud, entry: &Entry, notes: &mut Notes) -> Option<Origin> {
    let own: &[&str] = match (kind, cloud.services()) {
        (_, None) | ("kusto", _) => &[],
        ("log-analytics", Some(services)) => services.log_analytics,
        ("defender", Some(services)) => services.graph.unwrap_or_else(|| {
            let hint = "remove the workspace: Microsoft offers no hunting API in this cloud";
            notes.add("cloud", format!("'{}' has no Defender", cloud.name()), hint);
            &[]
        }),
        (_, Some(services)) => std::slice::from_ref(&services.management),
    };
    let Some(written) = &entry.endpoint else {
        return Origin::of_host(own.first()?).ok();
    };
    let allow = Allow {
        plain_loopback: entry.plain_loopback == Some(true),
    };
    let origin = match Origin::parse(written, allow) {
        Ok(origin) => origin,
        Err(refusal) => {
            notes.add("endpoint", refusal.to_string(), "write it as https://host");
            return None;
        }
    };
    check_host(kind, cloud, own, &origin, notes);
    Some(origin)
}

fn check_host(kind: &str, cloud: Cloud, own: &[&str], origin: &Origin, notes: &mut Notes) {
    let Some(services) = cloud.services() else {
        return;
    };
    let host = origin.host();
    let good = match kind {
        "kusto" => services.cluster(host).is_some(),
        _ => own.is_empty() || own.contains(&host),
    };
    if good && origin.port() == 443 {
        return;
    }
    let wanted = match kind {
        "kusto" => format!("a cluster there ends with {}", services.kusto.join(" or ")),
        _ => format!("the server there is {}", own.join(" or ")),
    };
    notes.add(
        "endpoint",
        format!("{origin} is not of the cloud '{}'", cloud.name()),
        format!("{wanted}, at port 443; if it is your own, set cloud = \"custom\""),
    );
}

fn check_tenant(tenant: Option<&str>, notes: &mut Notes) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if let Some(tenant) = tenant
        && (tenant.is_empty() || !tenant.chars().all(plain) || tenant.starts_with('.'))
    {
        let hint = "write the directory's GUID or one of its domains";
        notes.add("tenant", format!("'{tenant}' is no directory"), hint);
    }
}

fn authority(written: &str, entry: &Entry, notes: &mut Notes) -> Option<String> {
    // The path is the authority's own; only where it leads is checked.
    let allow = Allow {
        plain_loopback: entry.plain_loopback == Some(true),
    };
    let (host, path) = split(written);
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | '~');
    match Origin::parse(host, allow) {
        Ok(_) if path.chars().all(good) => Some(written.trim_end_matches('/').to_owned()),
        Ok(_) => {
            notes.add(
                "authority",
                "its path is no plain path",
                "write it as https://host/path",
            );
            None
        }
        Err(refusal) => {
            notes.add(
                "authority",
                refusal.to_string(),
                "write it as https://host/path",
            );
            None
        }
    }
}

/// An address and the path behind it.
fn split(address: &str) -> (&str, &str) {
    let end = address.match_indices('/').nth(2);
    address.split_at(end.map_or(address.len(), |(at, _)| at))
}

fn implied_scope(kind: &str, services: &Services, origin: &Origin) -> String {
    match kind {
        // All hosts of the API are said to take the tokens of its first; that could not be tried.
        "log-analytics" => cloud::scope(&format!("https://{}", services.log_analytics[0])),
        // Clusters take tokens for their own address. Microsoft's clients ask each cluster for its resource instead, which is one for
        // the whole cloud as a rule: a driver that asks `/v1/rest/auth/metadata` may do so too.
        _ => cloud::scope(&origin.to_string()),
    }
}

fn scope(
    entry: &Entry,
    authority: Option<&str>,
    origin: &Origin,
    notes: &mut Notes,
) -> Option<String> {
    let Some(written) = &entry.scope else {
        return authority.map(|_| cloud::scope(&origin.to_string()));
    };
    let mut parts = written.split_whitespace().peekable();
    if parts.peek().is_none() || authority.is_none() {
        let hint = "write the scope of a token, and the authority that gives it";
        notes.add("scope", "it has no use as it stands", hint);
        return None;
    }
    if written.chars().any(char::is_control) {
        notes.add("scope", "it has a control character", "remove it");
        return None;
    }
    let signs_in = authority
        .and_then(|authority| Origin::parse(split(authority).0, LOOPBACK).ok())
        .is_some_and(|authority| cloud::is_authority(authority.host()));
    if let Some(part) = parts.find(|part| !is_own(part, signs_in, origin)) {
        notes.add(
            "scope",
            format!(
                "'{part}' is a scope of another server, and its token would be sent to {origin}"
            ),
            format!(
                "leave it out, or write {}",
                cloud::scope(&origin.to_string())
            ),
        );
        return None;
    }
    Some(written.clone())
}

const LOOPBACK: Allow = Allow {
    plain_loopback: true,
};

/// Scopes that say what is told of a person, and open nothing.
const IDENTITY: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Whether a token of this scope is the server's to see. What no cloud of Microsoft's knows or gives is the configuration's own
/// business; there, a scope without a server is Microsoft Graph's, or that of an application which only has a number.
fn is_own(scope: &str, microsoft: bool, origin: &Origin) -> bool {
    let Ok(resource) = Origin::parse(split(scope).0, LOOPBACK) else {
        return !microsoft || scope.starts_with("api://") || IDENTITY.contains(&scope);
    };
    resource == *origin
        || cloud::shares(origin.host(), resource.host())
        || !microsoft && !cloud::is_known(resource.host())
}
