//! The week that the telemetry covers, in microseconds since 1970.

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
pub(crate) type Micros = i64;

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MINUTE: Micros = 60 * SECOND;
pub(crate) const HOUR: Micros = 60 * MINUTE;
pub(crate) const DAY: Micros = 24 * HOUR;

/// Monday, 2026-03-02T00:00:00Z: the first instant.
pub(crate) const START: Micros = 1_772_409_600 * SECOND;

/// How many days there are; the last is Sunday, 2026-03-08.
pub(crate) const DAYS: u64 = 7;

/// The first instant after the week.
pub(crate) const END: Micros = START + DAYS as i64 * DAY;

/// An instant of the week: day 0 is Monday.
pub(crate) const fn at(day: i64, hour: i64, minute: i64, second: i64) -> Micros {
    START + day * DAY + hour * HOUR + minute * MINUTE + second * SECOND
}

/// Whether a day of the week is Saturday or Sunday.
pub(crate) const fn is_weekend(day: u64) -> bool {
    day >= 5
}
