//! Connections of the servers: how many there are, and how long a client may keep one without a word.
//!
//! A client that sends no headers, or takes nothing of its answer, gives its place back after a while, whoever it is. What a request
//! may do once its headers are there is the routes' to say.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::Service;

use super::peers::From;

/// How much clients may keep.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections that are open at once; others wait in the system's queue.
    pub connections: usize,
    /// How long the headers of a request may take, counted from the connection's beginning or the last answer's end.
    pub headers: Duration,
    /// How long a client may take none of an answer that is ready for it.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connections: 512,
            headers: Duration::from_secs(30),
            write: Duration::from_secs(120),
        }
    }
}

/// Serves until `stop` is ready, and then until what runs has ended or `grace` is over.
///
/// # Errors
/// None today: a listener that has no connections to give is asked again.
pub async fn serve<L: Listener<Addr = SocketAddr>>(
    mut listener: L,
    routes: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(patience.connections));
    let (asked, stopping) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = room.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, (io, peer)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let connection = Connection {
            routes: routes.clone(),
            peer: From::new(peer),
            patience,
            stopping: stopping.clone(),
            _place: place.ok(),
        };
        tokio::spawn(connection.serve(io));
    }
    asked.send_replace(true);
    // Each connection has a receiver: the channel is closed when the last one ends.
    drop(stopping);
    let _ = tokio::time::timeout(grace, asked.closed()).await;
    Ok(())
}

/// One client's.
struct Connection {
    routes: Router,
    peer: From,
    patience: Patience,
    stopping: watch::Receiver<bool>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn serve<I>(self, io: I)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let mut io = TimeoutStream::new(io);
        io.set_write_timeout(Some(self.patience.write));
        let (routes, peer) = (self.routes, self.peer);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience.headers)
            .serve_connection(TokioIo::new(Box::pin(io)), service);
        let mut connection = pin!(connection);
        let mut stopping = self.stopping;
        // How a connection ends is its client's affair.
        tokio::select! {
            _ = &mut connection => return,
            _ = stopping.wait_for(|asked| *asked) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// More than the buffers on the way take.
    const LARGE: usize = 64 << 20;

    async fn server(connections: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/", get(async || "here"))
            .route("/large", get(async || vec![0_u8; LARGE]));
        let patience = Patience {
            connections,
            headers: Duration::from_millis(300),
            write: Duration::from_millis(300),
        };
        tokio::spawn(serve(
            listener,
            routes,
            patience,
            std::future::pending(),
            Duration::ZERO,
        ));
        address
    }

    async fn ask(address: SocketAddr, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        client
    }

    async fn is_answered(address: SocketAddr) -> bool {
        let mut answer = [0; 12];
        let mut client = ask(address, "/").await;
        client.read_exact(&mut answer).await.is_ok() && answer == *b"HTTP/1.1 200"
    }

    #[tokio::test]
    async fn whoever_says_nothing_is_sent_away() {
        let address = server(8).await;
        let began = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).await.unwrap();
        half.read_to_end(&mut rest).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn a_place_that_is_held_in_silence_is_given_to_the_next() {
        let address = server(1).await;
        let silent = TcpStream::connect(address).await.unwrap();
        assert!(is_answered(address).await);
        drop(silent);
    }

    #[tokio::test]
    async fn whoever_takes_nothing_of_the_answer_loses_the_place() {
        let address = server(1).await;
        let mut slow = ask(address, "/large").await;
        assert!(is_answered(address).await);
        let mut got = Vec::new();
        // Broken off, or reset: not all of it in any case.
        let _ = slow.read_to_end(&mut got).await;
        assert!(got.len() < LARGE);
    }
}
