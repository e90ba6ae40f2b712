//! Functions that read what a text holds (a version, a record, a command line, code points), and those that write numbers as text.

use spoor_table::{Cell, DECIMAL_SCALE, DynamicRef, KustoType};

use super::{number, text};
use crate::functions::Bound;
use crate::functions::args::count;
use crate::functions::cast::wrap;
use crate::functions::udf::{Body, Out, call};
use crate::typed::{BindContext, Typed};

pub(super) fn unicode_codepoints(cells: &[Cell<'_>], out: &mut Out) {
    out.dynamic(|b| {
        let mark = b.begin_array();
        for c in text(&cells[0]).chars() {
            b.long(i64::from(u32::from(c)));
            b.item(&mark);
        }
        b.end(mark);
    });
}

pub(super) fn codepoints_to_string(_: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 64)?;
    let wrapped: Vec<Typed> = args.iter().map(wrap).collect();
    Ok(call(
        "unicode_codepoints_to_string",
        &wrapped,
        KustoType::String,
        Body::Rows(codepoints_row),
    ))
}

fn codepoints_row(cells: &[Cell<'_>], out: &mut Out) {
    use spoor_table::dynamic::Kind;
    let point = |value: DynamicRef<'_>| match value.kind() {
        Kind::Long(v) => u32::try_from(v).ok().and_then(char::from_u32),
        _ => None,
    };
    let characters: String = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::Dynamic(value) => Some(*value),
            _ => None,
        })
        .flat_map(|value| match value.as_array() {
            Some(items) => items.iter().filter_map(point).collect::<Vec<_>>(),
            None => point(value).into_iter().collect(),
        })
        .collect();
    out.text(&characters);
}

pub(super) fn parse_version(cells: &[Cell<'_>], out: &mut Out) {
    let parts: Option<Vec<i128>> = text(&cells[0])
        .split('.')
        .map(|part| part.trim().parse().ok())
        .collect();
    let value = parts.filter(|p| {
        !p.is_empty() && p.len() <= 4 && p.iter().all(|n| (0..100_000_000).contains(n))
    });
    // Each part takes eight digits.
    let number = value.map(|parts| {
        (0..4).fold(0_i128, |n, at| {
            n * 100_000_000 + parts.get(at).copied().unwrap_or(0)
        })
    });
    let scaled =
        number.and_then(|n| n.checked_mul(10_i128.pow(u32::from(DECIMAL_SCALE.unsigned_abs()))));
    out.maybe(scaled, Out::decimal);
}

pub(super) fn parse_csv(cells: &[Cell<'_>], out: &mut Out) {
    let fields = csv_fields(text(&cells[0]));
    out.dynamic(|b| {
        let mark = b.begin_array();
        for field in &fields {
            b.string(field);
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// The fields of the first record.
fn csv_fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            '\n' | '\r' if !quoted => break,
            c => field.push(c),
        }
    }
    fields
}

pub(super) fn parse_command_line(cells: &[Cell<'_>], out: &mut Out) {
    let source = text(&cells[0]).trim();
    if source.is_empty() || !text(&cells[1]).eq_ignore_ascii_case("windows") {
        return out.null();
    }
    let arguments = windows_arguments(source);
    out.dynamic(|b| {
        let mark = b.begin_array();
        for argument in &arguments {
            b.string(argument);
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// The rules of `CommandLineToArgvW`: backslashes are plain but before a quote.
fn windows_arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current = String::new();
    let (mut quoted, mut open, mut backslashes) = (false, false, 0);
    for c in text.chars() {
        match c {
            '\\' => {
                backslashes += 1;
                open = true;
                continue;
            }
            '"' => {
                current.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    current.push('"')
                } else {
                    quoted = !quoted
                }
                open = true;
            }
            c => {
                current.extend(std::iter::repeat_n('\\', backslashes));
                if c.is_whitespace() && !quoted {
                    if open {
                        arguments.push(std::mem::take(&mut current));
                        open = false;
                    }
                } else {
                    current.push(c);
                    open = true;
                }
            }
        }
        backslashes = 0;
    }
    current.extend(std::iter::repeat_n('\\', backslashes));
    if open {
        arguments.push(current);
    }
    arguments
}

pub(super) fn format_bytes(cells: &[Cell<'_>], out: &mut Out) {
    const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
    let Cell::Real(bytes) = cells[0] else {
        return out.null();
    };
    let wanted = cells.get(2).map_or("", text);
    let power = match UNITS
        .iter()
        .position(|unit| unit.eq_ignore_ascii_case(wanted))
    {
        Some(power) => power,
        None if wanted.is_empty() => (1..UNITS.len())
            .take_while(|p| bytes.abs() >= 1024_f64.powi(*p as i32))
            .count(),
        None => return out.null(),
    };
    let digits = number(cells, 1).unwrap_or(0).clamp(0, 15) as i32;
    let scale = 10_f64.powi(digits);
    let value = (bytes / 1024_f64.powi(power as i32) * scale).round() / scale;
    out.text(&format!("{value} {}", UNITS[power]));
}
