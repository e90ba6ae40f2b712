//! What the guest calls: its door, sleep, and the loading of further parts of its code.

use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::select;
use js_sys::{Date, Promise, Reflect, Uint8Array, WebAssembly};
use serde_json::json;
use spoor_protocol::Frame;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::Desk;
use crate::bindings::{fetch_now, timeout};
use crate::guest::Guest;
use crate::load::{self, Progress};
use crate::wire::FromPython;
use spoor_messages::{Asset, FromWorker};

/// Milliseconds for which a guest that can be suspended may print before messages are let in.
const BREATH: f64 = 50.0;
/// Bytes that the guest may print before it waits for the kernel's thread.
const AHEAD: u32 = 1 << 20;
/// What a message counts for at least.
const MESSAGE: u32 = 256;
/// How requests begin that tell the kernel something and want no more than its receipt.
const PUBLISH: &[u8] = br#"{"op": "publish""#;
/// The most buffers that such a request has; others are waited for.
const BUFFERS: usize = 64;

impl Desk {
    pub(super) fn door(self: &Rc<Self>) -> impl FnMut(u32, u32, u32, u32) -> JsValue + use<> {
        let desk = self.clone();
        move |ptr, len, out_ptr, out_len| {
            let guest = desk.guest.get().cloned();
            let request = guest
                .as_ref()
                .and_then(|guest| Some((guest.clone(), guest.request(ptr, len)?)));
            let Some((guest, request)) = request else {
                return Guest::fault().into();
            };
            let place = move |answer: &Uint8Array| guest.answer(answer, out_ptr, out_len);
            if is_output(&request) {
                desk.count(request.length());
                desk.hand_over(&FromPython::Tell, &request);
                return then(desk.rest_if_ahead(), desk.receipt.clone(), place);
            }
            desk.hand_over(&FromPython::Call, &request);
            desk.answer(place)
        }
    }

    /// Waits for the answer to the request that was just sent, and places it.
    fn answer(self: &Rc<Self>, place: impl FnOnce(&Uint8Array) -> i32 + 'static) -> JsValue {
        let desk = self.clone();
        if !self.suspends {
            let answer = self.wait();
            return answer
                .map_or(Guest::fault(), |answer| place(&answer))
                .into();
        }
        let (answered, answer) = oneshot::channel();
        *self.waiting.borrow_mut() = Some(answered);
        future_to_promise(async move {
            let answer = answer.await;
            desk.have_rested();
            Ok(answer
                .map_or(Guest::fault(), |answer| place(&answer))
                .into())
        })
        .into()
    }

    /// Blocks until the answer is there.
    fn wait(&self) -> Option<Uint8Array> {
        let answer = self
            .answers
            .get()?
            .wait(|| self.say(&FromPython::More))
            .ok();
        self.have_rested();
        answer
    }

    pub(super) fn count(&self, bytes: u32) {
        self.ahead
            .set(self.ahead.get().saturating_add(bytes.max(MESSAGE)));
    }

    fn have_rested(&self) {
        self.ahead.set(0);
        self.rested.set(Date::now());
    }

    /// Lets the kernel's thread take in what was told, if that is much or long ago: undefined, or a
    /// promise for which the guest is to be suspended.
    pub(super) fn rest_if_ahead(self: &Rc<Self>) -> JsValue {
        let late = self.suspends && Date::now() - self.rested.get() > BREATH;
        if self.ahead.get() <= AHEAD && !late {
            return JsValue::UNDEFINED;
        }
        self.say(&FromPython::Rest);
        let rested = self.answer(|_| 0);
        if self.suspends {
            rested
        } else {
            JsValue::UNDEFINED
        }
    }

    /// Sleeps, or gives the promise of having slept. An interrupt ends it early.
    pub(super) fn sleep(self: &Rc<Self>, ms: f64) -> JsValue {
        if !self.suspends {
            if let Some(answers) = self.answers.get() {
                let _ = answers.sleep(ms);
            }
            return JsValue::UNDEFINED;
        }
        let (wake, woken) = oneshot::channel();
        *self.asleep.borrow_mut() = Some(wake);
        let desk = self.clone();
        future_to_promise(async move {
            select(JsFuture::from(timeout(ms)), woken).await;
            desk.asleep.take();
            Ok(JsValue::UNDEFINED)
        })
        .into()
    }

