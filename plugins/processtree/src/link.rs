//! Who started whom. Ids are used again, so that an id alone names no process.

use std::collections::HashMap;

use crate::event::Event;

/// How many events near the child's time are looked at for one whose name fits.
const LOOKED_AT: usize = 8;

/// A process's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// It has none.
    None,
    /// Another event, by its place.
    Seen(usize),
    /// A process whose creation is not among the events, by its number: children of the same one have the same.
    Inferred(usize),
}

/// A process whose creation was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inferred {
    /// Its host.
    pub host: u32,
    /// Its id.
    pub id: u32,
    /// Its program, where a child's row says it.
    pub name: Option<u32>,
    /// When it was created, where a child's row says it.
    time: Option<i64>,
    /// How many processes with its id were created before its child: another number, another process.
    before: usize,
}

/// Events with one id on one host, by their places, which are in the order of time.
type Holders = HashMap<u64, Vec<usize>>;

/// A host and an id, as one number: that is hashed in less time than two.
fn holder(host: u32, id: u32) -> u64 {
    u64::from(host) << 32 | u64::from(id)
}

/// The parents of all events, and the processes inferred. `events` are by host and time. A parent is the last process with
/// the id on the host that was created before the child, or at most `slack` ticks after it, and has the name that the child's row
/// gives it.
pub fn parents(events: &[Event<'_>], slack: i64) -> (Vec<Parent>, Vec<Inferred>) {
    let mut holders = Holders::new();
    for (place, event) in events.iter().enumerate() {
        holders
            .entry(holder(event.host, event.id))
            .or_default()
            .push(place);
    }
    let mut inferred = Vec::new();
    let mut numbers: HashMap<Inferred, usize> = HashMap::new();
    let mut infer = |process: Inferred| {
        Parent::Inferred(*numbers.entry(process).or_insert_with(|| {
            inferred.push(process);
            inferred.len() - 1
        }))
    };
    let mut parents: Vec<Parent> = events
        .iter()
        .enumerate()
        .map(|(place, event)| match event.parent {
            None => Parent::None,
            Some(id) => {
                let of_id = holders
                    .get(&holder(event.host, id))
                    .map_or(&[][..], Vec::as_slice);
                match seen(events, of_id, place, *event, slack) {
                    Some(parent) => Parent::Seen(parent),
                    None => infer(missing(events, of_id, *event, id)),
                }
            }
        })
        .collect();
    for place in on_cycles(&parents) {
        if let (Some(parent), Some(event)) = (parents.get_mut(place), events.get(place))
            && let Some(id) = event.parent
        {
            *parent = infer(missing(events, &[], *event, id));
        }
    }
    (parents, inferred)
}

fn missing(events: &[Event<'_>], of_id: &[usize], child: Event<'_>, id: u32) -> Inferred {
    Inferred {
        host: child.host,
        id,
        name: child.parent_name,
        time: child.parent_time,
        before: of_id.partition_point(|place| time(events, *place) <= child.time),
    }
}

fn time(events: &[Event<'_>], place: usize) -> i64 {
    events.get(place).map_or(i64::MAX, |event| event.time)
}

/// The parent among the events with its id.
fn seen(
    events: &[Event<'_>],
    of_id: &[usize],
    child: usize,
    event: Event<'_>,
    slack: i64,
) -> Option<usize> {
    let fits = |place: &usize| {
        let named = events.get(*place).and_then(|parent| parent.name);
        let unlike = named.zip(event.parent_name).is_some_and(|(a, b)| a != b);
        *place != child && !unlike
    };
    // The rows may say when the parent began: then that is what tells.
    let around = event.parent_time.unwrap_or(event.time);
    let until = of_id.partition_point(|place| time(events, *place) <= around);
    let (before, after) = of_id.split_at_checked(until)?;
    let close = |place: &&usize| time(events, **place).abs_diff(around) <= slack.unsigned_abs();
    let later = after
        .iter()
        .take_while(close)
        .take(LOOKED_AT)
        .find(|place| fits(place));
    let mut earlier = before.iter().rev().filter(|place| **place != child);
    if event.parent_time.is_some() {
        let earlier = earlier
            .take_while(close)
            .take(LOOKED_AT)
            .find(|place| fits(place));
        return earlier.or(later).copied();
    }
    // Times are no more exact than the slack: one of those within it may be the next holder of the id already. The
    // last before them held it for certain, and none before that one.
    let mut last = None;
    for place in earlier.by_ref().take(LOOKED_AT) {
        if fits(place) {
            last = Some(place);
        }
        if last.is_some() || !close(&place) {
            break;
        }
    }
    last.or(later).copied()
}

/// A place on each cycle, the first of it: times within the slack of each other can go round.
fn on_cycles(parents: &[Parent]) -> Vec<usize> {
    let mut walked = vec![usize::MAX; parents.len()];
    let mut found = Vec::new();
    for start in 0..parents.len() {
        let mut place = start;
        // Until the root, or something walked before; on this walk, it is a cycle.
        while let Some(mark) = walked.get_mut(place).filter(|mark| **mark == usize::MAX) {
            *mark = start;
            match parents.get(place) {
                Some(Parent::Seen(parent)) => place = *parent,
                _ => break,
            }
        }
        let back = matches!(parents.get(place), Some(Parent::Seen(_)));
        if back && walked.get(place) == Some(&start) {
            found.push(first_of_cycle(parents, place));
        }
    }
    found
}

/// The earliest place on the cycle that `place` is on.
fn first_of_cycle(parents: &[Parent], place: usize) -> usize {
    let (mut first, mut at) = (place, place);
    while let Some(Parent::Seen(parent)) = parents.get(at) {
        at = *parent;
        first = first.min(at);
        if at == place {
            break;
        }
    }
    first
}
