//! Datetimes of time zones. The zones are the IANA database's, which Arrow brings along for timestamps.

use arrow::array::timezone::Tz;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::function_table;
use super::udf::{Body, Out};

/// Ticks of 100 ns from 0001-01-01 to 1970-01-01, and in a second.
const EPOCH: i64 = 621_355_968_000_000_000;
const SECOND: i64 = 10_000_000;

const INSTANT: [P; 2] = [P::DateTime, P::Text];

function_table! {
    "datetime_utc_to_local", "datetime_utc_to_local(datetime, zone)", "Moves a UTC datetime to a time zone, such as 'Europe/Paris'.", |c, a| fixed(c, a, "datetime_utc_to_local", &INSTANT, KustoType::DateTime, Body::Strict(|c, o| moved(c, o, from_utc)));
    "datetime_local_to_utc", "datetime_local_to_utc(datetime, zone)", "Moves a datetime of a time zone, such as 'Europe/Paris', to UTC.", |c, a| fixed(c, a, "datetime_local_to_utc", &INSTANT, KustoType::DateTime, Body::Strict(|c, o| moved(c, o, to_utc)));
}

/// A datetime moved by what the zone is ahead of UTC, times a sign; null where there is no such zone.
fn moved(cells: &[Cell<'_>], out: &mut Out, ahead: fn(&Tz, NaiveDateTime) -> Option<i64>) {
    let (Cell::DateTime(ticks), Cell::String(zone)) = (cells[0], cells[1]) else {
        return out.null();
    };
    let whole = (ticks - EPOCH).div_euclid(SECOND);
    let instant = DateTime::from_timestamp(whole, 0).map(|instant| instant.naive_utc());
    let zone: Option<Tz> = zone.parse().ok();
    let by = zone
        .zip(instant)
        .and_then(|(zone, instant)| ahead(&zone, instant));
    out.maybe(by, |out, by| out.long(ticks + by * SECOND));
}

fn from_utc(zone: &Tz, instant: NaiveDateTime) -> Option<i64> {
    let offset = zone.offset_from_utc_datetime(&instant);
    Some(i64::from(offset.fix().local_minus_utc()))
}

/// A local time that comes twice is the first; one that a change skips counts as before the change.
fn to_utc(zone: &Tz, local: NaiveDateTime) -> Option<i64> {
    let offset = match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        MappedLocalTime::None => {
            let before = local.checked_sub_signed(TimeDelta::hours(3))?;
            zone.offset_from_local_datetime(&before).earliest()?
        }
    };
    Some(-i64::from(offset.fix().local_minus_utc()))
}
