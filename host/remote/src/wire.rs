//! Requests as they go over a connection, and answers as they come.
//!
//! One connection for each request: a query takes seconds, and its connection is what ends with it. A request goes to its
//! origin or nowhere.

mod connect;
mod reply;
mod tls;
mod trouble;

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use spoor_providers::endpoint::Origin;
use spoor_providers::request::{self, Method};
use url::Url;

use crate::options::Options;
use crate::watch::Watch;
use spoor_providers::secret::Secret;

pub(crate) use reply::Reply;
pub(crate) use trouble::Trouble;

/// How often a wait asks whether it is still wanted.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// The longest head of an answer, in bytes: Azure's have some two kilobytes.
const MOST_HEAD: usize = 64 << 10;

/// Headers of an answer.
const MOST_HEADERS: usize = 100;

/// Redirects of one request within its origin.
const MOST_REDIRECTS: usize = 3;

const AGENT: &str = concat!("spoor/", env!("CARGO_PKG_VERSION"));

/// Makes connections.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    options: Options,
    /// Made when the first TLS connection is: the system's certificates take a while to read.
    tls: OnceLock<Result<tls::Connector, String>>,
}

impl Wire {
    pub(crate) fn new(options: Options) -> Self {
        Wire {
            options,
            tls: OnceLock::new(),
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    fn tls(&self) -> Result<&tls::Connector, Trouble> {
        let made = self
            .tls
            .get_or_init(|| tls::Connector::new(self.options.extra_roots.as_deref()));
        made.as_ref().map_err(|cause| Trouble::Roots(cause.clone()))
    }

    /// Sends a request to its origin, with a token if there is one, and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        origin: &Origin,
        request: &request::Request,
        token: Option<&Secret>,
    ) -> Result<Reply, Trouble> {
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let reply = self.send_once(origin, &url, request, token).await?;
            match elsewhere(&reply, request.method) {
                None => return Ok(reply),
                Some(location) => {
                    url = origin.redirect(&url, location).map_err(Trouble::Redirect)?;
                }
            }
        }
        Err(Trouble::Redirects(MOST_REDIRECTS))
    }

    async fn send_once(
        &self,
        origin: &Origin,
        url: &Url,
        request: &request::Request,
        token: Option<&Secret>,
    ) -> Result<Reply, Trouble> {
        origin.admits(url).map_err(Trouble::Refused)?;
        let message = message(url, request, token)?;
        let connecting = connect::connect(self, origin, url);
        let limit = self.options.timings.connect;
        let stream = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| Trouble::ConnectTime(limit))??;
        let (mut sender, connection) = http1::Builder::new()
            .max_header_size(MOST_HEAD)
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Trouble::of_head(&error))?;
        // It ends with the runtime, and that with the attempt.
        tokio::spawn(connection);
        let answer = sender.send_request(message).await;
        let answer = answer.map_err(|error| Trouble::of_head(&error))?;
        Ok(Reply::new(answer, sender, self.options.timings.idle))
    }
}

/// Where an answer sends a request that may go there as it is: other redirects would make a GET of it.
fn elsewhere(reply: &Reply, method: Method) -> Option<&str> {
    let same = match reply.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::Get,
        _ => false,
    };
    same.then(|| reply.header("location"))?
}

fn message(
    url: &Url,
    request: &request::Request,
    token: Option<&Secret>,
) -> Result<Request<Full<Bytes>>, Trouble> {
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut message = Request::builder()
        .method(request.method.name())
        .uri(target)
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|_| Trouble::Unsendable("its address"))?;
    *message.headers_mut() = headers(url, request, token)?;
    Ok(message)
}

fn headers(
    url: &Url,
    request: &request::Request,
    token: Option<&Secret>,
) -> Result<HeaderMap, Trouble> {
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| Trouble::Unsendable("one of its headers"))
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, value(&host(url))?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    // What is unpacked could be any number of times longer.
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    for (name, text) in &request.headers {
        headers.insert(HeaderName::from_static(name), value(text)?);
    }
    if let Some(token) = token {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| Trouble::Unsendable("its token"))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(headers)
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Works until it is done, its time is up, or nobody waits any more; then its connections are closed.
pub(crate) fn run<T, E: From<Trouble>>(
    limit: Duration,
    watch: &dyn Watch,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Machine(error.to_string()))?;
    let done = runtime.block_on(watched(limit, watch, work));
    // A name may still be looked up; nobody waits for that.
    runtime.shutdown_background();
    done
}

async fn watched<T, E: From<Trouble>>(
    limit: Duration,
    watch: &dyn Watch,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let began = Instant::now();
    let mut work = pin!(work);
    loop {
        wanted(watch)?;
        if began.elapsed() >= limit {
            return Err(Trouble::Time(limit).into());
        }
        if let Ok(done) = tokio::time::timeout(TICK, &mut work).await {
            return done;
        }
    }
}

/// Whether somebody still waits.
pub(crate) fn wanted(watch: &dyn Watch) -> Result<(), Trouble> {
    if watch.is_stopped() {
        return Err(Trouble::Stopped);
    }
    let late = watch.deadline().is_some_and(|end| Instant::now() >= end);
    if late { Err(Trouble::Deadline) } else { Ok(()) }
}
