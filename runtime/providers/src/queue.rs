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

/// What came of a query that entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Stands for it from now on.
    pub ticket: Ticket,
    /// Where it stands.
    pub place: Place,
    /// All that may run now and could not before, this one among them if it may.
    pub admitted: Vec<Ticket>,
}

/// Queries of one workspace that wait: a person's notebooks have fewer.
const MOST_WAITING: usize = 1_000;

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
    /// A query of a workspace that runs `limit` at a time (at least one) comes; `None` where as many wait as may. A limit that was
    /// raised may let in others before it.
    pub fn enter(&mut self, workspace: &str, limit: usize) -> Option<Entered> {
        let line = self.workspaces.entry(workspace.to_owned()).or_default();
        line.limit = limit.max(1);
        if line.waiting.len() >= MOST_WAITING {
            return None;
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        line.waiting.push_back(ticket);
        let admitted = line.admit();
        let ahead = line.waiting.len().saturating_sub(1);
        Some(Entered {
            ticket,
            place: line.place(ticket).unwrap_or(Place::Waiting { ahead }),
            admitted,
        })
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn so_many_run_and_the_others_come_in_order() {
        let mut queue = Queue::default();
        let all: Vec<_> = (0..5).map(|_| queue.enter("soc", 2).unwrap()).collect();
        let places: Vec<Place> = all.iter().map(|entered| entered.place).collect();
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
        assert_eq!(queue.enter("other", 1).unwrap().place, Place::Running);

        let ticket = |at: usize| all[at].ticket;
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
        let first = queue.enter("soc", 3).unwrap().ticket;
        let second = queue.enter("soc", 3).unwrap().ticket;
        let third = queue.enter("soc", 1).unwrap();
        assert_eq!(third.place, Place::Waiting { ahead: 0 });
        assert_eq!(queue.leave(first), []);
        assert_eq!(queue.leave(second), [third.ticket]);
        assert_eq!(queue.enter("none", 0).unwrap().place, Place::Running);
    }

    #[test]
    fn a_limit_that_rises_lets_in_those_who_wait() {
        let mut queue = Queue::default();
        let all: Vec<_> = (0..3).map(|_| queue.enter("soc", 1).unwrap()).collect();
        assert_eq!(all[0].admitted, [all[0].ticket]);
        assert_eq!(all[2].admitted, []);
        let last = queue.enter("soc", 4).unwrap();
        assert_eq!(last.place, Place::Running);
        assert_eq!(last.admitted, [all[1].ticket, all[2].ticket, last.ticket]);
    }

    #[test]
    fn only_so_many_wait() {
        let mut queue = Queue::default();
        let first = queue.enter("soc", 1).unwrap().ticket;
        for _ in 0..MOST_WAITING {
            assert!(queue.enter("soc", 1).is_some());
        }
        assert_eq!(queue.enter("soc", 1), None);
        queue.leave(first);
        assert!(queue.enter("soc", 1).is_some());
    }
}
