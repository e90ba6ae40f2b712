//! A guest for a session: on a thread of its own, with a stack that CPython's recursion needs,
//! answered by whoever called for the turn.
//!
//! `host`'s session calls this. Requests cross to the caller's thread and back, so a [`Door`]
//! needs to be neither `Send` nor `'static`.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use spoor_protocol::Outcome;

use super::clock::Signals;
use super::instance::{Ask, Guest};
use super::wasi::Output;
use super::{Door, Limits, Mount};
use crate::engine::THREAD_STACK;
use crate::error::Error;

pub use super::instance::Interpreter;

/// How many of the guest's events may wait to be taken. A guest that writes faster than it is
/// read waits; a turn's caller takes all of them to the turn's end, so it never waits for good.
const WAITING: usize = 16;

/// One session's Python.
pub struct PythonGuest {
    turns: Option<Sender<String>>,
    answers: Option<Sender<Result<Vec<u8>, Error>>>,
    events: Receiver<FromGuest>,
    interrupter: Interrupter,
    thread: Option<JoinHandle<()>>,
}

/// What the guest's thread tells the caller's.
enum FromGuest {
    Started(Result<(), Error>),
    Asked(Vec<u8>),
    Wrote(u8, Vec<u8>),
    Ended(Outcome),
}

/// Stops a turn from any thread.
#[derive(Debug, Clone)]
pub struct Interrupter {
    signals: Arc<Signals>,
}

impl Interrupter {
    /// Makes the code that runs raise `KeyboardInterrupt` within some tens of milliseconds. A
    /// call into C (a large sort, say) is interrupted when it comes back to Python. Without a
    /// turn this does nothing.
    pub fn interrupt(&self) {
        self.signals.interrupt();
    }

    /// Stops the turn that runs, whatever its code does about it; it is rolled back. For a turn
    /// that has lost whom it runs for.
    pub fn stop(&self) {
        self.signals.stop();
    }
}

impl PythonGuest {
    /// Starts a guest as the image has it. `mounts` come beside the guest's own folders.
    pub fn start(
        interpreter: &Arc<Interpreter>,
        limits: Limits,
        mounts: &[Mount],
    ) -> Result<Self, Error> {
        let (turns, turns_in) = channel::<String>();
        let (answers, answers_in) = channel();
        let (events_out, events) = sync_channel(WAITING);
        let signals = Arc::new(Signals::default());
        let (interpreter, mounts, wishes) = (interpreter.clone(), mounts.to_vec(), signals.clone());
        let thread = thread::Builder::new()
            .name("spoor-python".into())
            .stack_size(THREAD_STACK)
            .spawn(move || {
                let made = Guest::new(
                    interpreter,
                    limits,
                    &mounts,
                    asker(events_out.clone(), answers_in),
                    writer(events_out.clone()),
                    wishes,
                );
                serve(made, &turns_in, &events_out);
            })
            .map_err(|e| Error::Engine(format!("no thread for the Python guest: {e}")))?;
        let guest = Self {
            turns: Some(turns),
            answers: Some(answers),
            events,
            interrupter: Interrupter { signals },
            thread: Some(thread),
        };
        match guest.events.recv() {
            Ok(FromGuest::Started(made)) => made.map(|()| guest),
            _ => Err(Error::Engine(
                "the Python guest's thread ended at once".into(),
            )),
        }
    }

    /// Runs one turn: `source` is a line of Python, what it asks goes to `door`. Returns when
    /// the turn has ended; a turn that ended badly has been rolled back.
    pub fn turn(&mut self, source: &str, door: &mut dyn Door) -> Outcome {
        self.interrupter.signals.begin();
        if self
            .turns
            .as_ref()
            .is_none_or(|turns| turns.send(source.to_owned()).is_err())
        {
            return gone();
        }
        loop {
            match self.events.recv() {
                Ok(FromGuest::Asked(request)) => {
                    let answer = door.call(&request);
                    let taken = self
                        .answers
                        .as_ref()
                        .is_some_and(|answers| answers.send(answer).is_ok());
                    if !taken {
                        return gone();
                    }
                }
                Ok(FromGuest::Wrote(fd, bytes)) => door.output(fd, &bytes),
                Ok(FromGuest::Ended(outcome)) => return outcome,
                Ok(FromGuest::Started(_)) => {}
                Err(_) => return gone(),
            }
        }
    }

    /// What stops a turn from another thread.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }
}

impl Drop for PythonGuest {
    fn drop(&mut self) {
        // The thread ends when there can be no more turns. One that runs, because whoever called
        // for it panicked, gets no answer, and nobody takes what it says.
        self.interrupter.signals.end();
        self.turns = None;
        self.answers = None;
        self.events = sync_channel(0).1;
        if let Some(thread) = self.thread.take() {
            // A panic on it has been reported as a turn that is gone.
            let _ = thread.join();
        }
    }
}

fn gone() -> Outcome {
    Outcome::Unavailable {
        message: "Python has ended; restart the session".into(),
    }
}

/// The guest's thread: a turn at a time until the session is dropped.
fn serve(made: Result<Guest, Error>, turns: &Receiver<String>, events: &SyncSender<FromGuest>) {
    let mut guest = match made {
        Ok(guest) => guest,
        Err(error) => {
            let _ = events.send(FromGuest::Started(Err(error)));
            return;
        }
    };
    let mut told = events.send(FromGuest::Started(Ok(())));
    while told.is_ok() {
        let Ok(source) = turns.recv() else { return };
        let outcome = guest.turn(&source);
        let good = outcome == Outcome::Returned;
        told = events.send(FromGuest::Ended(outcome));
        if good {
            // The caller goes on meanwhile.
            guest.settle();
        }
    }
}

fn asker(events: SyncSender<FromGuest>, answers: Receiver<Result<Vec<u8>, Error>>) -> Ask {
    let left = || Error::Engine("the session has ended".into());
    Box::new(move |request| {
        events.send(FromGuest::Asked(request)).map_err(|_| left())?;
        answers.recv().map_err(|_| left())?
    })
}

fn writer(events: SyncSender<FromGuest>) -> Output {
    Arc::new(move |fd, bytes| {
        // Without a session nobody reads it.
        let _ = events.send(FromGuest::Wrote(fd, bytes.to_vec()));
    })
}
