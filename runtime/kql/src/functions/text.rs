//! Functions over text. Positions and lengths count Unicode characters.

use spoor_table::{Cell, DECIMAL_SCALE, DynamicRef, KustoType, format};

use super::args::{P, accept, count, fixed, optional, quantity, variadic};
use super::cast::wrap;
use super::udf::{Body, Out, call};
use super::{Bound, function_table, regexes};
use crate::typed::{BindContext, FunctionError, Typed};

use KustoType::{Bool, Dynamic, Long, String as Text};

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

fn checked(args: &[Typed], at: usize) -> Result<(), FunctionError> {
    args.get(at).map_or(Ok(()), |arg| regexes::check(arg, at))
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

fn trim(ctx: &BindContext, args: &[Typed], name: &'static str, body: Body) -> Bound {
    checked(args, 0)?;
    fixed(ctx, args, name, &[P::Text, P::Text], Text, body)
}

fn trim_row(cells: &[Cell<'_>], out: &mut Out, start: bool, end: bool) {
    let mut rest = text(&cells[1]);
    if start && let Some(regex) = regexes::get(&format!("^(?:{})", text(&cells[0]))) {
        rest = regex
            .find(rest)
            .and_then(|found| rest.get(found.end()..))
            .unwrap_or(rest);
    }
    if end && let Some(regex) = regexes::get(&format!("(?:{})$", text(&cells[0]))) {
        rest = regex
            .find(rest)
            .and_then(|found| rest.get(..found.start()))
            .unwrap_or(rest);
    }
    out.text(rest);
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
        .filter_map(|(lookup, rewrite)| Some((lookup.as_str()?, rewrite.as_str()?)))
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

/// `order` gives the positions of text, expression and rewrite.
fn replace_regex(cells: &[Cell<'_>], out: &mut Out, order: [usize; 3]) {
    let [source, pattern, rewrite] = order.map(|at| cells.get(at).map_or("", text));
    let Some(regex) = regexes::get(pattern) else {
        return out.null();
    };
    // Each group in the rewrite may be as long as the text.
    let groups = rewrite.matches('\\').count().saturating_mul(source.len());
    if groups > MOST || outgrows(regex.find_iter(source).count(), rewrite) {
        return out.null();
    }
    // Kusto writes groups as \1; the regex crate as ${1}, with $ special.
    let mut template = String::new();
    let mut characters = rewrite.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(d) if d.is_ascii_digit() => {
                    template.push_str("${");
                    template.push(d);
                    template.push('}');
                }
                Some('$') => template.push_str("$$"),
                Some(other) => template.push(other),
                None => template.push('\\'),
            },
            '$' => template.push_str("$$"),
            c => template.push(c),
        }
    }
    out.text(&regex.replace_all(source, template.as_str()));
}

fn extract_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 4)?;
    regexes::check(&args[0], 0)?;
    let ty = match args.get(3).and_then(|t| t.constant.as_ref()) {
        Some(spoor_table::Value::String(name)) => KustoType::from_name(name),
        _ => None,
    };
    let bound = [
        accept(ctx, &args[0], P::Text, 0)?,
        accept(ctx, &args[1], P::Long, 1)?,
        accept(ctx, &args[2], P::Text, 2)?,
    ];
    let found = call("extract", &bound, Text, Body::Strict(extract));
    super::implicit(ctx, &found, ty.unwrap_or(Text))
}

fn extract(cells: &[Cell<'_>], out: &mut Out) {
    let group = number(cells, 1).and_then(|n| usize::try_from(n).ok());
    let (Some(regex), Some(group)) = (regexes::get(text(&cells[0])), group) else {
        return out.null();
    };
    let source = text(&cells[2]);
    if group == 0 {
        return out.text(regex.find(source).map_or("", |found| found.as_str()));
    }
    let found = regex
        .captures(source)
        .and_then(|captures| captures.get(group));
    out.text(found.map_or("", |found| found.as_str()));
}

fn extract_all_bind(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 3)?;
    regexes::check(&args[0], 0)?;
    let pattern = accept(ctx, &args[0], P::Text, 0)?;
    let last = args.len() - 1;
    let source = accept(ctx, &args[last], P::Text, last)?;
    let mut bound = vec![pattern, source];
    if args.len() == 3 {
        bound.push(wrap(&args[1]));
    }
    Ok(call(
        "extract_all",
        &bound,
        Dynamic,
        Body::Strict(extract_all),
    ))
}

fn extract_all(cells: &[Cell<'_>], out: &mut Out) {
    let Some(regex) = regexes::get(text(&cells[0])) else {
        return out.null();
    };
    let groups: Vec<usize> = match cells.get(2) {
        Some(Cell::Dynamic(groups)) => group_numbers(&regex, *groups),
        _ if regex.captures_len() == 1 => vec![0],
        _ => (1..regex.captures_len()).collect(),
    };
    let matches: Vec<regex::Captures<'_>> = regex.captures_iter(text(&cells[1])).collect();
    if matches.is_empty() {
        return out.null();
    }
    out.dynamic(|b| {
        let mark = b.begin_array();
        for found in &matches {
            let part = |group: usize| found.get(group).map_or("", |m| m.as_str());
            match groups.as_slice() {
                [group] => b.string(part(*group)),
                groups => {
                    let inner = b.begin_array();
                    for group in groups {
                        b.string(part(*group));
                        b.item(&inner);
                    }
                    b.end(inner);
                }
            }
            b.item(&mark);
        }
        b.end(mark);
    });
}

/// Groups by number or by name.
fn group_numbers(regex: &regex::Regex, groups: DynamicRef<'_>) -> Vec<usize> {
    use spoor_table::dynamic::Kind;
    let Some(list) = groups.as_array() else {
        return vec![0];
    };
    list.iter()
        .filter_map(|group| match group.kind() {
            Kind::Long(number) => usize::try_from(number).ok(),
            Kind::String(name) => regex.capture_names().position(|n| n == Some(name)),
            _ => None,
        })
        .collect()
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

fn unicode_codepoints(cells: &[Cell<'_>], out: &mut Out) {
    out.dynamic(|b| {
        let mark = b.begin_array();
        for c in text(&cells[0]).chars() {
            b.long(i64::from(u32::from(c)));
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn codepoints_to_string(_: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 64)?;
    let wrapped: Vec<Typed> = args.iter().map(wrap).collect();
    Ok(call(
        "unicode_codepoints_to_string",
        &wrapped,
        Text,
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

fn parse_version(cells: &[Cell<'_>], out: &mut Out) {
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

fn parse_csv(cells: &[Cell<'_>], out: &mut Out) {
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

fn parse_command_line(cells: &[Cell<'_>], out: &mut Out) {
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

fn format_bytes(cells: &[Cell<'_>], out: &mut Out) {
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
