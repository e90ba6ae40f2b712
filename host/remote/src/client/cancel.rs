//! Queries that nobody waits for any more, and whose service can be told so.
//!
//! Whoever stopped a query does not wait for that either, so a thread of its own does it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use spoor_providers::config::Workspace;
use spoor_providers::request::{self, Request};

use super::exchange::id;
use crate::watch::Until;
use crate::wire::{Trouble, Wire, run};
use spoor_providers::secret::Secret;

/// How long the service is tried.
const MOST: Duration = Duration::from_secs(5);

/// Threads at once. Beyond that, closing the connection has to do.
const AT_ONCE: usize = 16;

/// The cancellations under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancels(Arc<(Mutex<usize>, Condvar)>);

impl Cancels {
    /// Has the query that was sent as `running` ended, if its service has a request for that.
    pub(super) fn send(
        &self,
        wire: &Arc<Wire>,
        workspace: &Workspace,
        token: Option<&Secret>,
        running: &str,
    ) {
        let request = id().map(|id| request::cancel(workspace, running, &id));
        let Ok(Ok(Some(request))) = request else {
            return;
        };
        if !self.begin() {
            return;
        }
        let (wire, workspace, token) = (wire.clone(), workspace.clone(), token.cloned());
        let under_way = UnderWay(self.clone());
        let told = move || {
            let _under_way = under_way;
            tell(&wire, &workspace, &request, token.as_ref());
        };
        // Without a thread, the count goes back as the closure is dropped.
        let _ = thread::Builder::new().name("cancel".to_owned()).spawn(told);
    }

    /// Waits until none is under way; whether that came to be.
    pub(super) fn settle(&self, most: Duration) -> bool {
        let began = Instant::now();
        let mut count = self.count();
        while *count > 0 {
            let Some(left) = most.checked_sub(began.elapsed()) else {
                return false;
            };
            let waited = self.0.1.wait_timeout(count, left);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn begin(&self) -> bool {
        let mut count = self.count();
        let room = *count < AT_ONCE;
        *count += usize::from(room);
        room
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is counted until it goes.
struct UnderWay(Cancels);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut count = self.0.count();
        *count = count.saturating_sub(1);
        self.0.0.1.notify_all();
    }
}

/// The service may refuse, or be gone: nobody is left to be told.
fn tell(wire: &Wire, workspace: &Workspace, request: &Request, token: Option<&Secret>) {
    let Some(remote) = &workspace.remote else {
        return;
    };
    let asking = async {
        let mut reply = wire.send(&remote.origin, request, token).await?;
        reply.start(1 << 10).await;
        Ok::<(), Trouble>(())
    };
    let _ = run(MOST, &Until(None), asking);
}
