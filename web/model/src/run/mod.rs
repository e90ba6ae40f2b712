//! The queue of cells to run, and what became of each.
//!
//! The page queues what `Effect::Run` names, asks [`Queue::start`] for the next cell whenever the
//! kernel is free, and reports how it ended. The kernel tells which cells became stale.

mod reply;

use std::collections::{HashMap, HashSet, VecDeque};

pub use reply::{Reply, stale_ids};

use crate::document::{CellKey, Document};
use crate::notebook::Change;

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellState {
    /// It was not run in this session.
    #[default]
    Idle,
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// It ran to its end.
    Done,
    /// It ended with an error.
    Failed,
    /// It was interrupted, or the kernel ended under it.
    Interrupted,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Without an error.
    Ok,
    /// With an error.
    Error,
    /// By an interrupt, a restart or the kernel's death.
    Interrupted,
}

/// What is known of a cell's last run. Times are milliseconds of the caller's clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    state: CellState,
    /// When it began.
    pub started: Option<f64>,
    /// When it ended.
    pub ended: Option<f64>,
    /// Rows of its result, if it was a query's.
    pub rows: Option<u64>,
    /// The name by which its result is kept.
    pub kept: Option<String>,
    /// Whether its text has changed since it ran.
    edited: bool,
}

/// A cell to be sent to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The cell.
    pub key: CellKey,
    /// The id of the request; replies name it as their parent.
    pub request: String,
}

/// The queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    waiting: VecDeque<CellKey>,
    running: Option<Start>,
    /// What the running cell waits for, or how much of it is done.
    progress: Option<String>,
    records: HashMap<CellKey, Record>,
    /// Cells that the kernel says are stale.
    stale: HashSet<CellKey>,
    requests: u64,
    /// Whether the kernel was given a cell since it began.
    used: bool,
}

impl Queue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queues cells, in this order. One that waits already keeps its place; one that runs is run
    /// again.
    pub fn request(&mut self, keys: &[CellKey]) -> Vec<Change> {
        let waiting: HashSet<CellKey> = self.waiting.iter().copied().collect();
        let new: Vec<CellKey> = keys
            .iter()
            .copied()
            .filter(|key| !waiting.contains(key))
            .collect();
        self.waiting.extend(&new);
        self.changed(new)
    }

    /// Takes the next cell, if none runs, at `now` milliseconds. The page sends it to the kernel.
    pub fn start(&mut self, now: f64) -> Option<(Start, Vec<Change>)> {
        if self.running.is_some() {
            return None;
        }
        let key = self.waiting.pop_front()?;
        self.requests += 1;
        self.used = true;
        let start = Start {
            key,
            request: format!("cell-{}", self.requests),
        };
        self.running = Some(start.clone());
        self.progress = None;
        let mut changes = self.set_stale(key, |queue| {
            queue.stale.remove(&key);
            let record = queue.records.entry(key).or_default();
            *record = Record {
                started: Some(now),
                ..Record::default()
            };
        });
        changes.push(Change::RunStateChanged { key });
        Some((start, changes))
    }

    /// What the running cell waits for is so far done, in words.
    pub fn got_on(&mut self, progress: &str) -> Vec<Change> {
        self.progress = Some(progress.to_owned());
        self.changed(self.running_key().into_iter().collect())
    }

    /// The running cell has ended. After anything but success the rest is no longer queued, as in
    /// JupyterLab. A request that is not the running one's changes nothing.
    pub fn finish(&mut self, request: &str, outcome: Outcome, now: f64) -> Vec<Change> {
        let Some(running) = self.running.take_if(|running| running.request == request) else {
            return Vec::new();
        };
        if let Some(record) = self.records.get_mut(&running.key) {
            record.ended = Some(now);
            record.state = match outcome {
                Outcome::Ok => CellState::Done,
                Outcome::Error => CellState::Failed,
                Outcome::Interrupted => CellState::Interrupted,
            };
        }
        let mut changes = self.changed(vec![running.key]);
        if outcome != Outcome::Ok {
            changes.extend(self.clear());
        }
        changes
    }

    /// Takes every waiting cell out of the queue; the running one goes on.
    pub fn clear(&mut self) -> Vec<Change> {
        let waiting = self.waiting.drain(..).collect();
        self.changed(waiting)
    }

    /// The kernel begins anew, or is dead: what runs is interrupted, nothing waits, and no result
    /// is stale or fresh any more.
    pub fn restarted(&mut self, now: f64) -> Vec<Change> {
        let mut changes = match self.running.clone() {
            Some(running) => self.finish(&running.request, Outcome::Interrupted, now),
            None => self.clear(),
        };
        self.used = false;
        let mut keys: Vec<CellKey> = self.records.keys().copied().collect();
        keys.extend(&self.stale);
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            changes.extend(self.set_stale(key, |queue| queue.forget(key)));
            changes.push(Change::RunStateChanged { key });
        }
        changes
    }

    /// Forgets a run that the kernel has forgotten; one that was interrupted is still shown so.
    fn forget(&mut self, key: CellKey) {
        self.stale.remove(&key);
        if let Some(record) = self.records.get_mut(&key) {
            record.edited = false;
            if record.state != CellState::Interrupted {
                *record = Record::default();
            }
        }
    }

    /// Follows what was done to the notebook: deleted cells and those that are no longer code do not
    /// run; those whose text was set are edited. What is typed is told with [`Queue::edited`].
    pub fn follow(&mut self, changes: &[Change]) -> Vec<Change> {
        let mut told = Vec::new();
        for change in changes {
            match change {
                Change::CellRemoved { key } => self.removed(*key),
                Change::KindChanged { key, kind } if !kind.is_code() => self.removed(*key),
                Change::SourceSet { key } => told.extend(self.edited(*key)),
                _ => {}
            }
        }
        told
    }

    /// A cell was deleted: it does not run, and nothing is kept of it. If it runs it runs on.
    fn removed(&mut self, key: CellKey) {
        self.waiting.retain(|other| *other != key);
        self.records.remove(&key);
        self.stale.remove(&key);
    }

    /// A cell's text changed: if it ran, its result is stale.
    pub fn edited(&mut self, key: CellKey) -> Vec<Change> {
        self.set_stale(key, |queue| {
            if let Some(record) = queue.records.get_mut(&key) {
                record.edited = record.started.is_some();
            }
        })
    }

    /// The kernel's list of all stale cells, by id.
    pub fn set_stale_ids(&mut self, document: &Document, ids: &[String]) -> Vec<Change> {
        let now: HashSet<CellKey> = ids.iter().filter_map(|id| document.key_of_id(id)).collect();
        let mut touched: Vec<CellKey> = self.stale.symmetric_difference(&now).copied().collect();
        touched.sort_unstable();
        let before: Vec<bool> = touched.iter().map(|key| self.is_stale(*key)).collect();
        self.stale = now;
        let changed = touched.into_iter().zip(before);
        changed
            .map(|(key, before)| (key, before, self.is_stale(key)))
            .filter(|(_, before, stale)| before != stale)
            .map(|(key, _, stale)| Change::StaleChanged { key, stale })
            .collect()
    }

    fn set_stale(&mut self, key: CellKey, work: impl FnOnce(&mut Self)) -> Vec<Change> {
        let before = self.is_stale(key);
        work(self);
        let stale = self.is_stale(key);
        if stale == before {
            return Vec::new();
        }
        vec![Change::StaleChanged { key, stale }]
    }

    fn changed(&self, keys: Vec<CellKey>) -> Vec<Change> {
        let change = |key| Change::RunStateChanged { key };
        keys.into_iter().map(change).collect()
    }
}

