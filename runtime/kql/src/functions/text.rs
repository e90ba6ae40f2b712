//! Functions over text. Positions and lengths count Unicode characters.

mod formats;
mod patterns;

use spoor_table::{Cell, KustoType, format};

use super::args::{P, fixed, optional, quantity, variadic};
use super::udf::{Body, Out};
use super::{function_table, regexes};

use KustoType::{Bool, Dynamic, Long, String as Text};
use formats::{
    codepoints_to_string, format_bytes, parse_command_line, parse_csv, parse_version,
    unicode_codepoints,
};
use patterns::{checked, extract_all_bind, extract_bind, replace_regex, trim, trim_row};

function_table! {
    "strlen", "strlen(text)", "Counts the characters of a text.", |c, a| fixed(c, a, "strlen", &[P::Text], Long, Body::Strict(strlen));
    "string_size", "string_size(text)", "Counts the bytes of a text in UTF-8.", |c, a| fixed(c, a, "string_size", &[P::Text], Long, Body::Strict(|c, o| o.long(text(&c[0]).len() as i64)));
    "strcat", "strcat(value, ...)", "Joins values as text.", |c, a| variadic(c, a, "strcat", 1, P::AsText, Text, Body::Strict(strcat));
    "strcat_delim", "strcat_delim(delimiter, value, ...)", "Joins values as text with a delimiter between them.", |c, a| variadic(c, a, "strcat_delim", 2, P::AsText, Text, Body::Strict(strcat_delim));
    "strcat_array", "strcat_array(array, delimiter)", "Joins the elements of an array as text.", |c, a| fixed(c, a, "strcat_array", &[P::Dynamic, P::Text], Text, Body::Strict(strcat_array));
    "array_strcat", "array_strcat(array, delimiter)", "Joins the elements of an array as text; the older name of strcat_array.", |c, a| fixed(c, a, "strcat_array", &[P::Dynamic, P::Text], Text, Body::Strict(strcat_array));
    "strrep", "strrep(value, count, delimiter)", "Repeats a value's text.", |c, a| optional(c, a, "strrep", 2, &[P::AsText, P::Long, P::Text], Text, Body::Strict(strrep));
    "strcmp", "strcmp(text1, text2)", "Compares two texts: -1, 0 or 1.", |c, a| fixed(c, a, "strcmp", &[P::Text, P::Text], Long, Body::Strict(|c, o| o.long(text(&c[0]).cmp(text(&c[1])) as i64)));
    "substring", "substring(text, start, length)", "Takes part of a text; a negative start counts from the end.", |c, a| optional(c, a, "substring", 2, &[P::Text, P::Long, P::Long], Text, Body::Strict(substring));
    "tolower", "tolower(text)", "Gives a text in lower case.", |c, a| fixed(c, a, "tolower", &[P::Text], Text, Body::Strict(|c, o| case(c, o, false)));
    "toupper", "toupper(text)", "Gives a text in upper case.", |c, a| fixed(c, a, "toupper", &[P::Text], Text, Body::Strict(|c, o| case(c, o, true)));
    "reverse", "reverse(text)", "Turns a text around.", |c, a| fixed(c, a, "reverse", &[P::AsText], Text, Body::Strict(|c, o| { let t: String = text(&c[0]).chars().rev().collect(); o.text(&t); }));
    "trim", "trim(regex, text)", "Takes what matches off both ends.", |c, a| trim(c, a, "trim", Body::Strict(|c, o| trim_row(c, o, true, true)));
    "trim_start", "trim_start(regex, text)", "Takes what matches off the start.", |c, a| trim(c, a, "trim_start", Body::Strict(|c, o| trim_row(c, o, true, false)));
    "trim_end", "trim_end(regex, text)", "Takes what matches off the end.", |c, a| trim(c, a, "trim_end", Body::Strict(|c, o| trim_row(c, o, false, true)));
    "split", "split(text, delimiter, index)", "Cuts a text at a delimiter into an array; with an index, an array of that part alone.", |c, a| optional(c, a, "split", 2, &[P::Text, P::Text, P::Long], Dynamic, Body::Strict(split));
    "indexof", "indexof(text, lookup, start, length, occurrence)", "Finds a text in a text: its position, or -1.", |c, a| optional(c, a, "indexof", 2, &[P::AsText, P::AsText, P::Long, P::Long, P::Long], Long, Body::Strict(indexof));
    "indexof_regex", "indexof_regex(text, regex, start, length, occurrence)", "Finds a match in a text: its position, or -1.", |c, a| { checked(a, 1)?; optional(c, a, "indexof_regex", 2, &[P::Text, P::Text, P::Long, P::Long, P::Long], Long, Body::Strict(indexof_regex)) };
    "countof", "countof(text, search, kind)", "Counts how often a text, or with kind 'regex' a match, occurs; plain texts may overlap.", |c, a| optional(c, a, "countof", 2, &[P::Text, P::Text, P::Text], Long, Body::Strict(countof));
    "replace_string", "replace_string(text, lookup, rewrite)", "Puts one text in place of another throughout.", |c, a| fixed(c, a, "replace_string", &[P::Text, P::Text, P::Text], Text, Body::Strict(replace_string));
    "replace_strings", "replace_strings(text, lookups, rewrites)", "Puts texts in place of others throughout, pair by pair.", |c, a| fixed(c, a, "replace_strings", &[P::Text, P::Dynamic, P::Dynamic], Text, Body::Strict(replace_strings));
    "replace_regex", "replace_regex(text, regex, rewrite)", "Puts a text in place of every match; \\1 stands for the first group.", |c, a| { checked(a, 1)?; fixed(c, a, "replace_regex", &[P::Text, P::Text, P::Text], Text, Body::Strict(|c, o| replace_regex(c, o, [0, 1, 2]))) };
    "replace", "replace(regex, rewrite, text)", "Puts a text in place of every match; the older form of replace_regex.", |c, a| { checked(a, 0)?; fixed(c, a, "replace", &[P::Text, P::Text, P::Text], Text, Body::Strict(|c, o| replace_regex(c, o, [2, 0, 1]))) };
    "extract", "extract(regex, group, text, type)", "Takes a group of the first match; the empty text where there is none.", extract_bind;
    "extract_all", "extract_all(regex, groups, text)", "Lists all matches' groups.", extract_all_bind;
    "translate", "translate(search, replacement, text)", "Puts characters in place of others, one for one.", |c, a| fixed(c, a, "translate", &[P::Text, P::Text, P::Text], Text, Body::Strict(translate));
    "to_utf8", "to_utf8(text)", "Lists the code points of a text.", |c, a| fixed(c, a, "to_utf8", &[P::Text], Dynamic, Body::Strict(unicode_codepoints));
    "unicode_codepoints_from_string", "unicode_codepoints_from_string(text)", "Lists the code points of a text.", |c, a| fixed(c, a, "unicode_codepoints_from_string", &[P::Text], Dynamic, Body::Strict(unicode_codepoints));
    "unicode_codepoints_to_string", "unicode_codepoints_to_string(values, ...)", "Makes a text from code points.", codepoints_to_string;
    "make_string", "make_string(values, ...)", "Makes a text from code points.", codepoints_to_string;
    "isascii", "isascii(text)", "Tells whether a text has only ASCII characters.", |c, a| fixed(c, a, "isascii", &[P::Text], Bool, Body::Strict(|c, o| o.bool(text(&c[0]).is_ascii())));
    "isutf8", "isutf8(text)", "Tells whether a text is UTF-8, which all text is.", |c, a| fixed(c, a, "isutf8", &[P::Text], Bool, Body::Strict(|_, o| o.bool(true)));
    "parse_version", "parse_version(text)", "Makes a comparable number from up to four parts with points between.", |c, a| fixed(c, a, "parse_version", &[P::Text], KustoType::Decimal, Body::Strict(parse_version));
    "parse_csv", "parse_csv(text)", "Reads a line of comma-separated values into an array.", |c, a| fixed(c, a, "parse_csv", &[P::Text], Dynamic, Body::Strict(parse_csv));
    "parse_command_line", "parse_command_line(text, kind)", "Cuts a command line into its arguments as Windows does.", |c, a| fixed(c, a, "parse_command_line", &[P::Text, P::Text], Dynamic, Body::Strict(parse_command_line));
    "format_bytes", "format_bytes(number, precision, units)", "Writes a number of bytes in readable units.", |c, a| optional(c, a, "format_bytes", 1, &[P::Real, P::Long, P::Text], Text, Body::Strict(format_bytes));
    "regex_quote", "regex_quote(text)", "Escapes what is special in a regular expression.", |c, a| fixed(c, a, "regex_quote", &[P::Text], Text, Body::Strict(|c, o| o.text(&regex::escape(text(&c[0])))));
    "has_any_term", "has_any_term(text, value, ...)", "Tells whether a text has one of several terms.", |c, a| variadic(c, a, "has_any_term", 2, P::AsText, Bool, Body::Strict(|c, o| { let t = text(&c[0]); o.bool(c[1..].iter().any(|n| super::operators::has_term(t, text(n)))); }));
}

