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

    fn buffer(&mut self, bytes: Vec<u8>) -> usize {
        self.buffers.push(bytes);
        self.buffers.len() - 1
    }

    /// The frame of everything so far.
    pub(crate) fn into_frame(self) -> Frame<Effects> {
        Frame::with(self.effects, self.buffers)
    }
}
