//! An answer whose body is still to come.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};

use super::Trouble;

/// An answer's head, and its body part by part.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    seen: usize,
    idle: Duration,
    /// The connection may close when it goes.
    _sender: SendRequest<Full<Bytes>>,
}

impl Reply {
    pub(super) fn new(
        answer: Response<Incoming>,
        sender: SendRequest<Full<Bytes>>,
        idle: Duration,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body,
            seen: 0,
            idle,
            _sender: sender,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The headers that are text.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let all = self.headers.iter();
        all.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
    }

    /// The next bytes of the body; `None` at its end.
    pub(crate) async fn part(&mut self) -> Result<Option<Bytes>, Trouble> {
        loop {
            let next = tokio::time::timeout(self.idle, self.body.frame()).await;
            let Some(frame) = next.map_err(|_| Trouble::Idle(self.idle))? else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| Trouble::of_body(&error, self.seen))?;
            // What is no data is a trailer, which no service here has a use for.
            if let Ok(bytes) = frame.into_data() {
                self.seen = self.seen.saturating_add(bytes.len());
                return Ok(Some(bytes));
            }
        }
    }

    /// The first `most` bytes of the body, or as many as come.
    pub(crate) async fn start(&mut self, most: usize) -> Vec<u8> {
        let mut start = Vec::new();
        while start.len() < most
            && let Ok(Some(part)) = self.part().await
        {
            let room = (most - start.len()).min(part.len());
            start.extend_from_slice(&part[..room]);
        }
        start
    }
}
