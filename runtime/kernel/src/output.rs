//! Effects in the making: Jupyter messages with the content that Jupyter's protocol gives them.
//!
//! Every part of the kernel writes through an [`Output`], which also keeps the buffers.

use serde_json::{Map, Value, json};
use spoor_protocol::{Channel, Effect, Effects, Frame};

/// The effects of one step.
#[derive(Debug, Default)]
pub(crate) struct Output {
    effects: Effects,
    buffers: Vec<Vec<u8>>,
}

/// What went wrong, as Jupyter's `error` message and error replies have it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// The class of error.
    pub name: String,
    /// One line on it.
    pub value: String,
    /// The lines that people read, with ANSI colours.
    pub traceback: Vec<String>,
}

impl Failure {
    /// A failure whose traceback is its name and text.
    pub(crate) fn new(name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            name: name.into(),
            traceback: vec![format!("{}: {value}", red(name))],
            value,
        }
    }

    /// Adds lines below: what happened to the session and what to do.
    pub(crate) fn with(mut self, lines: &[&str]) -> Self {
        self.traceback
            .extend(lines.iter().map(|line| line.to_string()));
        self
    }

    /// The fields of an error message.
    pub(crate) fn content(&self) -> Map<String, Value> {
        object(json!({ "ename": self.name, "evalue": self.value, "traceback": self.traceback }))
    }
}

/// Bytes of a message's content that always fit into a frame beside others.
#[cfg(any(test, target_arch = "wasm32"))]
const LARGE: usize = 1 << 20;

/// Puts a line in place of each output that is too large for a frame, and cuts questions and
/// replies down to what they say. What else the step has to say stays.
#[cfg(any(test, target_arch = "wasm32"))]
pub(crate) fn without_large_outputs(mut effects: Frame<Effects>) -> Frame<Effects> {
    for effect in &mut effects.header {
        let Effect::Publish {
            channel,
            msg_type,
            content,
            metadata,
            buffers,
            ..
        } = effect
        else {
            continue;
        };
        let about = len(serde_json::to_vec(metadata));
        let bytes = len(serde_json::to_vec(content)) + about;
        if bytes <= LARGE {
            continue;
        }
        if about > LARGE {
            metadata.clear();
        }
        match channel {
            Channel::Iopub => {
                let text = format!(
                    "An output of {} MB was left out: show less of it, such as some of its rows.\n",
                    bytes >> 20
                );
                "stream".clone_into(msg_type);
                *content = object(json!({ "name": "stderr", "text": text }));
                buffers.clear();
            }
            Channel::Shell | Channel::Stdin => {
                content.retain(|_, value| len(serde_json::to_vec(value)) <= LARGE / 16);
            }
        }
    }
    effects
}

/// The bytes of what was written as JSON.
#[cfg(any(test, target_arch = "wasm32"))]
fn len(json: serde_json::Result<Vec<u8>>) -> usize {
    json.map_or(0, |json| json.len())
}

/// Text in ANSI red, as tracebacks have it.
pub(crate) fn red(text: &str) -> String {
    format!("\u{1b}[0;31m{text}\u{1b}[0m")
}

