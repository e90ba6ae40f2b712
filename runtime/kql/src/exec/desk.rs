//! Where a running query leaves the calls that the engine cannot make itself, and finds their answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures::channel::oneshot;
use spoor_gate::answer::Answer;

use crate::functions::plugin::PluginCall;

/// What comes of a call: the answer, read and believed, or why there is none.
pub type Called = Result<Answer, String>;

/// The calls of one query.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    /// Calls that nobody has taken yet.
    new: Vec<PluginCall>,
    /// Who waits for each that has no answer.
    waiting: BTreeMap<u64, oneshot::Sender<Called>>,
    /// Who drives the slice, and looks here when it is polled: inputs that run as tasks of their own ask behind its back.
    driver: Option<Waker>,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a call, whose number is set here, and waits for what comes of it.
    pub(super) async fn ask(&self, mut call: PluginCall) -> Called {
        let (answered, answer) = oneshot::channel();
        {
            let mut state = self.state();
            state.last += 1;
            call.number = state.last;
            state.waiting.insert(call.number, answered);
            state.new.push(call);
            if let Some(driver) = state.driver.take() {
                driver.wake();
            }
        }
        let gone = || Err("the call was given up".to_owned());
        answer.await.unwrap_or_else(|_| gone())
    }

    /// Notes whom to wake when a call is left.
    pub(super) fn watch(&self, waker: &Waker) {
        self.state().driver = Some(waker.clone());
    }

    /// The calls that were left since the last time.
    pub(crate) fn take(&self) -> Vec<PluginCall> {
        std::mem::take(&mut self.state().new)
    }

    /// Whether there are calls without an answer. One that its stream has given up is none.
    pub(crate) fn waits(&self) -> bool {
        let mut state = self.state();
        state.waiting.retain(|_, waiting| !waiting.is_canceled());
        !state.waiting.is_empty()
    }

    /// Hands in what came of a call; `false` if nobody waits for it.
    pub(crate) fn answer(&self, number: u64, called: Called) -> bool {
        let waiting = self.state().waiting.remove(&number);
        waiting.is_some_and(|waiting| waiting.send(called).is_ok())
    }
}
