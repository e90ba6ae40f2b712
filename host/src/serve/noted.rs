//! What callers did, for the audit log. Where there is no door nobody keeps one: a user's own browser is the user.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use spoor_door::{Caller, Door, Need, Outcome, Place, Query, Role, Save};

use super::{Entrance, Shared};

/// The caller, whom the door puts among a request's extensions.
pub type Asking = Option<Extension<Arc<Caller>>>;

/// Somebody whose doings are written down.
pub struct Noted {
    door: Arc<Door>,
    caller: Arc<Caller>,
    begun: Instant,
}

impl Noted {
    /// The caller of a request; `None` without a door.
    pub fn of(shared: &Shared, asking: Asking) -> Option<Self> {
        let (Entrance::Door(door), Some(Extension(caller))) = (&shared.entrance, asking) else {
            return None;
        };
        Some(Self {
            door: door.clone(),
            caller,
            begun: Instant::now(),
        })
    }

    /// Writes down a query that has ended with so many rows, or without a result.
    pub fn query(&self, workspace: &str, text: &str, rows: Option<u64>, stopped: bool) {
        let outcome = match (rows, stopped) {
            (Some(_), _) => Outcome::Done,
            (None, true) => Outcome::Stopped,
            (None, false) => Outcome::Failed,
        };
        let query = Query {
            workspace,
            text,
            rows,
            took: self.begun.elapsed(),
            outcome,
        };
        self.door.audit().query(&self.caller, query);
    }

    /// Writes down a save that gave a version, or was refused.
    pub fn save(&self, notebook: &str, version: Option<&str>) {
        let outcome = if version.is_some() {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        let save = Save {
            notebook,
            version,
            outcome,
        };
        self.door.audit().save(&self.caller, save);
    }
}

/// Whether a notebook may be in the list that a caller is given.
pub fn may_read(asking: Option<&Caller>, notebook: &str) -> bool {
    let need = Need::new(Role::Reader, Place::of_notebook(notebook));
    asking.is_none_or(|caller| caller.may(&need))
}
