//! Pages of a browser that may ask: those of the origins that the server was started with, and no others.

use std::fmt;
use std::time::Duration;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser need not ask again whether a page may.
const KEPT: Duration = Duration::from_secs(600);

/// What pages send beside the query, and what they may see of the answer beside its body.
const SENT: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("x-ms-app"),
    HeaderName::from_static("x-ms-client-request-id"),
];
const SEEN: [HeaderName; 3] = [
    header::RETRY_AFTER,
    HeaderName::from_static("x-ms-activity-id"),
    HeaderName::from_static("x-ms-client-request-id"),
];

/// The origins of pages that may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoOrigin(String);

impl fmt::Display for NoOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no page's origin: write it as the browser does, https://host or https://host:port in lower case, without the scheme's own port and with nothing behind it",
            self.0
        )
    }
}

impl std::error::Error for NoOrigin {}

impl Origins {
    /// Reads origins as browsers write them.
    ///
    /// # Errors
    /// The first that is none: a request's `Origin` would never be the same as it.
    pub fn read(texts: &[String]) -> Result<Self, NoOrigin> {
        let origins = texts.iter().map(|text| {
            let uri: Option<Uri> = text.parse().ok();
            let is_one = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.path_and_query().is_none_or(|path| path == "/")
                    && uri
                        .authority()
                        .is_some_and(|host| !host.as_str().contains('@'))
            });
            // Browsers leave out the scheme's own port.
            let own_port = ["https://", "http://"]
                .iter()
                .zip([":443", ":80"])
                .any(|(scheme, port)| text.starts_with(scheme) && text.ends_with(port));
            let as_written =
                !text.ends_with('/') && !own_port && *text == text.to_ascii_lowercase();
            let value = HeaderValue::from_str(text).ok();
            let value = value.filter(|_| is_one && as_written);
            value.ok_or_else(|| NoOrigin(text.clone()))
        });
        Ok(Self(origins.collect::<Result<_, _>>()?))
    }

    /// Whether a request is from a page that may ask, by what its browser says.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .is_some_and(|origin| self.0.contains(origin))
    }

    /// Answers browsers that ask whether a page may, and lets pages see the answers that they may see.
    pub(super) fn layer(&self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.clone()))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(SENT)
            .expose_headers(SEEN)
            .max_age(KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let read = |text: &str| Origins::read(&[text.to_owned()]);
        for text in ["https://hunts.example", "http://127.0.0.1:8300"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for text in [
            "*",
            "null",
            "https://hunts.example/",
            "https://hunts.example/page",
            "https://Hunts.example",
            "https://hunts.example:443",
            "http://hunts.example:80",
            "https://a@hunts.example",
            "ftp://hunts.example",
            "hunts.example",
            "https://hunts.example\r\nx: y",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
