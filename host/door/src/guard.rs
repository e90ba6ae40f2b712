//! What happens to each request before a route sees it, and to each answer after.
//!
//! A request is refused unless all of this holds: it came through the proxy where there is one; its caller asks no more often than the
//! limits say; it names this server; its path goes down alone; no other origin's page is behind it; its caller is known; it is no longer than it may be;
//! the caller has the role that it needs. It is asked in this order. All that is refused from its name on is written down.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::audit::{Entry, Outcome};
use crate::caller::{Caller, Kind};
use crate::door::{Door, Needs};
use crate::limits::{Key, too_many};
use crate::origin::{check_path, is_visit, text};
use crate::peer::{self, Peer};
use crate::reply::Refusal;
use crate::sessions::Signed;

pub(crate) const SIGN_IN: &str = "/signin";
pub(crate) const CALLBACK: &str = "/signin/callback";
pub(crate) const SIGN_OUT: &str = "/signout";
pub(crate) const ME: &str = "/api/me";

/// What every answer says unless its route knows better: no page frames it, nobody guesses its type, nobody learns where it was.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// A door, and what the requests behind it need.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) door: Arc<Door>,
    pub(crate) needs: Needs,
}

/// Where a request comes from, for those routes that write it down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) Option<IpAddr>);

/// Who a request says that it is of.
enum Known {
    Caller(Signed),
    /// Nobody, or somebody whose session has ended.
    Nobody,
    /// Whoever brings a token that nobody has.
    Stranger,
}

impl Known {
    fn caller(&self) -> Option<&Arc<Caller>> {
        match self {
            Known::Caller(signed) => Some(&signed.caller),
            Known::Nobody | Known::Stranger => None,
        }
    }
}

/// Lets a request through, or refuses it.
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let response = match gate.admitted(request) {
        Ok(request) => next.run(*request).await,
        Err(refused) => *refused,
    };
    gate.door.dressed(response)
}

impl Gate {
    fn admitted(&self, mut request: Request) -> Result<Box<Request>, Box<Response>> {
        let door = &self.door;
        let peer = request.extensions().get::<Peer>().copied();
        let address = peer::client(peer, request.headers(), door.proxies()).map_err(answer)?;
        let known = door.known(request.headers());
        let key = Key::of(known.caller().map(Arc::as_ref), address);
        let counted = door.limits.count(&key, Instant::now());
        counted.map_err(|wait| Box::new(too_many(wait)))?;
        if !door.audit().is_whole() {
            return Err(answer(unwritten()));
        }
        if let Err(refusal) = self.judged(&request, &known) {
            if matches!(known, Known::Nobody) && door.sign_in.is_some() && is_visit(&request) {
                return Err(Box::new(to_sign_in(request.uri())));
            }
            door.wrote(&request, known.caller(), address, &refusal);
            return Err(answer(refusal));
        }
        request.extensions_mut().insert(Address(address));
        if let Known::Caller(signed) = known {
            request.extensions_mut().insert(signed.caller);
            if let Some(token) = signed.token {
                request.extensions_mut().insert(token);
            }
        }
        let most = door.access.limits.body_bytes;
        Ok(Box::new(
            request.map(|body| Body::new(Limited::new(body, most))),
        ))
    }

    fn judged(&self, request: &Request, known: &Known) -> Result<(), Refusal> {
        let door = &self.door;
        door.own.check_name(request)?;
        check_path(request.uri())?;
        let cookie = door.cookies.session(request.headers()).is_some();
        let machine = known.caller().is_some_and(|one| one.kind == Kind::Machine);
        door.own.check_page(request, cookie && !machine)?;
        if matches!(request.uri().path(), SIGN_IN | CALLBACK) {
            return Ok(());
        }
        let caller = match known {
            Known::Caller(signed) => &signed.caller,
            Known::Nobody => return Err(unknown(door.sign_in.is_some())),
            Known::Stranger => return Err(stranger()),
        };
        if matches!(request.uri().path(), SIGN_OUT | ME) {
            return Ok(());
        }
        check_length(request.headers(), door.access.limits.body_bytes)?;
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let need = (self.needs)(request.method(), &path)?;
        caller.check(&need)
    }
}

impl Door {
    /// A token counts alone where there is one: whoever brings a wrong one is not let in by a cookie.
    fn known(&self, headers: &HeaderMap) -> Known {
        if headers.contains_key(header::AUTHORIZATION) {
            let token = bearer(headers);
            let machine = token.and_then(|token| self.machines.of(token));
            let signed = |caller: &Arc<Caller>| Signed {
                caller: caller.clone(),
                token: None,
            };
            return machine.map_or(Known::Stranger, |machine| Known::Caller(signed(machine)));
        }
        let session = self.cookies.session(headers);
        let signed = session.and_then(|cookie| self.sessions().of(cookie, Instant::now()));
        signed.map_or(Known::Nobody, Known::Caller)
    }

    /// Writes a refusal down.
    fn wrote(
        &self,
        request: &Request,
        caller: Option<&Arc<Caller>>,
        address: Option<IpAddr>,
        refusal: &Refusal,
    ) {
        self.audit().entry(Entry {
            action: "request",
            caller: caller.map(Arc::as_ref),
            address,
            request: Some((method(request.method()), request.uri().path())),
            outcome: Outcome::Denied,
            why: Some(refusal.message()),
        });
    }

    /// An answer as it is for one caller alone, in no page but the server's own.
    fn dressed(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in ALWAYS {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        if self.access.is_secure() {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        let keep = headers.get(header::CACHE_CONTROL);
        let keep = keep
            .and_then(|keep| keep.to_str().ok())
            .unwrap_or("no-store");
        let keep = HeaderValue::from_str(&keep.replace("public", "private"));
        let keep = keep.unwrap_or(HeaderValue::from_static("no-store"));
        headers.insert(header::CACHE_CONTROL, keep);
        let vary = HeaderValue::from_static("Cookie, Authorization");
        headers.append(header::VARY, vary);
        response
    }
}

fn answer(refusal: Refusal) -> Box<Response> {
    Box::new(refusal.into_response())
}

/// A method as it is written down: the others' names are anybody's.
fn method(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE => method.as_str(),
        Method::PATCH | Method::OPTIONS => method.as_str(),
        _ => "another",
    }
}

/// The token of a request, if it brings one and no more.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unknown(people: bool) -> Refusal {
    let hint = if people {
        "open /signin in the browser; programs bring a token (`Authorization: Bearer`)"
    } else {
        "bring a token (`Authorization: Bearer`) of a machine that the access file names"
    };
    Refusal::new(StatusCode::UNAUTHORIZED, "nobody is signed in").hint(hint)
}

fn stranger() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "the token is nobody's")
        .hint("the access file has the SHA-256 of each machine's token")
}

fn unwritten() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the audit log cannot be written, and nothing is done that is not written down",
    )
    .hint("whoever runs this server has to make room for it")
}

/// Where somebody who is not signed in goes, and comes back from.
fn to_sign_in(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("to", wanted)
        .finish();
    let location = [(header::LOCATION, format!("{SIGN_IN}?{query}"))];
    (StatusCode::SEE_OTHER, location).into_response()
}

/// Refuses a body that says it is too long, before any of it is read.
fn check_length(headers: &HeaderMap, most: usize) -> Result<(), Refusal> {
    let length = text(headers, header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_none_or(|length| length <= most as u64) {
        return Ok(());
    }
    let message = format!("this is longer than the {most} bytes that a request may have");
    Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        .hint("`body-bytes` in the `limits` of the access file says how long it may be"))
}
