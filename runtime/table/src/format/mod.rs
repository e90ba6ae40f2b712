//! How values and tables print: one cell as Kusto's text or as JSON, and whole tables as a terminal grid, CSV,
//! Markdown, HTML and JSON. The kernel, the command line and `tostring` all print through here.

mod export;
mod grid;
mod rows;

use std::fmt::Write;

pub use export::{csv, html, json, markdown};
pub use grid::{GridOptions, grid};
pub use rows::{RowFormat, RowWriter};

use crate::dynamic::write_json;
use crate::ticks;
use crate::types::DECIMAL_SCALE;
use crate::value::Cell;

/// A cell as Kusto prints it; a null is the empty text.
pub fn text(cell: Cell<'_>) -> String {
    let mut out = String::new();
    push_text(&mut out, cell);
    out
}

/// Appends a cell as Kusto prints it: see [`text`].
pub fn push_text(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Null => {}
        Cell::Bool(value) => out.push_str(if value { "True" } else { "False" }),
        Cell::Int(value) => push_long(out, i64::from(value)),
        Cell::Long(value) => push_long(out, value),
        Cell::Real(value) => push_real(out, value),
        Cell::Decimal(value) => push_decimal(out, value),
        Cell::DateTime(value) => ticks::write_datetime(out, value),
        Cell::TimeSpan(value) => ticks::write_timespan(out, value),
        Cell::String(value) | Cell::Guid(value) => out.push_str(value),
        Cell::Dynamic(value) => match value.as_str() {
            Some(text) => out.push_str(text),
            None => write_json(out, value),
        },
    }
}

/// Appends a cell as a JSON value: datetimes, timespans, guids and decimals are strings, dynamic values are themselves.
pub fn push_json(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Cell::Real(value) => push_json_real(out, value),
        Cell::Dynamic(value) => write_json(out, value),
        Cell::String(value) | Cell::Guid(value) => push_json_string(out, value),
        Cell::Int(_) | Cell::Long(_) => push_text(out, cell),
        Cell::Decimal(_) | Cell::DateTime(_) | Cell::TimeSpan(_) => {
            out.push('"');
            push_text(out, cell);
            out.push('"');
        }
    }
}

/// A cell as a JSON value: see [`push_json`].
pub fn json_value(cell: Cell<'_>) -> serde_json::Value {
    let mut out = String::new();
    push_json(&mut out, cell);
    serde_json::from_str(&out).unwrap_or_default()
}

/// Appends a whole number.
pub fn push_long(out: &mut String, value: i64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a real as Kusto prints it, which is as .NET does: the shortest digits that read back, with an exponent
/// (`1E+15`, `1E-05`) from 10^15 up and below 10^-4.
pub fn push_real(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-5..1e15).contains(&magnitude) {
        let text = format!("{value:E}");
        let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        let _ = write!(out, "{mantissa}E{sign}{digits:0>2}");
        return;
    }
    let _ = write!(out, "{value}");
}

/// Appends a real as JSON; NaN and the infinities, which JSON lacks, are strings.
pub fn push_json_real(out: &mut String, value: f64) {
    match serde_json::Number::from_f64(value) {
        Some(number) => {
            let _ = write!(out, "{number}");
        }
        None => {
            out.push('"');
            push_real(out, value);
            out.push('"');
        }
    }
}

/// Appends a decimal without trailing zeros.
pub fn push_decimal(out: &mut String, value: i128) {
    let unit = 10_u128.pow(DECIMAL_SCALE.unsigned_abs().into());
    if value < 0 {
        out.push('-');
    }
    let magnitude = value.unsigned_abs();
    let _ = write!(out, "{}", magnitude / unit);
    let fraction = magnitude % unit;
    if fraction != 0 {
        let width = usize::from(DECIMAL_SCALE.unsigned_abs());
        let digits = format!("{fraction:0width$}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

/// Appends a JSON string with its quotes.
pub fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        if short.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(short);
        }
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_print_as_dotnet_prints_them() {
        for (value, wanted) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e15, "1E+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (1.234_567_890_123_456e15, "1.234567890123456E+15"),
            (0.0001, "0.0001"),
            (0.000_001, "1E-06"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(Cell::Real(value)), wanted);
        }
    }

    #[test]
    fn decimals_and_strings() {
        assert_eq!(text(Cell::Decimal(-1_500_000_000_000)), "-1.5");
        assert_eq!(text(Cell::Decimal(7_000_000_000_000)), "7");
        let mut out = String::new();
        push_json_string(&mut out, "a\"\\\u{1}é\n");
        assert_eq!(out, "\"a\\\"\\\\\\u0001é\\n\"");
    }
}
