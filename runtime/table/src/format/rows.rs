//! Tables in formats that are written row by row: CSV, Markdown, Kusto-like JSON and KQL's `datatable`.
//!
//! Whoever has a whole table calls [`super::csv`] and its like; whoever picks rows or has other things to do between
//! them writes through a [`RowWriter`].

use super::{push_json, push_json_string, push_text};
use crate::types::{Column, KustoType};
use crate::value::Cell;

/// A format that is written row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// Comma-separated values after RFC 4180: names first, nulls as empty fields, lines ended by a newline.
    Csv,
    /// A Markdown table, numbers to the right.
    Markdown,
    /// `{"columns":[{"name":...,"type":...}],"rows":[[...]]}`, one row a line; see [`push_json`] for the values.
    Json,
    /// A KQL literal that is the table: `datatable (name:type, ...) [...]`.
    Datatable,
}

/// Writes a table of some columns row by row.
#[derive(Debug)]
pub struct RowWriter {
    format: RowFormat,
    types: Vec<KustoType>,
    out: String,
    text: String,
    rows: usize,
}

impl RowWriter {
    /// A writer that has written what stands before the rows.
    pub fn new(format: RowFormat, columns: &[Column]) -> Self {
        let mut out = String::new();
        match format {
            RowFormat::Csv => csv_head(&mut out, columns),
            RowFormat::Markdown => markdown_head(&mut out, columns),
            RowFormat::Json => json_head(&mut out, columns),
            RowFormat::Datatable => datatable_head(&mut out, columns),
        }
        let types = columns.iter().map(|column| column.ty).collect();
        RowWriter {
            format,
            types,
            out,
            text: String::new(),
            rows: 0,
        }
    }

