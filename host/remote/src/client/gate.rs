//! Where queries wait for their turn.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use spoor_providers::config::Workspace;
use spoor_providers::queue::{Place, Queue, Ticket};

use super::failed::Failed;
use crate::watch::Watch;
use crate::wire::{TICK, wanted};

/// The queue, and a bell for those who wait in it.
#[derive(Debug, Default)]
pub(super) struct Gate {
    queue: Mutex<Queue>,
    moved: Condvar,
}

/// A place in the queue; the next one moves up when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    gate: &'a Gate,
    ticket: Ticket,
}

impl Gate {
    /// Waits for a workspace's turn. `waiting` hears how many come before, whenever that changes.
    pub(super) fn enter(
        &self,
        workspace: &Workspace,
        watch: &dyn Watch,
        waiting: &mut dyn FnMut(usize),
    ) -> Result<Turn<'_>, Failed> {
        let entered = self
            .queue()
            .enter(&workspace.name, workspace.limits.concurrent)
            .ok_or(Failed::Full)?;
        if !entered.admitted.is_empty() {
            self.moved.notify_all();
        }
        let turn = Turn {
            gate: self,
            ticket: entered.ticket,
        };
        let mut told = None;
        while let Some(Place::Waiting { ahead }) = turn.place() {
            wanted(watch)?;
            if told != Some(ahead) {
                waiting(ahead);
                told = Some(ahead);
            }
            turn.rest();
        }
        Ok(turn)
    }

    pub(super) fn load(&self, workspace: &str) -> (usize, usize) {
        self.queue().load(workspace)
    }

    /// A thread that panicked left the queue whole: each change of it is one call.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    fn place(&self) -> Option<Place> {
        self.gate.queue().place(self.ticket)
    }

    /// Waits until somebody left, or it is time to look whether anybody waits.
    fn rest(&self) {
        let queue = self.gate.queue();
        if matches!(queue.place(self.ticket), Some(Place::Waiting { .. })) {
            drop(self.gate.moved.wait_timeout(queue, TICK));
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.gate.queue().leave(self.ticket);
        self.gate.moved.notify_all();
    }
}
