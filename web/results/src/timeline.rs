//! A view's rows as events: by time, on lanes, on levels where they would cover each other, and counted in bins where
//! they are too many to be told apart.

use std::collections::HashMap;

use spoor_messages::results::{Event, Lane, Timeline, TimelineSpec};
use spoor_table::{Cell, Column, KustoType, format, ticks};

use crate::data::{Data, cut};
use crate::error::ResultsError;
use crate::view::Ids;
use crate::{Over, STRIDE};

/// Events up to which they are shown one by one.
const EVENTS: usize = 1500;
/// Lanes; the rest share the last one.
const LANES: usize = 20;
/// Different values of a lane's column that are told apart while counting.
const MOST_VALUES: usize = 10_000;
/// Bins of a lane.
const BINS: u64 = 120;
/// The part of the range that an event covers, and the most levels that are made for those that would cover others.
const EXTENT: f64 = 0.02;
const LEVELS: usize = 6;
/// Characters of labels and of lanes' names.
const TEXT: usize = 120;
/// The most marks on the axis.
const MARKS: i64 = 8;

/// What a timeline shows at first: the first datetime column, and names that such logs give to what happened and where.
pub(crate) fn suggested(columns: &[Column]) -> Option<TimelineSpec> {
    let time = columns.iter().position(|c| c.ty == KustoType::DateTime)?;
    let named = |names: &[&str]| {
        let mut names = names.iter();
        names.find_map(|name| {
            columns
                .iter()
                .position(|c| c.name.eq_ignore_ascii_case(name))
        })
    };
    let text = columns.iter().position(|c| c.ty == KustoType::String);
    let label = named(&[
        "Activity",
        "EventName",
        "OperationName",
        "ActionType",
        "AlertName",
        "Title",
        "CommandLine",
        "ProcessCommandLine",
        "Description",
        "Name",
        "EventID",
    ]);
    let lane = named(&[
        "Computer",
        "DeviceName",
        "Host",
        "HostName",
        "Account",
        "UserPrincipalName",
        "User",
        "Source",
        "Type",
    ]);
    let number = |at: usize| at as u32;
    Some(TimelineSpec {
        time: number(time),
        label: label.or(text).map(number),
        lane: lane.map(number),
        range: None,
    })
}

/// A timeline in the making.
pub(crate) struct Placing {
    ids: Ids,
    spec: TimelineSpec,
    next: usize,
    /// Ticks, row and lane of each event.
    found: Vec<(i64, u32, u32)>,
    lanes: HashMap<String, u32>,
    timeless: u32,
}

impl Placing {
    pub(crate) fn new(data: &Data, ids: Ids, spec: TimelineSpec) -> Result<Self, ResultsError> {
        let (_, time) = data.column(spec.time)?;
        if time.ty != KustoType::DateTime {
            return Err(ResultsError::NoTime(time.name.clone()));
        }
        for column in spec.label.iter().chain(&spec.lane) {
            data.column(*column)?;
        }
        Ok(Self {
            ids,
            spec,
            next: 0,
            found: Vec::new(),
            lanes: HashMap::new(),
            timeless: 0,
        })
    }

    /// Goes on; gives the timeline when all rows were seen.
    pub(crate) fn advance(&mut self, data: &Data, over: Over<'_>) -> Option<Timeline> {
        while self.next < self.ids.len() {
            let end = (self.next + STRIDE).min(self.ids.len());
            for place in self.next..end {
                if let Some(row) = self.ids.at(place) {
                    self.take(data, row);
                }
            }
            self.next = end;
            if over() {
                return None;
            }
        }
        Some(self.finish(data))
    }

    fn take(&mut self, data: &Data, row: u32) {
        let Cell::DateTime(at) = data.cell(row, self.spec.time as usize) else {
            self.timeless += 1;
            return;
        };
        if self
            .spec
            .range
            .is_some_and(|(from, to)| at < from || at > to)
        {
            return;
        }
        let lane = self
            .spec
            .lane
            .map_or_else(String::new, |column| data.text(row, column as usize));
        let next = self.lanes.len() as u32;
        let lane = match self.lanes.get(&lane) {
            Some(known) => *known,
            None if self.lanes.len() >= MOST_VALUES => u32::MAX,
            None => {
                self.lanes.insert(lane, next);
                next
            }
        };
        self.found.push((at, row, lane));
    }

    fn finish(&mut self, data: &Data) -> Timeline {
        self.found.sort_unstable();
        let range = self.spec.range.unwrap_or_else(|| {
            let first = self.found.first().map_or(0, |event| event.0);
            (first, self.found.last().map_or(first, |event| event.0))
        });
        let mut lanes = self.number_lanes();
        let events = if self.found.len() <= EVENTS {
            self.events(data, range, &mut lanes)
        } else {
            self.count(range, &mut lanes);
            Vec::new()
        };
        Timeline {
            range,
            axis: axis(range),
            lanes,
            events,
            total: self.found.len() as u32,
            timeless: self.timeless,
        }
    }

