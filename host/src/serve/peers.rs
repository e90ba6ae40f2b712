//! The other side of each connection, told to the routes. TLS has its connections from a listener of its own.

use std::net::SocketAddr;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use spoor_door::Peer;
use spoor_store::tls::Tls;
use tokio::net::TcpListener;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct From(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for From {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Tls>> for From {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Self {
        Self(*stream.remote_addr())
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
