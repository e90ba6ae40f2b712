//! The server of `spoor serve --api`: the routes of `spoor-store` on a port of their own, with TLS or without.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use spoor_store::tls::ServerConfig;
use tokio::net::TcpListener;

use super::serve_over;
use crate::error::Error;

/// A server that has its port, and waits to be run.
pub struct Api {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    url: String,
}

impl Api {
    /// Opens the port; 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self, Error> {
        let taken = Error::file("cannot listen at", address.to_string());
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let unknown = Error::file("cannot tell the address of", address.to_string());
        let address = listener.local_addr().map_err(unknown)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self {
            listener,
            tls,
            url: format!("{scheme}://{address}"),
        })
    }

    /// The address for clients.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stop` is ready, and then until what runs has ended or a short grace is over.
    ///
    /// # Errors
    /// When the system takes the port away.
    pub async fn run(
        self,
        routes: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let lost = Error::file("cannot serve at", &self.url);
        serve_over(self.listener, self.tls, routes, stop)
            .await
            .map_err(lost)
    }
}