    /// Makes the lanes, the busiest first, and gives every event its place among them.
    fn number_lanes(&mut self) -> Vec<Lane> {
        let mut counts = vec![0_u32; self.lanes.len()];
        for (_, _, lane) in &self.found {
            if let Some(count) = counts.get_mut(*lane as usize) {
                *count += 1;
            }
        }
        let mut order: Vec<(&String, usize)> = self
            .lanes
            .iter()
            .map(|(name, lane)| (name, *lane as usize))
            .collect();
        order.sort_unstable_by(|a, b| counts[b.1].cmp(&counts[a.1]).then(a.0.cmp(b.0)));
        let others = order.len() > LANES || self.found.iter().any(|event| event.2 == u32::MAX);
        let named = if others { LANES - 1 } else { LANES };
        let mut places = vec![named.min(order.len()) as u32; counts.len()];
        let mut lanes: Vec<Lane> = Vec::new();
        for (place, (name, lane)) in order.into_iter().take(named).enumerate() {
            places[lane] = place as u32;
            lanes.push(lane_of(cut(name.clone(), TEXT).0));
        }
        if others {
            lanes.push(lane_of("(others)".to_owned()));
        }
        let last = lanes.len().saturating_sub(1) as u32;
        for (_, _, lane) in &mut self.found {
            *lane = places
                .get(*lane as usize)
                .copied()
                .unwrap_or(last)
                .min(last);
            if let Some(lane) = lanes.get_mut(*lane as usize) {
                lane.count += 1;
            }
        }
        lanes
    }

    fn events(&self, data: &Data, range: (i64, i64), lanes: &mut [Lane]) -> Vec<Event> {
        // Where the last event of each level of each lane is.
        let mut levels: Vec<Vec<f64>> = vec![Vec::new(); lanes.len()];
        let events = self.found.iter().map(|(ticks, row, lane)| {
            let at = fraction(range, *ticks);
            let level = levels
                .get_mut(*lane as usize)
                .map_or(0, |levels| level(levels, at));
            let label = self
                .spec
                .label
                .map_or_else(String::new, |column| data.text(*row, column as usize));
            Event {
                row: *row,
                lane: *lane,
                level,
                at,
                time: format::text(Cell::DateTime(*ticks)),
                label: cut(label, TEXT).0,
            }
        });
        let events = events.collect();
        for (lane, levels) in lanes.iter_mut().zip(&levels) {
            lane.levels = levels.len().max(1) as u32;
        }
        events
    }

    fn count(&self, range: (i64, i64), lanes: &mut [Lane]) {
        let width = range.1.abs_diff(range.0) / BINS + 1;
        for lane in lanes.iter_mut() {
            lane.bins = vec![0; BINS as usize];
        }
        for (ticks, _, lane) in &self.found {
            let bin = (ticks.abs_diff(range.0) / width) as usize;
            let lane = lanes.get_mut(*lane as usize);
            if let Some(count) = lane.and_then(|lane| lane.bins.get_mut(bin)) {
                *count += 1;
            }
        }
    }
}

fn lane_of(name: String) -> Lane {
    Lane {
        name,
        count: 0,
        levels: 1,
        bins: Vec::new(),
    }
}

/// The first level on which an event at `at` covers no other; the last where there is none.
fn level(levels: &mut Vec<f64>, at: f64) -> u32 {
    let free = levels.iter().position(|last| at - last >= EXTENT);
    let level = match free {
        Some(level) => level,
        None if levels.len() < LEVELS => {
            levels.push(at);
            levels.len() - 1
        }
        None => LEVELS - 1,
    };
    if let Some(last) = levels.get_mut(level) {
        *last = at;
    }
    level as u32
}

fn fraction(range: (i64, i64), at: i64) -> f64 {
    let span = range.1.abs_diff(range.0);
    if span == 0 || range.1 < range.0 {
        return 0.5;
    }
    (at.abs_diff(range.0) as f64 / span as f64).clamp(0.0, 1.0)
}

/// Marks at round instants.
fn axis(range: (i64, i64)) -> Vec<(f64, String)> {
    let span = range.1.saturating_sub(range.0);
    if span <= 0 {
        return vec![(
            0.5,
            format::text(Cell::DateTime(ticks::clamp_datetime(range.0.into()))),
        )];
    }
    let step = step(span);
    let first = range.0.div_euclid(step).saturating_mul(step);
    let marks = (0..=MARKS + 1).filter_map(|n| first.checked_add(step.checked_mul(n)?));
    marks
        .filter(|at| (range.0..=range.1).contains(at))
        .map(|at| (fraction(range, at), mark(at, step, span)))
        .collect()
}

/// A round step with at most [`MARKS`] in the span.
fn step(span: i64) -> i64 {
    use ticks::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};
    const STEPS: [i64; 24] = [
        1,
        MILLISECOND,
        10 * MILLISECOND,
        100 * MILLISECOND,
        SECOND,
        2 * SECOND,
        5 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        30 * DAY,
        90 * DAY,
        365 * DAY,
    ];
    let least = span / MARKS + 1;
    let found = STEPS.into_iter().find(|step| *step >= least);
    found.unwrap_or_else(|| (least / (365 * DAY) + 1) * 365 * DAY)
}

/// What stands at a mark: as much of the instant as tells it from its neighbours.
fn mark(at: i64, step: i64, span: i64) -> String {
    let text = format::text(Cell::DateTime(ticks::clamp_datetime(at.into())));
    let (date, time) = text.split_at_checked(10).unwrap_or((&text, ""));
    let time = time.trim_start_matches('T').trim_end_matches('Z');
    let shown = if step >= ticks::MINUTE {
        time.get(..5)
    } else if step >= ticks::SECOND {
        time.get(..8)
    } else {
        Some(time)
    };
    let shown = shown.unwrap_or(time);
    match (step >= ticks::DAY, span >= ticks::DAY) {
        (true, _) => date.to_owned(),
        (false, true) => format!("{} {shown}", date.get(5..).unwrap_or(date)),
        (false, false) => shown.to_owned(),
    }
}
