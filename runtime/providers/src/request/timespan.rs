//! Time spans in ISO 8601, as Log Analytics and Defender take them beside a query. Only the form is checked: what is sent is
//! what was written.

use spoor_table::parse;

/// Whether `text` is a duration, a time, or an interval of the two.
pub(super) fn is_one(text: &str) -> bool {
    match text.split_once('/') {
        None => is_duration(text) || is_time(text),
        Some((start, end)) => {
            is_time(start) && (is_time(end) || is_duration(end))
                || is_duration(start) && is_time(end)
        }
    }
}

fn is_time(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'+' | b'T' | b'Z');
    text.len() >= 10 && text.bytes().all(plain) && parse::datetime(text).is_some()
}

/// `P[nY][nM][nW][nD][T[nH][nM][nS]]`, with at least one number; the last may have a fraction.
fn is_duration(text: &str) -> bool {
    let Some(body) = text.strip_prefix('P') else {
        return false;
    };
    let (date, time) = match body.split_once('T') {
        Some((_, "")) => return false,
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    !(date.is_empty() && time.is_empty()) && is_run(date, "YMWD") && is_run(time, "HMS")
}

/// Numbers with units, each unit once and in order.
fn is_run(mut text: &str, mut units: &str) -> bool {
    while !text.is_empty() {
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, rest) = text.split_at(digits);
        let Some(unit) = rest.chars().next() else {
            return false;
        };
        let (Some(at), true) = (units.find(unit), number.parse::<f64>().is_ok()) else {
            return false;
        };
        units = units.get(at + 1..).unwrap_or_default();
        text = rest.get(unit.len_utf8()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn the_documented_forms_and_no_others() {
        for text in [
            "P1D",
            "PT4H",
            "P30D",
            "PT30M",
            "P1DT12H",
            "PT1.5H",
            "P1Y2M3W4DT5H6M7.5S",
            "2024-02-01T08:00:00Z",
            "2024-02-01T08:00:00Z/2024-02-15T08:00:00Z",
            "P30D/2024-02-15T08:00:00Z",
            "2024-02-01T08:00:00Z/P30D",
            "2024-02-01/2024-02-15",
            "2024-02-01T08:00:00.1234567+02:00/PT1H",
        ] {
            assert!(is_one(text), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "1d",
            "P1H",
            "PT1D",
            "PTS",
            "P1D1D",
            "PT1S1M",
            "P1D/P2D",
            "P1D/",
            "/P1D",
            "P-1D",
            "24h",
            "yesterday",
            "2024",
            "P1D\r\nX: y",
            "2024-02-30/P1D",
            "a/b/c",
            "P1D/2024-02-15/P1D",
            "P..D",
        ] {
            assert!(!is_one(text), "{text}");
        }
    }
}