    /// Writes a row: a cell for each column.
    pub fn row(&mut self, cells: &[Cell<'_>]) {
        let first = self.rows == 0;
        self.rows += 1;
        match self.format {
            RowFormat::Csv => self.csv(cells),
            RowFormat::Markdown => self.markdown(cells),
            RowFormat::Json => self.json(cells, first),
            RowFormat::Datatable => self.datatable(cells, first),
        }
    }

    /// Bytes of the text so far.
    pub fn bytes(&self) -> usize {
        self.out.len()
    }

    /// The text, with what stands behind the rows.
    pub fn finish(mut self) -> String {
        match self.format {
            RowFormat::Csv | RowFormat::Markdown => {}
            RowFormat::Json => {
                let end = if self.rows == 0 { "]}\n" } else { "\n]}\n" };
                self.out.push_str(end);
            }
            RowFormat::Datatable => self.out.push_str("\n]\n"),
        }
        self.out
    }

    fn csv(&mut self, cells: &[Cell<'_>]) {
        for (i, cell) in cells.iter().enumerate() {
            self.text.clear();
            push_plain(&mut self.text, *cell);
            push_field(&mut self.out, i, &self.text);
        }
        self.out.push('\n');
    }

    fn markdown(&mut self, cells: &[Cell<'_>]) {
        self.out.push('|');
        for cell in cells {
            self.text.clear();
            push_text(&mut self.text, *cell);
            push_markdown(&mut self.out, &self.text);
        }
        self.out.push('\n');
    }

    fn json(&mut self, cells: &[Cell<'_>], first: bool) {
        self.out.push_str(if first { "\n[" } else { ",\n[" });
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            push_json(&mut self.out, *cell);
        }
        self.out.push(']');
    }

    fn datatable(&mut self, cells: &[Cell<'_>], first: bool) {
        self.out.push_str(if first { "\n  " } else { ",\n  " });
        for (i, (cell, ty)) in cells.iter().zip(&self.types).enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            push_literal(&mut self.out, *cell, *ty);
        }
    }
}

fn csv_head(out: &mut String, columns: &[Column]) {
    for (i, column) in columns.iter().enumerate() {
        push_field(out, i, &column.name);
    }
    out.push('\n');
}

/// Text for other tools: truth values in lower case, as every reader of CSV knows them.
fn push_plain(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        cell => push_text(out, cell),
    }
}

fn push_field(out: &mut String, index: usize, text: &str) {
    if index > 0 {
        out.push(',');
    }
    if text.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

fn markdown_head(out: &mut String, columns: &[Column]) {
    out.push('|');
    for column in columns {
        push_markdown(out, &column.name);
    }
    out.push_str("\n|");
    for column in columns {
        out.push_str(if column.ty.is_numeric() {
            " ---: |"
        } else {
            " --- |"
        });
    }
    out.push('\n');
}

fn push_markdown(out: &mut String, text: &str) {
    out.push(' ');
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\|"),
            '\\' => out.push_str("\\\\"),
            '<' => out.push_str("&lt;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out.push_str(" |");
}

fn json_head(out: &mut String, columns: &[Column]) {
    out.push_str("{\"columns\":[");
    for (i, column) in columns.iter().enumerate() {
        out.push_str(if i > 0 { ",{\"name\":" } else { "{\"name\":" });
        push_json_string(out, &column.name);
        out.push_str(",\"type\":\"");
        out.push_str(column.ty.name());
        out.push_str("\"}");
    }
    out.push_str("],\"rows\":[");
}

fn datatable_head(out: &mut String, columns: &[Column]) {
    out.push_str("datatable (");
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_name(out, &column.name);
        out.push(':');
        out.push_str(column.ty.name());
    }
    out.push_str(") [");
}

/// A column's name as a query writes it: bare where it is a plain word, else in brackets and quotes.
fn push_name(out: &mut String, name: &str) {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return out.push_str(name);
    }
    out.push('[');
    push_json_string(out, name);
    out.push(']');
}

/// A value as a literal of its type. Kusto's strings have all of JSON's escapes.
fn push_literal(out: &mut String, cell: Cell<'_>, ty: KustoType) {
    match cell {
        Cell::String(value) => push_json_string(out, value),
        Cell::Null if ty == KustoType::String => out.push_str("\"\""),
        Cell::Long(_) => push_text(out, cell),
        Cell::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        _ => {
            out.push_str(ty.name());
            out.push('(');
            match cell {
                Cell::Null => out.push_str("null"),
                Cell::Real(value) if value.is_nan() => out.push_str("nan"),
                Cell::Real(value) if value.is_infinite() => {
                    out.push_str(if value > 0.0 { "+inf" } else { "-inf" });
                }
                Cell::Dynamic(_) => push_json(out, cell),
                cell => push_text(out, cell),
            }
            out.push(')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dynamic, Value};

    #[test]
    fn a_datatable_has_a_literal_for_every_type() {
        let columns: Vec<Column> = KustoType::ALL
            .iter()
            .map(|ty| Column::new(format!("a {ty}"), *ty))
            .chain([Column::new("plain", KustoType::Real)])
            .collect();
        let row = [
            Value::Bool(true),
            Value::DateTime(0),
            Value::Decimal(-1_500_000_000_000),
            Value::Dynamic(Dynamic::parse(r#"{"k":["v\n"]}"#).unwrap_or(Dynamic::null())),
            Value::Guid("74be27de-1e4e-49d9-b579-fe0b331d3642".into()),
            Value::Int(-1),
            Value::Long(-2),
            Value::Real(f64::NEG_INFINITY),
            Value::String("C:\\a \"b\"\n".into()),
            Value::TimeSpan(-7),
            Value::Real(1e20),
        ];
        let cells: Vec<Cell<'_>> = row.iter().map(Value::cell).collect();
        let mut writer = RowWriter::new(RowFormat::Datatable, &columns[..]);
        writer.row(&cells);
        writer.row(&[Cell::Null; 11]);
        assert_eq!(
            writer.finish(),
            r#"datatable (["a bool"]:bool, ["a datetime"]:datetime, ["a decimal"]:decimal, ["a dynamic"]:dynamic, ["a guid"]:guid, ["a int"]:int, ["a long"]:long, ["a real"]:real, ["a string"]:string, ["a timespan"]:timespan, plain:real) [
  true, datetime(0001-01-01T00:00:00.0000000Z), decimal(-1.5), dynamic({"k":["v\n"]}), guid(74be27de-1e4e-49d9-b579-fe0b331d3642), int(-1), -2, real(-inf), "C:\\a \"b\"\n", timespan(-00:00:00.0000007), real(1E+20),
  bool(null), datetime(null), decimal(null), dynamic(null), guid(null), int(null), long(null), real(null), "", timespan(null), real(null)
]
"#
        );
    }
}
