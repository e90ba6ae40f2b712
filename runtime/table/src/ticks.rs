//! Datetimes and timespans as ticks of 100 ns: the calendar, saturating arithmetic, and the text forms that Kusto
//! prints. Parsing is in [`crate::parse`]. Nothing here knows of time zones: Kusto's datetimes are UTC.

use std::fmt::Write;

/// Ticks in a microsecond.
pub const MICROSECOND: i64 = 10;
/// Ticks in a millisecond.
pub const MILLISECOND: i64 = 10_000;
/// Ticks in a second.
pub const SECOND: i64 = 10_000_000;
/// Ticks in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Ticks in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Ticks in a day.
pub const DAY: i64 = 24 * HOUR;

/// The last datetime: 9999-12-31T23:59:59.9999999Z. The first is 0.
pub const DATETIME_MAX: i64 = 3_155_378_975_999_999_999;
/// 1970-01-01T00:00:00Z as a datetime.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// A datetime clamped to the range that Kusto can hold.
pub const fn clamp_datetime(ticks: i128) -> i64 {
    if ticks < 0 {
        0
    } else if ticks > DATETIME_MAX as i128 {
        DATETIME_MAX
    } else {
        ticks as i64
    }
}

/// A timespan clamped to 64 bits.
pub const fn clamp_timespan(ticks: i128) -> i64 {
    if ticks < i64::MIN as i128 {
        i64::MIN
    } else if ticks > i64::MAX as i128 {
        i64::MAX
    } else {
        ticks as i64
    }
}

/// A calendar date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 1 to 9999.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// Ticks since midnight.
    pub time: i64,
}

impl Civil {
    /// The date and time of a datetime.
    pub fn from_ticks(ticks: i64) -> Civil {
        let (year, month, day) = date_of_days(ticks.div_euclid(DAY));
        Civil {
            year,
            month,
            day,
            time: ticks.rem_euclid(DAY),
        }
    }

    /// The datetime, clamped to Kusto's range.
    pub fn ticks(self) -> i64 {
        let days = days_of_date(self.year, self.month, self.day);
        clamp_datetime(days as i128 * DAY as i128 + self.time as i128)
    }

    /// Hour of the day, 0 to 23.
    pub fn hour(self) -> i64 {
        self.time / HOUR
    }

    /// Minute of the hour.
    pub fn minute(self) -> i64 {
        self.time / MINUTE % 60
    }

    /// Second of the minute.
    pub fn second(self) -> i64 {
        self.time / SECOND % 60
    }

    /// Ticks within the second.
    pub fn fraction(self) -> i64 {
        self.time % SECOND
    }

    /// Day of the year, 1 to 366.
    pub fn day_of_year(self) -> i64 {
        days_of_date(self.year, self.month, self.day) - days_of_date(self.year, 1, 1) + 1
    }
}

/// Days from 0001-01-01 to a date of the proleptic Gregorian calendar. Months beyond 1..=12 carry into years.
pub fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years begin in March, so that the leap day is the last of its year.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 306
}

/// Year, month and day of a count of days since 0001-01-01.
pub fn date_of_days(days: i64) -> (i64, i64, i64) {
    let z = days + 306;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days in a month.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    days_of_date(year, month + 1, 1) - days_of_date(year, month, 1)
}

/// A datetime moved by whole months; a day that the new month lacks becomes its last.
pub fn add_months(ticks: i64, months: i64) -> i64 {
    let civil = Civil::from_ticks(ticks);
    // Anything beyond this many months is outside the calendar and clamps.
    let index = (civil.year * 12 + civil.month - 1).saturating_add(months.clamp(-240_000, 240_000));
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let day = civil.day.min(days_in_month(year, month));
    Civil {
        year,
        month,
        day,
        ..civil
    }
    .ticks()
}

/// Day of the week of a datetime, 0 for Sunday. 0001-01-01 was a Monday.
pub fn day_of_week(ticks: i64) -> i64 {
    (ticks.div_euclid(DAY) + 1).rem_euclid(7)
}

/// Nanoseconds since 1970 of a datetime; `None` outside the years 1677 to 2262 that 64 bits hold.
pub fn unix_nanos(ticks: i64) -> Option<i64> {
    ticks.checked_sub(UNIX_EPOCH)?.checked_mul(100)
}

