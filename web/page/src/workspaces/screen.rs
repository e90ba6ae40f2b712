//! What an open notebook asks of workspaces.

use std::rc::Rc;

use super::Query;
use crate::notebook::{Focus, Screen};

impl Screen {
    /// Has a workspace asked for the cell that runs.
    pub(crate) fn fetch(self: &Rc<Self>, query: Query) {
        let app = self.app.clone();
        let weak = Rc::downgrade(self);
        let tell = move |text: &str| {
            if let Some(screen) = weak.upgrade() {
                let changes = screen.queue.borrow_mut().got_on(text);
                screen.patch(changes, Focus::Keep);
            }
        };
        let store = async move { app.store().await };
        self.app.workspaces.fetch(store, &self.session, query, tell);
    }

    /// Nobody waits for what was asked any more.
    pub(crate) fn stop_fetch(self: &Rc<Self>, id: u32) {
        self.app.workspaces.stop(&self.session, id);
    }
}