    /// `spoor.load(part)`: the guest called a function of a part that is not there.
    pub(super) fn loader(self: &Rc<Self>) -> impl FnMut(u32) -> Result<JsValue, JsValue> + use<> {
        let desk = self.clone();
        move |part| {
            let guest = desk.guest.get().cloned().ok_or("there is no guest")?;
            let part = part as usize;
            if guest.has(part) {
                return guest.fill(part).map(|()| JsValue::UNDEFINED);
            }
            let desk = desk.clone();
            if desk.suspends {
                let filled = async move { desk.load_part(&guest, part).await };
                return Ok(future_to_promise(filled).into());
            }
            load_part_now(desk.part(part)?, &guest, part).map(|()| JsValue::UNDEFINED)
        }
    }

    async fn load_part(self: &Rc<Self>, guest: &Guest, part: usize) -> Result<JsValue, JsValue> {
        let asset = self.part(part)?;
        let desk = self.clone();
        let report = move |message| match message {
            FromWorker::Loading { loaded, total, .. } => {
                desk.say(&FromPython::Loading { loaded, total });
            }
            FromWorker::Loaded { ms, .. } => desk.say(&FromPython::Loaded { ms }),
            _ => {}
        };
        let progress = Progress::new("python packages", asset.bytes, report);
        let loaded = load::module(asset, &progress, false).await;
        let (module, _) = loaded.map_err(|error| error.to_string())?;
        progress.finish(Vec::new());
        guest.put(part, module);
        guest.fill(part)?;
        Ok(JsValue::UNDEFINED)
    }

    fn part(&self, part: usize) -> Result<&Asset, JsValue> {
        let asset = self.parts.get().and_then(|parts| parts.get(part));
        asset.ok_or_else(|| format!("the site has no part {part} of Python").into())
    }
}

/// Loads a part of the guest's code while the thread is blocked.
pub fn load_part_now(asset: &Asset, guest: &Guest, part: usize) -> Result<(), JsValue> {
    let fetched = fetch_now(&asset.url)?;
    let bytes = Reflect::get(&fetched, &"data".into())?;
    guest.put(part, WebAssembly::Module::new(&bytes)?);
    guest.fill(part)
}

/// Places `answer` when `rested`, a promise or undefined, says so.
fn then(
    rested: JsValue,
    answer: Uint8Array,
    place: impl FnOnce(&Uint8Array) -> i32 + 'static,
) -> JsValue {
    match rested.dyn_into::<Promise>() {
        Ok(resting) => future_to_promise(async move {
            JsFuture::from(resting).await?;
            Ok(place(&answer).into())
        })
        .into(),
        Err(_) => place(&answer).into(),
    }
}

/// Whether a request publishes an output. One that only looks so does no harm: the kernel judges it.
fn is_output(request: &Uint8Array) -> bool {
    let start = request
        .length()
        .min((12 + PUBLISH.len() + 4 * BUFFERS) as u32);
    starts_output(&request.subarray(0, start).to_vec())
}

fn starts_output(start: &[u8]) -> bool {
    let count = start.get(8..12).and_then(|bytes| bytes.try_into().ok());
    let buffers = count.map_or(usize::MAX, |bytes| u32::from_le_bytes(bytes) as usize);
    let header = start.get(buffers.saturating_mul(4).saturating_add(12)..);
    buffers <= BUFFERS && header.is_some_and(|header| header.starts_with(PUBLISH))
}

/// What the kernel answers to what it takes in.
pub(super) fn receipt() -> Uint8Array {
    let frame = Frame::new(json!({ "ok": true })).encode();
    Uint8Array::from(frame.unwrap_or_default().as_slice())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn request(header: &str, buffers: usize) -> Vec<u8> {
        // The guest's own JSON has a space after each colon.
        let frame = Frame::with(0, vec![vec![1]; buffers]).encode().unwrap();
        let mut bytes = frame[..12 + 4 * buffers].to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes
    }

    #[test]
    fn outputs_are_told_from_other_requests() {
        let output = r#"{"op": "publish", "msg_type": "stream"}"#;
        assert!(starts_output(&request(output, 0)));
        assert!(starts_output(&request(output, 3)));
        assert!(!starts_output(&request(r#"{"op": "kql"}"#, 0)));
        assert!(!starts_output(b"SPR1"));
        assert!(!starts_output(&[0xff; 64]));
    }
}
