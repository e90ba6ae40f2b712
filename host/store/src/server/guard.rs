//! Who may ask: whoever brings a token that is known; without tokens, programs of this machine, and no page of a browser.
//!
//! A browser says what is behind a request (`Origin`, `Sec-Fetch-Site`), and such are refused but for pages
//! of the origins that the server was started with. Where there are no tokens a page could still reach the port under a name of its own (DNS rebinding), so that the `Host` has to be an
//! address or `localhost`. Every answer tells by what the request is known.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::Store;
use super::cloud::ENDPOINTS;
use super::kusto::METADATA;
use super::refusal::Refusal;
use crate::kusto::Identity;

/// What clients ask before they have a token.
const OPEN: [&str; 2] = [METADATA, ENDPOINTS];

/// The client's own name for a request, and ours.
const CLIENT: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const ACTIVITY: HeaderName = HeaderName::from_static("x-ms-activity-id");

/// The longest name for a request that is kept.
const LONGEST_NAME: usize = 256;

/// Refuses what must not pass, and gives requests and answers their names.
pub(super) async fn check(
    State(store): State<Arc<Store>>,
    mut request: Request,
    next: Next,
) -> Response {
    let identity = identity(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = match judged(&store, &request) {
        Ok(()) => {
            request.extensions_mut().insert(identity.clone());
            next.run(request).await
        }
        Err(refusal) => refusal.of(&path, &identity),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CLIENT, &identity.client_request_id),
        (ACTIVITY, &identity.activity_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// What every answer says, those to preflights included: it is data, to be shown nowhere and kept by nobody.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// A year of TLS and nothing else.
const ENCRYPTED: &str = "max-age=31536000";

/// Dresses every answer.
pub(super) async fn dress(
    State(store): State<Arc<Store>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if store.options.is_encrypted {
        let value = HeaderValue::from_static(ENCRYPTED);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

fn judged(store: &Store, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let fetched = text(headers, HeaderName::from_static("sec-fetch-site"));
    let is_page =
        headers.contains_key(header::ORIGIN) || fetched.is_some_and(|site| site != "none");
    if is_page && !store.options.origins.admit(headers) {
        return Err(Refusal::browser());
    }
    let Some(tokens) = &store.options.tokens else {
        let host = text(headers, header::HOST).unwrap_or_default();
        return match is_this_machine(host) {
            true => Ok(()),
            false => Err(Refusal::misdirected(host)),
        };
    };
    let known = bearer(headers).is_some_and(|token| tokens.knows(token));
    if known || OPEN.contains(&request.uri().path()) {
        Ok(())
    } else {
        Err(Refusal::unauthorized())
    }
}

/// The token of `Authorization`; the scheme's name has no case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a `Host` is this machine by an address of its own or by `localhost`, which no page can give away. `0.0.0.0` leads here too,
/// and browsers do not say of a page's requests there whose they are.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    bare.unwrap_or(name)
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
}

fn identity(headers: &HeaderMap) -> Identity {
    let activity_id = guid();
    let client = text(headers, CLIENT).filter(|name| name.len() <= LONGEST_NAME);
    Identity {
        client_request_id: client.unwrap_or(&activity_id).to_owned(),
        activity_id,
    }
}

/// A random GUID; of zeros where the system has no random numbers, as nothing is kept safe by it.
fn guid() -> String {
    let mut bytes = [0_u8; 16];
    let _ = getrandom::fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |range| hex.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in [
            "127.0.0.1:8301",
            "localhost:8301",
            "[::1]:80",
            "127.8.0.1",
            "LOCALHOST",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example:8301",
            "0.0.0.0:8301",
            "10.0.0.7",
            "127.0.0.1.evil.example",
            "localhost.evil.example:1",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn guids_look_like_guids() {
        let lengths: Vec<usize> = guid().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
