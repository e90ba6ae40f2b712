//! Replaying a recording: the same events into kernel.wasm, the same effects out, byte for byte.
//!
//! `spoor replay` calls it. Nothing is carried out: no Python runs and no file but the recording
//! is read, since whatever they answered is among the recorded events.

use std::path::Path;

use serde_json::Value;
use spoor_protocol::Frame;

use crate::ambient::{Ambient, Draw};
use crate::error::Error;
use crate::kernel::{Code, Kernel, Limits};
use crate::recording::{Header, Reader, Record};

/// How a replay went.
#[derive(Debug)]
pub struct Replayed {
    /// What the recording says of itself.
    pub header: Header,
    /// How many events were replayed, the differing one included.
    pub events: usize,
    /// The first difference; `None` if all effects were the same.
    pub difference: Option<Difference>,
    /// Whether the recording breaks off, as that of a killed session does.
    pub broken_off: bool,
}

/// Where a replay first came out otherwise.
#[derive(Debug)]
pub struct Difference {
    /// The number of the event, from 1.
    pub number: usize,
    /// The kind of the event, as the protocol names it.
    pub event: String,
    /// What was recorded and what came now.
    pub what: String,
}

/// Replays the recording at `path` on the kernel `code`.
pub fn replay(code: &Code, path: &Path) -> Result<Replayed, Error> {
    let mut tape = Tape {
        reader: Reader::open(path)?,
        ahead: None,
        broken_off: false,
    };
    let header = tape.reader.header().clone();
    let ambient = Ambient::replayed();
    let mut kernel = None;
    let mut events = 0;
    let mut difference = None;
    while let (None, Some(record)) = (&difference, tape.next()?) {
        let (draws, end) = tape.until_end()?;
        ambient.feed(draws);
        match record {
            Record::Instance => {
                let fresh = Kernel::start(code, Limits::default(), &ambient);
                difference = instance_difference(&fresh, end.as_ref(), &ambient);
                kernel = fresh.ok();
            }
            Record::Event(event) => {
                let Some(end) = end else { break };
                events += 1;
                let kernel = kernel
                    .as_mut()
                    .ok_or_else(|| misplaced("an event stands before any kernel"))?;
                let now = kernel.step(&event);
                difference =
                    step_difference(&end, &now, &ambient).map(|what| (event_kind(&event), what));
            }
            _ => return Err(misplaced("an answer stands without its event")),
        }
    }
    let difference = difference.map(|(event, what)| Difference {
        number: events,
        event,
        what,
    });
    Ok(Replayed {
        header,
        events,
        difference,
        broken_off: tape.broken_off,
    })
}

/// The records of a recording, with a look ahead.
struct Tape {
    reader: Reader,
    ahead: Option<Record>,
    broken_off: bool,
}

