//! Queries that a provider runs, and whose answer is handed in by parts: the machine that serves the page is asked here, and workspaces
//! by the page, unless what they answered was recorded.
//!
//! What lets the page in there is the browser's to know: the request is of the page's own origin, and the
//! browser adds its cookie to it. No credential passes through here.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::Request;
use js_sys::{Function, Uint8Array};
use serde_json::{Value, json};
use spoor_messages::WORKSPACE;
use spoor_protocol::{Event, FetchError, Frame, MAX_FETCHED, Provider, Told};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Response};

use super::Session;
use super::data::pieces;
use crate::bindings::counted;
use crate::error::text_of;

/// What a kernel wants of a provider.
#[derive(Debug)]
pub struct Fetch {
    /// The fetch's number.
    pub fetch: u64,
    /// The provider.
    pub provider: Provider,
    /// The query.
    pub query: String,
    /// The time that it looks at.
    pub timespan: Option<String>,
}

/// The Arrow streams of an answer's tables, and what is said of them.
pub(super) type Streams = (Vec<Uint8Array>, Told);

impl Session {
    /// Has a provider run a query: its answer as events for the kernel, or the interrupt that ended it.
    pub(super) async fn fetch(self: &Rc<Self>, wanted: Fetch) -> Vec<Frame<Event>> {
        match self.unless_interrupted(self.streams(&wanted)).await {
            Ok(Ok((streams, told))) => parts(wanted.fetch, &streams, told),
            Ok(Err(error)) => vec![failed(wanted.fetch, error)],
            // What is asked for ended as the future was dropped.
            Err(asked) => vec![self.urgent_of(asked)],
        }
    }

    async fn streams(self: &Rc<Self>, wanted: &Fetch) -> Result<Streams, FetchError> {
        let Provider::Workspace(workspace) = &wanted.provider else {
            let url = self.opened.get();
            let url = url
                .and_then(|opened| opened.providers.get(HOST))
                .ok_or_else(absent)?;
            return answer(HOST, url, &json!({ "query": wanted.query })).await;
        };
        self.workspace(workspace, wanted).await
    }
}

/// The name of the machine that serves the page, among the providers.
const HOST: &str = "host";

/// The answer where Python could wait for a query only by blocking, and so could not be ended.
pub(super) fn refused_here(wanted: &Fetch) -> Frame<Event> {
    let error = FetchError::new("in this browser Python cannot wait for a workspace");
    failed(
        wanted.fetch,
        error.hint(
            "ask it from a KQL cell: %%kql --workspace NAME --as NAME; or update the browser",
        ),
    )
}

/// Ends a request when it is dropped; one that has ended stays so.
pub(super) struct Ending(pub(super) AbortController);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// The answer of a workspace that the server of the page asks for its callers; none where it asks no such workspace.
    pub(super) async fn ask_server(
        &self,
        workspace: &str,
        wanted: &Fetch,
    ) -> Option<Result<Streams, FetchError>> {
        let providers = &self.opened.get()?.providers;
        let url = providers.get(&format!("{WORKSPACE}{workspace}"))?;
        let body =
            json!({ "query": wanted.query, "timespan": wanted.timespan, "allowPartial": true });
        Some(answer(workspace, url, &body).await)
    }
}

/// What the server says beside the rows of a workspace: a [`Told`] as JSON.
const TOLD: &str = "spoor-told";

/// What the server of the page answers to a question of `whom`.
async fn answer(whom: &str, url: &str, body: &Value) -> Result<Streams, FetchError> {
    let ending = Ending(AbortController::new().map_err(thrown)?);
    let body = body.to_string();
    let request = Request::post(url)
        .abort_signal(Some(&ending.0.signal()))
        .header("Content-Type", "application/json")
        .body(body);
    let request = request.map_err(|error| FetchError::new(error.to_string()))?;
    let response = request.send().await.map_err(|_| gone())?;
    // Other successes have no body to read.
    if response.status() != 200 {
        return Err(refusal(response.status(), response.text().await.ok()));
    }
    let told = response.headers().get(TOLD);
    let told = told.map(|told| serde_json::from_str(&told)).transpose();
    let told = told.map_err(|error| {
        FetchError::new(format!(
            "what {whom} says of its answer does not read: {error}"
        ))
    })?;
    let stream = whole(whom, &ending, &response.into()).await?;
    Ok((vec![stream], told.unwrap_or_default()))
}