/// Reading.
impl Queue {
    /// Where a cell stands.
    pub fn state(&self, key: CellKey) -> CellState {
        if self.running_key() == Some(key) {
            CellState::Running
        } else if self.waiting.contains(&key) {
            CellState::Queued
        } else {
            self.record(key)
                .map_or(CellState::Idle, |record| record.state)
        }
    }

    /// A cell's last run in this session.
    pub fn record(&self, key: CellKey) -> Option<&Record> {
        self.records.get(&key)
    }

    /// The cell that runs.
    pub fn running_key(&self) -> Option<CellKey> {
        self.running.as_ref().map(|running| running.key)
    }

    /// The cell of the running request, if this is its id.
    pub fn key_of(&self, request: &str) -> Option<CellKey> {
        let running = self.running.as_ref()?;
        (running.request == request).then_some(running.key)
    }

    /// Whether nothing runs or waits.
    pub fn is_empty(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Whether a cell ran or runs since the kernel began: whether a restart forgets anything.
    pub fn has_run(&self) -> bool {
        self.used
    }

    /// How many cells wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What a cell waits for, or how much of it is done, where it is known.
    pub fn progress(&self, key: CellKey) -> Option<&str> {
        let is_its = self.running_key() == Some(key);
        self.progress.as_deref().filter(|_| is_its)
    }

    /// How long a cell ran or has run at `now`, in milliseconds.
    pub fn elapsed(&self, key: CellKey, now: f64) -> Option<f64> {
        let record = self.record(key)?;
        let started = record.started?;
        Some((record.ended.unwrap_or(now) - started).max(0.0))
    }

    /// Whether a cell ran and its inputs or its text have changed since.
    pub fn is_stale(&self, key: CellKey) -> bool {
        self.stale.contains(&key) || self.is_edited(key)
    }

    /// Whether a cell's text has changed since it ran.
    pub fn is_edited(&self, key: CellKey) -> bool {
        self.record(key).is_some_and(|record| record.edited)
    }

    /// The stale cells, from the top: what `Effect::RunStale` runs.
    pub fn stale(&self, document: &Document) -> Vec<CellKey> {
        let keys = document.keys().iter().copied();
        keys.filter(|key| self.is_stale(*key)).collect()
    }
}

#[cfg(test)]
mod tests;
