//! The clocks and the randomness that the kernel sees through WASI, in a form that can be kept
//! with a recording and fed back from one.
//!
//! `kernel` gives one to each instance. Live values come from the system; replayed ones from a
//! queue, and a kernel that asks for something else than it was given when it was recorded is
//! told nothing useful and the difference is noted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_core::{TryRng, utils};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// One value that an instance drew from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draw {
    /// The wall clock: time since 1970.
    Wall(Duration),
    /// The monotonic clock, in nanoseconds.
    Monotonic(u64),
    /// Random bytes.
    Random(Vec<u8>),
}

/// A source of draws, shared by the three faces that WASI sees.
#[derive(Debug, Clone)]
pub struct Ambient(Arc<Mutex<Source>>);

#[derive(Debug)]
enum Source {
    /// From the system. `kept` holds what was drawn, if anyone wants it.
    Live {
        start: Instant,
        kept: Option<Vec<Draw>>,
    },
    /// From a recording.
    Replayed {
        draws: VecDeque<Draw>,
        astray: Option<String>,
    },
}

impl Ambient {
    /// The system's clocks and randomness; `keep` them for [`Ambient::take`].
    pub fn live(keep: bool) -> Self {
        let kept = keep.then(Vec::new);
        Self(Arc::new(Mutex::new(Source::Live {
            start: Instant::now(),
            kept,
        })))
    }

    /// Only what [`Ambient::feed`] brings.
    pub fn replayed() -> Self {
        Self(Arc::new(Mutex::new(Source::Replayed {
            draws: VecDeque::new(),
            astray: None,
        })))
    }

    /// What was drawn since the last call. Empty unless live and kept.
    pub fn take(&self) -> Vec<Draw> {
        match &mut *self.source() {
            Source::Live {
                kept: Some(kept), ..
            } => std::mem::take(kept),
            _ => Vec::new(),
        }
    }

    /// Adds draws to come.
    pub fn feed(&self, more: Vec<Draw>) {
        if let Source::Replayed { draws, .. } = &mut *self.source() {
            draws.extend(more);
        }
    }

    /// How the draws since the last call differed from those fed, if they did. Draws left over
    /// count as a difference and are dropped.
    pub fn astray(&self) -> Option<String> {
        let Source::Replayed { draws, astray } = &mut *self.source() else {
            return None;
        };
        let left = std::mem::take(draws).len();
        let unused =
            (left > 0).then(|| format!("{left} recorded clock or random draws were not asked for"));
        astray.take().or(unused)
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws live, or takes the next replayed draw that `fits`.
    fn draw(
        &self,
        what: &str,
        live: impl FnOnce(Instant) -> Draw,
        fits: impl FnOnce(&Draw) -> bool,
    ) -> Option<Draw> {
        match &mut *self.source() {
            Source::Live { start, kept } => {
                let draw = live(*start);
                if let Some(kept) = kept {
                    kept.push(draw.clone());
                }
                Some(draw)
            }
            Source::Replayed { draws, astray } => {
                if draws.front().is_some_and(fits) {
                    return draws.pop_front();
                }
                let instead = draws
                    .front()
                    .map_or("nothing".to_owned(), |d| format!("{d:?}"));
                astray.get_or_insert_with(|| {
                    format!("the kernel asked for {what}; recorded was {instead}")
                });
                None
            }
        }
    }
}

impl HostWallClock for Ambient {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let live = |_| {
            Draw::Wall(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default(),
            )
        };
        match self.draw("the time of day", live, |d| matches!(d, Draw::Wall(_))) {
            Some(Draw::Wall(time)) => time,
            _ => Duration::ZERO,
        }
    }
}

impl HostMonotonicClock for Ambient {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        let live = |start: Instant| {
            Draw::Monotonic(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))
        };
        match self.draw("the monotonic clock", live, |d| {
            matches!(d, Draw::Monotonic(_))
        }) {
            Some(Draw::Monotonic(nanos)) => nanos,
            _ => 0,
        }
    }
}

impl TryRng for Ambient {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let live = |_| {
            let mut bytes = vec![0; out.len()];
            // A system without randomness is not one to go on with in silence, but neither can
            // this call fail: zeros make the kernel's hash seeds predictable and nothing worse.
            let _ = getrandom::fill(&mut bytes);
            Draw::Random(bytes)
        };
        let fits = |d: &Draw| matches!(d, Draw::Random(bytes) if bytes.len() == out.len());
        match self.draw("random bytes", live, fits) {
            Some(Draw::Random(bytes)) => out.copy_from_slice(&bytes),
            _ => out.fill(0),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_kept_comes_back() {
        let live = Ambient::live(true);
        let mut bytes = [0; 7];
        live.clone().try_fill_bytes(&mut bytes).unwrap();
        let (wall, mono) = (HostWallClock::now(&live), HostMonotonicClock::now(&live));
        let replayed = Ambient::replayed();
        replayed.feed(live.take());
        let mut again = [0; 7];
        replayed.clone().try_fill_bytes(&mut again).unwrap();
        assert_eq!(bytes, again);
        assert_eq!(HostWallClock::now(&replayed), wall);
        assert_eq!(HostMonotonicClock::now(&replayed), mono);
        assert_eq!(replayed.astray(), None);
        assert_eq!(live.take(), []);
    }

    #[test]
    fn differences_are_noted_once() {
        let replayed = Ambient::replayed();
        replayed.feed(vec![Draw::Monotonic(1), Draw::Monotonic(2)]);
        HostWallClock::now(&replayed);
        assert!(replayed.astray().unwrap().contains("time of day"));
        assert_eq!(replayed.astray(), None);
        replayed.feed(vec![Draw::Monotonic(3)]);
        assert!(replayed.astray().unwrap().contains("1 recorded"));
    }
}
