//! What a kernel owes its driver: replies, answers to upcalls, an end to every request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use spoor_protocol::{Effect, Effects, Event, Frame};

/// What is open between a kernel and its driver.
#[derive(Default)]
pub(super) struct Ledger {
    open: bool,
    requests: BTreeMap<String, Request>,
    /// Upcalls without an answer.
    upcalls: usize,
    /// Sources that are to be read.
    pub reading: BTreeSet<String>,
    /// The fetch that is to be answered.
    pub fetching: Option<u64>,
    /// Calls of plugins that are to be answered.
    pub calling: BTreeSet<u64>,
    /// A turn of the guest runs.
    pub running: bool,
    /// `Continue` effects without their event.
    pub owed: usize,
}

struct Request {
    reply: &'static str,
    replies: usize,
    ends: usize,
}

impl Ledger {
    /// How many requests there have been.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Notes an event before the kernel gets it.
    pub fn asked(&mut self, event: &Event) {
        match event {
            Event::Open { .. } => self.open = true,
            Event::Execute { id, .. } => self.request(id, "execute_reply"),
            Event::Complete { id, .. } => self.request(id, "complete_reply"),
            Event::Inspect { id, .. } => self.request(id, "inspect_reply"),
            Event::IsComplete { id, .. } => self.request(id, "is_complete_reply"),
            Event::Diagnose { id, .. } => self.request(id, "diagnose_reply"),
            Event::Describe { id, .. } => self.request(id, "describe_reply"),
            Event::Upcall => self.upcalls += 1,
            Event::Data { name, last, error } if *last || error.is_some() => {
                self.reading.remove(name);
            }
            Event::Fetched {
                fetch, last, error, ..
            } if *last || error.is_some() => {
                self.fetching = self.fetching.filter(|number| number != fetch);
            }
            // Whatever was asked for, nobody waits for it any more.
            Event::Interrupt | Event::Restart => {
                self.fetching = None;
                self.calling.clear();
            }
            Event::AddPlugin { id, .. } => self.request(id, "plugin_reply"),
            Event::PluginCalled { call, .. } => {
                self.calling.remove(call);
            }
            Event::Continue => self.owed = self.owed.saturating_sub(1),
            Event::PythonDone { .. } => self.running = false,
            _ => {}
        }
    }

    fn request(&mut self, id: &str, reply: &'static str) {
        let request = Request {
            reply,
            replies: 0,
            ends: 0,
        };
        assert!(
            self.requests.insert(id.to_owned(), request).is_none(),
            "the test names two requests {id}"
        );
    }

    /// Checks and notes what the kernel made of it.
    pub fn answered(&mut self, effects: &Frame<Effects>) {
        assert!(self.open);
        for effect in &effects.header {
            match effect {
                Effect::Publish { buffers, .. } => {
                    assert!(buffers.iter().all(|at| effects.buffer(*at).is_ok()));
                    self.published(effect);
                }
                Effect::RunPython { .. } => {
                    assert!(!self.running, "two turns at once");
                    self.running = true;
                }
                Effect::ResetPython => self.running = false,
                Effect::UpcallReply { buffer } => {
                    let answer = Frame::<Value>::decode(effects.buffer(*buffer).unwrap()).unwrap();
                    assert!(answer.header.is_object(), "{}", answer.header);
                    assert!(self.upcalls > 0, "an answer that nobody asked for");
                    self.upcalls -= 1;
                }
                Effect::Read { name } => {
                    assert!(self.reading.insert(name.clone()), "{name} is read twice");
                }
                Effect::Fetch { fetch, .. } => {
                    assert_eq!(self.fetching.replace(*fetch), None, "two fetches at once");
                }
                Effect::LoadPlugin { buffer, .. } => assert!(effects.buffer(*buffer).is_ok()),
                Effect::CallPlugin { call, buffer, .. } => {
                    assert!(effects.buffer(*buffer).is_ok());
                    assert!(self.calling.insert(*call), "call {call} is made twice");
                }
                Effect::Continue => self.owed += 1,
                Effect::Refuse { reason } => assert!(!reason.is_empty()),
                Effect::Idle { parent } => {
                    let request = self.requests.get_mut(parent).unwrap();
                    request.ends += 1;
                    assert_eq!((request.replies, request.ends), (1, 1), "{parent}");
                }
            }
        }
    }

    fn published(&mut self, effect: &Effect) {
        let Effect::Publish {
            msg_type, parent, ..
        } = effect
        else {
            return;
        };
        // The guest's own bytes may come late, or before there was any request.
        if msg_type == "stream" && (parent.is_empty() || self.requests.contains_key(parent)) {
            return;
        }
        // Of no request, and at any time.
        if msg_type == spoor_protocol::STALE {
            return assert!(parent.is_empty(), "{parent}");
        }
        let request = self.requests.get_mut(parent).unwrap();
        assert_eq!(request.ends, 0, "{msg_type} of {parent} after its end");
        if msg_type.ends_with("_reply") {
            assert_eq!(msg_type, request.reply);
            request.replies += 1;
        }
    }

    /// Checks that nothing is open.
    pub fn settle(&self) {
        for (id, request) in &self.requests {
            assert_eq!((request.replies, request.ends), (1, 1), "{id}");
        }
        assert_eq!(self.upcalls, 0, "upcalls without an answer");
        assert_eq!(self.fetching, None);
        assert!(self.calling.is_empty(), "calls without an answer");
        assert!(!self.running && self.reading.is_empty() && self.owed == 0);
    }
}
