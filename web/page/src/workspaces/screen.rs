//! What an open notebook asks of workspaces.

use std::rc::Rc;

use super::{Query, Shows, open_settings};
use crate::notebook::{Focus, Screen};
use crate::toast;

impl Screen {
    /// Has a workspace asked for the cell that runs.
    pub(crate) fn fetch(self: &Rc<Self>, query: Query) {
        let app = self.app.clone();
        let weak = Rc::downgrade(self);
        let wait = move |text: &str| {
            if let Some(screen) = weak.upgrade() {
                let changes = screen.queue.borrow_mut().got_on(text);
                screen.patch(changes, Focus::Keep);
            }
        };
        let weak = Rc::downgrade(self);
        let sign_in = move || {
            if let Some(screen) = weak.upgrade() {
                screen.offer_sign_in();
            }
        };
        let shows = Shows {
            wait: Box::new(wait),
            sign_in: Box::new(sign_in),
        };
        let store = async move { app.store().await };
        self.app
            .workspaces
            .fetch(store, &self.session, query, shows);
    }

    /// Offers to sign in, which a cell wants.
    pub(crate) fn offer_sign_in(&self) {
        let app = self.app.clone();
        let open = Box::new(move || open_settings(&app));
        toast::ask("The cell needs you to sign in.", ("Sign in", open));
    }

    /// Nobody waits for what was asked any more.
    pub(crate) fn stop_fetch(self: &Rc<Self>, id: u32) {
        self.app.workspaces.stop(&self.session, id);
    }
}
