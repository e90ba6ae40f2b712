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

/// Bytes of a data source in one [`Event::Data`], so that no copy on the way is larger.
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

    fn source(&self, name: &str) -> Option<&Source> {
        self.opened
            .get()?
            .sources
            .iter()
            .find(|source| source.name == name)
    }
}

fn parts(name: &str, bytes: &Uint8Array) -> Vec<Frame<Event>> {
    let total = bytes.length();
    let starts = (0..total.max(1)).step_by(PART as usize);
    starts
        .map(|start| {
            let end = (start + PART).min(total);
            let data = Event::Data {
                name: name.into(),
                last: end == total,
                error: None,
            };
            Frame::with(data, vec![bytes.subarray(start, end).to_vec()])
        })
        .collect()
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
