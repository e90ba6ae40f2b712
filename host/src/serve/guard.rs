//! Who may ask: the browser that was opened with the printed address, and the pages of this server alone.
//!
//! Other programs of the machine can reach the port, and so can other pages of the browser. A secret, which the printed
//! address holds and a cookie keeps, is asked for wherever there is anything of the user's. Pages
//! that call this server by a name of their own (DNS rebinding) are refused by the `Host` header, and
//! requests that other pages cause by what browsers say of their origin.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use spoor_door::Refusal;

use super::site::{FRAME, SIGNIN};
use super::{Entrance, Shared};
use crate::error::Error;

/// Says that people sign in here.
const DOOR: HeaderName = HeaderName::from_static("x-spoor-door");

/// What every answer says: nothing of another origin gets at it, and nobody guesses its type.
const ALWAYS: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    // By this a page learns that it is served by Spoor, and where the rest is.
    ("x-spoor-api", "api/"),
];

/// Knows the secret, and the names of this server.
pub struct Guard {
    token: String,
    port: u16,
    name: Option<String>,
}

impl Guard {
    /// With a new secret. `name` is one that browsers may use beside addresses and `localhost`.
    pub fn new(port: u16, name: Option<String>) -> Result<Self, Error> {
        let mut secret = [0_u8; 24];
        let unable =
            |e: getrandom::Error| Error::Internal(format!("there are no random numbers: {e}"));
        getrandom::fill(&mut secret).map_err(unable)?;
        let token = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { token, port, name })
    }

    /// The address to open.
    pub fn entrance(&self, address: SocketAddr) -> String {
        let host = match (&self.name, address.ip()) {
            (Some(name), _) => name.clone(),
            (None, ip) if ip.is_unspecified() => "localhost".into(),
            (None, IpAddr::V6(ip)) => format!("[{ip}]"),
            (None, ip) => ip.to_string(),
        };
        format!("http://{host}:{}/?token={}", self.port, self.token)
    }

    /// Cookies are a host's, whatever the port: several servers of one machine need several names.
    fn cookie(&self) -> String {
        format!("spoor-{}", self.port)
    }

    /// Whether the browser means this server, by an address, which nobody else can give away, or by its own name.
    fn names_us(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        let known = bare.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self
                .name
                .as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(name));
        port == Some(self.port) && known
    }

    fn is_token(&self, candidate: &str) -> bool {
        let (a, b) = (self.token.as_bytes(), candidate.as_bytes());
        // Takes as long wherever they differ.
        a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }

    fn is_let_in(&self, headers: &HeaderMap) -> bool {
        let own = self.cookie();
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut pairs = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let bearer =
            text(headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        bearer.is_some_and(|token| self.is_token(token))
            || pairs.any(|(name, value)| name == own && self.is_token(value))
    }
}

/// Refuses what must not pass, and lets in whoever brings the secret.
pub async fn check(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Entrance::Secret(guard) = &shared.entrance else {
        return Refusal::broken(&"there is a door, and nobody at it").into_response();
    };
    match judged(guard, &request) {
        Ok(None) => next.run(request).await,
        Ok(Some(entered)) => entered,
        Err(refusal) => refusal.into_response(),
    }
}

