//! When to send a request again. Queries change nothing, so that sending one twice costs time, and a part of the service's quota.
//!
//! A service that says when it wants to be asked again is obeyed. Otherwise the wait doubles with each attempt, and a random part
//! of it is left off, so that the sessions that were turned away together do not come back together. Time and randomness are
//! handed in. What answered with rows is never asked again: half of a result may have been shown.

use std::time::{Duration, SystemTime};

use httpdate::HttpDate;

use crate::response::ServiceError;

/// How often and for how long a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Times that it is sent, the first included.
    pub attempts: u32,
    /// What the first wait is drawn from; the next ones from twice as much each.
    pub base: Duration,
    /// The longest wait that nobody asked for.
    pub most: Duration,
    /// From the first attempt on, within which the last one begins.
    pub total: Duration,
}

impl Default for Policy {
    /// Five attempts within two minutes, with waits of about 1, 2, 4 and 8 seconds.
    fn default() -> Self {
        Policy {
            attempts: 5,
            base: Duration::from_secs(1),
            most: Duration::from_secs(30),
            total: Duration::from_secs(120),
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<'a> {
    /// With a status.
    Status {
        /// The status.
        status: u16,
        /// The `Retry-After` header as it came.
        retry_after: Option<&'a str>,
        /// Whether the service says that trying again is no use.
        permanent: Option<bool>,
    },
    /// Without one: no connection, or one that ended.
    Connection {
        /// Whether any byte of an answer had come.
        answered: bool,
    },
}

impl<'a> Failure<'a> {
    /// Of a service's refusal.
    pub fn of(error: &'a ServiceError) -> Self {
        Failure::Status {
            status: error.status,
            retry_after: error.retry_after.as_deref(),
            permanent: error.fault.permanent,
        }
    }
}

/// Where a request stands when an attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Attempts so far, at least 1.
    pub attempts: u32,
    /// Time since the first attempt began.
    pub elapsed: Duration,
    /// The time since 1970, for dates in headers.
    pub now: Duration,
    /// A random number from 0 up to 1.
    pub jitter: f64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it again after this time.
    Wait(Duration),
    /// Show the failure.
    GiveUp(Why),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It would fail again.
    Permanent,
    /// It was sent as often as it may be.
    Attempts,
    /// The wait would end after the time for all attempts.
    Total,
}

impl Policy {
    /// What to do after a failure.
    pub fn decide(&self, failure: Failure<'_>, standing: Standing) -> Decision {
        if !is_passing(failure) {
            return Decision::GiveUp(Why::Permanent);
        }
        if standing.attempts >= self.attempts {
            return Decision::GiveUp(Why::Attempts);
        }
        let asked = match failure {
            Failure::Status { retry_after, .. } => {
                retry_after.and_then(|text| wait_of(text, standing.now))
            }
            Failure::Connection { .. } => None,
        };
        let own = self.backoff(standing);
        let wait = asked.map_or(own, |asked| asked.saturating_add(own.min(self.base)));
        if standing.elapsed.saturating_add(wait) > self.total {
            return Decision::GiveUp(Why::Total);
        }
        Decision::Wait(wait)
    }

