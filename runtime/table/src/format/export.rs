//! Tables in the formats that other tools read: CSV, Markdown, HTML and Kusto-like JSON.

use crate::format::push_text;
use crate::format::rows::{RowFormat, RowWriter};
use crate::table::Table;

/// The table as [`RowFormat::Csv`].
pub fn csv(table: &Table) -> String {
    by_rows(table, RowFormat::Csv)
}

/// The table as [`RowFormat::Json`].
pub fn json(table: &Table) -> String {
    by_rows(table, RowFormat::Json)
}

/// A Markdown table of at most `limit` rows, with a line that counts the rest.
pub fn markdown(table: &Table, limit: usize) -> String {
    let shown = table.slice(0, limit);
    let mut out = by_rows(&shown, RowFormat::Markdown);
    if table.rows() > shown.rows() {
        out.push_str(&format!("\n… {} more rows\n", table.rows() - shown.rows()));
    }
    out
}

fn by_rows(table: &Table, format: RowFormat) -> String {
    let mut writer = RowWriter::new(format, table.columns());
    table.for_each_row(|cells| {
        writer.row(cells);
        true
    });
    writer.finish()
}

/// An HTML `<table class="spoor-table">` of at most `limit` rows, followed by a line with the count of rows.
/// Everything that comes from the data is escaped.
pub fn html(table: &Table, limit: usize) -> String {
    let mut out = String::from("<table class=\"spoor-table\">\n<thead><tr>");
    for column in table.columns() {
        out.push_str("<th title=\"");
        out.push_str(column.ty.name());
        out.push_str("\">");
        push_escaped(&mut out, &column.name);
        out.push_str("</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    let shown = table.slice(0, limit);
    let mut text = String::new();
    shown.for_each_row(|cells| {
        out.push_str("<tr>");
        for (cell, column) in cells.iter().zip(table.columns()) {
            text.clear();
            push_text(&mut text, *cell);
            out.push_str(if column.ty.is_numeric() {
                "<td style=\"text-align: right\">"
            } else {
                "<td style=\"text-align: left\">"
            });
            push_escaped(&mut out, &text);
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
        true
    });
    out.push_str("</tbody>\n</table>\n<p>");
    out.push_str(&count_line(
        table.rows(),
        shown.rows(),
        table.columns().len(),
    ));
    out.push_str("</p>\n");
    out
}

fn count_line(rows: usize, shown: usize, columns: usize) -> String {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut line = match rows {
        0 => "No rows".to_owned(),
        rows => plural(rows, "row"),
    };
    if shown < rows {
        line.push_str(&format!(" (the first {shown} shown)"));
    }
    format!("{line}, {}", plural(columns, "column"))
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Column, Dynamic, KustoType, Value};

    fn table() -> Table {
        let columns = vec![
            Column::new("a|b", KustoType::String),
            Column::new("when", KustoType::DateTime),
            Column::new("span", KustoType::TimeSpan),
            Column::new("bag", KustoType::Dynamic),
            Column::new("x", KustoType::Real),
        ];
        let row = vec![
            Value::String("<b>\"1\",|".into()),
            Value::DateTime(0),
            Value::TimeSpan(5),
            Value::Dynamic(Dynamic::parse(r#"{"k":[1]}"#).unwrap()),
            Value::Real(f64::NAN),
        ];
        Table::from_values(columns, &[row, vec![]]).unwrap()
    }

    #[test]
    fn json_keeps_types_and_is_json() {
        let text = json(&table());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["columns"][1]["type"], "datetime");
        assert_eq!(
            value["rows"][0].to_string(),
            r#"["<b>\"1\",|","0001-01-01T00:00:00.0000000Z","00:00:00.0000005",{"k":[1]},"NaN"]"#
        );
        assert_eq!(value["rows"][1].to_string(), r#"["",null,null,null,null]"#);
    }

    #[test]
    fn text_forms_escape_what_would_break_them() {
        assert!(csv(&table()).contains("\"<b>\"\"1\"\",|\",0001-01-01"));
        assert!(html(&table(), 1).contains("&lt;b&gt;&quot;1&quot;,|"));
        assert!(html(&table(), 1).contains("2 rows (the first 1 shown), 5 columns"));
        assert!(markdown(&table(), 9).contains("&lt;b>\"1\",\\|"));
    }
}
