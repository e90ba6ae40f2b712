//! What the kernel was told of workspaces, for one that starts in the place of another.

use std::cell::RefCell;
use std::collections::BTreeMap;

use spoor_protocol::{Event, Frame};

/// The last word on each thing.
#[derive(Default)]
pub(super) struct Known {
    workspaces: RefCell<Option<Event>>,
    /// By workspace.
    schemas: RefCell<BTreeMap<String, Event>>,
}

impl Known {
    /// Remembers an event that is of workspaces.
    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Workspaces { .. } => drop(self.workspaces.replace(Some(event.clone()))),
            Event::Schema { workspace, .. } => {
                let mut schemas = self.schemas.borrow_mut();
                schemas.insert(workspace.clone(), event.clone());
            }
            _ => {}
        }
    }

    /// All of it, for a kernel that knows nothing.
    pub(super) fn again(&self) -> Vec<Frame<Event>> {
        let workspaces = self.workspaces.borrow().clone();
        let schemas = self.schemas.borrow();
        let all = workspaces.into_iter().chain(schemas.values().cloned());
        all.map(Frame::new).collect()
    }
}
