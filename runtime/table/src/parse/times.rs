//! Datetimes and timespans from text.

use crate::ticks::{self, Civil, DAY, HOUR, MINUTE, SECOND, clamp_datetime, clamp_timespan};

/// A datetime in ticks from ISO 8601, RFC 822, RFC 850 or `month/day/year` text.
///
/// Source: Kusto's documentation of the datetime type, "Supported formats". A zone moves the result to UTC; none
/// means UTC. Instants outside Kusto's range saturate.
pub fn datetime(text: &str) -> Option<i64> {
    let text = text.trim();
    iso(text)
        .or_else(|| named_month(text))
        .or_else(|| slashed(text))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Cursor {
            rest: text.as_bytes(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn bump(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn spaces(&mut self) -> usize {
        let before = self.rest.len();
        while self.eat(b' ') {}
        before - self.rest.len()
    }

    /// A run of `least` to `most` digits and its value.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self
            .rest
            .iter()
            .take(most)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
    }

    /// Digits after a point, as ticks of a second; what is below 100 ns is dropped.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        let padded = digits
            .iter()
            .copied()
            .chain(std::iter::repeat(b'0'))
            .take(7);
        Some(padded.fold(0, |n, b| n * 10 + i64::from(b - b'0')))
    }

    fn word(&mut self) -> &'a [u8] {
        let count = self
            .rest
            .iter()
            .take_while(|b| b.is_ascii_alphabetic())
            .count();
        let (word, rest) = self.rest.split_at(count);
        self.rest = rest;
        word
    }

    fn done(&self) -> bool {
        self.rest.is_empty()
    }
}

fn valid_date(year: i64, month: i64, day: i64) -> bool {
    (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && day <= ticks::days_in_month(year, month)
}

fn iso(text: &str) -> Option<i64> {
    let mut c = Cursor::new(text);
    let year = c.number(4, 4)?;
    if c.done() {
        return valid_date(year, 1, 1).then(|| {
            Civil {
                year,
                month: 1,
                day: 1,
                time: 0,
            }
            .ticks()
        });
    }
    let separator = c.peek()?;
    if separator != b'-' && separator != b'/' && separator != b'.' {
        return None;
    }
    c.bump();
    let month = c.number(1, 2)?;
    let day = if c.eat(separator) { c.number(1, 2)? } else { 1 };
    let separated = c.eat(b'T') || c.eat(b't') || c.spaces() > 0;
    let (time, offset) = if c.done() {
        (0, 0)
    } else if separated {
        c.spaces();
        (time_of_day(&mut c)?, zone(&mut c)?)
    } else {
        (0, zone(&mut c)?)
    };
    finish(&c, year, month, day, time, offset)
}

fn finish(c: &Cursor<'_>, year: i64, month: i64, day: i64, time: i64, offset: i64) -> Option<i64> {
    if !c.done() || !valid_date(year, month, day) {
        return None;
    }
    let days = ticks::days_of_date(year, month, day);
    Some(clamp_datetime(
        days as i128 * DAY as i128 + time as i128 - offset as i128,
    ))
}

/// `hh:mm[:ss[.fffffff]] [AM|PM]` in ticks.
fn time_of_day(c: &mut Cursor<'_>) -> Option<i64> {
    let mut hour = c.number(1, 2)?;
    let (mut minute, mut second, mut fraction) = (0, 0, 0);
    let has_minutes = c.eat(b':');
    if has_minutes {
        minute = c.number(1, 2)?;
        if c.eat(b':') {
            second = c.number(1, 2)?;
            if c.eat(b'.') || c.eat(b',') || c.eat(b':') {
                fraction = c.fraction()?;
            }
        }
    }
    let half = half_of_day(c);
    match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(pm) => hour = hour % 12 + if pm { 12 } else { 0 },
        None if !has_minutes => return None,
        None => {}
    }
    let midnight = hour == 24 && minute == 0 && second == 0 && fraction == 0;
    if (hour > 23 && !midnight) || minute > 59 || second > 59 {
        return None;
    }
    Some(hour * HOUR + minute * MINUTE + second * SECOND + fraction)
}

/// `Some(true)` for PM, `Some(false)` for AM; the cursor stays where it was if there is neither.
fn half_of_day(c: &mut Cursor<'_>) -> Option<bool> {
    let saved = c.rest;
    c.spaces();
    let word = c.word();
    if word.eq_ignore_ascii_case(b"am") {
        Some(false)
    } else if word.eq_ignore_ascii_case(b"pm") {
        Some(true)
    } else {
        c.rest = saved;
        None
    }
}

