//! What a request says of where it comes from: the name that it calls the server by, the page behind it, and its path.

use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::reply::Refusal;

/// The longest path that a browser is sent back to, in bytes: whoever has not signed in yet makes the server keep it.
const LONGEST_PATH: usize = 2 << 10;

/// What browsers call the server, in the ways that they say it.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    url: Url,
    /// As `Origin` has it.
    origin: String,
    /// As `Host` has it.
    host: String,
}

impl Own {
    pub(crate) fn new(url: &Url) -> Self {
        let origin = url.origin().ascii_serialization();
        let host = origin
            .split_once("://")
            .map_or_else(String::new, |(_, host)| host.to_owned());
        Self {
            url: url.clone(),
            origin,
            host,
        }
    }

    /// As `Origin` has it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The port that browsers use.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Refuses requests that call the server by another name: pages of that name's could read the answers, and what stands between
    /// could keep them for others.
    pub(crate) fn check_name(&self, request: &Request) -> Result<(), Refusal> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let host = host.filter(|_| hosts.next().is_none()).unwrap_or_default();
        let elsewhere = request
            .uri()
            .authority()
            .is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host));
        if !elsewhere && self.is_host(host) {
            return Ok(());
        }
        let message = format!("this server is not {host:?}");
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, message)
            .hint("call it by the `address` of its access file"))
    }

    /// Browsers leave the scheme's own port out; others may not.
    fn is_host(&self, host: &str) -> bool {
        let bare = host
            .strip_suffix(&format!(":{}", self.port()))
            .unwrap_or(host);
        let own = self
            .host
            .strip_suffix(&format!(":{}", self.port()))
            .unwrap_or(&self.host);
        let has_port = host.len() > bare.len();
        bare.eq_ignore_ascii_case(own) && (has_port || self.url.port().is_none())
    }

    /// Refuses what another origin's page caused: any change, and any request for what pages fetch. `by_cookie` says that the browser added
    /// by itself what the caller is known by: then a change has to say that a page of this server is behind it.
    pub(crate) fn check_page(&self, request: &Request, by_cookie: bool) -> Result<(), Refusal> {
        let (headers, method) = (request.headers(), request.method());
        let changes = !is_safe(method);
        if !changes && !is_fetched(request.uri().path()) {
            return Ok(());
        }
        let site = text(headers, HeaderName::from_static("sec-fetch-site"));
        let origin = text(headers, header::ORIGIN);
        let foreign = origin.is_some_and(|origin| origin != self.origin)
            || site.is_some_and(|site| site != "same-origin" && (changes || site != "none"));
        if foreign {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "another page caused this request",
            ));
        }
        if changes && by_cookie && origin.is_none() && site.is_none() {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "this request does not say which page caused it",
            )
            .hint("browsers say so by themselves; programs bring a token (`Authorization: Bearer`) instead of a cookie"));
        }
        Ok(())
    }

    /// Where to go after signing in: a path of this server, whatever was asked for.
    pub(crate) fn own_path(&self, wanted: &str) -> String {
        let top = "/".to_owned();
        let is_path = wanted.starts_with('/') && wanted.len() <= LONGEST_PATH;
        if !is_path || wanted.chars().any(|c| c.is_control() || c == '\\') {
            return top;
        }
        match self.url.join(wanted) {
            Ok(url) if url.origin() == self.url.origin() && !url.path().starts_with("/signin") => {
                let query = url
                    .query()
                    .map_or(String::new(), |query| format!("?{query}"));
                // A path that begins with two slashes would name another host.
                format!("/{}{query}", url.path().trim_start_matches('/'))
            }
            _ => top,
        }
    }
}

/// Whether a request changes nothing (RFC 9110, 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether pages fetch what is there, and no browser shows it by itself.
pub(crate) fn is_fetched(path: &str) -> bool {
    ["/api", "/data"].iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a browser wants to show the answer as a page.
pub(crate) fn is_visit(request: &Request) -> bool {
    let headers = request.headers();
    let mode = text(headers, HeaderName::from_static("sec-fetch-mode"));
    let accepts = text(headers, header::ACCEPT).is_some_and(|types| types.contains("text/html"));
    is_safe(request.method())
        && !is_fetched(request.uri().path())
        && accepts
        && mode.is_none_or(|mode| mode == "navigate")
}

/// Refuses paths that could mean one thing to what checks them and another to what opens them.
pub(crate) fn check_path(uri: &Uri) -> Result<(), Refusal> {
    let decoded = percent_decode_str(uri.path()).decode_utf8();
    let good = decoded.is_ok_and(|path| {
        let plain = |part: &str| part != "." && part != "..";
        path.split('/').all(plain) && !path.chars().any(|c| c.is_control() || c == '\\')
    });
    if good {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "a path is names with / between them, and none of them is . or ..",
    ))
}

