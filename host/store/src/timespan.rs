//! Time spans in ISO 8601, as Log Analytics takes them beside a query: a duration up to now, or an interval.

use spoor_table::{parse, ticks};

/// From when to when, in ticks, both included; `None` for anything that is no time span. `now` is in ticks.
pub(crate) fn between(text: &str, now: i64) -> Option<(i64, i64)> {
    let Some((start, end)) = text.split_once('/') else {
        return match duration(text) {
            Some(length) => Some((earlier(now, length), now)),
            None => Some((parse::datetime(text)?, now)),
        };
    };
    match (duration(start), duration(end)) {
        (None, None) => Some((parse::datetime(start)?, parse::datetime(end)?)),
        (Some(length), None) => {
            let end = parse::datetime(end)?;
            Some((earlier(end, length), end))
        }
        (None, Some(length)) => {
            let start = parse::datetime(start)?;
            let end = i128::from(start) + i128::from(length);
            Some((start, ticks::clamp_datetime(end)))
        }
        (Some(_), Some(_)) => None,
    }
}

fn earlier(end: i64, length: i64) -> i64 {
    ticks::clamp_datetime(i128::from(end) - i128::from(length))
}

/// `P[nW][nD][T[nH][nM][nS]]` in ticks; a year is 365 days and a month 30, as there is no date to count from.
fn duration(text: &str) -> Option<i64> {
    let body = text.strip_prefix('P')?;
    let (date, time) = match body.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = |days: i64| days * ticks::DAY;
    let dates = [
        ('Y', days(365)),
        ('M', days(30)),
        ('W', days(7)),
        ('D', days(1)),
    ];
    let times = [
        ('H', ticks::HOUR),
        ('M', ticks::MINUTE),
        ('S', ticks::SECOND),
    ];
    let sum = run(date, &dates)? + run(time, &times)?;
    // Beyond the calendar it is all one.
    Some(sum.min(ticks::DATETIME_MAX as f64) as i64)
}

/// Numbers with units, each unit once and in order.
fn run(mut text: &str, mut units: &[(char, i64)]) -> Option<f64> {
    let mut sum = 0.0;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next()?;
        let at = units.iter().position(|(own, _)| *own == unit)?;
        sum += number.parse::<f64>().ok()? * units.get(at)?.1 as f64;
        units = units.get(at + 1..)?;
        text = rest.get(unit.len_utf8()..)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_end_now_or_where_they_say() {
        let at = |text| parse::datetime(text).unwrap_or_default();
        let now = at("2024-03-10T12:00:00Z");
        for (text, start, end) in [
            ("P1D", "2024-03-09T12:00:00Z", "2024-03-10T12:00:00Z"),
            ("PT3600.0S", "2024-03-10T11:00:00Z", "2024-03-10T12:00:00Z"),
            ("P1DT12H", "2024-03-09T00:00:00Z", "2024-03-10T12:00:00Z"),
            (
                "2024-01-01/2024-01-02",
                "2024-01-01T00:00:00Z",
                "2024-01-02T00:00:00Z",
            ),
            (
                "2024-01-01T00:00:00Z/PT60S",
                "2024-01-01T00:00:00Z",
                "2024-01-01T00:01:00Z",
            ),
            (
                "P2D/2024-01-03T00:00:00Z",
                "2024-01-01T00:00:00Z",
                "2024-01-03T00:00:00Z",
            ),
        ] {
            assert_eq!(between(text, now), Some((at(start), at(end))), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1H",
            "yesterday",
            "P1D/P1D",
            "P-1D",
            "1d",
        ] {
            assert_eq!(between(text, now), None, "{text}");
        }
    }
}