/// Adds the headers of every answer.
pub async fn dress(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in always(&path) {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if matches!(shared.entrance, Entrance::Door(_)) {
        // There is somebody to be known, and maybe workspaces to be asked for them.
        headers.insert(DOOR, HeaderValue::from_static("1"));
    }
    let policy = shared.site.policy(&path).clone();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(policy);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What every answer says, as far as it holds for the path.
fn always(path: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (framed, signin) = (path == FRAME, path == SIGNIN);
    ALWAYS
        .into_iter()
        .filter_map(move |(name, value)| match name {
            "x-frame-options" if framed => Some((name, "SAMEORIGIN")),
            // An authority's page leads here in a window that this would cut off from whoever opened it, and so keep from closing.
            // It holds nothing: what it is told it hands to the page over a channel of its own origin.
            "cross-origin-opener-policy" if signin => None,
            _ => Some((name, value)),
        })
}

/// `None` for a request that may go on; an answer for one that brings the secret.
fn judged(guard: &Guard, request: &Request) -> Result<Option<Response>, Refusal> {
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    let elsewhere = request
        .uri()
        .authority()
        .is_some_and(|authority| authority.as_str() != host);
    if elsewhere || !guard.names_us(host) {
        let message = format!("this server is not {host:?}");
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, message).hint(
            "open the address that spoor printed; a name of this machine is allowed by --host",
        ));
    }
    if let Some(token) = token_of(request.uri()) {
        return entered(guard, token, request.uri()).map(Some);
    }
    if !is_private(request.uri().path()) {
        return Ok(None);
    }
    if is_foreign(headers, host) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "another page caused this request",
        ));
    }
    if !guard.is_let_in(headers) {
        return Err(
            Refusal::new(StatusCode::UNAUTHORIZED, "this browser has not been let in")
                .hint("open the address that spoor printed when it started"),
        );
    }
    Ok(None)
}

/// Whether there is anything of the user's below the path. The page itself is the same for everyone.
fn is_private(path: &str) -> bool {
    ["/api", "/data"].iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether the browser says that another origin's page is behind the request.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let site = text(headers, HeaderName::from_static("sec-fetch-site"));
    let origin = text(headers, header::ORIGIN);
    site.is_some_and(|site| site != "same-origin" && site != "none")
        || origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host))
}

/// Puts the secret into a cookie and takes it out of the address, so that it is in no history and no link.
fn entered(guard: &Guard, token: &str, uri: &Uri) -> Result<Response, Refusal> {
    if !guard.is_token(token) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "the token in this address is not this server's",
        )
        .hint("open the address that spoor printed when it started last"));
    }
    let rest: Vec<&str> = pairs(uri)
        .filter(|pair| !pair.starts_with("token="))
        .collect();
    let query = if rest.is_empty() {
        String::new()
    } else {
        format!("?{}", rest.join("&"))
    };
    // A path that begins with two slashes of either kind would name another host.
    let path = format!("/{}{query}", uri.path().trim_start_matches(['/', '\\']));
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        guard.cookie(),
        guard.token
    );
    Ok((
        StatusCode::SEE_OTHER,
        [(header::LOCATION, path), (header::SET_COOKIE, cookie)],
    )
        .into_response())
}

fn token_of(uri: &Uri) -> Option<&str> {
    pairs(uri).find_map(|pair| pair.strip_prefix("token="))
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_server_knows_its_names() {
        let guard = Guard::new(8300, Some("hunt.lan".into())).unwrap();
        for host in [
            "127.0.0.1:8300",
            "localhost:8300",
            "LOCALHOST:8300",
            "[::1]:8300",
            "hunt.lan:8300",
        ] {
            assert!(guard.names_us(host), "{host}");
        }
        for host in [
            "",
            "evil.example:8300",
            "localhost",
            "localhost:80",
            "[::1]",
            "127.0.0.1.evil.example:8300",
            "localhost.evil.example:8300",
        ] {
            assert!(!guard.names_us(host), "{host}");
        }
    }

    #[test]
    fn pages_have_the_headers_that_they_can_have() {
        let of = |path: &str, wanted: &str| {
            let mut all = always(path);
            all.find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        for path in ["/", "/signin.js", "/signin.html.br", "/x/signin.html"] {
            let opener = of(path, "cross-origin-opener-policy");
            assert_eq!(opener, Some("same-origin"), "{path}");
        }
        assert_eq!(of(SIGNIN, "cross-origin-opener-policy"), None);
        assert_eq!(of(SIGNIN, "x-frame-options"), Some("DENY"));
        assert_eq!(of(FRAME, "x-frame-options"), Some("SAMEORIGIN"));
        assert_eq!(always("/").count(), ALWAYS.len());
    }

    #[test]
    fn what_is_private_is_found_whole() {
        for path in ["/api", "/api/kql", "/data/index.json", "/data/"] {
            assert!(is_private(path), "{path}");
        }
        for path in ["/", "/apis.js", "/database.js", "/index.html"] {
            assert!(!is_private(path), "{path}");
        }
    }
}
