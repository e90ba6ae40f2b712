//! Columns on their way to and from pandas: a small JSON header and raw buffers that numpy reads without a copy.
//!
//! The header is `{"rows": n, "columns": [{"name", "type", "encoding", ...}]}`; the numbers in it index the buffers.
//! - `fixed`: `data` and `validity` (one byte a row, 1 for a value; null when every row has one). bool `u8`, int `i32`,
//!   long `i64`, real `f64`. datetime and timespan add `unit` (`ns`, or `us` when nanoseconds would overflow): `i64`
//!   since 1970 in UTC, null as `i64::MIN`, and no validity.
//! - `utf8`: `offsets` (`i32`, rows + 1), `data`, `validity`; string, guid, decimal as text, dynamic as JSON text.
//! - `dictionary`: `codes` (`i32` a row, -1 for null) into `offsets` and `data`; the same types when values repeat.
//!
//! Everything is little-endian, as WebAssembly is.

mod export;
mod import;

pub use export::export;
pub use import::import;

/// The null of `datetime64` and `timedelta64` in pandas.
const NOT_A_TIME: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Column, Dynamic, KustoType, Table, Value, ticks};

    fn table() -> Table {
        let columns: Vec<Column> = KustoType::ALL
            .iter()
            .map(|ty| Column::new(ty.name(), *ty))
            .collect();
        let row = |n: i64| {
            vec![
                Value::Bool(n % 2 == 0),
                Value::DateTime(ticks::UNIX_EPOCH + n * ticks::DAY),
                Value::Decimal(i128::from(n) * 500_000_000_000),
                Value::Dynamic(Dynamic::parse(&format!("{{\"n\":{n}}}")).unwrap()),
                Value::Guid(format!("00000000-0000-0000-0000-{n:012}")),
                Value::Int(n as i32),
                Value::Long(n),
                Value::Real(n as f64 / 2.0),
                Value::String(format!("text {}", n % 3)),
                Value::TimeSpan(n * ticks::SECOND),
            ]
        };
        let rows = [row(1), vec![], row(2), row(3)];
        Table::from_values(columns, &rows).unwrap()
    }

    #[test]
    fn what_is_exported_comes_back() {
        let table = table();
        let (header, buffers) = export(&table);
        let views: Vec<&[u8]> = buffers.iter().map(Vec::as_slice).collect();
        let back = import(&header, &views).unwrap();
        assert_eq!(back.columns(), table.columns());
        for row in 0..4 {
            for column in 0..10 {
                assert_eq!(
                    back.value(row, column),
                    table.value(row, column),
                    "{row} {column}"
                );
            }
        }
    }

    #[test]
    fn repeated_texts_share_a_dictionary_and_far_dates_use_microseconds() {
        let columns = vec![
            Column::new("s", KustoType::String),
            Column::new("t", KustoType::DateTime),
        ];
        let row = vec![
            Value::String("same".into()),
            Value::DateTime(ticks::DATETIME_MAX),
        ];
        let table = Table::from_values(columns, &vec![row; 100]).unwrap();
        let (header, _) = export(&table);
        assert_eq!(header["columns"][0]["encoding"], "dictionary");
        assert_eq!(header["columns"][1]["unit"], "us");
    }

    #[test]
    fn headers_from_the_guest_are_checked() {
        let (header, buffers) = export(&table());
        let views: Vec<&[u8]> = buffers.iter().map(Vec::as_slice).collect();
        assert!(import(&header, &views[..3]).is_err());
        for (from, to) in [
            ("\"rows\":4", "\"rows\":5"),
            ("\"rows\":4", "\"rows\":-1"),
            ("fixed", "other"),
        ] {
            let text = header.to_string().replacen(from, to, 1);
            let header = serde_json::from_str(&text).unwrap();
            assert!(import(&header, &views).is_err(), "{to}");
        }
    }
}
