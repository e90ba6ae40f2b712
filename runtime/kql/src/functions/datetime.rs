//! Functions over datetimes and timespans. `now()` and `ago()` are one instant for a whole query.

use spoor_table::ticks::{self, Civil, DAY, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND};
use spoor_table::{Cell, KustoType, Value};

use super::args::{P, accept, count, fixed, optional};
use super::operators::binary;
use super::text::{number, text};
use super::udf::{Body, Out, RowFn};
use super::{Bound, function_table, literal};
use crate::typed::{BindContext, FunctionError, Typed};
use spoor_kql_syntax::ast::BinaryOp;

use KustoType::{DateTime, Int, Long, TimeSpan};

function_table! {
    "ingestion_time", "ingestion_time()", "When a row came into Kusto: null here, as tables do not record it. Use the event's own time.", |_, a| { count(a, 0, 0)?; Ok(literal(Value::null(KustoType::DateTime))) };
    "now", "now(offset)", "The instant at which the query runs, moved by an offset.", |c, a| { count(a, 0, 1)?; shifted(c, a, BinaryOp::Add) };
    "ago", "ago(timespan)", "The instant a timespan before the query runs.", |c, a| { count(a, 1, 1)?; shifted(c, a, BinaryOp::Subtract) };
    "datetime_add", "datetime_add(part, amount, datetime)", "Moves a datetime by years, months, weeks, days, hours and the like.", |c, a| { period(a)?; fixed(c, a, "datetime_add", &[P::Text, P::Long, P::DateTime], DateTime, Body::Strict(datetime_add)) };
    "datetime_diff", "datetime_diff(part, datetime1, datetime2)", "Counts the boundaries of years, months, days and the like between two datetimes.", diff;
    "datetime_part", "datetime_part(part, datetime)", "Takes a part of a datetime as a number.", |c, a| { period(a)?; fixed(c, a, "datetime_part", &[P::Text, P::DateTime], Long, Body::Strict(datetime_part)) };
    "startofday", "startofday(datetime, offset)", "The start of a datetime's day, moved by days.", |c, a| edge(c, a, "startofday", |c, o| start(c, o, Unit::Day));
    "startofweek", "startofweek(datetime, offset)", "The start of a datetime's week, a Sunday, moved by weeks.", |c, a| edge(c, a, "startofweek", |c, o| start(c, o, Unit::Week));
    "startofmonth", "startofmonth(datetime, offset)", "The start of a datetime's month, moved by months.", |c, a| edge(c, a, "startofmonth", |c, o| start(c, o, Unit::Month));
    "startofyear", "startofyear(datetime, offset)", "The start of a datetime's year, moved by years.", |c, a| edge(c, a, "startofyear", |c, o| start(c, o, Unit::Year));
    "endofday", "endofday(datetime, offset)", "The last tick of a datetime's day, moved by days.", |c, a| edge(c, a, "endofday", |c, o| end(c, o, Unit::Day));
    "endofweek", "endofweek(datetime, offset)", "The last tick of a datetime's week, moved by weeks.", |c, a| edge(c, a, "endofweek", |c, o| end(c, o, Unit::Week));
    "endofmonth", "endofmonth(datetime, offset)", "The last tick of a datetime's month, moved by months.", |c, a| edge(c, a, "endofmonth", |c, o| end(c, o, Unit::Month));
    "endofyear", "endofyear(datetime, offset)", "The last tick of a datetime's year, moved by years.", |c, a| edge(c, a, "endofyear", |c, o| end(c, o, Unit::Year));
    "dayofweek", "dayofweek(datetime)", "The days since Sunday, as a timespan.", |c, a| fixed(c, a, "dayofweek", &[P::DateTime], TimeSpan, Body::Strict(|c, o| each(c, o, |t| ticks::day_of_week(t) * DAY)));
    "dayofmonth", "dayofmonth(datetime)", "The day of the month, from 1.", |c, a| part(c, a, "dayofmonth", |c, o| each(c, o, |t| Civil::from_ticks(t).day));
    "dayofyear", "dayofyear(datetime)", "The day of the year, from 1.", |c, a| part(c, a, "dayofyear", |c, o| each(c, o, |t| Civil::from_ticks(t).day_of_year()));
    "hourofday", "hourofday(datetime)", "The hour of the day, from 0.", |c, a| fixed(c, a, "hourofday", &[P::DateTime], Long, Body::Strict(|c, o| each(c, o, |t| Civil::from_ticks(t).hour())));
    "monthofyear", "monthofyear(datetime)", "The month of the year, from 1.", |c, a| part(c, a, "monthofyear", |c, o| each(c, o, |t| Civil::from_ticks(t).month));
    "getmonth", "getmonth(datetime)", "The month of the year, from 1.", |c, a| part(c, a, "getmonth", |c, o| each(c, o, |t| Civil::from_ticks(t).month));
    "getyear", "getyear(datetime)", "The year.", |c, a| fixed(c, a, "getyear", &[P::DateTime], Long, Body::Strict(|c, o| each(c, o, |t| Civil::from_ticks(t).year)));
    "week_of_year", "week_of_year(datetime)", "The number of the week by ISO 8601.", |c, a| fixed(c, a, "week_of_year", &[P::DateTime], Long, Body::Strict(|c, o| each(c, o, iso_week)));
    "weekofyear", "weekofyear(datetime)", "The number of the week by ISO 8601.", |c, a| fixed(c, a, "weekofyear", &[P::DateTime], Long, Body::Strict(|c, o| each(c, o, iso_week)));
    "make_datetime", "make_datetime(year, month, day, hour, minute, second)", "Makes a datetime from its parts.", make_datetime;
    "make_timespan", "make_timespan(days, hours, minutes, seconds)", "Makes a timespan from its parts.", make_timespan;
    "format_datetime", "format_datetime(datetime, format)", "Writes a datetime by a pattern such as yyyy-MM-dd HH:mm:ss.", |c, a| { pattern(a, "yMdHhmsfFt")?; fixed(c, a, "format_datetime", &[P::DateTime, P::Text], KustoType::String, Body::Strict(format_datetime)) };
    "format_timespan", "format_timespan(timespan, format)", "Writes a timespan by a pattern such as d.hh:mm:ss.", |c, a| { pattern(a, "dHhmsfF")?; fixed(c, a, "format_timespan", &[P::TimeSpan, P::Text], KustoType::String, Body::Strict(format_timespan)) };
    "unixtime_seconds_todatetime", "unixtime_seconds_todatetime(count)", "The datetime so many seconds after 1970.", |c, a| unix(c, a, "unixtime_seconds_todatetime", |c, o| from_unix(c, o, SECOND * 100));
    "unixtime_milliseconds_todatetime", "unixtime_milliseconds_todatetime(count)", "The datetime so many milliseconds after 1970.", |c, a| unix(c, a, "unixtime_milliseconds_todatetime", |c, o| from_unix(c, o, MILLISECOND * 100));
    "unixtime_microseconds_todatetime", "unixtime_microseconds_todatetime(count)", "The datetime so many microseconds after 1970.", |c, a| unix(c, a, "unixtime_microseconds_todatetime", |c, o| from_unix(c, o, MICROSECOND * 100));
    "unixtime_nanoseconds_todatetime", "unixtime_nanoseconds_todatetime(count)", "The datetime so many nanoseconds after 1970.", |c, a| unix(c, a, "unixtime_nanoseconds_todatetime", |c, o| from_unix(c, o, 1));
}

