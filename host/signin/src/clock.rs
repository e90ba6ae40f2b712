//! Times as seconds since 1970, by this machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Differences between two clocks that mean nothing, in seconds.
pub(crate) const TOLERANCE: i64 = 60;

/// Now.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// How far a server's clock is ahead of this one, in seconds, by its `Date` header: nothing if it is within the tolerance.
pub(crate) fn skew(date: &str) -> Option<i64> {
    let server = httpdate::parse_http_date(date).ok()?;
    let server = server.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let ahead = i64::try_from(server).ok()?.saturating_sub(now());
    Some(if ahead.abs() <= TOLERANCE { 0 } else { ahead })
}
