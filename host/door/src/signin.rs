//! The routes for signing in and out, and for who one is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use spoor_signin::{Fault, Person, Returned};
use url::form_urlencoded;

use crate::attempts::PATIENCE;
use crate::audit::{Entry, Outcome};
use crate::caller::{Caller, Kind};
use crate::door::Door;
use crate::guard::Address;
use crate::reply::Refusal;
use crate::sessions::Signed;
use crate::token::UserToken;

type Shared = State<Arc<Door>>;

/// Sends the browser to the authority.
pub(crate) async fn begin(State(door): Shared, uri: Uri) -> Result<Response, Refusal> {
    let sign_in = door.sign_in.clone().ok_or_else(nobody_signs_in)?;
    let to = door.own.own_path(&field(&uri, "to").unwrap_or_default());
    let begun = tokio::task::spawn_blocking(move || sign_in.begin()).await;
    let begun = begun.map_err(|e| Refusal::broken(&e))?;
    let (url, attempt) = begun.map_err(|fault| refused(&fault))?;
    let id = door.attempts().keep(attempt, to, Instant::now());
    let id = id.map_err(|e| Refusal::broken(&e))?;
    let cookie = door.cookies.set_attempt(id.expose(), PATIENCE.as_secs());
    Ok(gone_to(url, vec![cookie]))
}

/// Takes the browser back, and begins its session.
pub(crate) async fn callback(
    State(door): Shared,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let entered = enter(&door, &headers, &uri).await;
    let (caller, outcome, why) = match &entered {
        Ok((caller, _)) => (Some(caller.as_ref()), Outcome::Done, None),
        Err((caller, refusal)) => (
            caller.as_deref(),
            Outcome::Denied,
            Some(refusal.message().to_owned()),
        ),
    };
    wrote(&door, "sign-in", caller, address, outcome, why.as_deref());
    entered
        .map(|(_, response)| response)
        .map_err(|(_, refusal)| refusal)
}

/// Somebody, as far as is known, and why they are not let in.
type Turned = (Option<Arc<Caller>>, Refusal);

async fn enter(
    door: &Arc<Door>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<(Arc<Caller>, Response), Turned> {
    let sign_in = door.sign_in.clone();
    let sign_in = sign_in.ok_or_else(|| (None, nobody_signs_in()))?;
    let state = field(uri, "state").unwrap_or_default();
    let cookie = door.cookies.attempt(headers).unwrap_or_default();
    let waiting = door.attempts().take(cookie, &state, Instant::now());
    let waiting = waiting.ok_or_else(|| (None, unexpected()))?;
    let returned = Returned {
        code: field(uri, "code"),
        issuer: field(uri, "iss"),
        error: field(uri, "error"),
        description: field(uri, "error_description"),
    };
    let finished =
        tokio::task::spawn_blocking(move || sign_in.finish(waiting.attempt, returned)).await;
    let person = finished.map_err(|e| (None, Refusal::broken(&e)))?;
    let person = person.map_err(|fault| (None, refused(&fault)))?;
    let signed = signed(door, person);
    let caller = signed.caller.clone();
    // Whatever session the browser had has ended, and its name with it, also where nobody else's begins.
    if let Some(before) = door.cookies.session(headers) {
        door.sessions().end(before);
    }
    if caller.grants.is_empty() {
        let refusal = no_role(&caller.name);
        return Err((Some(caller), refusal));
    }
    let begun = door.sessions().begin(signed, Instant::now());
    let id = begun.map_err(|e| (None, Refusal::broken(&e)))?;
    let cookies = vec![
        door.cookies.set_session(id.expose()),
        door.cookies.clear_attempt(),
    ];
    Ok((caller, gone_to(waiting.to, cookies)))
}

/// Ends the session.
pub(crate) async fn sign_out(
    State(door): Shared,
    Extension(Address(address)): Extension<Address>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let ended = door
        .cookies
        .session(&headers)
        .and_then(|cookie| door.sessions().end(cookie));
    if ended.is_none() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "a machine has no session that could end",
        )
        .hint("take its token out of the access file, and start the server again"));
    }
    wrote(
        &door,
        "sign-out",
        Some(&caller),
        address,
        Outcome::Done,
        None,
    );
    let cookie = [(header::SET_COOKIE, door.cookies.clear_session())];
    Ok((cookie, Json(json!({ "message": "signed out" }))).into_response())
}

/// Who the caller is, and what they may do.
pub(crate) async fn me(
    State(door): Shared,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
) -> Json<Value> {
    let mut told = caller.told();
    let session = door.cookies.session(&headers);
    let session = session.filter(|_| caller.kind == Kind::Person);
    let left = session.and_then(|cookie| door.sessions().left(cookie, Instant::now()));
    told["seconds"] = json!(left.map(|left| left.as_secs()));
    Json(told)
}

fn signed(door: &Door, person: Person) -> Signed {
    let caller = Caller {
        kind: Kind::Person,
        grants: door.access.grants(&person.claims),
        subject: person.subject,
        name: person.name,
    };
    let token = door
        .access
        .sends_tokens_on()
        .then(|| UserToken::new(person.access, person.lifetime, Instant::now()));
    Signed {
        caller: Arc::new(caller),
        token,
    }
}

fn wrote(
    door: &Door,
    action: &str,
    caller: Option<&Caller>,
    address: Option<IpAddr>,
    outcome: Outcome,
    why: Option<&str>,
) {
    door.audit().entry(Entry {
        action,
        caller,
        address,
        request: None,
        outcome,
        why,
    });
}

fn gone_to(location: String, cookies: Vec<String>) -> Response {
    let cookies: Vec<(HeaderName, String)> = cookies
        .into_iter()
        .map(|cookie| (header::SET_COOKIE, cookie))
        .collect();
    let headers = (AppendHeaders(cookies), [(header::LOCATION, location)]);
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A field of an address, if it is there once.
fn field(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut found = form_urlencoded::parse(query).filter(|(own, _)| own == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

fn nobody_signs_in() -> Refusal {
    Refusal::not_found("sign-in for people").hint(
        "the access file names no [authority]; programs bring a token (`Authorization: Bearer`)",
    )
}

fn unexpected() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "this browser did not begin this sign-in, or began it too long ago, or has finished it",
    )
    .hint("open /signin to begin again")
}

fn no_role(name: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        format!(
            "{name} has no role here: none of their claims is one that the access file gives a role"
        ),
    )
    .with("role", "reader")
    .hint("ask whoever runs this server for the role 'reader' or more")
}

/// A fault holds no token, and says whose it is.
fn refused(fault: &Fault) -> Refusal {
    let status = match fault {
        Fault::Refused { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_GATEWAY,
    };
    Refusal::new(status, format!("nobody was signed in: {fault}"))
        .hint("open /signin to begin again")
}