/// An offset from UTC in ticks: `Z`, `GMT`, `UTC`, `+hh:mm`, `-hhmm`, `+hh`, or nothing.
fn zone(c: &mut Cursor<'_>) -> Option<i64> {
    c.spaces();
    let sign = match c.peek() {
        None => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => {
            let word = c.word();
            let utc = [&b"Z"[..], b"GMT", b"UTC", b"UT"]
                .iter()
                .any(|z| word.eq_ignore_ascii_case(z));
            return utc.then_some(0);
        }
    };
    c.bump();
    let hours = c.number(1, 2)?;
    c.eat(b':');
    let minutes = if c.done() { 0 } else { c.number(2, 2)? };
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];

fn month_number(word: &[u8]) -> Option<i64> {
    let matches = |name: &&[u8]| {
        word.eq_ignore_ascii_case(name)
            || name.get(..3).is_some_and(|s| word.eq_ignore_ascii_case(s))
    };
    Some(MONTHS.iter().position(matches)? as i64 + 1)
}

/// RFC 822 and RFC 850: `[Sat, ]8 Nov 2014[ 15:05[:02][ GMT]]`, `Saturday, 08-Nov-14 ...`, and `Nov 8, 2014 ...`.
fn named_month(text: &str) -> Option<i64> {
    let mut c = Cursor::new(text);
    let mut word = c.word();
    if !word.is_empty() && month_number(word).is_none() {
        const DAYS: [&[u8]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];
        let short = word.get(..3)?;
        if !DAYS.iter().any(|d| short.eq_ignore_ascii_case(d)) {
            return None;
        }
        c.eat(b',');
        c.spaces();
        word = c.word();
    }
    let (month, day) = if word.is_empty() {
        let day = c.number(1, 2)?;
        date_gap(&mut c);
        (month_number(c.word())?, day)
    } else {
        let month = month_number(word)?;
        date_gap(&mut c);
        (month, c.number(1, 2)?)
    };
    c.eat(b',');
    date_gap(&mut c);
    let digits = c.rest.len();
    let year = c.number(2, 4)?;
    let year = if digits - c.rest.len() > 2 {
        year
    } else {
        century(year)
    };
    c.eat(b',');
    let (time, offset) = clock(&mut c)?;
    finish(&c, year, month, day, time, offset)
}

fn date_gap(c: &mut Cursor<'_>) {
    c.spaces();
    c.eat(b'-');
    c.spaces();
}

/// Two digits of a year as .NET reads them: up to 49 is this century.
fn century(year: i64) -> i64 {
    if year <= 49 { 2000 + year } else { 1900 + year }
}

fn clock(c: &mut Cursor<'_>) -> Option<(i64, i64)> {
    if c.spaces() == 0 || c.done() {
        return Some((0, 0));
    }
    Some((time_of_day(c)?, zone(c)?))
}

/// `11/8/2014[ 3:05[:02] [PM]]`, month first.
fn slashed(text: &str) -> Option<i64> {
    let mut c = Cursor::new(text);
    let month = c.number(1, 2)?;
    let separator = c.peek().filter(|b| *b == b'/' || *b == b'-')?;
    c.bump();
    let day = c.number(1, 2)?;
    if !c.eat(separator) {
        return None;
    }
    let digits = c.rest.len();
    let year = c.number(2, 4)?;
    let year = if digits - c.rest.len() > 2 {
        year
    } else {
        century(year)
    };
    let (time, offset) = clock(&mut c)?;
    finish(&c, year, month, day, time, offset)
}

/// A timespan in ticks: `[-][d.]hh:mm[:ss[.fffffff]]`, a number of days, or a number with a unit (`1.5h`, `15 seconds`).
///
/// Source: Kusto's documentation of the timespan type.
pub fn timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let ticks = clocked(body).or_else(|| with_unit(body))?;
    let signed = if negative { -ticks } else { ticks };
    Some(clamp_timespan(signed))
}

fn clocked(text: &str) -> Option<i128> {
    let (days, clock) = match (text.find('.'), text.find(':')) {
        (_, None) => return None,
        (Some(dot), Some(colon)) if dot < colon => (text.get(..dot)?, text.get(dot + 1..)?),
        _ => ("0", text),
    };
    let days: i128 = days.parse().ok().filter(|d| *d >= 0)?;
    let mut c = Cursor::new(clock);
    let hours = c.number(1, 2).filter(|h| *h < 24)?;
    if !c.eat(b':') {
        return None;
    }
    let minutes = c.number(1, 2).filter(|m| *m < 60)?;
    let (mut seconds, mut fraction) = (0, 0);
    if c.eat(b':') {
        seconds = c.number(1, 2).filter(|s| *s < 60)?;
        if c.eat(b'.') {
            fraction = c.fraction()?;
        }
    }
    if !c.done() {
        return None;
    }
    let time = hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction;
    days.checked_mul(DAY as i128)?.checked_add(time as i128)
}

