//! Where queries wait for their turn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use spoor_providers::config::Workspace;
use spoor_providers::queue::{Place, Queue, Ticket};

use crate::trouble::Failed;

/// The queue, and a bell for each of those who wait in it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    queue: RefCell<Queue>,
    bells: RefCell<HashMap<Ticket, UnboundedSender<()>>>,
}

/// A place in the queue; the next one moves up when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Rc<Gate>,
    ticket: Ticket,
    bell: UnboundedReceiver<()>,
}

impl Gate {
    /// Waits for a workspace's turn. `waiting` hears how many come before, whenever that changes.
    pub(crate) async fn enter(
        self: &Rc<Self>,
        workspace: &Workspace,
        mut waiting: impl FnMut(usize),
    ) -> Result<Turn, Failed> {
        let entered = self
            .queue
            .borrow_mut()
            .enter(&workspace.name, workspace.limits.concurrent)
            .ok_or(Failed::Full)?;
        let (rings, bell) = unbounded();
        self.bells.borrow_mut().insert(entered.ticket, rings);
        let mut turn = Turn {
            gate: self.clone(),
            ticket: entered.ticket,
            bell,
        };
        // A limit that was raised may have let in others.
        self.ring();
        let mut told = None;
        while let Some(Place::Waiting { ahead }) = turn.place() {
            if told != Some(ahead) {
                waiting(ahead);
                told = Some(ahead);
            }
            turn.bell.next().await;
        }
        Ok(turn)
    }

    /// Has everybody look where they stand.
    fn ring(&self) {
        for bell in self.bells.borrow().values() {
            // Whoever is gone left the queue, or is about to.
            let _ = bell.unbounded_send(());
        }
    }
}

impl Turn {
    fn place(&self) -> Option<Place> {
        self.gate.queue.borrow().place(self.ticket)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.gate.bells.borrow_mut().remove(&self.ticket);
        self.gate.queue.borrow_mut().leave(self.ticket);
        self.gate.ring();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::FutureExt;
    use spoor_providers::config::Workspaces;

    use super::*;

    fn workspace() -> Workspace {
        let text = "[workspaces.lab]\nkind = 'spoor'\nendpoint = 'https://lab.example'\nlimits = { concurrent = 1 }";
        let workspaces = Workspaces::read(text).unwrap();
        workspaces.get("lab").unwrap().clone()
    }

    #[test]
    fn the_next_one_enters_when_one_leaves_and_those_behind_hear_of_it() {
        let (gate, workspace) = (Rc::new(Gate::default()), workspace());
        let first = gate
            .enter(&workspace, |_| panic!("nobody is before it"))
            .now_or_never()
            .unwrap()
            .unwrap();
        let (second_heard, third_heard) = (RefCell::default(), RefCell::default());
        let heard = |list: &RefCell<Vec<usize>>, ahead| list.borrow_mut().push(ahead);
        let mut second = Box::pin(gate.enter(&workspace, |ahead| heard(&second_heard, ahead)));
        let mut third = Box::pin(gate.enter(&workspace, |ahead| heard(&third_heard, ahead)));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        let second = second.now_or_never().unwrap().unwrap();
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(*second_heard.borrow(), [0]);
        assert_eq!(*third_heard.borrow(), [1, 0]);
        drop(second);
        assert!(third.now_or_never().unwrap().is_ok());
    }

    #[test]
    fn one_that_is_stopped_while_it_waits_leaves() {
        let (gate, workspace) = (Rc::new(Gate::default()), workspace());
        let first = gate
            .enter(&workspace, |_| {})
            .now_or_never()
            .unwrap()
            .unwrap();
        let mut second = Box::pin(gate.enter(&workspace, |_| {}));
        assert!(second.as_mut().now_or_never().is_none());
        drop(second);
        drop(first);
        assert!(gate.enter(&workspace, |_| {}).now_or_never().is_some());
        assert!(gate.bells.borrow().is_empty());
    }
}
