//! Requests to authorities: over TLS with the system's certificates, never redirected, with an end to their time and size.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use openidconnect::SyncHttpClient;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::{Host, Url};

use crate::clock;

/// The most bytes of an answer. Key sets and discovery documents have some tens of kilobytes.
const MOST_BYTES: u64 = 1 << 20;

/// What a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// No server's clock is known.
const UNKNOWN: i64 = i64::MIN;

/// Why a request got no answer. It names servers, and never a whole address: those carry codes.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is one that no request may go to.
    #[error(
        "{0} may not be asked: only https is allowed, and plain http to this machine where the workspace says so"
    )]
    Insecure(String),
    /// There is no answer.
    #[error("{server} cannot be reached: {cause}. Check the network and try again")]
    Unreachable {
        /// The server.
        server: String,
        /// What the network says.
        cause: String,
    },
    /// The system's certificates cannot be used.
    #[error(
        "connections cannot be made safe: {0}. Install the system's certificates (on Debian: ca-certificates)"
    )]
    Certificates(String),
}

/// Where requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To anything over https.
    Https,
    /// To this machine over plain http as well.
    Loopback,
    /// To this machine and to the link-local address of Azure's metadata service, and nowhere else.
    Local,
}

/// A client that remembers how far the server's clock is from this one.
pub(crate) struct Client {
    agent: ureq::Agent,
    reach: Reach,
    skew: AtomicI64,
}

impl Client {
    pub(crate) fn new(reach: Reach) -> Result<Self, HttpError> {
        Self::with_timeout(reach, TIMEOUT)
    }

    pub(crate) fn with_timeout(reach: Reach, timeout: Duration) -> Result<Self, HttpError> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .user_agent(concat!("spoor/", env!("CARGO_PKG_VERSION")));
        if reach == Reach::Https {
            config = config.tls_config(tls()?);
        } else {
            // A proxy would be another machine.
            config = config.proxy(None);
        }
        Ok(Client {
            agent: config.build().new_agent(),
            reach,
            skew: AtomicI64::new(UNKNOWN),
        })
    }

    /// Seconds that the clock of whoever answered last is ahead of this one; `None` if it did not say.
    pub(crate) fn skew(&self) -> Option<i64> {
        let skew = self.skew.load(Ordering::Relaxed);
        (skew != UNKNOWN).then_some(skew)
    }

    /// Whether a request may go to `url`.
    pub(crate) fn admit(&self, url: &Url) -> Result<(), HttpError> {
        let plain = url.scheme() == "http";
        let good = match self.reach {
            Reach::Https => url.scheme() == "https",
            Reach::Loopback => url.scheme() == "https" || plain && is_loopback(url),
            Reach::Local => plain && (is_loopback(url) || is_link_local(url)),
        };
        let named = !url.username().is_empty() || url.password().is_some();
        if good && !named {
            return Ok(());
        }
        Err(HttpError::Insecure(server(url)))
    }

    /// Sends a request and reads its answer, whatever the status.
    pub(crate) fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| HttpError::Insecure("what is no address".to_owned()))?;
        self.admit(&url)?;
        let unreachable = |cause: ureq::Error| HttpError::Unreachable {
            server: server(&url),
            cause: cause.to_string(),
        };
        let sent = if request.method() == Method::GET {
            self.agent.run(request.map(|_| ()))
        } else {
            self.agent.run(request)
        };
        let (parts, mut body) = sent.map_err(unreachable)?.into_parts();
        let date = parts.headers.get(http::header::DATE);
        let skew = date.and_then(|date| clock::skew(date.to_str().ok()?));
        self.skew.store(skew.unwrap_or(UNKNOWN), Ordering::Relaxed);
        let bytes = body.with_config().limit(MOST_BYTES).read_to_vec();
        Ok(Response::from_parts(parts, bytes.map_err(unreachable)?))
    }
}

impl SyncHttpClient for Client {
    type Error = HttpError;

    fn call(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        self.send(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.reach)
    }
}

/// The system's own certificates, so that what a company's machines trust is trusted here.
fn tls() -> Result<TlsConfig, HttpError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(ToString::to_string);
        let why = why.unwrap_or_else(|| "the system has none".to_owned());
        return Err(HttpError::Certificates(why));
    }
    let roots = found
        .certs
        .iter()
        .map(|der| Certificate::from_der(der).to_owned());
    let roots = RootCerts::Specific(Arc::new(roots.collect()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

/// Scheme, host and port.
pub(crate) fn server(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The metadata service's own address, and that of App Service's sandboxes.
fn is_link_local(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Ipv4(address)) if Ipv4Addr::is_link_local(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_where_they_may() {
        let admits = |reach, url: &str| {
            let client = Client::new(reach).unwrap();
            client.admit(&Url::parse(url).unwrap()).is_ok()
        };
        for (url, allowed) in [
            ("https://login.example/token", [true, true, false]),
            ("http://login.example/token", [false, false, false]),
            ("http://127.0.0.1:8080/token", [false, true, true]),
            ("http://localhost/token", [false, true, true]),
            ("http://[::1]/token", [false, true, true]),
            ("http://169.254.169.254/metadata", [false, false, true]),
            ("https://user@login.example/", [false, false, false]),
            ("file:///etc/passwd", [false, false, false]),
        ] {
            let found =
                [Reach::Https, Reach::Loopback, Reach::Local].map(|reach| admits(reach, url));
            assert_eq!(found, allowed, "{url}");
        }
    }

    #[test]
    fn nobody_is_redirected_and_answers_have_an_end() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let location = format!(
            "HTTP/1.1 302 Found\r\nLocation: {address}elsewhere\r\nContent-Length: 0\r\n\r\n"
        );
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 << 20));
        let serving = std::thread::spawn(move || {
            for answer in [location, endless] {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]);
                // The client leaves before the end of the second.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let client = Client::new(Reach::Loopback).unwrap();
        let ask = || client.send(Request::get(&address).body(Vec::new()).unwrap());
        assert_eq!(ask().unwrap().status(), 302);
        assert!(ask().is_err());
        serving.join().unwrap();
    }
}
