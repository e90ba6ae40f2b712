//! How often somebody may ask.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gcra::{GcraError, GcraState, RateLimit};

use crate::caller::{Caller, Kind};
use crate::peer::counted;
use crate::reply::Refusal;

const MINUTE: Duration = Duration::from_secs(60);

/// After so many requests those who have been silent are forgotten.
const SWEEP: u32 = 4096;

/// Who a request is counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Person(String),
    Machine(String),
    Address(Option<IpAddr>),
}

impl Key {
    /// The caller, or where somebody unknown is.
    pub(crate) fn of(caller: Option<&Caller>, address: Option<IpAddr>) -> Self {
        match caller {
            Some(caller) if caller.kind == Kind::Person => Key::Person(caller.subject.clone()),
            Some(caller) => Key::Machine(caller.subject.clone()),
            None => Key::Address(address.map(counted)),
        }
    }
}

/// Counts requests.
pub(crate) struct Limits {
    rate: RateLimit,
    callers: Mutex<Callers>,
}

#[derive(Default)]
struct Callers {
    counts: HashMap<Key, GcraState>,
    since_sweep: u32,
}

impl Limits {
    /// So many a minute, and as many at once.
    pub(crate) fn new(each_minute: NonZeroU32) -> Self {
        Self {
            rate: RateLimit::new(each_minute.get(), MINUTE),
            callers: Mutex::default(),
        }
    }

    /// Counts a request; how long to wait where it is one too many.
    pub(crate) fn count(&self, key: &Key, now: Instant) -> Result<(), Duration> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.sweep(now);
        let count = callers.counts.entry(key.clone()).or_default();
        match count.check_and_modify_at(&self.rate, now, 1) {
            Ok(()) => Ok(()),
            Err(GcraError::DeniedUntil { next_allowed_at }) => {
                Err(next_allowed_at.saturating_duration_since(now))
            }
            // One request is never more than a minute's.
            Err(GcraError::DeniedIndefinitely { .. }) => Err(MINUTE),
        }
    }
}

impl Callers {
    /// Forgets those whose requests all have been made up for.
    fn sweep(&mut self, now: Instant) {
        self.since_sweep += 1;
        if self.since_sweep >= SWEEP {
            self.since_sweep = 0;
            self.counts
                .retain(|_, count| count.tat.is_some_and(|tat| tat > now));
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limits(..)")
    }
}

/// The answer to one request too many.
pub(crate) fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let refusal = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "these are more requests than one caller may send in a minute",
    )
    .with("seconds", seconds)
    .hint("wait, and ask less often; the `limits` of the access file say how often");
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_rate_of_its_own() {
        let limits = Limits::new(NonZeroU32::new(3).unwrap());
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let anna = Key::Person("anna".into());
        let count = |key: &Key, seconds| limits.count(key, after(seconds));
        for _ in 0..3 {
            assert_eq!(count(&anna, 0), Ok(()));
        }
        assert_eq!(count(&anna, 0), Err(Duration::from_secs(20)));
        assert_eq!(count(&Key::Machine("anna".into()), 0), Ok(()));
        assert_eq!(count(&Key::Address(None), 0), Ok(()));
        assert_eq!(count(&anna, 20), Ok(()));
        assert_eq!(count(&anna, 21), Err(Duration::from_secs(19)));
    }

    #[test]
    fn the_silent_are_forgotten() {
        let limits = Limits::new(NonZeroU32::new(60).unwrap());
        let now = Instant::now();
        for at in 0..SWEEP + 10 {
            let seconds = Duration::from_secs(u64::from(at));
            assert_eq!(
                limits.count(&Key::Person(at.to_string()), now + seconds),
                Ok(())
            );
        }
        let callers = limits.callers.lock().unwrap();
        assert!(callers.counts.len() < 20, "{}", callers.counts.len());
    }
}
