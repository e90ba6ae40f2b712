//! The tables of workspaces that the server asks for its callers, so that a page completes queries of them.
//!
//! Asked as queries are: by the same roles, as the same identity, within the same bounds.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use spoor_door::{Refusal, UserToken};
use spoor_protocol::FetchError;
use spoor_providers::response::TableSchema;

use super::noted::Asking;
use super::upstream::{admit, named, token_for};
use super::{App, Shared};
use crate::native::Watch;

/// The routes below `/api`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/workspaces/{name}/tables", get(answer))
}

async fn answer(
    State(shared): App,
    UrlPath(name): UrlPath<String>,
    asking: Asking,
    token: Option<Extension<UserToken>>,
) -> Result<Json<Value>, Refusal> {
    let (upstream, identity) = named(&shared, &name)?;
    let token = token_for(identity, token, &name)?;
    let entry = admit(upstream, &asking)?;
    let room = upstream.room.clone().acquire_owned().await;
    let room = room.map_err(|e| Refusal::broken(&e))?;
    let (workspaces, end) = (upstream.workspaces.clone(), Instant::now() + upstream.time);
    // Dropped with the request: nobody waits for the answer from then on.
    let waiting = Arc::new(());
    let asker = Arc::downgrade(&waiting);
    let asked = tokio::task::spawn_blocking(move || {
        let _held = (room, entry);
        let watch = Watch::new(move || asker.strong_count() == 0, Some(end));
        workspaces.tables(&name, token.as_ref().map(|token| token as _), &watch)
    });
    let tables = asked.await.map_err(|e| Refusal::broken(&e))?;
    drop(waiting);
    let tables = tables.map_err(refusal)?;
    Ok(Json(json!({ "tables": listed(&tables) })))
}

/// Each table's name, and its columns by name and Kusto's type, as the kernel is told them.
fn listed(tables: &[TableSchema]) -> Value {
    let all = tables.iter().map(|table| {
        let columns = table.columns.iter();
        let columns = columns.map(|column| json!([column.name, column.ty.to_string()]));
        json!([table.name, columns.collect::<Vec<_>>()])
    });
    all.collect()
}

fn refusal(error: FetchError) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, error.message).with("hint", error.hint)
}
