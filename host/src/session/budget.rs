//! How much one request may put out.
//!
//! The session's loop passes every message through a [`Budget`] on its way to the front end,
//! which keeps outputs in memory and in the notebook. What is beyond the limit is left out and
//! counted, and the cell is told twice: when it begins, and how much it was in the end.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use spoor_protocol::Channel;

use super::{Message, Report};

/// The bytes that the outputs of one request may have.
pub const LIMIT: usize = 64 << 20;
/// What every message counts beside its content.
const EACH: usize = 256;
/// Room that is kept for warnings, and as much again for errors, when outputs have used the rest.
const RESERVE: usize = 1 << 20;

/// What the running request has put out.
#[derive(Debug, Default)]
pub struct Budget {
    used: usize,
    /// The part of `used` that `clear_output` gives back: what the cell's own outputs hold.
    held: usize,
    /// Whether the next output takes the place of those before (`clear_output(wait=True)`).
    clears: bool,
    left_out: Option<LeftOut>,
    /// How many displays of each id each cell shows: an update changes all of them.
    displays: HashMap<String, HashMap<String, usize>>,
    owner: String,
}

#[derive(Debug, Default)]
struct LeftOut {
    messages: u64,
    bytes: usize,
}

impl Budget {
    /// A request begins; `owner` is the cell, or else the request, whose old outputs go.
    pub fn begin(&mut self, owner: &str) {
        self.used = 0;
        self.held = 0;
        self.clears = false;
        self.left_out = None;
        self.displays.remove(owner);
        owner.clone_into(&mut self.owner);
    }

    /// Reports the message, or leaves it out.
    pub fn pass(&mut self, message: Message, report: &mut dyn FnMut(Report)) {
        if message.channel == Channel::Shell {
            self.sum_up(&message.parent, report);
        }
        if !is_output(&message) {
            return report(Report::Message(message));
        }
        if self.clears && is_held(&message) {
            self.clear();
        }
        let bytes = self.weigh(&message);
        if self.used.saturating_add(bytes) <= limit_of(&message) {
            self.used += bytes;
            if is_held(&message) {
                self.held += bytes - EACH;
            }
            self.note_display(&message);
            if message.msg_type == "clear_output" {
                self.heed_clear(&message);
            }
            return report(Report::Message(message));
        }
        if self.left_out.is_none() {
            report(warning(
                &message.parent,
                format!(
                    "spoor: this cell's output passes {} MiB, which is the limit for one cell. What is \
                 too much is left out from here on; the cell goes on. Show less, or write it to a \
                 file under /tmp\n",
                    LIMIT >> 20
                ),
            ));
        }
        let left_out = self.left_out.get_or_insert_default();
        left_out.messages += 1;
        left_out.bytes = left_out.bytes.saturating_add(bytes);
    }

    fn heed_clear(&mut self, message: &Message) {
        self.clears = true;
        if message.content.get("wait") != Some(&Value::Bool(true)) {
            self.clear();
        }
    }

    /// The cell's outputs are gone. What each message counts is not given back, so that a cell that
    /// only clears ends as well.
    fn clear(&mut self) {
        self.used -= self.held;
        self.held = 0;
        self.clears = false;
        self.displays.remove(&self.owner);
    }

    /// Says how much was left out, if anything was.
    fn sum_up(&mut self, parent: &str, report: &mut dyn FnMut(Report)) {
        let Some(LeftOut { messages, bytes }) = self.left_out.take() else {
            return;
        };
        let outputs = if messages == 1 { "output" } else { "outputs" };
        report(warning(
            parent,
            format!(
                "spoor: {messages} {outputs} of this cell, {} in all, left out beyond its {} MiB\n",
                size(bytes),
                LIMIT >> 20
            ),
        ));
    }

    fn weigh(&self, message: &Message) -> usize {
        let buffers: usize = message.buffers.iter().map(Vec::len).sum();
        let once = EACH + weight_of(&message.content) + weight_of(&message.metadata) + buffers;
        let shown = display_id(message).map_or(0, |id| self.shown(id));
        let times = match message.msg_type.as_str() {
            "update_display_data" => shown.max(1),
            "display_data" => shown + 1,
            _ => 1,
        };
        once.saturating_mul(times)
    }

    fn shown(&self, id: &str) -> usize {
        let cells = self.displays.values();
        cells.filter_map(|displays| displays.get(id)).sum()
    }

    fn note_display(&mut self, message: &Message) {
        if message.msg_type == "update_display_data" {
            return;
        }
        if let Some(id) = display_id(message) {
            let of_cell = self.displays.entry(self.owner.clone()).or_default();
            *of_cell.entry(id.to_owned()).or_default() += 1;
        }
    }
}

fn display_id(message: &Message) -> Option<&str> {
    let transient = message.content.get("transient")?;
    transient.get("display_id")?.as_str()
}

/// Whether a cell's code decides how much of such messages there is.
fn is_output(message: &Message) -> bool {
    message.channel == Channel::Iopub
        && !matches!(message.msg_type.as_str(), "status" | "execute_input")
}

/// Whether the message's content stays with the cell that runs until its outputs are cleared.
fn is_held(message: &Message) -> bool {
    matches!(
        message.msg_type.as_str(),
        "stream" | "display_data" | "execute_result" | "error"
    )
}

fn limit_of(message: &Message) -> usize {
    match message.msg_type.as_str() {
        "error" => LIMIT + 2 * RESERVE,
        "stream"
            if message
                .content
                .get("name")
                .is_some_and(|name| name == "stderr") =>
        {
            LIMIT + RESERVE
        }
        _ => LIMIT,
    }
}

fn weight_of(object: &Map<String, Value>) -> usize {
    object
        .iter()
        .map(|(key, value)| key.len() + weight(value))
        .sum()
}

