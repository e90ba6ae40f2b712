//! Queries that a provider runs: sent to where the site says that it is, and its answer handed in by parts.
//!
//! What lets the page in there is the browser's to know: the request is of the page's own origin, and the
//! browser adds its cookie to it. No credential passes through here.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::Request;
use js_sys::{Function, Uint8Array};
use serde_json::json;
use spoor_protocol::{Event, FetchError, Frame, MAX_FETCHED};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Response};

use super::Session;
use super::data::pieces;
use crate::bindings::counted;
use crate::error::text_of;

/// What a kernel wants of a provider.
#[derive(Debug, Default)]
pub struct Fetch {
    /// The fetch's number.
    pub fetch: u64,
    /// The provider.
    pub provider: String,
    /// The query.
    pub query: String,
}

impl Session {
    /// Has a provider run a query: its answer as events for the kernel, or the interrupt that ended it.
    pub(super) async fn fetch(self: &Rc<Self>, wanted: Fetch) -> Vec<Frame<Event>> {
        let url = self.opened.get();
        let url = url.and_then(|opened| opened.providers.get(&wanted.provider).cloned());
        let Some(url) = url else {
            return vec![failed(wanted.fetch, absent(&wanted.provider))];
        };
        match self.unless_interrupted(answer(&url, &wanted)).await {
            Ok(Ok(bytes)) => parts(wanted.fetch, &bytes),
            Ok(Err(error)) => vec![failed(wanted.fetch, error)],
            // What is asked for ended as the future was dropped.
            Err(_) => vec![Frame::new(Event::Interrupt)],
        }
    }
}

/// Ends a request when it is dropped; one that has ended stays so.
pub(super) struct Ending(pub(super) AbortController);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer(url: &str, wanted: &Fetch) -> Result<Uint8Array, FetchError> {
    let provider = wanted.provider.as_str();
    let broken = |thrown: JsValue| FetchError::new(text_of(&thrown));
    let ending = Ending(AbortController::new().map_err(broken)?);
    let body = json!({ "query": wanted.query }).to_string();
    let request = Request::post(url)
        .abort_signal(Some(&ending.0.signal()))
        .header("Content-Type", "application/json")
        .body(body);
    let request = request.map_err(|error| FetchError::new(error.to_string()))?;
    let response = request.send().await.map_err(|_| gone(provider))?;
    // Other successes have no body to read.
    if response.status() != 200 {
        return Err(refusal(
            provider,
            response.status(),
            response.text().await.ok(),
        ));
    }
    whole(provider, &ending, &response.into()).await
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

fn absent(provider: &str) -> FetchError {
    let error = FetchError::new(format!(
        "there is no {provider} here: this page is not served by `spoor serve`"
    ));
    error.hint(format!(
        "start `spoor serve --data DIR` and open the notebook there, or leave out `{provider}` and the query runs in this page"
    ))
}

fn gone(provider: &str) -> FetchError {
    FetchError::new(format!(
        "{provider} does not answer: `spoor serve` has ended, it seems"
    ))
    .hint("start it again, and open the address that it prints")
}

/// What the server says instead of a result; a server that says nothing of the kind is told by its status.
fn refusal(provider: &str, status: u16, said: Option<String>) -> FetchError {
    let said = said.and_then(|text| serde_json::from_str::<FetchError>(&text).ok());
    said.unwrap_or_else(|| FetchError::new(format!("{provider} answered with status {status}")))
}

fn failed(fetch: u64, error: FetchError) -> Frame<Event> {
    let fetched = Event::Fetched {
        fetch,
        last: true,
        error: Some(error),
    };
    Frame::new(fetched)
}

fn parts(fetch: u64, bytes: &Uint8Array) -> Vec<Frame<Event>> {
    let part = |(bytes, last)| {
        let error = None;
        Frame::with(Event::Fetched { fetch, last, error }, vec![bytes])
    };
    pieces(bytes).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_what_the_cell_says() {
        let said = r#"{"message":"no such table","line":2,"column":1,"hint":null,
            "mistakes":[{"start":7,"end":9,"message":"no such table"}]}"#;
        let error = refusal("host", 400, Some(said.into()));
        assert_eq!(
            (error.message.as_str(), error.hint),
            ("no such table", None)
        );
        assert_eq!((error.mistakes[0].start, error.mistakes[0].end), (7, 9));
        let error = refusal("host", 502, Some("<html>".into()));
        assert_eq!(error.message, "host answered with status 502");
    }

    #[test]
    fn a_page_without_a_host_names_the_next_step() {
        let error = absent("host");
        assert!(error.message.contains("no host here"));
        assert!(
            error
                .hint
                .is_some_and(|hint| hint.contains("spoor serve --data"))
        );
    }
}
