//! Where an axis has its ticks, and how they read.
//!
//! Pure functions from a range to positions and labels, used by [`crate::draw`].

use spoor_table::ticks::{Civil, DATETIME_MAX, MILLISECOND, UNIX_EPOCH};

use crate::model::{Axis, AxisType};

const SECOND: f64 = 1_000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Steps of time that people count in, in milliseconds, up to a week. Months and years follow
/// the calendar and are found apart.
const TIME_STEPS: [f64; 22] = [
    1.0,
    5.0,
    10.0,
    50.0,
    100.0,
    500.0,
    SECOND,
    5.0 * SECOND,
    15.0 * SECOND,
    30.0 * SECOND,
    MINUTE,
    5.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
];

/// A tick: its place on the axis, its label, and a second line under that (a date under hours).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub at: f64,
    pub label: String,
    pub below: Option<String>,
}

impl Tick {
    fn new(at: f64, label: String) -> Self {
        Self {
            at,
            label,
            below: None,
        }
    }
}

/// About `count` ticks for `axis` between `min` and `max`.
pub(crate) fn ticks(axis: &Axis, min: f64, max: f64, count: usize) -> Vec<Tick> {
    if !(min.is_finite() && max.is_finite()) || max <= min {
        return Vec::new();
    }
    match axis.ty {
        AxisType::DateTime => time_ticks(min, max, count),
        AxisType::TimeSpan => span_ticks(min, max, count),
        AxisType::Category => Vec::new(),
        AxisType::Number if axis.log => log_ticks(min, max),
        AxisType::Number => number_ticks(min, max, count),
    }
}

/// The least step of 1, 2 or 5 times a power of ten that cuts `span` into at most `count` parts.
pub(crate) fn nice_step(span: f64, count: usize) -> f64 {
    let rough = span / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|m| m * power)
        .find(|s| *s >= rough * 0.999_999);
    step.unwrap_or(10.0 * power)
}

fn number_ticks(min: f64, max: f64, count: usize) -> Vec<Tick> {
    let step = nice_step(max - min, count);
    multiples(min, max, step)
        .map(|at| Tick::new(at, number(at, step)))
        .collect()
}

fn multiples(min: f64, max: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (min / step - 1e-9).ceil();
    let last = (max / step + 1e-9).floor();
    let n = if (last - first).is_finite() {
        (last - first).clamp(-1.0, 200.0) as i64
    } else {
        -1
    };
    (0..=n).map(move |i| (first + i as f64) * step)
}

/// The range is of logarithms; a label names the number itself.
fn log_ticks(min: f64, max: f64) -> Vec<Tick> {
    let every = ((max - min) / 8.0).ceil().max(1.0);
    multiples(min, max, every)
        .map(|at| Tick::new(at, number(10f64.powf(at), 10f64.powf(at))))
        .collect()
}

fn span_ticks(min: f64, max: f64, count: usize) -> Vec<Tick> {
    let rough = (max - min) / count.max(1) as f64;
    let step = TIME_STEPS.into_iter().find(|s| *s >= rough);
    let step = step.unwrap_or_else(|| nice_step((max - min) / DAY, count) * DAY);
    multiples(min, max, step)
        .map(|at| Tick::new(at, span(at)))
        .collect()
}

/// A length of time in milliseconds, in its two greatest units: `2d 6h`, `90s` as `1m 30s`.
pub(crate) fn span(ms: f64) -> String {
    const UNITS: [(f64, &str); 5] = [
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
        (1.0, "ms"),
    ];
    let mut rest = ms.abs();
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let whole = (rest / size + 1e-9).floor();
        if whole >= 1.0 && parts.len() < 2 {
            parts.push(format!("{whole}{name}"));
            rest -= whole * size;
        }
    }
    match (parts.is_empty(), ms < 0.0) {
        (true, _) if ms == 0.0 => "0".into(),
        (true, _) => format!("{}µs", number(ms * 1000.0, 0.1)),
        (false, true) => format!("-{}", parts.join(" ")),
        (false, false) => parts.join(" "),
    }
}

fn time_ticks(min: f64, max: f64, count: usize) -> Vec<Tick> {
    let rough = (max - min) / count.max(1) as f64;
    match TIME_STEPS.into_iter().find(|s| *s >= rough) {
        Some(step) if step < DAY => clock_ticks(min, max, step),
        Some(step) => dated(multiples(min, max, step)),
        None => month_ticks(min, max, rough / (30.4 * DAY)),
    }
}

