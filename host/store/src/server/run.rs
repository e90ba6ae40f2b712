//! One query, from waiting for its turn to the last piece of its answer.
//!
//! The engine works on a thread that may block. It learns by [`Ticket`]s whether it is still wanted: a client that goes away takes its
//! ticket along, and `.cancel query` finds tickets by the client's name for the request.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::Store;
use crate::engine::{Answer, Asked, Engine, Fault, Problem, Stop};
use crate::pieces::Pieces;

/// Pieces that wait for a slow client.
const WAITING: usize = 4;

/// What is running, and how much more may.
pub(super) struct Queue {
    room: Arc<Semaphore>,
    running: Arc<Mutex<Running>>,
}

/// The flags of what runs, by the clients' names for it.
type Running = BTreeMap<String, Vec<Arc<Flags>>>;

/// Why a query may have to stop.
#[derive(Debug, Default)]
struct Flags {
    gone: AtomicBool,
    cancelled: AtomicBool,
    /// Wakes it where it waits for its turn.
    woken: Notify,
}

/// A query that somebody waits for, as long as this lives.
struct Ticket {
    name: String,
    flags: Arc<Flags>,
    running: Arc<Mutex<Running>>,
}

/// What to run.
pub(super) struct Job {
    /// KQL.
    pub(super) text: String,
    /// From when to when: see [`Asked`].
    pub(super) between: Option<(i64, i64)>,
    /// How long it may take.
    pub(super) time: Duration,
    /// The client's name for it.
    pub(super) name: String,
}

/// What came of it.
pub(super) struct Done<T> {
    pub(super) answer: T,
    /// What it took, in seconds.
    pub(super) seconds: f64,
    /// Held until the answer is sent, as its rows are in memory until then.
    pub(super) room: OwnedSemaphorePermit,
}

impl Queue {
    /// For so many at once.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(at_once)),
            running: Arc::default(),
        }
    }

    /// Stops what clients call by this name; `false` if there is no such thing.
    pub(super) fn cancel(&self, name: &str) -> bool {
        let running = lock(&self.running);
        let found = running.get(name);
        for flags in found.into_iter().flatten() {
            flags.cancelled.store(true, Ordering::Relaxed);
            flags.woken.notify_one();
        }
        found.is_some()
    }

    fn ticket(&self, name: &str) -> Ticket {
        let flags = Arc::new(Flags::default());
        let mut running = lock(&self.running);
        running
            .entry(name.to_owned())
            .or_default()
            .push(flags.clone());
        Ticket {
            name: name.to_owned(),
            flags,
            running: self.running.clone(),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.flags.gone.store(true, Ordering::Relaxed);
        let mut running = lock(&self.running);
        if let Some(own) = running.get_mut(&self.name) {
            own.retain(|flags| !Arc::ptr_eq(flags, &self.flags));
            if own.is_empty() {
                running.remove(&self.name);
            }
        }
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flags {
    fn stop(&self, end: Instant) -> Option<Stop> {
        if self.gone.load(Ordering::Relaxed) {
            Some(Stop::Gone)
        } else if self.cancelled.load(Ordering::Relaxed) {
            Some(Stop::Cancelled)
        } else {
            (Instant::now() >= end).then_some(Stop::TimeUp)
        }
    }
}

/// Runs a query.
pub(super) async fn query(store: &Store, job: Job) -> Result<Done<Answer>, Problem> {
    let (text, between) = (job.text, job.between);
    work(store, &job.name, job.time, move |engine, stop| {
        let text = &text;
        engine.run(&Asked { text, between }, stop)
    })
    .await
}

/// Has the engine do something, on a thread that may block, when it is its turn.
pub(super) async fn work<T: Send + 'static>(
    store: &Store,
    name: &str,
    time: Duration,
    work: impl FnOnce(&dyn Engine, &dyn Fn() -> Option<Stop>) -> Result<T, Problem> + Send + 'static,
) -> Result<Done<T>, Problem> {
    let begun = Instant::now();
    let end = begun + time;
    // Dropped with this future, which is dropped when the client goes away.
    let ticket = store.queue.ticket(name);
    let room = store.queue.room.clone().acquire_owned();
    let ended = |stop, told: &str| Problem::new(Fault::Stopped(stop), told);
    let room = tokio::select! {
        room = tokio::time::timeout_at(end.into(), room) => room,
        () = ticket.flags.woken.notified() => {
            return Err(ended(Stop::Cancelled, "the query was cancelled before its turn"));
        }
    };
    let late = |_| ended(Stop::TimeUp, "the query waited too long for its turn");
    let room = room.map_err(late)?.map_err(|e| broken(&e))?;
    let (engine, flags) = (store.engine.clone(), ticket.flags.clone());
    let running = tokio::task::spawn_blocking(move || {
        let done = work(engine.as_ref(), &|| flags.stop(end));
        (done, room)
    });
    let (done, room) = running.await.map_err(|e| broken(&e))?;
    Ok(Done {
        answer: done?,
        seconds: begun.elapsed().as_secs_f64(),
        room,
    })
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        Fault::Broken,
        format!("an internal error of spoor: {error}"),
    )
}

/// Sends pieces as the client takes them, within `time`. What is broken off ends as such.
pub(super) fn send(pieces: Pieces, room: OwnedSemaphorePermit, time: Duration) -> Response {
    let (client, parts) = mpsc::channel(WAITING);
    let sending = tokio::spawn(async move {
        let _room = room;
        let end = Instant::now() + time;
        pour(pieces, &client, end).await
    });
    body(parts, sending)
}

/// Hands pieces to a client that may be slow; `false` when it has gone, or took too long.
pub(super) async fn pour(pieces: Pieces, client: &mpsc::Sender<String>, end: Instant) -> bool {
    for piece in pieces {
        let sent = tokio::time::timeout_at(end.into(), client.send(piece)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return false;
        }
    }
    true
}

/// An answer of JSON, as its parts come. Unless `sending` ends with `true` it ends as one that was broken off.
pub(super) fn body(parts: mpsc::Receiver<String>, sending: JoinHandle<bool>) -> Response {
    let end = tokio_stream::once(sending)
        .then(|sending| sending)
        .filter_map(|whole| match whole {
            Ok(true) => None,
            _ => Some(Err(io::Error::other("the answer was broken off"))),
        });
    let stream = ReceiverStream::new(parts).map(Ok).chain(end);
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (kind, Body::from_stream(stream)).into_response()
}
