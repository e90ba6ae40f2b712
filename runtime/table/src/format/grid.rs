//! A table as text for a terminal: aligned columns, values cut to a width, rows capped with a count of the rest.

use crate::format;
use crate::table::Table;
use crate::types::KustoType;

/// How a grid is cut to size.
#[derive(Clone, Copy, Debug)]
pub struct GridOptions {
    /// Rows shown at most.
    pub rows: usize,
    /// Characters of a line; columns are narrowed to fit, the longest first, but not below eight.
    pub width: usize,
}

impl Default for GridOptions {
    fn default() -> Self {
        GridOptions {
            rows: 60,
            width: 120,
        }
    }
}

/// No column is narrowed below this many characters.
const LEAST: usize = 8;
/// Between columns.
const GAP: &str = "  ";

/// The table as a grid, ending in a newline: names, a rule, rows, and `… N more rows` when some were left out.
pub fn grid(table: &Table, options: GridOptions) -> String {
    let columns = table.columns();
    let shown = table.slice(0, options.rows);
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|c| c.name.clone()).collect()];
    shown.for_each_row(|cells| {
        // What a line cannot show need not be formatted whole, but text is cheap and rows are few.
        lines.push(
            cells
                .iter()
                .map(|cell| one_line(&format::text(*cell)))
                .collect(),
        );
        true
    });
    let widths = fit(&lines, columns.len(), options.width);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        push_line(&mut out, line, &widths, |i| {
            number > 0 && right(columns[i].ty)
        });
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
            push_line(&mut out, &rules, &widths, |_| false);
        }
    }
    match table.rows() {
        0 => out.push_str("no rows\n"),
        rows if rows > shown.rows() => {
            out.push_str(&format!("… {} more rows\n", rows - shown.rows()));
        }
        _ => {}
    }
    out
}

fn right(ty: KustoType) -> bool {
    ty.is_numeric() || ty == KustoType::TimeSpan
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '⏎',
            '\r' => '␍',
            '\t' => ' ',
            c if c.is_control() => '·',
            c => c,
        })
        .collect()
}

fn fit(lines: &[Vec<String>], columns: usize, width: usize) -> Vec<usize> {
    let mut widths = vec![1; columns];
    for line in lines {
        for (slot, text) in widths.iter_mut().zip(line) {
            *slot = (*slot).max(text.chars().count());
        }
    }
    let available = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    let total: usize = widths.iter().sum();
    if total > available {
        let cap = cap(&widths, available).max(LEAST);
        widths.iter_mut().for_each(|w| *w = (*w).min(cap));
    }
    widths
}

/// The largest cap on a column's width under which all columns fit in `available`.
fn cap(widths: &[usize], available: usize) -> usize {
    let (mut low, mut high) = (0, available);
    while low < high {
        let middle = (low + high).div_ceil(2);
        let used: usize = widths.iter().map(|w| (*w).min(middle)).sum();
        if used <= available {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn push_line(out: &mut String, line: &[String], widths: &[usize], right: impl Fn(usize) -> bool) {
    let start = out.len();
    for (i, (text, width)) in line.iter().zip(widths).enumerate() {
        if i > 0 {
            out.push_str(GAP);
        }
        let length = text.chars().count();
        if length > *width {
            out.extend(text.chars().take(width - 1));
            out.push('…');
        } else {
            let pad = " ".repeat(width - length);
            let (before, after) = if right(i) {
                (pad.as_str(), "")
            } else {
                ("", pad.as_str())
            };
            out.push_str(before);
            out.push_str(text);
            out.push_str(after);
        }
    }
    let kept = out.trim_end_matches(' ').len().max(start);
    out.truncate(kept);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Column, Value};

    fn table(rows: usize) -> Table {
        let columns = vec![
            Column::new("Name", KustoType::String),
            Column::new("N", KustoType::Long),
        ];
        let rows: Vec<Vec<Value>> = (0..rows)
            .map(|n| {
                vec![
                    Value::String("x".repeat(n * 10 + 1)),
                    Value::Long(n as i64 * 100),
                ]
            })
            .collect();
        Table::from_values(columns, &rows).unwrap()
    }

    #[test]
    fn numbers_go_right_and_long_text_is_cut() {
        let text = grid(&table(3), GridOptions { rows: 2, width: 15 });
        assert_eq!(
            text,
            "Name        N\n──────────  ───\nx             0\nxxxxxxxxx…  100\n… 1 more rows\n"
        );
    }

    #[test]
    fn an_empty_table_says_so() {
        assert!(grid(&table(0), GridOptions::default()).ends_with("no rows\n"));
    }
}
