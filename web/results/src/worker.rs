//! The WebAssembly module's entry: a worker's messages to [`Results`] and back, and slices of work between them.

use js_sys::{Array, Function, Uint8Array};
use spoor_messages::results::{Answer, Reply, Request};
use wasm_bindgen::prelude::*;

use crate::results::{Outgoing, Results};

/// Milliseconds of a slice. Messages that came meanwhile are taken before the next.
const SLICE: f64 = 12.0;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// The results of a page.
#[wasm_bindgen]
pub struct Worker {
    results: Results,
    post: Function,
}

#[wasm_bindgen]
impl Worker {
    /// Without results. `post(text, buffers)` sends a message to the page: JSON, and an array of `Uint8Array`.
    #[wasm_bindgen(constructor)]
    pub fn new(post: Function) -> Self {
        Self {
            results: Results::new(),
            post,
        }
    }

    /// Takes a message of the page's: JSON, and the buffer beside it. Gives whether there is work left.
    pub fn take(&mut self, text: &str, buffer: Option<Uint8Array>) -> bool {
        let answers = match serde_json::from_str::<Request>(text) {
            Ok(request) => self
                .results
                .ask(request, buffer.map(|bytes| bytes.to_vec())),
            // There is no request to answer; 0 is none of the page's numbers.
            Err(error) => vec![Outgoing {
                reply: Reply {
                    request: 0,
                    answer: Answer::Failed {
                        message: format!("a request does not read: {error}"),
                    },
                },
                buffer: None,
            }],
        };
        self.send(answers);
        self.results.is_busy()
    }

    /// Works for a slice. Gives whether there is work left.
    pub fn work(&mut self) -> bool {
        let end = now() + SLICE;
        let answers = self.results.work(&mut || now() >= end);
        self.send(answers);
        self.results.is_busy()
    }

    fn send(&self, answers: Vec<Outgoing>) {
        for Outgoing { reply, buffer } in answers {
            let text = serde_json::to_string(&reply).unwrap_or_default();
            let buffers: Array = buffer
                .iter()
                .map(|bytes| Uint8Array::from(&bytes[..]))
                .collect();
            // A page that is gone hears nothing.
            let _ = self.post.call2(&JsValue::NULL, &text.into(), &buffers);
        }
    }
}