/// A run of time that the calendar knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Fixed(i64),
}

fn unit(name: &str) -> Option<Unit> {
    Some(match name.to_ascii_lowercase().as_str() {
        "year" => Unit::Year,
        "quarter" => Unit::Quarter,
        "month" => Unit::Month,
        "week" | "week_of_year" | "weekofyear" => Unit::Week,
        "day" | "dayofyear" => Unit::Day,
        "hour" => Unit::Fixed(HOUR),
        "minute" => Unit::Fixed(MINUTE),
        "second" => Unit::Fixed(SECOND),
        "millisecond" => Unit::Fixed(MILLISECOND),
        "microsecond" => Unit::Fixed(MICROSECOND),
        "nanosecond" => Unit::Fixed(0),
        _ => return None,
    })
}

/// Refuses a constant that names no part.
fn period(args: &[Typed]) -> Result<(), FunctionError> {
    match args.first().and_then(|arg| arg.constant.as_ref()) {
        Some(Value::String(name)) if unit(name).is_none() => Err(FunctionError::new(format!("'{name}' is no part of a datetime"))
            .at(0)
            .hint("use year, quarter, month, week, day, hour, minute, second, millisecond, microsecond or nanosecond")),
        _ => Ok(()),
    }
}

fn shifted(ctx: &BindContext, args: &[Typed], op: BinaryOp) -> Bound {
    let now = literal(Value::DateTime(ctx.now_ticks));
    match args.first() {
        None => Ok(now),
        Some(by) => binary(ctx, op, now, accept(ctx, by, P::TimeSpan, 0)?),
    }
}

