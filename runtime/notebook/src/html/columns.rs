//! Which cells of a table hold numbers: those columns, and their heads, are set to the right. Reads
//! HTML that [`super::sanitize`] has cleaned; tables within tables are left alone.

use std::collections::{HashMap, HashSet};

use super::finish::{parse, tag_end};

struct Cell {
    /// Where its tag begins.
    offset: usize,
    is_head: bool,
    columns: usize,
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Number,
    Nothing,
    Text,
}

/// Where the tags of cells in columns of numbers begin.
pub(crate) fn numeric_cells(html: &str) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(start) = html[at..].find('<').map(|next| at + next) {
        let Some(end) = tag_end(&html[start..]).map(|end| start + end) else {
            break;
        };
        let tag = parse(&html[start + 1..end - 1]);
        match tag.name {
            "table" => depth += 1,
            "/table" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    mark(&mut found, &std::mem::take(&mut rows));
                }
            }
            "tr" if depth == 1 => rows.push(Vec::new()),
            "td" | "th" if depth == 1 => {
                let cell = Cell {
                    offset: start,
                    is_head: tag.name == "th",
                    columns: tag
                        .get("colspan")
                        .and_then(|columns| columns.parse().ok())
                        .unwrap_or(1),
                    content: content(&html[end..]),
                };
                if let Some(row) = rows.last_mut() {
                    row.push(cell);
                }
            }
            _ => {}
        }
        at = end;
    }
    found
}

/// One column: whether it has numbers, whether it has text, and where its cells begin.
#[derive(Default)]
struct Column {
    has_numbers: bool,
    has_text: bool,
    cells: Vec<usize>,
}

/// Columns are counted from the right, for what spans rows is on the left.
fn mark(found: &mut HashSet<usize>, rows: &[Vec<Cell>]) {
    let mut columns: HashMap<usize, Column> = HashMap::new();
    for row in rows {
        let is_heads = row.iter().all(|cell| cell.is_head);
        let mut index = 0usize;
        for cell in row.iter().rev() {
            let column = columns.entry(index).or_default();
            index = index.saturating_add(cell.columns);
            if !cell.is_head {
                column.has_numbers |= cell.content == Content::Number;
                column.has_text |= cell.content == Content::Text;
            }
            if !cell.is_head || is_heads && cell.columns == 1 {
                column.cells.push(cell.offset);
            }
        }
    }
    let numeric = columns
        .into_values()
        .filter(|column| column.has_numbers && !column.has_text);
    found.extend(numeric.flat_map(|column| column.cells));
}

/// What a cell holds, from the text after its tag.
fn content(html: &str) -> Content {
    let (text, after) = html.split_at(html.find('<').unwrap_or(html.len()));
    let text = text.trim();
    let ends = after.starts_with("</td") || after.starts_with("</th");
    match text {
        "" | "..." | "NaN" | "NaT" | "None" | "null" | "&lt;NA&gt;" if ends => Content::Nothing,
        _ if ends && is_number(text) => Content::Number,
        _ => Content::Text,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text
        .trim_start_matches(['-', '+', '−'])
        .trim_end_matches('%');
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.trim_start_matches(['-', '+']);
    mantissa.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && mantissa
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'_'))
        && mantissa.matches('.').count() <= 1
        && mantissa.contains(|c: char| c.is_ascii_digit())
        && exponent.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table with `#` before each cell that is set to the right.
    fn shown(html: &str) -> String {
        let mut offsets: Vec<usize> = numeric_cells(html).into_iter().collect();
        offsets.sort_unstable();
        let mut out = html.to_owned();
        offsets.iter().rev().for_each(|at| out.insert(*at, '#'));
        out.replace("<td>", "")
            .replace("<th>", "")
            .replace("</td>", "|")
            .replace("</th>", "|")
    }

    #[test]
    fn numbers_and_their_heads() {
        for (html, expected) in [
            (
                "<table><tr><th>a</th><th>b</th></tr><tr><td>x</td><td>1</td></tr></table>",
                "<table><tr>a|#b|</tr><tr>x|#1|</tr></table>",
            ),
            (
                "<table><tr><td>10.0.0.1</td><td>-1,000.5e+3</td></tr><tr><td>2</td><td>NaN</td></tr></table>",
                "<table><tr>10.0.0.1|#-1,000.5e+3|</tr><tr>2|#NaN|</tr></table>",
            ),
            (
                "<table><tr><td>2025-01-01</td><td><b>1</b></td></tr></table>",
                "<table><tr>2025-01-01|<b>1</b>|</tr></table>",
            ),
            (
                "<table><tr><th></th><th>n</th></tr><tr><th>0</th><td>5%</td></tr></table>",
                "<table><tr>|#n|</tr><tr>0|#5%|</tr></table>",
            ),
        ] {
            assert_eq!(shown(html), expected);
        }
    }
}