/// The object that `value` is; empty for anything else.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Output {
    /// Adds any effect.
    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Refuses an event.
    pub(crate) fn refuse(&mut self, reason: impl Into<String>) {
        self.push(Effect::Refuse {
            reason: reason.into(),
        });
    }

    /// Publishes a message with metadata and buffers.
    pub(crate) fn message(
        &mut self,
        (channel, msg_type, parent): (Channel, &str, &str),
        content: Map<String, Value>,
        metadata: Map<String, Value>,
        buffers: Vec<Vec<u8>>,
    ) {
        let buffers = buffers
            .into_iter()
            .map(|buffer| self.buffer(buffer))
            .collect();
        let (msg_type, parent) = (msg_type.to_string(), parent.to_string());
        self.push(Effect::Publish {
            channel,
            msg_type,
            parent,
            content,
            metadata,
            buffers,
        });
    }

    /// Publishes a broadcast.
    pub(crate) fn iopub(&mut self, msg_type: &str, parent: &str, content: Value) {
        self.message(
            (Channel::Iopub, msg_type, parent),
            object(content),
            Map::new(),
            Vec::new(),
        );
    }

    /// Publishes whether the kernel is busy or idle.
    pub(crate) fn status(&mut self, parent: &str, state: &str) {
        self.iopub("status", parent, json!({ "execution_state": state }));
    }

    /// Publishes text of standard output or error.
    pub(crate) fn stream(&mut self, parent: &str, name: &str, text: &str) {
        if !text.is_empty() {
            self.iopub("stream", parent, json!({ "name": name, "text": text }));
        }
    }

    /// Publishes an error.
    pub(crate) fn error(&mut self, parent: &str, failure: &Failure) {
        self.message(
            (Channel::Iopub, "error", parent),
            failure.content(),
            Map::new(),
            Vec::new(),
        );
    }

    /// Answers a request.
    pub(crate) fn reply(
        &mut self,
        msg_type: &str,
        parent: &str,
        content: Map<String, Value>,
        metadata: Map<String, Value>,
    ) {
        self.message(
            (Channel::Shell, msg_type, parent),
            content,
            metadata,
            Vec::new(),
        );
    }

    /// Answers the guest's upcall with these bytes.
    pub(crate) fn upcall_reply(&mut self, bytes: Vec<u8>) {
        let buffer = self.buffer(bytes);
        self.push(Effect::UpcallReply { buffer });
    }

    pub(crate) fn buffer(&mut self, bytes: Vec<u8>) -> usize {
        self.buffers.push(bytes);
        self.buffers.len() - 1
    }

    /// The frame of everything so far.
    pub(crate) fn into_frame(self) -> Frame<Effects> {
        Frame::with(self.effects, self.buffers)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn published(channel: Channel, msg_type: &str, content: Value) -> Effect {
        Effect::Publish {
            channel,
            msg_type: msg_type.into(),
            parent: "1".into(),
            content: object(content),
            metadata: Map::new(),
            buffers: Vec::new(),
        }
    }

    #[test]
    fn an_output_too_large_for_a_frame_leaves_the_replies() {
        let text = "x".repeat(spoor_protocol::MAX_HEADER + 1);
        let effects = Frame::new(vec![
            published(Channel::Iopub, "stream", json!({ "text": "before" })),
            published(
                Channel::Iopub,
                "execute_result",
                json!({ "data": { "text/plain": text } }),
            ),
            published(
                Channel::Shell,
                "execute_reply",
                json!({ "status": "ok", "payload": [text] }),
            ),
            Effect::Idle { parent: "1".into() },
        ]);
        assert!(effects.encode().is_err());
        let bytes = without_large_outputs(effects).encode().unwrap();
        let kept = Frame::<Effects>::decode(&bytes).unwrap().header;
        assert_eq!(kept.len(), 4);
        assert_eq!(
            kept[0],
            published(Channel::Iopub, "stream", json!({ "text": "before" }))
        );
        assert!(
            matches!(&kept[1], Effect::Publish { content, .. } if content["text"].to_string().contains("64 MB"))
        );
        assert_eq!(
            kept[2],
            published(Channel::Shell, "execute_reply", json!({ "status": "ok" }))
        );
        assert!(matches!(&kept[3], Effect::Idle { .. }));
    }

    #[test]
    fn metadata_that_is_too_large_does_not_take_the_answer_with_it() {
        let mut output = Output::default();
        output.message(
            (Channel::Iopub, "display_data", "1"),
            object(json!({ "data": {} })),
            object(json!({ "note": "x".repeat(spoor_protocol::MAX_HEADER) })),
            vec![vec![1]],
        );
        output.upcall_reply(vec![7]);
        let effects = output.into_frame();
        assert!(effects.encode().is_err());
        let bytes = without_large_outputs(effects).encode().unwrap();
        let mut kept = Frame::<Effects>::decode(&bytes).unwrap();
        let Some(Effect::UpcallReply { buffer }) = kept.header.pop() else {
            panic!("the upcall is not answered");
        };
        assert_eq!(kept.buffer(buffer).unwrap(), [7]);
        assert!(
            matches!(&kept.header[..], [Effect::Publish { content, metadata, buffers, .. }]
                if content["name"] == "stderr" && metadata.is_empty() && buffers.is_empty())
        );
    }
}
