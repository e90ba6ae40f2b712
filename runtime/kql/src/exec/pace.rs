//! The clock of a slice: streams ask it between batches whether to pause, so that a query gives way without threads.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use futures::{Stream, StreamExt};

/// Tells the streams of one query when its slice is over.
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

    /// Whether there are slices at all.
    fn pauses(&self) -> bool {
        self.deadline.load(Ordering::Relaxed) != u64::MAX
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

/// One stream's turns: it pauses when the slice is over, but never twice without having got on in between, however short
/// slices are.
#[derive(Debug)]
pub(super) struct Turns {
    pacer: Option<Arc<Pacer>>,
    paused: bool,
}

impl Turns {
    /// The turns of a stream of a query.
    pub(super) fn of(context: &TaskContext) -> Turns {
        Turns {
            pacer: context.session_config().get_extension::<Pacer>(),
            paused: false,
        }
    }

    /// Ready when the stream may work. [`Turns::worked`] must follow once it has.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if let Some(pacer) = &self.pacer
            && !self.paused
            && pacer.poll(context).is_pending()
        {
            self.paused = true;
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Notes that the stream has got on, so that it may pause again.
    pub(super) fn worked(&mut self) {
        self.paused = false;
    }

    /// Pauses between two pieces of work, if the slice is over.
    pub(super) async fn pause(&mut self) {
        std::future::poll_fn(|context| self.poll(context)).await;
        self.worked();
    }

    /// The same for work that no row comes out of for long: where there are no slices, it lets whoever drives it see whether
    /// anybody still waits for it.
    pub(super) async fn give_way(&mut self) {
        if self.pacer.as_ref().is_some_and(|pacer| !pacer.pauses()) {
            return tokio::task::yield_now().await;
        }
        self.pause().await;
    }
}

/// Batches that come with a pause between them when the slice is over.
pub(super) fn paced<S>(
    schema: SchemaRef,
    batches: S,
    context: &TaskContext,
) -> SendableRecordBatchStream
where
    S: Stream<Item = Result<RecordBatch>> + Send + Unpin + 'static,
{
    Box::pin(Paced {
        schema,
        batches,
        turns: Turns::of(context),
    })
}

struct Paced<S> {
    schema: SchemaRef,
    batches: S,
    turns: Turns,
}

impl<S: Stream<Item = Result<RecordBatch>> + Unpin> Stream for Paced<S> {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.turns.poll(context).is_pending() {
            return Poll::Pending;
        }
        let given = self.batches.poll_next_unpin(context);
        // Where what is below waits, this poll gave nothing, and the next may get on too.
        if given.is_ready() {
            self.turns.worked();
        }
        given
    }
}

impl<S: Stream<Item = Result<RecordBatch>> + Unpin> RecordBatchStream for Paced<S> {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