fn edge(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    optional(
        ctx,
        args,
        name,
        1,
        &[P::DateTime, P::Long],
        DateTime,
        Body::Strict(run),
    )
}

fn part(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(ctx, args, name, &[P::DateTime], Int, Body::Strict(run))
}

fn unix(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    count(args, 1, 1)?;
    // A whole number stays one: nanoseconds since 1970 are more than a real holds.
    let param = if args[0].ty.is_integer() {
        P::Long
    } else {
        P::Real
    };
    fixed(ctx, args, name, &[param], DateTime, Body::Strict(run))
}

fn instant(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::DateTime(t) | Cell::TimeSpan(t) => Some(*t),
        _ => None,
    }
}

fn each(cells: &[Cell<'_>], out: &mut Out, f: fn(i64) -> i64) {
    out.maybe(instant(&cells[0]), |out, t| out.long(f(t)));
}

/// The start of the run of time that holds an instant, `offset` runs later.
fn start_of(ticks: i64, unit: Unit, offset: i64) -> i64 {
    let civil = Civil::from_ticks(ticks);
    let first = |month, day| {
        Civil {
            month,
            day,
            time: 0,
            ..civil
        }
        .ticks()
    };
    let moved = |ticks: i64, days: i64| {
        ticks::clamp_datetime(
            i128::from(ticks) + i128::from(offset) * i128::from(days) * i128::from(DAY),
        )
    };
    match unit {
        Unit::Year => ticks::add_months(first(1, 1), offset.saturating_mul(12)),
        Unit::Quarter => ticks::add_months(
            first((civil.month - 1) / 3 * 3 + 1, 1),
            offset.saturating_mul(3),
        ),
        Unit::Month => ticks::add_months(first(civil.month, 1), offset),
        Unit::Week => moved(
            ticks::clamp_datetime(
                i128::from(ticks - ticks % DAY) - i128::from(ticks::day_of_week(ticks) * DAY),
            ),
            7,
        ),
        Unit::Day | Unit::Fixed(_) => moved(ticks - ticks % DAY, 1),
    }
}

fn start(cells: &[Cell<'_>], out: &mut Out, unit: Unit) {
    let offset = number(cells, 1).unwrap_or(0);
    out.maybe(instant(&cells[0]), |out, t| {
        out.long(start_of(t, unit, offset))
    });
}

fn end(cells: &[Cell<'_>], out: &mut Out, unit: Unit) {
    let offset = number(cells, 1).unwrap_or(0).saturating_add(1);
    out.maybe(instant(&cells[0]), |out, t| {
        let next = start_of(t, unit, offset);
        // The run that holds the last tick has no next one.
        out.long(if next == ticks::DATETIME_MAX {
            next
        } else {
            next - 1
        });
    });
}

fn datetime_add(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(unit), Some(amount), Some(t)) =
        (unit(text(&cells[0])), number(cells, 1), instant(&cells[2]))
    else {
        return out.null();
    };
    let plus = |per: i64| {
        let moved = i128::from(t) + i128::from(amount) * i128::from(per);
        i64::try_from(moved)
            .ok()
            .filter(|t| (0..=ticks::DATETIME_MAX).contains(t))
    };
    let moved = match unit {
        Unit::Year => Some(ticks::add_months(t, amount.saturating_mul(12))),
        Unit::Quarter => Some(ticks::add_months(t, amount.saturating_mul(3))),
        Unit::Month => Some(ticks::add_months(t, amount)),
        Unit::Week => plus(7 * DAY),
        Unit::Day => plus(DAY),
        Unit::Fixed(0) => t.checked_add(amount / 100),
        Unit::Fixed(per) => plus(per),
    };
    out.maybe(moved, Out::long);
}

/// Weeks come as a real, all else as a long.
fn diff(ctx: &BindContext, args: &[Typed]) -> Bound {
    period(args)?;
    let params = [P::Text, P::DateTime, P::DateTime];
    let counted = fixed(
        ctx,
        args,
        "datetime_diff",
        &params,
        Long,
        Body::Strict(datetime_diff),
    )?;
    match args[0].constant {
        Some(Value::String(ref name)) if name.eq_ignore_ascii_case("week") => {
            super::convert(ctx, counted, KustoType::Real)
        }
        _ => Ok(counted),
    }
}

fn datetime_diff(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(unit), Some(a), Some(b)) = (
        unit(text(&cells[0])),
        instant(&cells[1]),
        instant(&cells[2]),
    ) else {
        return out.null();
    };
    let (first, second) = (Civil::from_ticks(a), Civil::from_ticks(b));
    let months = |c: Civil| c.year * 12 + c.month - 1;
    out.long(match unit {
        Unit::Year => first.year - second.year,
        Unit::Quarter => months(first) / 3 - months(second) / 3,
        Unit::Month => months(first) - months(second),
        Unit::Week => (start_of(a, Unit::Week, 0) - start_of(b, Unit::Week, 0)) / (7 * DAY),
        Unit::Day => a / DAY - b / DAY,
        Unit::Fixed(0) => (a - b).saturating_mul(100),
        Unit::Fixed(per) => a / per - b / per,
    });
}

fn datetime_part(cells: &[Cell<'_>], out: &mut Out) {
    let (name, Some(t)) = (text(&cells[0]).to_ascii_lowercase(), instant(&cells[1])) else {
        return out.null();
    };
    let civil = Civil::from_ticks(t);
    let value = match name.as_str() {
        "year" => civil.year,
        "quarter" => (civil.month - 1) / 3 + 1,
        "month" => civil.month,
        "week_of_year" | "weekofyear" | "week" => iso_week(t),
        "day" => civil.day,
        "dayofyear" => civil.day_of_year(),
        "hour" => civil.hour(),
        "minute" => civil.minute(),
        "second" => civil.second(),
        "millisecond" => civil.fraction() / MILLISECOND,
        "microsecond" => civil.fraction() / MICROSECOND,
        "nanosecond" => civil.fraction() * 100,
        _ => return out.null(),
    };
    out.long(value);
}

/// Weeks begin on Monday; the first holds the year's first Thursday.
fn iso_week(t: i64) -> i64 {
    let day = t.div_euclid(DAY);
    // 0001-01-01 was a Monday.
    let thursday = day - day.rem_euclid(7) + 3;
    let (year, _, _) = ticks::date_of_days(thursday);
    (thursday - ticks::days_of_date(year, 1, 1)) / 7 + 1
}

fn make_datetime(ctx: &BindContext, args: &[Typed]) -> Bound {
    if let [one] = args
        && one.ty == KustoType::String
    {
        return super::convert(ctx, one.clone(), DateTime);
    }
    let params = [P::Long, P::Long, P::Long, P::Long, P::Long, P::Real];
    count(args, 1, 6)?;
    optional(
        ctx,
        args,
        "make_datetime",
        1,
        &params,
        DateTime,
        Body::Strict(|cells, out| {
            let part = |at: usize, default: i64| number(cells, at).unwrap_or(default);
            let (year, month, day) = (part(0, 1), part(1, 1), part(2, 1));
            let (hour, minute) = (part(3, 0), part(4, 0));
            let second = match cells.get(5) {
                Some(Cell::Real(second)) => *second,
                _ => 0.0,
            };
            let valid = (1..=9999).contains(&year)
                && (1..=12).contains(&month)
                && (1..=ticks::days_in_month(year, month)).contains(&day)
                && (0..24).contains(&hour)
                && (0..60).contains(&minute)
                && (0.0..60.0).contains(&second);
            if !valid {
                return out.null();
            }
            let time = hour * HOUR + minute * MINUTE + (second * SECOND as f64).round() as i64;
            out.long(
                Civil {
                    year,
                    month,
                    day,
                    time,
                }
                .ticks(),
            );
        }),
    )
}

fn make_timespan(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 4)?;
    let zero = literal(Value::Long(0));
    // Two arguments are hours and minutes, three add seconds, four begin with days.
    let mut all = args.to_vec();
    if all.len() < 4 {
        all.insert(0, zero.clone());
    }
    all.resize(4, zero);
    fixed(
        ctx,
        &all,
        "make_timespan",
        &[P::Long, P::Long, P::Long, P::Real],
        TimeSpan,
        Body::Strict(|cells, out| {
            let part = |at: usize| number(cells, at).unwrap_or(0);
            let (days, hours, minutes) = (part(0), part(1), part(2));
            let Cell::Real(seconds) = cells[3] else {
                return out.null();
            };
            let valid = days >= 0
                && (0..24).contains(&hours)
                && (0..60).contains(&minutes)
                && (0.0..60.0).contains(&seconds);
            if !valid {
                return out.null();
            }
            let time = hours * HOUR + minutes * MINUTE + (seconds * SECOND as f64).round() as i64;
            out.maybe(
                days.checked_mul(DAY).and_then(|d| d.checked_add(time)),
                Out::long,
            );
        }),
    )
}

/// A count of units after 1970; a unit is `per` nanoseconds.
fn from_unix(cells: &[Cell<'_>], out: &mut Out, per: i64) {
    let ticks = match cells[0] {
        Cell::Long(count) => Some(i128::from(count) * i128::from(per) / 100),
        Cell::Real(count) => {
            let ticks = (count * per as f64 / 100.0).round();
            ticks.is_finite().then_some(ticks as i128)
        }
        _ => None,
    };
    let value = ticks.and_then(|ticks| ticks.checked_add(i128::from(ticks::UNIX_EPOCH)));
    out.maybe(
        value.filter(|t| (0..=i128::from(ticks::DATETIME_MAX)).contains(t)),
        |out, t| out.long(t as i64),
    );
}

/// Refuses a constant pattern with anything but the given letters and Kusto's delimiters.
fn pattern(args: &[Typed], letters: &str) -> Result<(), FunctionError> {
    let Some(Value::String(pattern)) = args.get(1).and_then(|arg| arg.constant.as_ref()) else {
        return Ok(());
    };
    match pattern.chars().find(|c| !letters.contains(*c) && !" /-:,._[]".contains(*c)) {
        Some(wrong) => Err(FunctionError::new(format!("'{wrong}' cannot stand in this pattern"))
            .at(1)
            .hint(format!("it takes the letters {letters} and the delimiters space / - : , . _ [ ]; join other text with strcat()"))),
        None => Ok(()),
    }
}

/// The parts of a pattern: letters in runs of what one of them takes at most, and single characters between.
fn pattern_runs(pattern: &str, most: fn(char) -> usize) -> Vec<(char, usize)> {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for c in pattern.chars() {
        match runs.last_mut() {
            Some((last, length)) if *last == c && *length < most(c) => *length += 1,
            _ => runs.push((c, 1)),
        }
    }
    runs
}

fn format_datetime(cells: &[Cell<'_>], out: &mut Out) {
    let Some(t) = instant(&cells[0]) else {
        return out.null();
    };
    let civil = Civil::from_ticks(t);
    out.write_text(|text| {
        let most = |c| match c {
            'y' => 4,
            'f' | 'F' => 7,
            'M' | 'd' | 'H' | 'h' | 'm' | 's' | 't' => 2,
            _ => 1,
        };
        for (letter, length) in pattern_runs(super::text::text(&cells[1]), most) {
            let value = match letter {
                'y' if length <= 2 => civil.year % 100,
                'y' => civil.year,
                'M' => civil.month,
                'd' => civil.day,
                'H' => civil.hour(),
                'h' => (civil.hour() + 11) % 12 + 1,
                'm' => civil.minute(),
                's' => civil.second(),
                'f' | 'F' => {
                    push_fraction(text, civil.fraction(), length, letter == 'F');
                    continue;
                }
                't' => {
                    text.push_str(if civil.hour() < 12 { "AM" } else { "PM" });
                    continue;
                }
                other => {
                    text.extend(std::iter::repeat_n(other, length));
                    continue;
                }
            };
            text.push_str(&format!("{value:0>length$}"));
        }
    });
}

fn push_fraction(text: &mut String, fraction: i64, length: usize, trimmed: bool) {
    let digits = format!("{fraction:07}");
    let shown = digits.get(..length.min(7)).unwrap_or_default();
    if trimmed {
        let shown = shown.trim_end_matches('0');
        if shown.is_empty() && text.ends_with('.') {
            text.pop();
        }
        text.push_str(shown);
    } else {
        text.push_str(shown);
    }
}

fn format_timespan(cells: &[Cell<'_>], out: &mut Out) {
    let Some(t) = instant(&cells[0]) else {
        return out.null();
    };
    out.write_text(|text| {
        if t < 0 {
            text.push('-');
        }
        let t = t.unsigned_abs() as i128;
        let part = |per: i64, of: i128| t / i128::from(per) % of;
        let most = |c| match c {
            'd' => 8,
            'f' | 'F' => 7,
            'H' | 'h' | 'm' | 's' => 2,
            _ => 1,
        };
        for (letter, length) in pattern_runs(super::text::text(&cells[1]), most) {
            let value = match letter {
                'd' | 'D' => t / i128::from(DAY),
                'H' | 'h' => part(HOUR, 24),
                'm' | 'M' => part(MINUTE, 60),
                's' | 'S' => part(SECOND, 60),
                'f' | 'F' => {
                    push_fraction(text, (t % i128::from(SECOND)) as i64, length, letter == 'F');
                    continue;
                }
                other => {
                    text.extend(std::iter::repeat_n(other, length));
                    continue;
                }
            };
            text.push_str(&format!("{value:0>length$}"));
        }
    });
}
