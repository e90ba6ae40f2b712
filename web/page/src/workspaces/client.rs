//! The page's end of the worker that asks workspaces.

use js_sys::{Array, Object, Reflect};
use spoor_messages::fetch::{FromFetcher, ToFetcher};
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::dom;

/// The worker, which ends when this is dropped.
pub(super) struct FetchClient {
    worker: Worker,
}

impl Drop for FetchClient {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl FetchClient {
    /// Starts the worker, whose script is `fetch.js` beside the page. `hear` is called with each message and its buffers, `failed`
    /// with why it is no more.
    pub(super) fn start(
        hear: impl Fn(FromFetcher, Array) + 'static,
        failed: impl Fn(String) + 'static,
    ) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("fetch.js", &options)?;
        dom::on(&worker, "message", move |event: MessageEvent| {
            if let Some((message, buffers)) = read(&event.data()) {
                hear(message, buffers);
            }
        });
        // Of a script that does not come there is a plain event, without a message.
        dom::on(&worker, "error", move |event: Event| {
            let message = Reflect::get(&event, &"message".into()).ok();
            let message = message.and_then(|message| message.as_string());
            failed(message.unwrap_or_else(|| "its script did not come".to_owned()));
        });
        Ok(Self { worker })
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &ToFetcher) {
        let text = serde_json::to_string(message).unwrap_or_default();
        let data = Object::new();
        let sent = Reflect::set(&data, &"text".into(), &text.into())
            .and_then(|_| self.worker.post_message(&data));
        // Text can always be sent.
        debug_assert!(sent.is_ok());
    }
}

fn read(data: &JsValue) -> Option<(FromFetcher, Array)> {
    let text = Reflect::get(data, &"text".into()).ok()?.as_string()?;
    let buffers = Reflect::get(data, &"buffers".into()).ok()?.dyn_into().ok();
    Some((
        serde_json::from_str(&text).ok()?,
        buffers.unwrap_or_default(),
    ))
}
