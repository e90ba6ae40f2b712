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
    pub fn admits(&self, msg_type: &str, content: &Map<String, Value>, replaced: Replaced) -> bool {
        let shown = self.shown.saturating_sub(replaced.held);
        let (used, times, limit) = match msg_type {
            "stream" => (self.printed, 1, PRINTED),
            "display_data" => (shown, replaced.count + 1, SHOWN),
            "update_display_data" => (shown, replaced.count, SHOWN),
            "execute_result" => (self.shown, 1, SHOWN),
            "error" => (self.shown, 1, SHOWN + RESERVE),
            _ => return true,
        };
        used.saturating_add(whole(content).saturating_mul(times)) <= limit
    }

    /// A stream has so many bytes now, and had `before` if it was there.
    pub fn printed(&mut self, before: Option<usize>, after: usize) {
        let before = before.map_or(0, |before| EACH + before);
        self.printed = (self.printed + EACH + after).saturating_sub(before);
    }

    /// An output that is no stream was added, and put in the place of displays too.
    pub fn shown(&mut self, content: &Map<String, Value>, replaced: Replaced) {
        self.hold(content, replaced.count + 1, replaced.held);
    }

    /// Displays were updated.
    pub fn updated(&mut self, content: &Map<String, Value>, replaced: Replaced) {
        self.hold(content, replaced.count, replaced.held);
    }

    fn hold(&mut self, content: &Map<String, Value>, times: usize, gone: usize) {
        let added = whole(content).saturating_mul(times);
        self.shown = self.shown.saturating_add(added).saturating_sub(gone);
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
             What is too much is left out from here on; the cell goes on. Show less, or write it to a file under /tmp\n",
            PRINTED >> 20,
            SHOWN >> 20
        );
        let notice = json!({ "name": "stderr", "text": text });
        notice.as_object().cloned()
    }
}

/// The displays in whose place a message is put.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replaced {
    /// How many there are, in all cells.
    pub count: usize,
    /// What they count, whichever cell's they are: what is put in their place adds what it has more.
    pub held: usize,
}

/// What a display of this id counts that is there already.
pub fn held(data: &Map<String, Value>, metadata: &Map<String, Value>, id: &str) -> usize {
    EACH + fields(data) + fields(metadata) + "display_id".len() + id.len()
}

fn whole(content: &Map<String, Value>) -> usize {
    EACH + content.values().map(weigh).sum::<usize>()
}

fn fields(object: &Map<String, Value>) -> usize {
    object
        .iter()
        .map(|(name, value)| name.len() + weigh(value))
        .sum()
}

fn weigh(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weigh).sum(),
        Value::Object(object) => fields(object),
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
            assert!(budget.admits("stream", &stream(1 << 20), Replaced::default()));
            budget.printed(None, 1 << 20);
        }
        assert!(!budget.admits("stream", &stream(1 << 20), Replaced::default()));
        assert!(budget.admits("error", &stream(1000), Replaced::default()));
        assert!(budget.notice().is_some());
        assert!(budget.notice().is_none());
    }

    #[test]
    fn what_is_written_over_or_cleared_counts_no_longer() {
        let mut budget = Budget::default();
        for _ in 0..1000 {
            assert!(budget.admits("stream", &stream(1 << 20), Replaced::default()));
            budget.printed(None, 1 << 20);
            budget.printed(Some(1 << 20), 0);
        }
        budget.printed(None, PRINTED);
        assert!(!budget.admits("stream", &stream(1), Replaced::default()));
        budget.cleared();
        assert!(budget.admits("stream", &stream(1), Replaced::default()));
    }

    #[test]
    fn pictures_have_a_limit_of_their_own() {
        let mut budget = Budget::default();
        budget.printed(None, PRINTED);
        let picture = stream(20 << 20);
        for _ in 0..3 {
            assert!(budget.admits("display_data", &picture, Replaced::default()));
            budget.shown(&picture, Replaced::default());
        }
        assert!(!budget.admits("display_data", &picture, Replaced::default()));
    }

    #[test]
    fn what_takes_the_place_of_many_counts_for_each() {
        let mut budget = Budget::default();
        let picture = stream(20 << 20);
        let ten = Replaced { count: 10, held: 0 };
        assert!(!budget.admits("display_data", &picture, ten));
        assert!(!budget.admits("update_display_data", &picture, ten));
        let one = Replaced { count: 1, held: 0 };
        for _ in 0..3 {
            assert!(budget.admits("update_display_data", &picture, one));
            budget.updated(&picture, one);
        }
        assert!(!budget.admits("update_display_data", &picture, one));
        let held = 20 << 20;
        let own = Replaced { count: 1, held };
        assert!(budget.admits("update_display_data", &picture, own));
    }
}
