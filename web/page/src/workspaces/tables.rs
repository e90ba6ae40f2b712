//! The tables of workspaces, of which sessions are told, so that queries are completed.

use std::rc::Rc;

use spoor_protocol::Event;
use wasm_bindgen_futures::spawn_local;

use super::{Table, Workspaces};
use crate::session::Session;

/// What is known of a workspace's tables.
pub(super) enum Schema {
    /// They are asked for, by these sessions.
    Asked(Vec<Rc<Session>>),
    Known(Rc<Vec<Table>>),
}

impl Workspaces {
    /// Tells a session a workspace's tables. They are asked for once, and nobody is asked to sign in for it: where that fails, they
    /// are asked for again after the next answer of the workspace.
    pub(crate) fn tell_tables(self: &Rc<Self>, session: &Rc<Session>, workspace: &str) {
        match self.schemas.borrow_mut().get_mut(workspace) {
            Some(Schema::Known(tables)) => return tell(session, workspace, tables),
            Some(Schema::Asked(waiting)) => return waiting.push(session.clone()),
            None => {}
        }
        let asked = Schema::Asked(vec![session.clone()]);
        self.schemas
            .borrow_mut()
            .insert(workspace.to_owned(), asked);
        let (own, workspace) = (self.clone(), workspace.to_owned());
        spawn_local(async move {
            let tables = own.schema(&workspace).await;
            let waiting = own.schemas.borrow_mut().remove(&workspace);
            // A configuration that came meanwhile has other workspaces.
            let (Ok(tables), Some(Schema::Asked(waiting))) = (tables, waiting) else {
                return;
            };
            let tables = Rc::new(tables);
            for session in waiting {
                tell(&session, &workspace, &tables);
            }
            let known = Schema::Known(tables);
            own.schemas.borrow_mut().insert(workspace, known);
        });
    }
}

fn tell(session: &Session, workspace: &str, tables: &[Table]) {
    session.request(Event::Schema {
        workspace: workspace.to_owned(),
        tables: tables.to_vec(),
    });
}
