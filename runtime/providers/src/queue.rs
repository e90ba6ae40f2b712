//! Who may ask a workspace now, and who waits: so many queries of each workspace at a time, first come, first served.
//!
//! A state machine: drivers tell who comes and who is done, and are told who may begin. Places are shown to those who wait.

use std::collections::{BTreeMap, VecDeque};

/// Stands for one query in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Where a query stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It may run, and counts until it leaves.
    Running,
    /// It waits.
    Waiting {
        /// How many of those that wait come before it.
        ahead: usize,
    },
}

/// The queries of all workspaces.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    next: u64,
    workspaces: BTreeMap<String, Line>,
}

/// The queries of one workspace.
#[derive(Clone, Debug, Default)]
struct Line {
    limit: usize,
    running: Vec<Ticket>,
    waiting: VecDeque<Ticket>,
}

impl Line {
    /// Lets in whoever may.
    fn admit(&mut self) -> Vec<Ticket> {
        let room = self
            .limit
            .saturating_sub(self.running.len())
            .min(self.waiting.len());
        let admitted: Vec<Ticket> = self.waiting.drain(..room).collect();
        self.running.extend(&admitted);
        admitted
    }

    fn remove(&mut self, ticket: Ticket) -> bool {
        let before = self.running.len() + self.waiting.len();
        self.running.retain(|own| *own != ticket);
        self.waiting.retain(|own| *own != ticket);
        self.running.len() + self.waiting.len() < before
    }

    fn place(&self, ticket: Ticket) -> Option<Place> {
        if self.running.contains(&ticket) {
            return Some(Place::Running);
        }
        let ahead = self.waiting.iter().position(|own| *own == ticket)?;
        Some(Place::Waiting { ahead })
    }
}

impl Queue {
    /// A query of a workspace that runs `limit` at a time (at least one) comes. Answers with its ticket and its place.
    pub fn enter(&mut self, workspace: &str, limit: usize) -> (Ticket, Place) {
        let ticket = Ticket(self.next);
        self.next += 1;
        let line = self.workspaces.entry(workspace.to_owned()).or_default();
        line.limit = limit.max(1);
        line.waiting.push_back(ticket);
        // A limit that was raised may let in others before it; they learn it from their place.
        line.admit();
        let ahead = line.waiting.len().saturating_sub(1);
        (
            ticket,
            line.place(ticket).unwrap_or(Place::Waiting { ahead }),
        )
    }

    /// A query is done, was cancelled, or waits no longer. Answers with those that may run now. A ticket that left before is
    /// nobody's.
    pub fn leave(&mut self, ticket: Ticket) -> Vec<Ticket> {
        let found = self
            .workspaces
            .iter_mut()
            .find_map(|(name, line)| line.remove(ticket).then_some((name.clone(), line)));
        let Some((name, line)) = found else {
            return Vec::new();
        };
        let admitted = line.admit();
        if line.running.is_empty() {
            self.workspaces.remove(&name);
        }
        admitted
    }

    /// Where a query stands; `None` once it left.
    pub fn place(&self, ticket: Ticket) -> Option<Place> {
        self.workspaces.values().find_map(|line| line.place(ticket))
    }

    /// How many queries of a workspace run, and how many wait.
    pub fn load(&self, workspace: &str) -> (usize, usize) {
        let line = self.workspaces.get(workspace);
        line.map_or((0, 0), |line| (line.running.len(), line.waiting.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_run_and_the_others_come_in_order() {
        let mut queue = Queue::default();
        let all: Vec<_> = (0..5).map(|_| queue.enter("soc", 2)).collect();
        let places: Vec<Place> = all.iter().map(|(_, place)| *place).collect();
        let waiting = |ahead| Place::Waiting { ahead };
        assert_eq!(
            places,
            [
                Place::Running,
                Place::Running,
                waiting(0),
                waiting(1),
                waiting(2)
            ]
        );
        assert_eq!(queue.enter("other", 1).1, Place::Running);

        let ticket = |at: usize| all[at].0;
        // One that waits gives up, and those behind it move on.
        assert_eq!(queue.leave(ticket(2)), []);
        assert_eq!(queue.place(ticket(3)), Some(waiting(0)));
        assert_eq!(queue.leave(ticket(0)), [ticket(3)]);
        assert_eq!(queue.place(ticket(3)), Some(Place::Running));
        assert_eq!(queue.leave(ticket(0)), []);
        assert_eq!((queue.load("soc"), queue.load("none")), ((2, 1), (0, 0)));
        assert_eq!(queue.leave(ticket(1)), [ticket(4)]);
        assert_eq!(queue.leave(ticket(3)), []);
        assert_eq!(queue.leave(ticket(4)), []);
        assert_eq!((queue.place(ticket(4)), queue.load("soc")), (None, (0, 0)));
    }

    #[test]
    fn a_limit_that_changes_holds_for_those_who_come() {
        let mut queue = Queue::default();
        let (first, _) = queue.enter("soc", 3);
        let (second, _) = queue.enter("soc", 3);
        assert_eq!(queue.enter("soc", 1).1, Place::Waiting { ahead: 0 });
        assert_eq!(queue.leave(first), []);
        assert_eq!(queue.leave(second).len(), 1);
        assert_eq!(queue.enter("none", 0).1, Place::Running);
    }
}
