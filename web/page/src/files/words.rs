//! Times, sizes and formats in words.

use spoor_names::Format;

/// How long ago something was, from times in milliseconds. None for what was over a month ago: a
/// date says more.
pub fn ago(now: f64, then: f64) -> Option<String> {
    let minutes = ((now - then) / 60e3).max(0.0).floor();
    let (hours, days) = ((minutes / 60.0).floor(), (minutes / 1440.0).floor());
    let some = |count: f64, one: &str| match count {
        1.0 => format!("1 {one} ago"),
        _ => format!("{count:.0} {one}s ago"),
    };
    match minutes {
        m if m < 1.0 => Some("just now".into()),
        m if m < 60.0 => Some(format!("{m:.0} min ago")),
        m if m < 1440.0 => Some(some(hours, "hour")),
        m if m < 1440.0 * 31.0 => Some(some(days, "day")),
        _ => None,
    }
}

/// What a file's name says of its format: `CSV`, `JSON, gzip`.
pub fn format(name: &str) -> String {
    let packed = match name
        .rsplit('.')
        .next()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("gz" | "gzip") => "gzip",
        Some("zst" | "zstd") => "zstd",
        Some("zip") => "zip",
        _ => "",
    };
    match (Format::of_path(name), packed) {
        (Some(format), "") => format.name().to_owned(),
        (Some(format), packed) => format!("{}, {packed}", format.name()),
        (None, "") => "format found on reading".to_owned(),
        (None, packed) => packed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let day = 86_400e3;
        for (age, words) in [
            (-5e3, Some("just now")),
            (59e3, Some("just now")),
            (61e3, Some("1 min ago")),
            (3_600e3, Some("1 hour ago")),
            (5.5 * 3_600e3, Some("5 hours ago")),
            (day, Some("1 day ago")),
            (30.0 * day, Some("30 days ago")),
            (31.0 * day, None),
        ] {
            assert_eq!(ago(1e12, 1e12 - age).as_deref(), words, "{age}");
        }
    }

    #[test]
    fn formats_read_well() {
        for (name, words) in [
            ("a.csv", "CSV"),
            ("a.jsonl.gz", "JSON, gzip"),
            ("a.zip", "zip"),
            ("zeek.log", "format found on reading"),
        ] {
            assert_eq!(format(name), words);
        }
    }
}
