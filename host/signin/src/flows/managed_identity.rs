//! The identity that Azure gives a machine: of App Service, Functions and Container Apps at the address that two variables name, of
//! virtual machines at the metadata service's fixed link-local address. The variables hold no secret that outlives the sandbox.

use std::time::Duration;

use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::clock;
use crate::error::ManagedIdentityError;
use crate::http::{Client, Reach, server};
use crate::secret::{Kept, Secret};
use crate::store::record::Access;
use crate::told::told;

/// The metadata service, at the same address on every machine of Azure's.
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Where there is no such service, nothing answers at all.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Waits between tries. The service answers 404, 410, 429 and 5xx for a while when an identity is new or much is asked.
const WAITS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Who gives the machine's tokens.
#[derive(Debug)]
pub(crate) enum Service {
    Metadata(Url),
    AppService(Url, Secret),
}

impl Service {
    /// What this machine has.
    pub(crate) fn of_environment() -> Result<Self, ManagedIdentityError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::of(
            variable("IDENTITY_ENDPOINT"),
            variable("IDENTITY_HEADER").map(Secret::new),
        )
    }

    fn of(endpoint: Option<String>, header: Option<Secret>) -> Result<Self, ManagedIdentityError> {
        let wrong =
            |cause: &dyn std::fmt::Display| ManagedIdentityError::Endpoint(cause.to_string());
        match (endpoint, header) {
            (Some(endpoint), Some(header)) => {
                let url = Url::parse(&endpoint).map_err(|cause| wrong(&cause))?;
                Ok(Service::AppService(url, header))
            }
            _ => Url::parse(METADATA)
                .map(Service::Metadata)
                .map_err(|cause| wrong(&cause)),
        }
    }

    /// Asks for a token of `scope`. `identity` is the client id of an assigned identity; without it the machine's own answers.
    pub(crate) fn token(
        &self,
        scope: &str,
        identity: Option<&str>,
    ) -> Result<Access, ManagedIdentityError> {
        let client =
            Client::with_timeout(Reach::Local, TIMEOUT).map_err(ManagedIdentityError::Nothing)?;
        let mut waits = WAITS.iter();
        loop {
            let request = self.request(scope, identity)?;
            let answer = client
                .send(request)
                .map_err(ManagedIdentityError::Nothing)?;
            let status = answer.status();
            let again = matches!(status.as_u16(), 404 | 410 | 429 | 500..=599);
            match waits.next() {
                Some(wait) if again => std::thread::sleep(*wait),
                _ => return read(status, answer.body(), client.skew()),
            }
        }
    }

    fn request(
        &self,
        scope: &str,
        identity: Option<&str>,
    ) -> Result<Request<Vec<u8>>, ManagedIdentityError> {
        let (url, version) = match self {
            Service::Metadata(url) => (url, "2018-02-01"),
            Service::AppService(url, _) => (url, "2019-08-01"),
        };
        let mut url = url.clone();
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource(scope));
        if let Some(identity) = identity {
            url.query_pairs_mut().append_pair("client_id", identity);
        }
        let request = Request::get(url.as_str());
        let request = match self {
            // A browser or a redirected request cannot be made to send it.
            Service::Metadata(_) => request.header("Metadata", "true"),
            Service::AppService(_, header) => request.header("X-IDENTITY-HEADER", header.expose()),
        };
        let wrong = |_| ManagedIdentityError::Endpoint(server(&url));
        request.body(Vec::new()).map_err(wrong)
    }
}

/// The resource of a scope: these services know no scopes.
fn resource(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

/// An answer. Times are numbers, or strings of digits.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_on: Value,
}

fn read(
    status: StatusCode,
    body: &[u8],
    skew: Option<i64>,
) -> Result<Access, ManagedIdentityError> {
    if status != StatusCode::OK {
        let fields: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = fields["error_description"]
            .as_str()
            .or(fields["message"].as_str());
        let why = format!("{status} {}", told(text.unwrap_or_default(), &[]));
        return Err(ManagedIdentityError::Refused(why.trim_end().to_owned()));
    }
    let unusable = || ManagedIdentityError::Refused("its answer cannot be read".to_owned());
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unusable())?;
    let expires = seconds(&answer.expires_on).ok_or_else(unusable)?;
    Ok(Access {
        token: Kept(Secret::new(answer.access_token)),
        obtained: clock::now(),
        expires: expires.saturating_sub(skew.unwrap_or(0)),
    })
}

/// Seconds since 1970, as a number or as digits.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    let digits = || value.as_str()?.parse().ok();
    value.as_i64().or_else(digits)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    /// A service that answers each request with the next answer, and tells what it was asked.
    fn service(
        answers: Vec<(&'static str, String)>,
    ) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/msi/token", listener.local_addr().unwrap());
        let told = std::thread::spawn(move || {
            let hear = |(status, body): &(&str, String)| {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(&stream).lines().map(Result::unwrap);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
                head.join("\n")
            };
            answers.iter().map(hear).collect()
        });
        (address, told)
    }

    #[test]
    fn app_service_is_asked_as_it_wants() {
        let end = clock::now() + 3600;
        let good = format!("{{\"access_token\":\"canary\",\"expires_on\":\"{end}\"}}");
        let (address, told) = service(vec![("429 Slow", String::new()), ("200 OK", good)]);
        let service = Service::of(Some(address), Some(Secret::new("head".to_owned()))).unwrap();
        let access = service
            .token("https://api.loganalytics.io/.default", Some("id-1"))
            .unwrap();
        assert_eq!((access.token.0.expose(), access.expires), ("canary", end));
        assert!(!format!("{access:?} {service:?}").contains("canary"));
        let asked = told.join().unwrap().pop().unwrap();
        let wanted = "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fapi.loganalytics.io&client_id=id-1 ";
        assert!(asked.starts_with(wanted), "{asked}");
        assert!(
            asked.to_lowercase().contains("x-identity-header: head"),
            "{asked}"
        );
    }

    #[test]
    fn a_refusal_is_told() {
        let body = "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}"
            .to_owned();
        let (address, _told) = service(vec![("400 Bad Request", body)]);
        let service = Service::of(Some(address), Some(Secret::new("head".to_owned()))).unwrap();
        let error = service.token("hunt", None).unwrap_err().to_string();
        assert!(error.contains("Identity not found"), "{error}");
    }

    #[test]
    fn variables_lead_to_this_machine_only() {
        let service = Service::of(
            Some("http://evil.example/t".to_owned()),
            Some(Secret::new("h".to_owned())),
        );
        let error = service
            .unwrap()
            .token("hunt", None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("may not be asked"), "{error}");
        let metadata = Service::of(None, None).unwrap();
        let request = metadata
            .request("https://x.example/.default", None)
            .unwrap();
        assert_eq!(request.headers()["Metadata"], "true");
        assert!(request.uri().to_string().starts_with(METADATA));
    }
}