impl Tape {
    fn next(&mut self) -> Result<Option<Record>, Error> {
        if let Some(record) = self.ahead.take() {
            return Ok(Some(record));
        }
        match self.reader.read() {
            Ok(record) => Ok(record),
            Err(Error::Recording(_)) => {
                self.broken_off = true;
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// The draws that follow an instance or event, and the answer after them if one was written.
    fn until_end(&mut self) -> Result<(Vec<Draw>, Option<Record>), Error> {
        let mut draws = Vec::new();
        loop {
            match self.next()? {
                Some(Record::Draw(draw)) => draws.push(draw),
                Some(end @ (Record::Answer(_) | Record::Broke(_))) => {
                    return Ok((draws, Some(end)));
                }
                other => {
                    self.broken_off |= other.is_none();
                    self.ahead = other;
                    return Ok((draws, None));
                }
            }
        }
    }
}

fn misplaced(what: &str) -> Error {
    Error::Recording(format!("the recording is out of order: {what}"))
}

fn instance_difference(
    fresh: &Result<Kernel, Error>,
    end: Option<&Record>,
    ambient: &Ambient,
) -> Option<(String, String)> {
    let what = match (fresh, end) {
        (Err(error), None) => Some(format!(
            "the kernel started when it was recorded; now it does not: {error}"
        )),
        (Ok(_), Some(_)) => {
            Some("the kernel did not start when it was recorded; now it does".into())
        }
        _ => ambient.astray(),
    };
    what.map(|what| ("start".into(), what))
}

/// What differs between a recorded end of a step and one of now.
fn step_difference(
    recorded: &Record,
    now: &Result<Vec<u8>, Error>,
    ambient: &Ambient,
) -> Option<String> {
    match (recorded, now) {
        (Record::Answer(then), Ok(now)) if then == now => ambient.astray(),
        (Record::Answer(then), Ok(now)) => {
            let astray = ambient
                .astray()
                .map(|astray| format!("\n{astray}"))
                .unwrap_or_default();
            Some(format!("{}{astray}", answer_difference(then, now)))
        }
        (Record::Answer(_), Err(error)) => Some(format!("recorded was an answer; now {error}")),
        (_, Err(_)) => None,
        (_, Ok(_)) => Some("recorded was a kernel that stopped; now it answers".into()),
    }
}

/// The first effect that differs, or, where the effects are alike, the first byte.
fn answer_difference(then: &[u8], now: &[u8]) -> String {
    let at = then
        .iter()
        .zip(now)
        .position(|(a, b)| a != b)
        .unwrap_or(then.len().min(now.len()));
    let lengths = format!(
        "byte {at} differs ({} bytes recorded, {} now)",
        then.len(),
        now.len()
    );
    let (Ok(then), Ok(now)) = (Frame::<Value>::decode(then), Frame::<Value>::decode(now)) else {
        return lengths;
    };
    let nothing = Vec::new();
    let (a, b) = (
        then.header.as_array().unwrap_or(&nothing),
        now.header.as_array().unwrap_or(&nothing),
    );
    let Some(index) = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i)) else {
        return lengths;
    };
    format!(
        "effect {} differs, {lengths}\n  recorded: {}\n  now:      {}",
        index + 1,
        shown(a.get(index)),
        shown(b.get(index))
    )
}

/// An effect on one line, cut to a length that a person reads.
fn shown(effect: Option<&Value>) -> String {
    const LONGEST: usize = 400;
    let Some(effect) = effect else {
        return "nothing".into();
    };
    let text = effect.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

fn event_kind(event: &[u8]) -> String {
    let frame = Frame::<Value>::decode(event).ok();
    let kind = frame
        .as_ref()
        .and_then(|frame| frame.header.get("event"))
        .and_then(Value::as_str);
    kind.unwrap_or("unreadable").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use spoor_protocol::{Effect, Effects, Event};

    use super::*;

    fn answer(effects: Effects, buffer: u8) -> Vec<u8> {
        Frame::with(effects, vec![vec![buffer; 4]])
            .encode()
            .unwrap()
    }

    #[test]
    fn the_first_effect_that_differs_is_shown() {
        let then = answer(
            vec![Effect::Continue, Effect::Idle { parent: "a".into() }],
            0,
        );
        let now = answer(vec![Effect::Continue], 0);
        let what = answer_difference(&then, &now);
        assert!(
            what.contains("effect 2")
                && what.contains("\"parent\":\"a\"")
                && what.contains("nothing"),
            "{what}"
        );
    }

    #[test]
    fn a_difference_in_buffers_is_found_too() {
        let what = answer_difference(&answer(vec![], 1), &answer(vec![], 2));
        assert!(
            what.starts_with("byte ") && !what.contains("effect"),
            "{what}"
        );
    }

    #[test]
    fn events_are_named() {
        assert_eq!(
            event_kind(&Frame::new(Event::Interrupt).encode().unwrap()),
            "interrupt"
        );
        assert_eq!(event_kind(b"junk"), "unreadable");
    }
}
