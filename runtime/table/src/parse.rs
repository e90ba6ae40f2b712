//! Reading datetimes, timespans, numbers and guids from text in the forms that Kusto accepts, both in literals
//! (`datetime(...)`, `timespan(...)`) and in conversions (`todatetime`, `totimespan`). `None` means "not one of those":
//! conversions make it null, literals make it an error.

mod times;

pub use times::{datetime, timespan, unit_ticks};

/// A guid's canonical lower-case text, from 32 hexadecimal digits; hyphens may stand anywhere, braces around all.
pub fn guid(text: &str) -> Option<String> {
    let text = text.trim();
    let body = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .or_else(|| text.strip_prefix('(').and_then(|t| t.strip_suffix(')')))
        .unwrap_or(text);
    let mut out = String::with_capacity(36);
    for b in body.bytes().filter(|b| *b != b'-') {
        if !b.is_ascii_hexdigit() {
            return None;
        }
        if matches!(out.len(), 8 | 13 | 18 | 23) {
            out.push('-');
        }
        out.push(b.to_ascii_lowercase() as char);
    }
    (out.len() == 36).then_some(out)
}

/// A whole number: decimal, or hexadecimal after `0x`.
pub fn long(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let Some(hex) = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        let bits = u64::from_str_radix(hex, 16).ok()? as i64;
        return Some(if negative { bits.wrapping_neg() } else { bits });
    }
    text.parse().ok()
}

/// A floating-point number, with Kusto's `nan`, `+inf` and `-inf`.
pub fn real(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match text {
        "nan" | "NaN" => Some(f64::NAN),
        "inf" | "+inf" | "Inf" | "+Inf" | "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-inf" | "-Inf" | "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust would read other spellings of these too.
        _ if text
            .bytes()
            .any(|b| b.is_ascii_alphabetic() && !matches!(b, b'e' | b'E')) =>
        {
            None
        }
        _ => text.parse().ok(),
    }
}

/// A decimal in units of 10^-[`crate::DECIMAL_SCALE`], from digits with an optional point and exponent.
/// Digits beyond the scale are rounded half away from zero; `None` when it does not fit in 38 digits.
pub fn decimal(text: &str) -> Option<i128> {
    decimal_or_rounded(text).map(|(value, _)| value)
}

/// As [`decimal`], and whether it was rounded.
pub fn decimal_or_rounded(text: &str) -> Option<(i128, bool)> {
    let text = text.trim();
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let all = || whole.bytes().chain(part.bytes());
    if !all().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // How many of the digits, padded with zeros, make up the scaled integer; the next one rounds it.
    let kept = (whole.len() as i64) + i64::from(exponent) + i64::from(crate::DECIMAL_SCALE);
    if kept > 400 {
        return all().all(|b| b == b'0').then_some((0, false));
    }
    let kept = usize::try_from(kept).ok();
    let mut value: i128 = 0;
    for b in all().chain(std::iter::repeat(b'0')).take(kept.unwrap_or(0)) {
        value = value.checked_mul(10)?.checked_add(i128::from(b - b'0'))?;
    }
    if kept.and_then(|k| all().nth(k)).is_some_and(|b| b >= b'5') {
        value = value.checked_add(1)?;
    }
    let fits = value.unsigned_abs() < 10_u128.pow(u32::from(crate::DECIMAL_PRECISION));
    let rounded = all().skip(kept.unwrap_or(0)).any(|b| b != b'0');
    fits.then_some((if negative { -value } else { value }, rounded))
}

/// A truth value: `true`, `false` in any case, or a whole number (0 is false).
pub fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        long(text).map(|n| n != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_guids() {
        assert_eq!(long("0xff"), Some(255));
        assert_eq!(long("1.5"), None);
        assert_eq!(decimal("1.5"), Some(1_500_000_000_000));
        assert_eq!(decimal("-2e-1"), Some(-200_000_000_000));
        assert_eq!(decimal("1e40"), None);
        assert_eq!(
            guid("{74BE27DE1E4E49D9B579FE0B331D3642}").as_deref(),
            Some("74be27de-1e4e-49d9-b579-fe0b331d3642")
        );
        assert_eq!(guid("74be27de-1e4e49d9b579-fe0b331d36"), None);
    }
}
