//! The page's end of a session: a worker that drives a kernel.

use js_sys::{Array, Reflect, Uint8Array};
use serde::Serialize;
use spoor_messages::{FromWorker, ToWorker};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use crate::dom;

#[wasm_bindgen(raw_module = "spoor:early")]
extern "C" {
    #[wasm_bindgen(js_name = startWorker, catch)]
    fn start_worker() -> Result<Worker, JsValue>;
}

/// A worker with a kernel. Dropping it ends both.
pub struct Kernel {
    worker: Worker,
}

impl Kernel {
    /// Starts the worker. `hear` is called with each message, and with the buffers that came
    /// beside it (an array of `Uint8Array`).
    pub fn start(mut hear: impl FnMut(FromWorker, Array) + 'static) -> Result<Self, JsValue> {
        let worker = start_worker()?;
        dom::on(&worker, "message", move |event: MessageEvent| {
            let (message, buffers) = read(&event.data());
            hear(message, buffers);
        });
        Ok(Self { worker })
    }

    /// Sends a message, and beside it an array of `Uint8Array`s, which are the worker's from then on.
    pub fn send(&self, message: &ToWorker, buffers: &Array) -> Result<(), JsValue> {
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let message = message.serialize(&serializer)?;
        if buffers.length() == 0 {
            return self.worker.post_message(&message);
        }
        Reflect::set(&message, &"buffers".into(), buffers)?;
        let moved = buffers
            .iter()
            .map(|bytes| bytes.unchecked_into::<Uint8Array>().buffer());
        self.worker
            .post_message_with_transfer(&message, &moved.collect::<Array>())
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// A message that does not read is a fault of the driver's and is told as one.
fn read(data: &JsValue) -> (FromWorker, Array) {
    let buffers = Reflect::get(data, &"buffers".into());
    let message =
        serde_wasm_bindgen::from_value(data.clone()).unwrap_or_else(|error| FromWorker::Failed {
            part: "driver".into(),
            message: format!("a message from the worker does not read: {error}"),
        });
    let buffers = buffers.ok().and_then(|found| found.dyn_into().ok());
    (message, buffers.unwrap_or_default())
}
