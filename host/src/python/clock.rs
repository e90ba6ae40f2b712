//! A turn's time limit, and the wishes that other threads have of a turn.
//!
//! [`super::instance`] asks both at every occasion that a turn gives; nothing here touches the
//! guest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::GRACE;

/// How often code that goes on past its limit is interrupted again.
const AGAIN: Duration = Duration::from_millis(250);

/// Why a turn was stopped by the clock.
#[derive(Debug, thiserror::Error)]
#[error("the turn passed its time limit")]
pub struct OutOfTime;

/// What other threads want of the turn that runs.
#[derive(Debug, Default)]
pub struct Signals {
    interrupt: AtomicBool,
    stop: AtomicBool,
    over: AtomicBool,
}

impl Signals {
    /// A turn begins: what was wanted of earlier ones is forgotten.
    pub fn begin(&self) {
        self.interrupt.store(false, Ordering::Relaxed);
        self.stop.store(false, Ordering::Relaxed);
    }

    /// Asks for a `KeyboardInterrupt`.
    pub fn interrupt(&self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }

    /// Takes the interrupt that waits, if there is one.
    pub fn take_interrupt(&self) -> bool {
        self.interrupt.swap(false, Ordering::Relaxed)
    }

    /// Stops the turn, whatever its code does about it.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Says that nobody waits for the guest any more: no turn is to run on, this one or another.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether no one is left to run for.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed)
    }
}

/// The clock of the turn that runs. The time that a turn waits for its answers counts too: it is
/// the cell's.
#[derive(Debug)]
pub struct TurnClock {
    limit: Option<Duration>,
    began: Instant,
    /// When the code was told that the limit is passed, first and last.
    told: Option<(Instant, Instant)>,
}

/// What the clock says of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is to be done.
    InTime,
    /// The limit has just been passed: say so, and interrupt.
    First {
        /// The limit.
        limit: Duration,
    },
    /// Interrupt once more.
    Again,
    /// The time to heed the interrupt is over: stop the turn.
    Over,
}

impl TurnClock {
    /// A clock for turns of at most `limit`.
    pub fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            began: Instant::now(),
            told: None,
        }
    }

    /// A turn begins.
    pub fn begin(&mut self, now: Instant) {
        self.began = now;
        self.told = None;
    }

    /// Where the turn stands. The grace begins when the code is told, so that code which comes
    /// back late from a long call into the kernel still has it.
    pub fn look(&mut self, now: Instant) -> Verdict {
        let Some(limit) = self.limit else {
            return Verdict::InTime;
        };
        match &mut self.told {
            None if now.saturating_duration_since(self.began) <= limit => Verdict::InTime,
            None => {
                self.told = Some((now, now));
                Verdict::First { limit }
            }
            Some((first, _)) if now.saturating_duration_since(*first) > GRACE => Verdict::Over,
            Some((_, last)) if now.saturating_duration_since(*last) >= AGAIN => {
                *last = now;
                Verdict::Again
            }
            Some(_) => Verdict::InTime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_past_its_limit_is_told_told_again_and_stopped() {
        let limit = Duration::from_secs(1);
        let mut clock = TurnClock::new(Some(limit));
        let began = Instant::now();
        clock.begin(began);
        let mut at = |millis| clock.look(began + Duration::from_millis(millis));
        assert_eq!(at(999), Verdict::InTime);
        assert_eq!(at(5000), Verdict::First { limit });
        assert_eq!(at(5010), Verdict::InTime);
        assert_eq!(at(5300), Verdict::Again);
        assert_eq!(at(5310), Verdict::InTime);
        assert_eq!(at(5000 + GRACE.as_millis() as u64), Verdict::Again);
        assert_eq!(at(5001 + GRACE.as_millis() as u64), Verdict::Over);
        clock.begin(began + Duration::from_secs(20));
        assert_eq!(clock.look(began + Duration::from_secs(20)), Verdict::InTime);
    }

    #[test]
    fn without_a_limit_there_is_no_end() {
        let mut clock = TurnClock::new(None);
        let late = Instant::now() + Duration::from_secs(1 << 20);
        assert_eq!(clock.look(late), Verdict::InTime);
    }
}