/// A header's text, if it can be read.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn own(address: &str) -> Own {
        Own::new(&Url::parse(address).unwrap())
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_server_knows_its_name() {
        for (address, host, good) in [
            ("https://hunt.example", "hunt.example", true),
            ("https://hunt.example", "HUNT.example:443", true),
            ("https://hunt.example", "hunt.example:8443", false),
            ("https://hunt.example:8443", "hunt.example:8443", true),
            ("https://hunt.example:8443", "hunt.example", false),
            ("http://127.0.0.1:8300", "127.0.0.1:8300", true),
            ("http://127.0.0.1:8300", "localhost:8300", false),
            ("https://hunt.example", "hunt.example.evil.example", false),
            ("https://hunt.example", "", false),
        ] {
            let request = request("GET", "/", &[("host", host)]);
            let checked = own(address).check_name(&request);
            assert_eq!(checked.is_ok(), good, "{address} {host}");
        }
        let twice = [("host", "hunt.example"), ("host", "hunt.example")];
        assert!(
            own("https://hunt.example")
                .check_name(&request("GET", "/", &twice))
                .is_err()
        );
        let absolute = request("GET", "https://evil.example/", &[("host", "hunt.example")]);
        assert!(own("https://hunt.example").check_name(&absolute).is_err());
    }

    #[test]
    fn pages_of_others_cause_nothing() {
        let own = own("https://hunt.example");
        let mine = ("origin", "https://hunt.example");
        let site = |value| ("sec-fetch-site", value);
        // The method, the path, what the browser says, and whether it may by a cookie and by a token.
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&str, &str, Headers<'_>, [bool; 2])] = &[
            ("GET", "/", &[site("cross-site")], [true, true]),
            ("GET", "/api/notebooks", &[], [true, true]),
            ("GET", "/api/notebooks", &[site("none")], [true, true]),
            (
                "GET",
                "/api/notebooks",
                &[site("same-origin")],
                [true, true],
            ),
            (
                "GET",
                "/api/notebooks",
                &[site("same-site")],
                [false, false],
            ),
            (
                "GET",
                "/data/index.json",
                &[site("cross-site")],
                [false, false],
            ),
            ("POST", "/api/kql", &[], [false, true]),
            ("POST", "/api/kql", &[mine], [true, true]),
            ("POST", "/api/kql", &[site("same-origin")], [true, true]),
            ("POST", "/api/kql", &[site("none")], [false, false]),
            (
                "POST",
                "/api/kql",
                &[mine, site("cross-site")],
                [false, false],
            ),
            ("POST", "/api/kql", &[("origin", "null")], [false, false]),
            (
                "POST",
                "/api/kql",
                &[("origin", "http://hunt.example")],
                [false, false],
            ),
            (
                "POST",
                "/api/kql",
                &[("origin", "https://hunt.example:8443")],
                [false, false],
            ),
            (
                "POST",
                "/signout",
                &[("origin", "https://evil.example")],
                [false, false],
            ),
            (
                "OPTIONS",
                "/api/kql",
                &[("origin", "https://evil.example")],
                [false, false],
            ),
        ];
        for (method, path, headers, good) in cases {
            let checked = [true, false].map(|by_cookie| {
                let request = request(method, path, headers);
                own.check_page(&request, by_cookie).is_ok()
            });
            assert_eq!(checked, *good, "{method} {path} {headers:?}");
        }
    }

    #[test]
    fn after_signing_in_browsers_stay_here() {
        let own = own("https://hunt.example");
        for (wanted, path) in [
            ("/?server=a/b.ipynb", "/?server=a/b.ipynb"),
            ("/notebook", "/notebook"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/..//evil.example", "/evil.example"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("/signin?to=/signin", "/"),
            ("", "/"),
        ] {
            assert_eq!(own.own_path(wanted), path, "{wanted}");
        }
    }

    #[test]
    fn paths_go_down_alone() {
        for path in [
            "/",
            "/api/notebooks/a%20b/c.ipynb",
            "/a..b",
            "/api/notebooks/a%2Fb.ipynb",
        ] {
            assert!(check_path(&path.parse().unwrap()).is_ok(), "{path}");
        }
        for path in [
            "/../etc",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/..%2fb",
            "/a%5c..%5cb",
            "/a%00",
            "/%ff",
            "/./a",
        ] {
            assert!(check_path(&path.parse().unwrap()).is_err(), "{path}");
        }
    }
}