/// Hours, minutes and seconds; the date stands below the first tick and where a day begins.
fn clock_ticks(min: f64, max: f64, step: f64) -> Vec<Tick> {
    let mut day = None;
    multiples(min, max, step)
        .filter_map(|at| Some((at, civil(at)?)))
        .map(|(at, when)| {
            let new_day = day != Some((when.month, when.day));
            day = Some((when.month, when.day));
            Tick {
                at,
                label: clock(when, step),
                below: new_day.then(|| month_and_day(when)),
            }
        })
        .collect()
}

/// The time of day, as fine as ticks `step` apart need.
fn clock(when: Civil, step: f64) -> String {
    let (hour, minute, second) = (when.hour(), when.minute(), when.second());
    if step >= MINUTE {
        format!("{hour:02}:{minute:02}")
    } else if step >= SECOND {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!(
            "{hour:02}:{minute:02}:{second:02}.{:03}",
            when.fraction() / MILLISECOND
        )
    }
}

/// Days; the year stands below the first tick and where a year begins.
fn dated(days: impl Iterator<Item = f64>) -> Vec<Tick> {
    let mut year = None;
    days.filter_map(|at| Some((at, civil(at)?)))
        .map(|(at, when)| {
            let new_year = year != Some(when.year);
            year = Some(when.year);
            Tick {
                at,
                label: month_and_day(when),
                below: new_year.then(|| when.year.to_string()),
            }
        })
        .collect()
}

fn month_and_day(when: Civil) -> String {
    format!("{} {}", month_name(when.month), when.day)
}

fn month_name(month: i64) -> &'static str {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    NAMES[(month - 1).rem_euclid(12) as usize]
}

fn month_ticks(min: f64, max: f64, rough_months: f64) -> Vec<Tick> {
    let step = [1, 3, 6, 12]
        .into_iter()
        .find(|m| *m as f64 >= rough_months);
    let step =
        step.unwrap_or_else(|| 12 * nice_step(rough_months / 12.0, 1).clamp(1.0, 5000.0) as i64);
    let Some(first) = civil(min) else {
        return Vec::new();
    };
    let begin = (first.year * 12 + first.month - 1).div_euclid(step) * step;
    (0..200)
        .map(|i| begin + i * step)
        .filter_map(|months| Some((month_start(months)?, months)))
        .skip_while(|(at, _)| *at < min)
        .take_while(|(at, _)| *at <= max)
        .map(|(at, months)| month_tick(at, months, step))
        .collect()
}

fn month_tick(at: f64, months: i64, step: i64) -> Tick {
    let year = months.div_euclid(12).to_string();
    if step % 12 == 0 {
        return Tick::new(at, year);
    }
    let month = months.rem_euclid(12);
    Tick {
        at,
        label: month_name(month + 1).into(),
        below: (month < step).then_some(year),
    }
}

/// The start of a month, counted from the year 0; none outside Kusto's calendar.
fn month_start(months: i64) -> Option<f64> {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    (1..=9999).contains(&year).then(|| {
        unix_ms(
            Civil {
                year,
                month,
                day: 1,
                time: 0,
            }
            .ticks(),
        )
    })
}

/// A datetime's ticks as milliseconds since 1970.
pub(crate) fn unix_ms(ticks: i64) -> f64 {
    (ticks - UNIX_EPOCH) as f64 / MILLISECOND as f64
}

/// The date and time of milliseconds since 1970; none outside Kusto's calendar.
fn civil(ms: f64) -> Option<Civil> {
    let ticks = (ms * MILLISECOND as f64).round() + UNIX_EPOCH as f64;
    if !(0.0..=DATETIME_MAX as f64).contains(&ticks) {
        return None;
    }
    // Milliseconds are whole here, so that 00:00 does not come out as 23:59:59.9999999.
    Some(Civil::from_ticks(
        UNIX_EPOCH + ms.round() as i64 * MILLISECOND,
    ))
}

/// A moment in milliseconds, as long as it needs to be: without a time at midnight.
pub(crate) fn moment(ms: f64) -> String {
    let Some(when) = civil(ms) else {
        return String::from("?");
    };
    let date = format!("{:04}-{:02}-{:02}", when.year, when.month, when.day);
    let fine = [DAY, MINUTE, SECOND, 1.0]
        .into_iter()
        .find(|unit| ms.rem_euclid(*unit) == 0.0);
    match fine {
        Some(DAY) => date,
        Some(unit) => format!("{date} {}", clock(when, unit)),
        None => format!("{date} {}", clock(when, 1.0)),
    }
}

