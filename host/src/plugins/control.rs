//! What the caller and a running call have to say to each other: stop, a line, how far it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a plugin says while it runs, by capabilities that it was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line of text without control characters, at most 4 KiB.
    Log(String),
    /// How much of the call is done: 0 to 1000.
    Progress(u16),
}

/// The time that a plugin with the capability `time` is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// Always the same, in nanoseconds since the Unix epoch: for checks.
    Still(i64),
}

impl Clock {
    pub(super) fn now(self) -> i64 {
        match self {
            Clock::Still(time) => time,
            Clock::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_nanos()).ok())
                .unwrap_or(0),
        }
    }
}

/// A handle on calls: clones are of the same. Given to [`Plugin::call`](super::Plugin::call).
#[derive(Clone)]
pub struct Control {
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) unwanted: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    pub(super) hear: Arc<dyn Fn(Heard) + Send + Sync>,
    /// The time that plugins are told.
    pub clock: Clock,
}

impl Control {
    /// A handle whose calls tell `hear` what they have to say, on the thread that runs them.
    pub fn new(hear: impl Fn(Heard) + Send + Sync + 'static) -> Self {
        Control {
            cancelled: Arc::default(),
            unwanted: None,
            hear: Arc::new(hear),
            clock: Clock::System,
        }
    }

    /// Ends the calls that run with this handle, within some tens of milliseconds, and those that begin. From any thread.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The handle with a further reason to end its calls, which is asked while one runs.
    pub fn until(mut self, unwanted: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.unwanted = Some(Arc::new(unwanted));
        self
    }

    /// Whether [`Control::cancel`] was called, or there is another reason to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
            || self.unwanted.as_ref().is_some_and(|unwanted| unwanted())
    }

    pub(super) fn hear(&self, heard: Heard) {
        (self.hear)(heard);
    }
}

impl Default for Control {
    /// A handle that hears nothing.
    fn default() -> Self {
        Control::new(|_| {})
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
