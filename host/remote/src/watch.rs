//! Whether a query is still wanted.

use std::time::Instant;

/// Tells a running query whether it is still wanted. It is asked every 20 ms or so, on the thread that made the call.
pub trait Watch {
    /// Whether nobody waits for the query any more.
    fn is_stopped(&self) -> bool;

    /// When its time is up; `None` leaves that to the workspace's limits.
    fn deadline(&self) -> Option<Instant>;
}

/// A watch that nothing but a deadline ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until(pub Option<Instant>);

impl Watch for Until {
    fn is_stopped(&self) -> bool {
        false
    }

    fn deadline(&self) -> Option<Instant> {
        self.0
    }
}
