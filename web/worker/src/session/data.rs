//! Data sources: fetched when the kernel asks for them, and handed in by parts.

use std::rc::Rc;

use js_sys::Uint8Array;
use spoor_protocol::{Event, Frame};
use wasm_bindgen::prelude::*;

use super::Session;
use crate::bindings::fetch_now;
use crate::error::text_of;
use crate::load::{self, Progress};
use spoor_messages::Source;

/// Bytes in one event for the kernel, so that no copy on the way is larger.
const PART: u32 = 16 << 20;

impl Session {
    /// The source `name` as events for the kernel; one that says why, if it cannot be had.
    pub(super) async fn read(self: &Rc<Self>, name: &str) -> Vec<Frame<Event>> {
        let Some(source) = self.source(name) else {
            return vec![unread(name, "the page has no such source")];
        };
        let progress = Progress::new(name, source.bytes, self.sender());
        match load::bytes(&source.url, None, &progress).await {
            Ok(bytes) => parts(name, &bytes),
            Err(error) => vec![unread(name, &error.to_string())],
        }
    }

    /// As [`Session::read`], for where the worker cannot wait but by blocking.
    pub(super) fn read_now(&self, name: &str) -> Vec<Frame<Event>> {
        let Some(source) = self.source(name) else {
            return vec![unread(name, "the page has no such source")];
        };
        let fetched =
            fetch_now(&source.url).and_then(|answer| js_sys::Reflect::get(&answer, &"data".into()));
        match fetched {
            Ok(bytes) => parts(name, &bytes.unchecked_into()),
            Err(thrown) => vec![unread(name, &text_of(&thrown))],
        }
    }

    fn source(&self, name: &str) -> Option<Source> {
        let sources = self.opened.get()?.sources.borrow();
        sources.iter().find(|source| source.name == name).cloned()
    }
}

fn parts(name: &str, bytes: &Uint8Array) -> Vec<Frame<Event>> {
    let part = |(bytes, last)| {
        let (name, error) = (name.into(), None);
        Frame::with(Event::Data { name, last, error }, vec![bytes])
    };
    pieces(bytes).map(part).collect()
}

/// Bytes in pieces of which the kernel can hold several copies, each with whether it is the last. There is at least one.
pub(super) fn pieces(bytes: &Uint8Array) -> impl Iterator<Item = (Vec<u8>, bool)> {
    let total = bytes.length();
    let starts = (0..total.max(1)).step_by(PART as usize);
    starts.map(move |start| {
        let end = start.saturating_add(PART).min(total);
        (bytes.subarray(start, end).to_vec(), end == total)
    })
}

fn unread(name: &str, why: &str) -> Frame<Event> {
    Frame::with(
        Event::Data {
            name: name.into(),
            last: true,
            error: Some(why.into()),
        },
        vec![Vec::new()],
    )
}