/// A file of the page's site, of at most [`MAX_FETCHED`] bytes; none where there is none.
pub(super) async fn file(url: &str) -> Result<Option<Uint8Array>, FetchError> {
    let ending = Ending(AbortController::new().map_err(thrown)?);
    let request = Request::get(url).abort_signal(Some(&ending.0.signal()));
    let unread = |why: String| FetchError::new(format!("{url} cannot be read: {why}"));
    let response = request
        .send()
        .await
        .map_err(|error| unread(error.to_string()))?;
    match response.status() {
        200 => whole(url, &ending, &response.into()).await.map(Some),
        404 | 410 => Ok(None),
        status => Err(unread(format!("the server answered with status {status}"))),
    }
}

fn thrown(thrown: JsValue) -> FetchError {
    FetchError::new(text_of(&thrown))
}

/// All of an answer, which is broken off where it is larger than the kernel takes.
async fn whole(
    provider: &str,
    ending: &Ending,
    response: &Response,
) -> Result<Uint8Array, FetchError> {
    let had = Rc::new(Cell::new(0.0));
    let (so_far, controller) = (had.clone(), ending.0.clone());
    let count = move |bytes: f64| {
        so_far.set(so_far.get() + bytes);
        if so_far.get() > MAX_FETCHED as f64 {
            controller.abort();
        }
    };
    let count: Function = Closure::<dyn FnMut(f64)>::new(count)
        .into_js_value()
        .unchecked_into();
    let broken_off = |_| match had.get() > MAX_FETCHED as f64 {
        true => FetchError::too_large(),
        false => FetchError::new(format!("{provider} broke its answer off"))
            .hint("the query took too long, or the server ended: run the cell again"),
    };
    let response = counted(response, "application/octet-stream", &count);
    let buffer = response.array_buffer().map_err(broken_off)?;
    let buffer = JsFuture::from(buffer).await.map_err(broken_off)?;
    Ok(Uint8Array::new(&buffer))
}

fn absent() -> FetchError {
    FetchError::new("there is no host here: this page is not served by `spoor serve`").hint(
        "start `spoor serve --data DIR` and open the notebook there, or leave out `host` and the query runs in this page",
    )
}

fn gone() -> FetchError {
    FetchError::new("host does not answer: `spoor serve` has ended, it seems")
        .hint("start it again, and open the address that it prints")
}

/// What the server says instead of a result; a server that says nothing of the kind is told by its status.
fn refusal(status: u16, said: Option<String>) -> FetchError {
    let said = said.and_then(|text| serde_json::from_str::<FetchError>(&text).ok());
    said.unwrap_or_else(|| FetchError::new(format!("host answered with status {status}")))
}

fn failed(fetch: u64, error: FetchError) -> Frame<Event> {
    let fetched = Event::Fetched {
        fetch,
        table: 0,
        last: true,
        error: Some(error),
        told: Box::default(),
    };
    Frame::new(fetched)
}

fn parts(fetch: u64, streams: &[Uint8Array], told: Told) -> Vec<Frame<Event>> {
    let mut parts = Vec::new();
    for (table, stream) in streams.iter().enumerate() {
        let is_last = table + 1 == streams.len();
        parts.extend(pieces(stream).map(|(bytes, ends)| {
            let last = is_last && ends;
            let told = if last {
                told.clone().into()
            } else {
                Box::default()
            };
            let fetched = Event::Fetched {
                fetch,
                table,
                last,
                error: None,
                told,
            };
            Frame::with(fetched, vec![bytes])
        }));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_what_the_cell_says() {
        let said = r#"{"message":"no such table","line":2,"column":1,"hint":null,
            "mistakes":[{"start":7,"end":9,"message":"no such table"}]}"#;
        let error = refusal(400, Some(said.into()));
        assert_eq!(
            (error.message.as_str(), error.hint),
            ("no such table", None)
        );
        assert_eq!((error.mistakes[0].start, error.mistakes[0].end), (7, 9));
        let error = refusal(502, Some("<html>".into()));
        assert_eq!(error.message, "host answered with status 502");
    }

    #[test]
    fn a_page_without_a_host_names_the_next_step() {
        let error = absent();
        assert!(error.message.contains("no host here"));
        assert!(
            error
                .hint
                .is_some_and(|hint| hint.contains("spoor serve --data"))
        );
    }
}
