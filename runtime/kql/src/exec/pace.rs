//! The clock of a slice: scans ask it between batches whether to pause, so that a query gives way without threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Tells the scans of one query when its slice is over.
#[derive(Debug)]
pub(super) struct Pacer {
    start: Instant,
    /// Nanoseconds after `start`; `u64::MAX` where nothing pauses.
    deadline: AtomicU64,
    /// Wakes the driver of the slice, which looks at the clock when it is polled.
    driver: Mutex<Option<Waker>>,
}

impl Pacer {
    /// `pauses` is false where other threads do the work: they need not stop between slices.
    pub(super) fn new(pauses: bool) -> Pacer {
        Pacer {
            start: Instant::now(),
            deadline: AtomicU64::new(if pauses { 0 } else { u64::MAX }),
            driver: Mutex::new(None),
        }
    }

    /// Begins a slice.
    pub(super) fn open(&self, deadline: Instant) {
        let nanos = deadline.saturating_duration_since(self.start).as_nanos();
        self.deadline.store(
            u64::try_from(nanos).unwrap_or(u64::MAX - 1),
            Ordering::Relaxed,
        );
    }

    /// Notes whom to wake when the slice is over.
    pub(super) fn watch(&self, waker: &Waker) {
        if let Ok(mut driver) = self.driver.lock() {
            *driver = Some(waker.clone());
        }
    }

    /// Ready while the slice lasts. When it is over, the caller is polled again in the next one.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let deadline = self.deadline.load(Ordering::Relaxed);
        if deadline == u64::MAX || (self.start.elapsed().as_nanos() as u64) < deadline {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        if let Ok(mut driver) = self.driver.lock()
            && let Some(waker) = driver.take()
        {
            waker.wake();
        }
        Poll::Pending
    }
}
