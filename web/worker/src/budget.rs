//! How much one run of a cell may put out in a page, which keeps all of it, draws it and saves it.
//!
//! What is beyond is left out, and the cell is told so once. What was written over or cleared counts
//! no longer, so that a progress bar can go on for hours.

use serde_json::{Map, Value, json};

/// The bytes that a run may leave on its streams: drawing text takes as long as it is.
const PRINTED: usize = 8 << 20;
/// The bytes of all else that it shows, as on the host.
const SHOWN: usize = 64 << 20;
/// Room for errors when the rest is used.
const RESERVE: usize = 1 << 20;
/// What every output counts beside its content.
const EACH: usize = 256;

/// What the running cell holds.
#[derive(Debug, Default)]
pub struct Budget {
    printed: usize,
    shown: usize,
    told: bool,
}

impl Budget {
    /// Whether a message of the iopub channel is let through.
    pub fn admits(&self, msg_type: &str, content: &Map<String, Value>) -> bool {
        let weight = EACH + content.values().map(weigh).sum::<usize>();
        let (used, limit) = match msg_type {
            "stream" => (self.printed, PRINTED),
            "display_data" | "execute_result" | "update_display_data" => (self.shown, SHOWN),
            "error" => (self.shown, SHOWN + RESERVE),
            _ => return true,
        };
        used.saturating_add(weight) <= limit
    }

    /// A stream has so many bytes more, or fewer, than it had.
    pub fn printed(&mut self, before: usize, after: usize) {
        self.printed = (self.printed + after).saturating_sub(before);
    }

    /// An output that is no stream was added.
    pub fn shown(&mut self, content: &Map<String, Value>) {
        self.shown += EACH + content.values().map(weigh).sum::<usize>();
    }

    /// The outputs are gone.
    pub fn cleared(&mut self) {
        (self.printed, self.shown) = (0, 0);
    }

    /// The stream that says that something is left out; the first time alone.
    pub fn notice(&mut self) -> Option<Map<String, Value>> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let text = format!(
            "\nspoor: this cell puts out more than a page can show ({} MiB of text, {} MiB of all else). \
             The rest is left out from here on; the cell goes on. Show less, or write it to a file under /tmp\n",
            PRINTED >> 20,
            SHOWN >> 20
        );
        let notice = json!({ "name": "stderr", "text": text });
        notice.as_object().cloned()
    }
}

fn weigh(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weigh).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + weigh(value))
            .sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stream(bytes: usize) -> Map<String, Value> {
        json!({ "name": "stdout", "text": "x".repeat(bytes) })
            .as_object()
            .unwrap()
            .clone()
    }

    #[test]
    fn what_is_printed_has_an_end_and_is_told_once() {
        let mut budget = Budget::default();
        for _ in 0..7 {
            assert!(budget.admits("stream", &stream(1 << 20)));
            budget.printed(0, 1 << 20);
        }
        assert!(!budget.admits("stream", &stream(1 << 20)));
        assert!(budget.admits("error", &stream(1000)));
        assert!(budget.notice().is_some());
        assert!(budget.notice().is_none());
    }

    #[test]
    fn what_is_written_over_or_cleared_counts_no_longer() {
        let mut budget = Budget::default();
        for _ in 0..1000 {
            assert!(budget.admits("stream", &stream(1 << 20)));
            budget.printed(0, 1 << 20);
            budget.printed(1 << 20, 0);
        }
        budget.printed(0, PRINTED);
        assert!(!budget.admits("stream", &stream(1)));
        budget.cleared();
        assert!(budget.admits("stream", &stream(1)));
    }

    #[test]
    fn pictures_have_a_limit_of_their_own() {
        let mut budget = Budget::default();
        budget.printed(0, PRINTED);
        let picture = stream(20 << 20);
        for _ in 0..3 {
            assert!(budget.admits("display_data", &picture));
            budget.shown(&picture);
        }
        assert!(!budget.admits("display_data", &picture));
    }
}