/// The datetime for a count of units since 1970, `ticks_per_unit` ticks each; `None` outside the years 1 to 9999.
pub fn from_unix(count: i64, ticks_per_unit: i64) -> Option<i64> {
    let ticks = count as i128 * ticks_per_unit as i128 + UNIX_EPOCH as i128;
    (clamp_datetime(ticks) as i128 == ticks).then_some(ticks as i64)
}

/// The datetime for nanoseconds since 1970, clamped; what is below 100 ns is dropped.
pub fn from_unix_nanos(nanos: i64) -> i64 {
    clamp_datetime(nanos.div_euclid(100) as i128 + UNIX_EPOCH as i128)
}

/// Writes a datetime as Kusto prints it: `2024-02-29T12:30:00.1234567Z`.
pub fn write_datetime(out: &mut String, ticks: i64) {
    let civil = Civil::from_ticks(ticks);
    let mut text = *b"0000-00-00T00:00:00.0000000Z";
    digits(&mut text, 0, 4, civil.year);
    digits(&mut text, 5, 2, civil.month);
    digits(&mut text, 8, 2, civil.day);
    digits(&mut text, 11, 2, civil.hour());
    digits(&mut text, 14, 2, civil.minute());
    digits(&mut text, 17, 2, civil.second());
    digits(&mut text, 20, 7, civil.fraction());
    out.extend(text.iter().map(|&b| b as char));
}

fn digits(text: &mut [u8], at: usize, width: usize, mut value: i64) {
    for slot in text.iter_mut().skip(at).take(width).rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Writes a timespan as Kusto prints it: `[-][d.]hh:mm:ss[.fffffff]`.
pub fn write_timespan(out: &mut String, ticks: i64) {
    if ticks < 0 {
        out.push('-');
    }
    let ticks = ticks.unsigned_abs();
    let (day, hour, minute, second) = (DAY as u64, HOUR as u64, MINUTE as u64, SECOND as u64);
    // Writing to a String cannot fail.
    if ticks >= day {
        let _ = write!(out, "{}.", ticks / day);
    }
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        ticks / hour % 24,
        ticks / minute % 60,
        ticks / second % 60
    );
    if !ticks.is_multiple_of(second) {
        let _ = write!(out, ".{:07}", ticks % second);
    }
}

/// A datetime as text: see [`write_datetime`].
pub fn datetime_text(ticks: i64) -> String {
    let mut out = String::with_capacity(28);
    write_datetime(&mut out, ticks);
    out
}

/// A timespan as text: see [`write_timespan`].
pub fn timespan_text(ticks: i64) -> String {
    let mut out = String::new();
    write_timespan(&mut out, ticks);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_both_ways() {
        for days in (0..3_652_059).step_by(97) {
            let (y, m, d) = date_of_days(days);
            assert_eq!(days_of_date(y, m, d), days);
        }
        assert_eq!(days_of_date(1970, 1, 1) * DAY, UNIX_EPOCH);
        assert_eq!(date_of_days(0), (1, 1, 1));
        assert_eq!(datetime_text(DATETIME_MAX), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(datetime_text(UNIX_EPOCH), "1970-01-01T00:00:00.0000000Z");
    }

    #[test]
    fn timespans_print_days_and_fractions_only_when_there_are_any() {
        assert_eq!(timespan_text(0), "00:00:00");
        assert_eq!(
            timespan_text(DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + SECOND / 2),
            "1.02:03:04.5000000"
        );
        assert_eq!(timespan_text(-MINUTE), "-00:01:00");
        assert_eq!(timespan_text(i64::MIN), "-10675199.02:48:05.4775808");
    }

    #[test]
    fn months_stop_at_the_last_day_and_clamp() {
        let day = |y, m, d| {
            Civil {
                year: y,
                month: m,
                day: d,
                time: 0,
            }
            .ticks()
        };
        assert_eq!(add_months(day(2024, 1, 31), 1), day(2024, 2, 29));
        assert_eq!(add_months(day(2024, 3, 31), -13), day(2023, 2, 28));
        assert_eq!(add_months(day(2024, 3, 31), i64::MAX), DATETIME_MAX);
        assert_eq!(add_months(day(2024, 3, 31), i64::MIN), 0);
        assert_eq!(day_of_week(day(2024, 2, 29)), 4);
    }
}
