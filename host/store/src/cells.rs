//! How each protocol spells a value, and names a type.
//!
//! Where they differ: Kusto's version 1 has truth values as 0 and 1. Log Analytics and version 1 have dynamic values as the text of
//! their JSON; version 2 has arrays and objects as they are. In all of them `datetime` is ISO 8601 in UTC with as many digits as it
//! needs, up to 100 ns; `timespan` is .NET's `[-][d.]hh:mm:ss[.fffffff]`; `decimal` is text; `real` is a number, or the text `NaN`,
//! `Infinity` or `-Infinity`; an empty value is null.

use spoor_table::dynamic::Dynamic;
use spoor_table::format::{push_json, push_json_string};
use spoor_table::{Cell, DynamicRef, KustoType, ticks};

/// A protocol's way to write values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Log Analytics' query API.
    LogAnalytics,
    /// Kusto's version 1.
    KustoV1,
    /// Kusto's version 2.
    KustoV2,
}

/// Appends a cell as JSON.
pub(crate) fn push(out: &mut String, cell: Cell<'_>, spelling: Spelling) {
    match cell {
        Cell::Bool(value) if spelling == Spelling::KustoV1 => {
            out.push(if value { '1' } else { '0' });
        }
        Cell::DateTime(value) => push_datetime(out, value),
        Cell::Dynamic(value) => push_dynamic(out, value, spelling),
        other => push_json(out, other),
    }
}

/// Without the zeros behind the last digit that counts, as .NET's serializers leave them out.
fn push_datetime(out: &mut String, value: i64) {
    let text = ticks::datetime_text(value);
    let digits = text.trim_end_matches('Z').trim_end_matches('0');
    out.push('"');
    out.push_str(digits.strip_suffix('.').unwrap_or(digits));
    out.push_str("Z\"");
}

fn push_dynamic(out: &mut String, value: DynamicRef<'_>, spelling: Spelling) {
    if let Some(text) = value.as_str() {
        // Clients read text that is JSON as JSON: "5" in quotation marks of its own stays a text.
        if Dynamic::parse(text).is_some() || text.is_empty() {
            let mut quoted = String::new();
            push_json_string(&mut quoted, text);
            push_json_string(out, &quoted);
        } else {
            push_json_string(out, text);
        }
        return;
    }
    let json = value.to_json();
    if spelling == Spelling::KustoV2 {
        out.push_str(&json);
    } else {
        push_json_string(out, &json);
    }
}

/// The type's name in .NET, which Kusto's version 1 tells beside Kusto's own.
pub(crate) fn net_type(ty: KustoType) -> &'static str {
    match ty {
        KustoType::Bool => "SByte",
        KustoType::Int => "Int32",
        KustoType::Long => "Int64",
        KustoType::Real => "Double",
        KustoType::Decimal => "SqlDecimal",
        KustoType::DateTime => "DateTime",
        KustoType::TimeSpan => "TimeSpan",
        KustoType::String => "String",
        KustoType::Guid => "Guid",
        KustoType::Dynamic => "Object",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spelt(cell: Cell<'_>, spelling: Spelling) -> String {
        let mut out = String::new();
        push(&mut out, cell, spelling);
        out
    }

    #[test]
    fn values_are_spelt_as_the_services_spell_them() {
        let la = Spelling::LogAnalytics;
        let second = 638_000_000_000_000_000 / ticks::SECOND * ticks::SECOND;
        assert!(!spelt(Cell::DateTime(second), la).contains('.'));
        assert!(spelt(Cell::DateTime(second + 1), la).ends_with(".0000001Z\""));
        assert!(spelt(Cell::DateTime(second + 2_500_000), la).ends_with(".25Z\""));
        assert_eq!(spelt(Cell::DateTime(0), la), "\"0001-01-01T00:00:00Z\"");
        let span = -(ticks::DAY + 5_000_000);
        assert_eq!(spelt(Cell::TimeSpan(span), la), "\"-1.00:00:00.5000000\"");
        assert_eq!(spelt(Cell::Real(f64::NEG_INFINITY), la), "\"-Infinity\"");
        assert_eq!(spelt(Cell::Bool(true), Spelling::KustoV1), "1");
        assert_eq!(spelt(Cell::Bool(true), Spelling::KustoV2), "true");
        assert_eq!(spelt(Cell::Decimal(1_500_000_000_000), la), "\"1.5\"");
    }

    #[test]
    fn dynamic_values_stay_what_they_are() {
        let bag = Dynamic::parse(r#"{"a":[1,"x"]}"#).unwrap();
        let (v2, la) = (Spelling::KustoV2, Spelling::LogAnalytics);
        assert_eq!(spelt(Cell::Dynamic(bag.view()), v2), r#"{"a":[1,"x"]}"#);
        assert_eq!(
            spelt(Cell::Dynamic(bag.view()), la),
            r#""{\"a\":[1,\"x\"]}""#
        );
        let five = Dynamic::parse("\"5\"").unwrap();
        assert_eq!(spelt(Cell::Dynamic(five.view()), la), r#""\"5\"""#);
        let word = Dynamic::parse("\"word\"").unwrap();
        assert_eq!(spelt(Cell::Dynamic(word.view()), v2), "\"word\"");
    }
}
