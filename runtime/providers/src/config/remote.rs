//! Where a workspace's server is, and who signs people in there.

use super::check::{Notes, guid};
use super::{Entry, Remote};
use crate::cloud::{self, Cloud, Services};
use crate::endpoint::{Allow, Origin};

pub(super) fn remote(kind: &str, cloud: Cloud, entry: &Entry, notes: &mut Notes) -> Option<Remote> {
    let origin = origin(kind, cloud, entry, notes);
    check_tenant(entry.tenant.as_deref(), notes);
    if let (Some(id), true) = (&entry.client_id, cloud != Cloud::Custom) {
        guid("client-id", id, notes);
    }
    let authority = match (cloud.services(), &entry.authority) {
        (Some(services), _) => Some(services.authority.to_owned()),
        (None, Some(written)) => authority(written, entry, notes),
        (None, None) => None,
    };
    let origin = origin?;
    let scope = match cloud.services() {
        Some(services) => Some(implied_scope(kind, services, &origin)),
        None => scope(entry, authority.is_some(), &origin, notes),
    };
    Some(Remote {
        origin,
        authority,
        scope,
        tenant: entry.tenant.clone(),
        client_id: entry.client_id.clone(),
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
        "kusto" => services.kusto.iter().any(|suffix| host.ends_with(suffix)),
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
    let end = written
        .match_indices('/')
        .nth(2)
        .map_or(written.len(), |(at, _)| at);
    let allow = Allow {
        plain_loopback: entry.plain_loopback == Some(true),
    };
    let host = written.get(..end).unwrap_or(written);
    let path = written.get(end..).unwrap_or_default();
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

fn implied_scope(kind: &str, services: &Services, origin: &Origin) -> String {
    match kind {
        // All hosts of the API are said to take the tokens of its first; that could not be tried.
        "log-analytics" => cloud::scope(&format!("https://{}", services.log_analytics[0])),
        // Clusters take tokens for their own address. Microsoft's clients ask each cluster for its resource instead, which is one for
        // the whole cloud as a rule: a driver that asks `/v1/rest/auth/metadata` may do so too.
        _ => cloud::scope(&origin.to_string()),
    }
}

fn scope(entry: &Entry, signs_in: bool, origin: &Origin, notes: &mut Notes) -> Option<String> {
    match &entry.scope {
        Some(written) if written.split_whitespace().next().is_none() || !signs_in => {
            let hint = "write the scope of a token, and the authority that gives it";
            notes.add("scope", "it has no use as it stands", hint);
            None
        }
        Some(written) if written.chars().any(char::is_control) => {
            notes.add("scope", "it has a control character", "remove it");
            None
        }
        Some(written) => Some(written.clone()),
        None => signs_in.then(|| cloud::scope(&origin.to_string())),
    }
}