fn with_unit(text: &str) -> Option<i128> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    // Without a unit it is whole days.
    if unit.is_empty() && number.contains('.') {
        return None;
    }
    scaled(number.trim(), unit_ticks(unit)?)
}

/// Ticks of a unit's name as a timespan literal writes it; the empty name is a day.
pub fn unit_ticks(unit: &str) -> Option<i64> {
    Some(match unit {
        "" | "d" | "day" | "days" => DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "m" | "min" | "minute" | "minutes" => MINUTE,
        "s" | "sec" | "second" | "seconds" => SECOND,
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => {
            ticks::MILLISECOND
        }
        "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => ticks::MICROSECOND,
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds" => 0,
        "tick" | "ticks" => 1,
        _ => return None,
    })
}

/// `number` times `per` ticks without rounding the number through a float; nanoseconds (`per` 0) count in hundreds.
fn scaled(number: &str, per: i64) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty()
        || !(whole.bytes().chain(part.bytes())).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    if per == 0 {
        return Some(whole / 100);
    }
    let part = part.get(..part.len().min(15))?;
    let scale = 10_i128.pow(part.len() as u32);
    let fraction: i128 = if part.is_empty() {
        0
    } else {
        part.parse().ok()?
    };
    let per = i128::from(per);
    whole.checked_mul(per)?.checked_add(fraction * per / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticks::{datetime_text, timespan_text};

    #[test]
    fn datetimes_in_every_documented_form() {
        for (text, wanted) in [
            (
                "2014-05-25T08:20:03.123456Z",
                "2014-05-25T08:20:03.1234560Z",
            ),
            ("2014-05-25T08:20:03.123456", "2014-05-25T08:20:03.1234560Z"),
            ("2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z"),
            (
                "2014-11-08 15:55:55:123456Z",
                "2014-11-08T15:55:55.1234560Z",
            ),
            ("2014-11-08", "2014-11-08T00:00:00.0000000Z"),
            ("2014", "2014-01-01T00:00:00.0000000Z"),
            ("2014-11", "2014-11-01T00:00:00.0000000Z"),
            ("2014-11-08T15:55:55+02:00", "2014-11-08T13:55:55.0000000Z"),
            ("2014-11-08 15:55:55 GMT", "2014-11-08T15:55:55.0000000Z"),
            ("Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
            ("8 Nov 14 15:05", "2014-11-08T15:05:00.0000000Z"),
            (
                "Saturday, 08-Nov-14 15:05:02 GMT",
                "2014-11-08T15:05:02.0000000Z",
            ),
            ("11/8/2014 3:05:02 PM", "2014-11-08T15:05:02.0000000Z"),
            ("Nov 8, 2014 15:05", "2014-11-08T15:05:00.0000000Z"),
            ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00.0000000Z"),
        ] {
            assert_eq!(
                datetime(text).map(datetime_text).as_deref(),
                Some(wanted),
                "{text}"
            );
        }
        for text in [
            "",
            "yesterday",
            "2014-13-01",
            "2014-02-30",
            "2014-01-01T25:00",
            "12",
            "1/2",
        ] {
            assert_eq!(datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans_in_every_documented_form() {
        for (text, wanted) in [
            ("1d", "1.00:00:00"),
            ("1.5h", "01:30:00"),
            ("15 seconds", "00:00:15"),
            ("0.1s", "00:00:00.1000000"),
            ("100ms", "00:00:00.1000000"),
            ("10microseconds", "00:00:00.0000100"),
            ("3tick", "00:00:00.0000003"),
            ("2", "2.00:00:00"),
            ("0.12:34:56.7", "12:34:56.7000000"),
            ("-1.00:00:01", "-1.00:00:01"),
            ("12:23", "12:23:00"),
        ] {
            assert_eq!(
                timespan(text).map(timespan_text).as_deref(),
                Some(wanted),
                "{text}"
            );
        }
        for text in ["", "1x", "25:00:00", "a:b", "1:99", "."] {
            assert_eq!(timespan(text), None, "{text}");
        }
    }
}
