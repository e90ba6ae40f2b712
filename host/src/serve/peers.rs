//! The other side of each connection, told to the routes.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use spoor_door::Peer;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct From(SocketAddr);

impl From {
    /// A connection's other side.
    pub fn new(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// Tells the door where a request comes from.
pub async fn tell(
    ConnectInfo(From(address)): ConnectInfo<From>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Peer(address));
    next.run(request).await
}