/// The bytes of a value's text, about.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| 8 + weight(value)).sum(),
        Value::Object(object) => 8 + weight_of(object),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// A line on a cell's standard error, from Spoor itself. Nothing is counted for it.
pub fn warning(parent: &str, text: String) -> Report {
    let mut content = Map::new();
    content.insert("name".into(), json!("stderr"));
    content.insert("text".into(), json!(text));
    Report::Message(Message {
        channel: Channel::Iopub,
        msg_type: "stream".into(),
        parent: parent.into(),
        content,
        metadata: Map::new(),
        buffers: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn message(channel: Channel, msg_type: &str, content: Value) -> Message {
        Message {
            channel,
            msg_type: msg_type.into(),
            parent: "1".into(),
            content: content.as_object().cloned().unwrap(),
            metadata: Map::new(),
            buffers: Vec::new(),
        }
    }

    fn stream(name: &str, bytes: usize) -> Message {
        let text = "x".repeat(bytes);
        message(
            Channel::Iopub,
            "stream",
            json!({ "name": name, "text": text }),
        )
    }

    fn display(msg_type: &str, bytes: usize) -> Message {
        let data = json!({ "text/plain": "x".repeat(bytes) });
        let content = json!({ "data": data, "transient": { "display_id": "d" } });
        message(Channel::Iopub, msg_type, content)
    }

    /// The texts that come through of these messages; of other types the type.
    fn passed(budget: &mut Budget, messages: impl IntoIterator<Item = Message>) -> Vec<String> {
        let mut seen = Vec::new();
        let mut report = |report: Report| {
            let Report::Message(message) = report else {
                return;
            };
            let text = message.content.get("text").and_then(Value::as_str);
            seen.push(match text {
                Some(text) if text.starts_with("spoor:") => text.to_owned(),
                _ => message.msg_type,
            });
        };
        for message in messages {
            budget.pass(message, &mut report);
        }
        seen
    }

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let mut budget = Budget::default();
        budget.begin("cell");
        let half = LIMIT / 2;
        let seen = passed(
            &mut budget,
            [
                stream("stdout", half - 1000),
                stream("stdout", half - 1000),
                stream("stdout", half),
                stream("stdout", 2000),
                message(Channel::Iopub, "error", json!({ "evalue": "why" })),
                message(Channel::Shell, "execute_reply", json!({})),
                message(Channel::Iopub, "status", json!({})),
            ],
        );
        assert_eq!(seen.len(), 7, "{seen:?}");
        assert_eq!(
            [&seen[0], &seen[1], &seen[3]],
            ["stream", "stream", "error"]
        );
        assert!(seen[2].contains("64 MiB") && seen[2].contains("/tmp"));
        assert!(seen[4].contains("2 outputs") && seen[4].contains("32 MiB"));
        assert_eq!(seen[5..], ["execute_reply", "status"]);
        budget.begin("next");
        assert_eq!(passed(&mut budget, [stream("stdout", half)]), ["stream"]);
    }

    #[test]
    fn many_small_outputs_count_too() {
        let mut budget = Budget::default();
        budget.begin("cell");
        let seen = passed(
            &mut budget,
            (0..LIMIT / EACH).map(|_| message(Channel::Iopub, "clear_output", json!({}))),
        );
        assert_eq!(seen.len(), LIMIT / EACH);
        let more = passed(
            &mut budget,
            [message(Channel::Iopub, "clear_output", json!({}))],
        );
        assert!(more.len() == 1 && more[0].starts_with("spoor:"), "{more:?}");
    }

    #[test]
    fn what_is_cleared_is_given_back() {
        let mut budget = Budget::default();
        budget.begin("cell");
        let clear = |wait: bool| message(Channel::Iopub, "clear_output", json!({ "wait": wait }));
        for wait in [true, false, true, false] {
            let frame = [stream("stdout", LIMIT * 2 / 3), clear(wait)];
            assert_eq!(passed(&mut budget, frame), ["stream", "clear_output"]);
        }
        // An output that waits to be replaced is still there until the next one comes.
        let update = display("update_display_data", LIMIT / 2);
        let waiting = [stream("stdout", LIMIT * 2 / 3), clear(true), update];
        let seen = passed(&mut budget, waiting);
        assert_eq!(seen[..2], ["stream", "clear_output"]);
        assert!(seen[2].starts_with("spoor:"), "{seen:?}");
        assert_eq!(
            passed(&mut budget, [stream("stdout", LIMIT / 2)]),
            ["stream"]
        );
    }

    #[test]
    fn warnings_and_errors_have_room_left() {
        let mut budget = Budget::default();
        budget.begin("cell");
        passed(
            &mut budget,
            [stream("stdout", LIMIT - 1000), stream("stdout", 1000)],
        );
        assert_eq!(passed(&mut budget, [stream("stderr", 9)]), ["stream"]);
        passed(&mut budget, [stream("stderr", RESERVE - 1000)]);
        assert!(passed(&mut budget, [stream("stderr", 1000)]).is_empty());
        let error = || message(Channel::Iopub, "error", json!({ "evalue": "why" }));
        assert_eq!(passed(&mut budget, [error()]), ["error"]);
    }

    #[test]
    fn an_update_counts_for_every_display_that_it_changes() {
        let mut budget = Budget::default();
        budget.begin("cell");
        assert_eq!(
            passed(&mut budget, (0..100).map(|_| display("display_data", 9))).len(),
            100
        );
        budget.begin("other");
        let update = || display("update_display_data", LIMIT / 50);
        assert!(passed(&mut budget, [update()])[0].starts_with("spoor:"));
        // A cell that runs again begins with no displays.
        budget.begin("cell");
        assert_eq!(passed(&mut budget, [update()]), ["update_display_data"]);
    }
}