/// The text of a cell that is one.
pub(super) fn text<'a>(cell: &Cell<'a>) -> &'a str {
    match cell {
        Cell::String(text) | Cell::Guid(text) => text,
        _ => "",
    }
}

/// The number of a cell that is one.
pub(super) fn number(cells: &[Cell<'_>], at: usize) -> Option<i64> {
    match cells.get(at)? {
        Cell::Long(value) => Some(*value),
        _ => None,
    }
}

fn strlen(cells: &[Cell<'_>], out: &mut Out) {
    let text = text(&cells[0]);
    let length = if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    out.long(length as i64);
}

fn strcat(cells: &[Cell<'_>], out: &mut Out) {
    out.write_text(|joined| cells.iter().for_each(|cell| joined.push_str(text(cell))));
}

fn strcat_delim(cells: &[Cell<'_>], out: &mut Out) {
    if text(&cells[0]).len().saturating_mul(cells.len()) > MOST {
        return out.null();
    }
    let parts: Vec<&str> = cells.iter().skip(1).map(text).collect();
    out.text(&parts.join(text(&cells[0])));
}

fn strcat_array(cells: &[Cell<'_>], out: &mut Out) {
    let Cell::Dynamic(value) = &cells[0] else {
        return out.null();
    };
    let Some(items) = value.as_array() else {
        return out.null();
    };
    if text(&cells[1]).len().saturating_mul(items.len()) > MOST {
        return out.null();
    }
    out.write_text(|joined| {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                joined.push_str(text(&cells[1]));
            }
            if !item.is_null() {
                format::push_text(joined, Cell::Dynamic(item));
            }
        }
    });
}

/// Texts that functions repeat or put in place of others come to no more bytes than this: beyond it there is no result.
const MOST: usize = 1 << 24;

fn strrep(cells: &[Cell<'_>], out: &mut Out) {
    let (value, delimiter) = (text(&cells[0]), cells.get(2).map_or("", text));
    let times = number(cells, 1).unwrap_or(0).clamp(0, 1024) as usize;
    if (value.len() + delimiter.len()).saturating_mul(times) > MOST {
        return out.null();
    }
    out.text(&vec![value; times].join(delimiter));
}

/// The part of a text from one character position, so many characters long.
fn characters(text: &str, start: usize, length: usize) -> &str {
    if text.is_ascii() {
        let end = start.saturating_add(length).min(text.len());
        return text.get(start.min(text.len())..end).unwrap_or_default();
    }
    let mut positions = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .skip(start);
    let from = positions.next().unwrap_or(text.len());
    let to = match length {
        0 => from,
        length => positions.nth(length - 1).unwrap_or(text.len()),
    };
    text.get(from..to).unwrap_or_default()
}

fn substring(cells: &[Cell<'_>], out: &mut Out) {
    let source = text(&cells[0]);
    let start = match number(cells, 1).unwrap_or(0) {
        start if start < 0 => start.saturating_add(source.chars().count() as i64),
        start => start,
    };
    let length = match number(cells, 2) {
        None => i64::MAX,
        Some(length) => length.max(0),
    };
    // A start before the text's own gives nothing.
    match usize::try_from(start) {
        Ok(start) => out.text(characters(source, start, quantity(length))),
        Err(_) => out.text(""),
    }
}

fn case(cells: &[Cell<'_>], out: &mut Out, upper: bool) {
    let source = text(&cells[0]);
    let changed = match (upper, source.is_ascii()) {
        (true, true) => source.to_ascii_uppercase(),
        (false, true) => source.to_ascii_lowercase(),
        // Letter by letter, as .NET's invariant culture does: `ß` stays.
        (true, false) => source
            .chars()
            .map(|c| single(c, c.to_uppercase()))
            .collect(),
        (false, false) => source
            .chars()
            .map(|c| single(c, c.to_lowercase()))
            .collect(),
    };
    out.text(&changed);
}

fn single(c: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn split(cells: &[Cell<'_>], out: &mut Out) {
    let (source, delimiter) = (text(&cells[0]), text(&cells[1]));
    let parts: Vec<&str> = match delimiter {
        "" => vec![source],
        delimiter => source.split(delimiter).collect(),
    };
    let parts = match number(cells, 2) {
        None => parts,
        Some(index) => {
            let index = if index < 0 {
                index.saturating_add(parts.len() as i64)
            } else {
                index
            };
            usize::try_from(index)
                .ok()
                .and_then(|at| parts.get(at).copied())
                .into_iter()
                .collect()
        }
    };
    out.dynamic(|b| {
        let mark = b.begin_array();
        for part in parts {
            b.string(part);
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// Where a search looks: the text from its start on, that start in characters, how many characters a match may start
/// in, and which occurrence is wanted.
struct Window<'a> {
    part: &'a str,
    before: usize,
    span: usize,
    occurrence: usize,
}

fn window<'a>(cells: &[Cell<'a>]) -> Option<Window<'a>> {
    let source = text(&cells[0]);
    let length = source.chars().count() as i64;
    let start = match number(cells, 2).unwrap_or(0) {
        start if start < 0 => length.saturating_add(start).max(0),
        start => start,
    };
    let span = match number(cells, 3) {
        None | Some(-1) => i64::MAX,
        Some(span) if span < 0 => return None,
        Some(span) => span,
    };
    let occurrence = number(cells, 4).unwrap_or(1);
    if start > length || occurrence < 1 {
        return None;
    }
    Some(Window {
        part: characters(source, quantity(start), usize::MAX),
        before: quantity(start),
        span: quantity(span),
        occurrence: quantity(occurrence),
    })
}

impl Window<'_> {
    /// The wanted one of the matches' byte positions, in characters from the text's start; -1 if there is none.
    fn pick(&self, mut matches: impl Iterator<Item = usize>) -> i64 {
        let found = matches.nth(self.occurrence - 1);
        let characters = found.map(|at| self.part.get(..at).unwrap_or_default().chars().count());
        characters
            .filter(|n| *n < self.span)
            .map_or(-1, |n| (self.before + n) as i64)
    }
}

/// Where a text occurs in another; occurrences may overlap.
fn occurrences<'a>(text: &'a str, lookup: &'a str) -> impl Iterator<Item = usize> + 'a {
    let step = lookup.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find(lookup)?;
        from = at + step;
        Some(at)
    })
}

fn indexof(cells: &[Cell<'_>], out: &mut Out) {
    match (text(&cells[1]), window(cells)) {
        ("", _) => out.null(),
        (_, None) => out.long(-1),
        (lookup, Some(window)) => out.long(window.pick(occurrences(window.part, lookup))),
    }
}

fn indexof_regex(cells: &[Cell<'_>], out: &mut Out) {
    if number(cells, 2).is_some_and(|start| start < 0) {
        return out.null();
    }
    let (Some(regex), Some(window)) = (regexes::get(text(&cells[1])), window(cells)) else {
        return out.long(-1);
    };
    out.long(window.pick(regex.find_iter(window.part).map(|found| found.start())));
}

fn countof(cells: &[Cell<'_>], out: &mut Out) {
    let (source, search) = (text(&cells[0]), text(&cells[1]));
    if cells.get(2).map_or("normal", text) == "regex" {
        let found = regexes::get(search).map(|regex| regex.find_iter(source).count() as i64);
        return out.maybe(found, Out::long);
    }
    let count = if search.is_empty() {
        0
    } else {
        occurrences(source, search).count()
    };
    out.long(count as i64);
}

fn replace_string(cells: &[Cell<'_>], out: &mut Out) {
    match text(&cells[1]) {
        "" => out.text(text(&cells[0])),
        lookup if outgrows(text(&cells[0]).matches(lookup).count(), text(&cells[2])) => out.null(),
        lookup => out.text(&text(&cells[0]).replace(lookup, text(&cells[2]))),
    }
}

/// Whether a rewrite that many times is too much.
fn outgrows(times: usize, rewrite: &str) -> bool {
    times.saturating_mul(rewrite.len()) > MOST
}

fn replace_strings(cells: &[Cell<'_>], out: &mut Out) {
    let (Cell::Dynamic(lookups), Cell::Dynamic(rewrites)) = (&cells[1], &cells[2]) else {
        return out.null();
    };
    let (Some(lookups), Some(rewrites)) = (lookups.as_array(), rewrites.as_array()) else {
        return out.null();
    };
    let pairs: Vec<(&str, &str)> = lookups
        .iter()
        .zip(rewrites.iter())
        // What no text is to replace stays as it is, and is not looked at again.
        .filter_map(|(lookup, rewrite)| {
            let lookup = lookup.as_str()?;
            Some((lookup, rewrite.as_str().unwrap_or(lookup)))
        })
        .filter(|(lookup, _)| !lookup.is_empty())
        .collect();
    // Lookup after lookup; what was put in is not looked at again.
    let mut parts = vec![(text(&cells[0]).to_owned(), false)];
    for (lookup, rewrite) in pairs {
        if outgrows(text(&cells[0]).matches(lookup).count(), rewrite) {
            return out.null();
        }
        parts = parts
            .into_iter()
            .flat_map(|(part, done)| {
                if done {
                    vec![(part, done)]
                } else {
                    replaced(&part, lookup, rewrite)
                }
            })
            .collect();
    }
    let result: String = parts.into_iter().map(|(part, _)| part).collect();
    out.text(&result);
}

/// A text cut at a lookup, with the rewrite in between, marked as done.
fn replaced(text: &str, lookup: &str, rewrite: &str) -> Vec<(String, bool)> {
    let mut parts = Vec::new();
    for (at, piece) in text.split(lookup).enumerate() {
        if at > 0 {
            parts.push((rewrite.to_owned(), true));
        }
        parts.push((piece.to_owned(), false));
    }
    parts
}

fn translate(cells: &[Cell<'_>], out: &mut Out) {
    let search: Vec<char> = text(&cells[0]).chars().collect();
    let replacement: Vec<char> = text(&cells[1]).chars().collect();
    let changed: String = text(&cells[2])
        .chars()
        .filter_map(|c| match search.iter().position(|s| *s == c) {
            None => Some(c),
            // A replacement that is too short goes on with its last character.
            Some(at) => replacement.get(at).or(replacement.last()).copied(),
        })
        .collect();
    out.text(&changed);
}