    /// Between half of the wait and all of it.
    fn backoff(&self, standing: Standing) -> Duration {
        let doublings = standing.attempts.saturating_sub(1).min(20);
        let whole = self.base.saturating_mul(1 << doublings).min(self.most);
        let jitter = if standing.jitter.is_finite() {
            standing.jitter.clamp(0.0, 1.0)
        } else {
            1.0
        };
        // No clock tells a longer one from this, and its half may be a float.
        whole
            .min(Duration::from_secs(1 << 32))
            .mul_f64(0.5 + jitter / 2.0)
    }
}

/// Whether a failure may have passed by the next attempt.
fn is_passing(failure: Failure<'_>) -> bool {
    match failure {
        Failure::Connection { answered } => !answered,
        Failure::Status {
            permanent: Some(true),
            ..
        } => false,
        // An error of the service's own is as likely a bug that the query meets: it has to say that it passes, or when.
        Failure::Status {
            status: 500,
            permanent,
            retry_after,
        } => permanent == Some(false) || retry_after.is_some(),
        Failure::Status { status, .. } => matches!(status, 408 | 429 | 502..=504),
    }
}

/// What `Retry-After` asks for: seconds, or a date; or Resource Graph's header in its place, which has hours, minutes and seconds
/// as 00:00:05. Dates that have passed ask for nothing.
///
/// Sources: RFC 9110, section 10.2.3; Azure's page on Resource Graph's throttled requests.
pub fn wait_of(text: &str, now: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Some(wait) = clock(text) {
        return Some(wait);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date: HttpDate = text.parse().ok()?;
    let since = SystemTime::from(date)
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some(since.saturating_sub(now))
}

fn clock(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return None;
    };
    let part = |text: &str| {
        let digits = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let seconds = part(hours)? * 3_600 + part(minutes)? * 60 + part(seconds)?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn status(status: u16, retry_after: Option<&str>) -> Failure<'_> {
        Failure::Status {
            status,
            retry_after,
            permanent: None,
        }
    }

    fn standing(attempts: u32, elapsed: u64, jitter: f64) -> Standing {
        // 1994-11-15T08:12:31Z
        let now = Duration::from_secs(784_887_151);
        Standing {
            attempts,
            elapsed: SECOND * elapsed as u32,
            now,
            jitter,
        }
    }

    fn decide(failure: Failure<'_>, standing: Standing) -> Decision {
        Policy::default().decide(failure, standing)
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let at = standing(1, 0, 1.0);
        for passing in [408, 429, 502, 503, 504] {
            assert_eq!(
                decide(status(passing, None), at),
                Decision::Wait(SECOND),
                "{passing}"
            );
        }
        for lasting in [200, 301, 400, 401, 403, 404, 413, 500, 501, 505] {
            assert_eq!(
                decide(status(lasting, None), at),
                Decision::GiveUp(Why::Permanent),
                "{lasting}"
            );
        }
        for (permanent, again) in [(Some(true), false), (Some(false), true), (None, true)] {
            let failure = Failure::Status {
                status: 503,
                retry_after: None,
                permanent,
            };
            assert_eq!(matches!(decide(failure, at), Decision::Wait(_)), again);
        }
        let says_so = Failure::Status {
            status: 500,
            retry_after: None,
            permanent: Some(false),
        };
        assert_eq!(decide(says_so, at), Decision::Wait(SECOND));
        assert_eq!(
            decide(Failure::Connection { answered: false }, at),
            Decision::Wait(SECOND)
        );
        let answered = Failure::Connection { answered: true };
        assert_eq!(decide(answered, at), Decision::GiveUp(Why::Permanent));
    }

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<_> = (1..=5)
            .map(|n| decide(status(503, None), standing(n, 0, 1.0)))
            .collect();
        let seconds = |n: u32| Decision::Wait(SECOND * n);
        assert_eq!(
            waits,
            [
                seconds(1),
                seconds(2),
                seconds(4),
                seconds(8),
                Decision::GiveUp(Why::Attempts)
            ]
        );
        assert_eq!(decide(status(503, None), standing(2, 0, 0.0)), seconds(1));
        let long = Policy {
            attempts: u32::MAX,
            total: SECOND * 1000,
            ..Policy::default()
        };
        assert_eq!(
            long.decide(status(503, None), standing(4_000_000_000, 0, f64::NAN)),
            seconds(30)
        );
        assert_eq!(
            decide(status(503, None), standing(4, 113, 1.0)),
            Decision::GiveUp(Why::Total)
        );
        let endless = Policy {
            base: Duration::MAX,
            most: Duration::MAX,
            ..Policy::default()
        };
        assert_eq!(
            endless.decide(status(503, None), standing(1, 0, 1.0)),
            Decision::GiveUp(Why::Total)
        );
    }

    #[test]
    fn a_service_that_says_when_is_obeyed() {
        let at = standing(1, 0, 1.0);
        let after = |text| decide(status(429, Some(text)), at);
        assert_eq!(after("10"), Decision::Wait(SECOND * 11));
        assert_eq!(after("0"), Decision::Wait(SECOND));
        assert_eq!(
            after("Tue, 15 Nov 1994 08:12:41 GMT"),
            Decision::Wait(SECOND * 11)
        );
        assert_eq!(
            after("Tuesday, 15-Nov-94 08:12:41 GMT"),
            Decision::Wait(SECOND * 11)
        );
        assert_eq!(
            after("Tue, 15 Nov 1994 08:12:21 GMT"),
            Decision::Wait(SECOND)
        );
        assert_eq!(after("soon"), Decision::Wait(SECOND));
        assert_eq!(after("00:00:05"), Decision::Wait(SECOND * 6));
        assert_eq!(after("00:01:05"), Decision::Wait(SECOND * 66));
        assert_eq!(after("1:-1:05"), Decision::Wait(SECOND));
        assert_eq!(after("24:00:00"), Decision::GiveUp(Why::Total));
        assert_eq!(
            decide(status(500, Some("10")), at),
            Decision::Wait(SECOND * 11)
        );
        assert_eq!(after("-5"), Decision::Wait(SECOND));
        assert_eq!(after("3600"), Decision::GiveUp(Why::Total));
        assert_eq!(
            after("99999999999999999999999"),
            Decision::GiveUp(Why::Total)
        );
    }
}