/// A number to be read at a glance: grouped thousands, M, B and T above a million, and as many
/// decimals as ticks `step` apart need.
pub(crate) fn number(value: f64, step: f64) -> String {
    let size = value.abs().max(step.abs());
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:e}");
    }
    for (unit, suffix) in [(1e12, "T"), (1e9, "B"), (1e6, "M")] {
        if size >= unit {
            return format!("{}{suffix}", plain(value / unit, step / unit));
        }
    }
    plain(value, step)
}

/// A number in full: grouped thousands and up to seven digits that count.
pub(crate) fn exact(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:e}");
    }
    if value.fract() == 0.0 {
        return grouped(&format!("{value:.0}"));
    }
    plain(value, size / 1e6)
}

/// A value of `axis` in full.
pub(crate) fn value(axis: &Axis, value: f64) -> String {
    match axis.ty {
        AxisType::Number => exact(value),
        AxisType::DateTime => moment(value),
        AxisType::TimeSpan => span(value),
        AxisType::Category => {
            let name = axis.categories.get(value.round().max(0.0) as usize);
            name.cloned().unwrap_or_default()
        }
    }
}

fn plain(value: f64, step: f64) -> String {
    let decimals = (-step.abs().max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = grouped(whole);
    if fraction.is_empty() {
        whole
    } else {
        format!("{whole}.{fraction}")
    }
}

/// Digits with a comma between thousands.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(ty: AxisType, min: f64, max: f64, count: usize, want: Expect) {
        let axis = Axis {
            ty,
            ..Axis::default()
        };
        let lines: Vec<_> = ticks(&axis, min, max, count)
            .into_iter()
            .map(|t| match t.below {
                Some(below) => format!("{} / {below}", t.label),
                None => t.label,
            })
            .collect();
        want.assert_eq(&lines.join(", "));
    }

    const JAN_2024: f64 = 1_704_067_200_000.0;

    #[test]
    fn numbers_read_at_a_glance() {
        check(AxisType::Number, 0.0, 97.0, 5, expect!["0, 20, 40, 60, 80"]);
        check(AxisType::Number, 0.0, 0.35, 4, expect!["0, 0.1, 0.2, 0.3"]);
        check(
            AxisType::Number,
            -5_000.0,
            12_000.0,
            4,
            expect!["-5,000, 0, 5,000, 10,000"],
        );
        check(AxisType::Number, 0.0, 3.4e6, 4, expect!["0, 1M, 2M, 3M"]);
        check(AxisType::Number, 7.0, 7.0, 4, expect![""]);
    }

    #[test]
    fn times_keep_to_clock_and_calendar() {
        check(
            AxisType::DateTime,
            JAN_2024 - 2.0 * HOUR,
            JAN_2024 + 5.0 * HOUR,
            4,
            expect!["00:00 / Jan 1, 03:00"],
        );
        check(
            AxisType::DateTime,
            JAN_2024 - 3.0 * DAY,
            JAN_2024 + 4.0 * DAY,
            8,
            expect!["Dec 29 / 2023, Dec 30, Dec 31, Jan 1 / 2024, Jan 2, Jan 3, Jan 4, Jan 5"],
        );
        check(
            AxisType::DateTime,
            JAN_2024,
            JAN_2024 + 400.0 * DAY,
            5,
            expect!["Jan / 2024, Apr, Jul, Oct, Jan / 2025"],
        );
        check(
            AxisType::DateTime,
            JAN_2024,
            JAN_2024 + 20_000.0 * DAY,
            6,
            expect!["2030, 2040, 2050, 2060, 2070"],
        );
        check(
            AxisType::DateTime,
            JAN_2024,
            JAN_2024 + 20.0 * SECOND,
            4,
            expect!["00:00:00 / Jan 1, 00:00:05, 00:00:10, 00:00:15, 00:00:20"],
        );
    }

    #[test]
    fn lengths_of_time_use_two_units() {
        check(
            AxisType::TimeSpan,
            0.0,
            5400.0 * SECOND,
            4,
            expect!["0, 30m, 1h, 1h 30m"],
        );
        assert_eq!(span(-90.0 * SECOND), "-1m 30s");
    }

    #[test]
    fn moments_are_as_long_as_they_need_to_be() {
        assert_eq!(moment(JAN_2024), "2024-01-01");
        assert_eq!(moment(JAN_2024 + HOUR), "2024-01-01 01:00");
        assert_eq!(moment(JAN_2024 + 1.0), "2024-01-01 00:00:00.001");
    }
}
