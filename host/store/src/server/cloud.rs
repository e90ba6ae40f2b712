//! What a cloud of one's own tells its clients before they sign in: where its services are. MSTICPy's driver of Log Analytics finds its
//! server by this alone.
//!
//! Source: `GET /metadata/endpoints` of Azure Resource Manager, of which this has what leads to a query.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{self, HeaderMap};
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::Store;
use super::kusto::LOGIN;
use super::refusal::Refusal;
use crate::kusto::Identity;

/// What is asked before there is a token.
pub(super) const ENDPOINTS: &str = "/metadata/endpoints";

/// `GET /metadata/endpoints`: this server, under the name by which the client reached it.
pub(super) async fn endpoints(
    State(store): State<Arc<Store>>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
) -> Response {
    match called(&headers) {
        Some(host) => Json(described(&origin(&host, store.options.is_encrypted))).into_response(),
        None => {
            let told = "the request does not say which server it is for: it needs a Host";
            Refusal::request(told).of(ENDPOINTS, &identity)
        }
    }
}

/// The host, and the port if there is one, that the request is for.
fn called(headers: &HeaderMap) -> Option<String> {
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let port = host.port().map(|port| format!(":{port}"));
    Some(format!("{}{}", host.host(), port.unwrap_or_default()))
}

fn origin(host: &str, is_encrypted: bool) -> String {
    let scheme = if is_encrypted { "https" } else { "http" };
    format!("{scheme}://{host}")
}

fn described(origin: &str) -> Value {
    json!({
        "name": "Spoor",
        "authentication": {
            "loginEndpoint": LOGIN,
            "audiences": [origin],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": format!("{origin}/"),
        "logAnalyticsResourceId": origin,
        "suffixes": {},
    })
}
