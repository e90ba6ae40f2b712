//! A request as the browser sends it, and its answer as it comes.

use futures::FutureExt;
use futures::future::{Either, select};
use gloo_net::http::RequestBuilder;
use js_sys::{Reflect, Uint8Array};
use spoor_providers::endpoint::Origin;
use spoor_providers::request::{Method, Request};
use spoor_providers::secret::Secret;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials,
    RequestMode, RequestRedirect, Response, ResponseType,
};

use crate::trouble::Failed;

/// A request under way; the browser ends it when this is dropped.
pub(crate) struct Reply {
    _ending: Ending,
    response: Response,
    reader: Option<ReadableStreamDefaultReader>,
    seen: usize,
}

/// Ends a request when it is dropped; one that has ended stays so.
struct Ending(AbortController);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request to its origin, with a token if there is one, and waits for the head of the answer.
pub(crate) async fn send(
    origin: &Origin,
    request: &Request,
    token: Option<&Secret>,
) -> Result<Reply, Failed> {
    let unsendable = |error: &dyn ToString| Failed::Unsendable(error.to_string());
    origin
        .admits(&request.url)
        .map_err(|refusal| unsendable(&refusal))?;
    let ending = AbortController::new().map_err(|_| unsendable(&"it could not be stopped"))?;
    let ending = Ending(ending);
    let mut message = RequestBuilder::new(request.url.as_str())
        .method(match request.method {
            Method::Get => gloo_net::http::Method::GET,
            Method::Post => gloo_net::http::Method::POST,
        })
        .mode(RequestMode::Cors)
        .credentials(RequestCredentials::Omit)
        .redirect(RequestRedirect::Manual)
        .referrer_policy(ReferrerPolicy::NoReferrer)
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&ending.0.signal()));
    for (name, value) in &request.headers {
        message = message.header(name, value);
    }
    if let Some(token) = token {
        message = message.header("authorization", &format!("Bearer {}", token.expose()));
    }
    let message = match request.method {
        Method::Get => message.build(),
        Method::Post => message.body(Uint8Array::from(request.body.as_slice())),
    };
    let message = message.map_err(|error| unsendable(&error))?;
    let response = message.send().await.map_err(|_| Failed::Unreached)?;
    let response: Response = response.into();
    if response.type_() == ResponseType::Opaqueredirect {
        return Err(Failed::Redirect);
    }
    let body = response.body();
    Ok(Reply {
        _ending: ending,
        reader: body.and_then(|body| body.get_reader().dyn_into().ok()),
        response,
        seen: 0,
    })
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.response.status()
    }

    /// The headers that the server lets this page see, by lower-case name.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        for entry in self.response.headers().entries().into_iter().flatten() {
            let pair = js_sys::Array::from(&entry);
            if let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
                headers.push((name, value));
            }
        }
        headers
    }

    /// The next bytes of the body; none at its end.
    pub(crate) async fn part(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let cut = |_| Failed::Cut(self.seen);
        let read = JsFuture::from(reader.read()).await.map_err(cut)?;
        let value = Reflect::get(&read, &"value".into()).map_err(cut)?;
        let Ok(bytes) = value.dyn_into::<Uint8Array>() else {
            return Ok(None);
        };
        self.seen += bytes.length() as usize;
        Ok(Some(bytes.to_vec()))
    }

    /// The beginning of the body, of some `most` bytes, or what comes of it.
    pub(crate) async fn start(&mut self, most: usize) -> Vec<u8> {
        let mut start = Vec::new();
        while start.len() < most
            && let Ok(Some(part)) = self.part().await
        {
            start.extend_from_slice(&part);
        }
        start.truncate(most);
        start
    }
}

/// What comes of some work within a time.
pub(crate) async fn within<T>(
    limit: std::time::Duration,
    work: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    let late = gloo_timers::future::sleep(limit).map(|()| ());
    match select(Box::pin(work), late).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => Err(Failed::Time(limit)),
    }
}
