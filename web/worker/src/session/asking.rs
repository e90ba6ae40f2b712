//! Workspaces that the page asks: it has the people who sign in, and the worker that holds no guest.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::Uint8Array;
use spoor_messages::FromWorker;
use spoor_protocol::{FetchError, Told};

use super::Session;
use super::fetch::{Fetch, Streams};

/// What the page answers.
pub(super) type Answer = Result<Streams, FetchError>;

/// Queries that the page carries out.
#[derive(Default)]
pub(super) struct Asking {
    last: Cell<u32>,
    waiting: RefCell<HashMap<u32, oneshot::Sender<Option<Answer>>>>,
}

impl Asking {
    /// Takes the page's answer to a query; none where it does not know the workspace.
    pub(super) fn answered(
        &self,
        id: u32,
        told: Option<String>,
        error: Option<FetchError>,
        streams: Vec<Uint8Array>,
    ) {
        let waiting = self.waiting.borrow_mut().remove(&id);
        let answer = match (error, told) {
            (Some(error), _) => Some(Err(error)),
            (None, Some(told)) => Some(read(&told).map(|told| (streams, told))),
            (None, None) => None,
        };
        if let Some(waiting) = waiting {
            // Nobody waits for one that was stopped.
            let _ = waiting.send(answer);
        }
    }
}

fn read(told: &str) -> Result<Told, FetchError> {
    let broken = |error| FetchError::new(format!("the page's answer does not read: {error}"));
    serde_json::from_str(told).map_err(broken)
}

/// A query under way; the page is told to stop it where it is dropped before its answer.
struct UnderWay {
    session: Rc<Session>,
    id: u32,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let asking = &self.session.asking;
        if asking.waiting.borrow_mut().remove(&self.id).is_some() {
            self.session.send(&FromWorker::StopFetch { id: self.id });
        }
    }
}

impl Session {
    /// The answer of a workspace that the page knows; none of one that it does not.
    pub(super) async fn ask_page(
        self: &Rc<Self>,
        workspace: &str,
        wanted: &Fetch,
    ) -> Option<Answer> {
        let id = self.asking.last.get() + 1;
        self.asking.last.set(id);
        let (sender, answer) = oneshot::channel();
        self.asking.waiting.borrow_mut().insert(id, sender);
        let _under_way = UnderWay {
            session: self.clone(),
            id,
        };
        self.send(&FromWorker::Fetch {
            id,
            workspace: workspace.to_owned(),
            query: wanted.query.clone(),
            timespan: wanted.timespan.clone(),
        });
        answer.await.ok().flatten()
    }
}
