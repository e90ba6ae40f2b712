//! What the page reads from its site.

use gloo_net::http::{Request, Response};
use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use spoor_messages::{Site, Source};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::server::{Client, DOOR, MARK};
use crate::storage::bytes as bytes_in_words;

/// What could be read, or why not and what to do.
pub type Fetched<T> = Result<T, String>;

/// The bytes at a URL.
pub async fn bytes(url: &str) -> Fetched<Vec<u8>> {
    let response = response(url).await?;
    let bytes = response.binary().await;
    bytes.map_err(|error| cut_off(url, &error))
}

/// The bytes at a URL, if there are at most so many. Those of a longer file never come into the page's memory.
pub async fn bytes_of(url: &str, most: usize) -> Fetched<Vec<u8>> {
    let response: web_sys::Response = response(url).await?.into();
    let lost = |_: JsValue| format!("{url} was cut off. Try again.");
    let blob = JsFuture::from(response.blob().map_err(lost)?).await;
    let blob: Blob = blob.map_err(lost)?.unchecked_into();
    if blob.size() > most as f64 {
        let size = bytes_in_words(most as f64);
        return Err(format!("{url} has more than the {size} that it may have."));
    }
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(lost)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The engines of the site, and the way to `spoor serve` if it is that which serves the page.
pub async fn site() -> Fetched<(Site, Option<Client>)> {
    let url = "site.json";
    let response = response(url).await?;
    let headers = response.headers();
    let has_door = headers.has(DOOR);
    let server = headers.get(MARK).map(|api| Client::new(&api, has_door));
    let bytes = response.binary().await;
    let bytes = bytes.map_err(|error| cut_off(url, &error))?;
    Ok((parsed(url, &bytes)?, server))
}

/// The data that the server offers beside the page; none is as good as any.
pub async fn sources() -> Vec<Source> {
    json("data/index.json").await.unwrap_or_default()
}

async fn json<T: DeserializeOwned>(url: &str) -> Fetched<T> {
    parsed(url, &bytes(url).await?)
}

fn parsed<T: DeserializeOwned>(url: &str, bytes: &[u8]) -> Fetched<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        format!("{url} does not read: {error}. The site may be half updated: reload the page.")
    })
}

fn cut_off(url: &str, error: &gloo_net::Error) -> String {
    format!("{url} was cut off: {error}. Reload the page.")
}

async fn response(url: &str) -> Fetched<Response> {
    let response = Request::get(url).send().await;
    let response = response.map_err(|_| {
        format!("{url} could not be fetched: there was no answer. Look at the connection, then reload the page.")
    })?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    Err(format!(
        "{url} could not be fetched: the server answered {status}. Look at the address."
    ))
}
