//! JSON as Jupyter reads and writes it.
//!
//! Python's `json` takes three words that JSON has not (`NaN`, `Infinity`, `-Infinity`) and
//! integers of any length, and notebooks carry both. They are held as strings behind a mark from
//! Unicode's private use area and written back as they were. The writer puts down what
//! `json.dumps(sort_keys=True, indent=1, ensure_ascii=False)` does, byte for byte.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::NotebookError;

/// The deepest nesting that is read; serde_json's own limit.
pub(crate) const MAX_DEPTH: usize = 127;

/// Begins the string that stands for a literal which serde_json cannot hold.
const MARK: char = '\u{f8f5}';

/// Parses a document. `bytes` may begin with a byte order mark.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, NotebookError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(NotebookError::Empty);
    }
    serde_json::from_slice(&protect(bytes)).map_err(|error| describe(&error))
}

fn describe(error: &serde_json::Error) -> NotebookError {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return NotebookError::Truncated { line, column };
    }
    let message = error.to_string();
    if message.starts_with("recursion limit") {
        return NotebookError::TooDeep { line, column };
    }
    let message = message
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    NotebookError::Syntax {
        line,
        column,
        message,
    }
}

/// Replaces, outside strings, each literal that serde_json cannot hold by its marked string.
fn protect(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Vec<u8> = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at = end_of_string(bytes, at + 1);
            continue;
        }
        let literal = literal_at(bytes, at);
        if literal.is_empty() {
            at += 1;
            continue;
        }
        let end = at + literal.len();
        if needs_mark(literal) {
            out.extend_from_slice(&bytes[copied..at]);
            out.extend_from_slice(format!("\"{MARK}").as_bytes());
            out.extend_from_slice(literal);
            out.push(b'"');
            copied = end;
        }
        at = end;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

/// The index after the quote that ends the string whose content begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn literal_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = &bytes[at..];
    let len = rest
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
        .count();
    &rest[..len]
}

fn needs_mark(literal: &[u8]) -> bool {
    match literal {
        b"NaN" | b"Infinity" | b"-Infinity" => true,
        _ => is_long_integer(literal),
    }
}

/// Whether `literal` is an integer of JSON's grammar that may not fit 64 bits.
fn is_long_integer(literal: &[u8]) -> bool {
    let digits = literal.strip_prefix(b"-").unwrap_or(literal);
    digits.len() > 18 && digits.first() != Some(&b'0') && digits.iter().all(u8::is_ascii_digit)
}

/// A document about to be written: borrowed, so that large outputs are not copied.
pub(crate) enum Node<'a> {
    /// Any value, written as it is.
    Value(&'a Value),
    /// A string.
    Str(&'a str),
    /// A string that Jupyter writes as a list of its lines.
    Lines(&'a str),
    /// An integer or `null`.
    Int(Option<i64>),
    /// An object.
    Map(BTreeMap<&'a str, Node<'a>>),
    /// A list.
    List(Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    /// An object whose values are written as they are.
    pub(crate) fn object(map: &'a Map<String, Value>) -> BTreeMap<&'a str, Node<'a>> {
        map.iter()
            .map(|(key, value)| (key.as_str(), Node::Value(value)))
            .collect()
    }
}

/// The document's bytes, with the newline at the end that Jupyter writes.
pub(crate) fn to_vec(node: &Node<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_node(&mut out, 0, node);
    out.push(b'\n');
    out
}

fn write_node(out: &mut Vec<u8>, depth: usize, node: &Node<'_>) {
    match node {
        Node::Value(value) => write_value(out, depth, value),
        Node::Str(text) => write_str(out, text),
        Node::Lines(text) => write_seq(out, depth, split_lines(text), |out, _, line| {
            write_str(out, line)
        }),
        Node::Int(Some(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Node::Int(None) => out.extend_from_slice(b"null"),
        Node::Map(map) => write_map(out, depth, map.iter().map(|(k, v)| (*k, v)), write_node),
        Node::List(list) => write_seq(out, depth, list.iter(), write_node),
    }
}

fn write_value(out: &mut Vec<u8>, depth: usize, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(flag.to_string().as_bytes()),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_str(out, text),
        Value::Array(list) => write_seq(out, depth, list.iter(), write_value),
        Value::Object(map) => {
            let sorted: BTreeMap<&str, &Value> = map.iter().map(|(k, v)| (k.as_str(), v)).collect();
            write_map(out, depth, sorted.into_iter(), write_value);
        }
    }
}

fn write_seq<T>(
    out: &mut Vec<u8>,
    depth: usize,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, usize, T),
) {
    out.push(b'[');
    let mut empty = true;
    for item in items {
        out.extend_from_slice(if empty { b"\n" } else { b",\n" });
        empty = false;
        indent(out, depth + 1);
        write(out, depth + 1, item);
    }
    close(out, depth, empty, b']');
}

fn write_map<'k, T>(
    out: &mut Vec<u8>,
    depth: usize,
    entries: impl Iterator<Item = (&'k str, T)>,
    write: impl Fn(&mut Vec<u8>, usize, T),
) {
    out.push(b'{');
    let mut empty = true;
    for (key, value) in entries {
        out.extend_from_slice(if empty { b"\n" } else { b",\n" });
        empty = false;
        indent(out, depth + 1);
        write_quoted(out, key);
        out.extend_from_slice(b": ");
        write(out, depth + 1, value);
    }
    close(out, depth, empty, b'}');
}

fn close(out: &mut Vec<u8>, depth: usize, empty: bool, bracket: u8) {
    if !empty {
        out.push(b'\n');
        indent(out, depth);
    }
    out.push(bracket);
}

fn indent(out: &mut Vec<u8>, depth: usize) {
    out.resize(out.len() + depth, b' ');
}

fn write_str(out: &mut Vec<u8>, text: &str) {
    match text.strip_prefix(MARK) {
        Some(literal) if needs_mark(literal.as_bytes()) => {
            out.extend_from_slice(literal.as_bytes())
        }
        _ => write_quoted(out, text),
    }
}

fn write_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: Cow<'_, str> = match byte {
            b'"' => "\\\"".into(),
            b'\\' => "\\\\".into(),
            b'\n' => "\\n".into(),
            b'\r' => "\\r".into(),
            b'\t' => "\\t".into(),
            0x08 => "\\b".into(),
            0x0c => "\\f".into(),
            0..0x20 => format!("\\u{byte:04x}").into(),
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        out.extend_from_slice(escape.as_bytes());
        copied = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
    out.push(b'"');
}

/// Writes a number as Python's `repr` does: two digits at least, and a sign, in an exponent.
fn write_number(out: &mut Vec<u8>, number: &serde_json::Number) {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once('e') else {
        out.extend_from_slice(text.as_bytes());
        return;
    };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent.trim_start_matches('+')),
    };
    out.extend_from_slice(format!("{mantissa}e{sign}{digits:0>2}").as_bytes());
}

/// Lines with their ends, split where Python's `str.splitlines` splits.
pub(crate) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .find(is_line_end)
            .map_or(rest.len(), |at| at + line_end_len(&rest[at..]));
        let (line, tail) = rest.split_at(end);
        rest = tail;
        Some(line)
    })
}

fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn line_end_len(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        text.chars().next().map_or(0, char::len_utf8)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rewrite(text: &str) -> String {
        String::from_utf8(to_vec(&Node::Value(&parse(text.as_bytes()).unwrap()))).unwrap()
    }

    #[test]
    fn writes_as_python_does() {
        assert_eq!(
            rewrite(
                r#"{"b":[1,[],{}],"a":{"é":"\u0001\n\u007f","Z":1e-7},"c":[1e300,-0.5,0.1,true,null]}"#
            ),
            "{\n \"a\": {\n  \"Z\": 1e-07,\n  \"é\": \"\\u0001\\n\u{7f}\"\n },\n \"b\": [\n  1,\n  [],\n  {}\n ],\n \"c\": [\n  1e+300,\n  -0.5,\n  0.1,\n  true,\n  null\n ]\n}\n"
        );
    }

    #[test]
    fn keeps_what_json_has_not() {
        let text = "[\n NaN,\n -Infinity,\n Infinity,\n 123456789012345678901234567890,\n \"NaN \\\" Infinity\"\n]\n";
        assert_eq!(rewrite(text), text);
    }

    #[test]
    fn a_marked_string_is_not_a_way_to_write_raw_json() {
        let text = format!("[\"{MARK}1, 2\"]");
        assert_eq!(
            parse(rewrite(&text).as_bytes()).unwrap(),
            parse(text.as_bytes()).unwrap()
        );
    }

    #[test]
    fn splits_lines_as_python_does() {
        let lines = |text| split_lines(text).collect::<Vec<_>>();
        assert_eq!(
            lines("a\nb\r\nc\rd\u{2028}e\u{c}"),
            ["a\n", "b\r\n", "c\r", "d\u{2028}", "e\u{c}"]
        );
        assert!(lines("").is_empty());
        assert_eq!(lines("\n\n"), ["\n", "\n"]);
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(parse(b"  \n"), Err(NotebookError::Empty));
        assert!(matches!(
            parse(b"{\"cells\": ["),
            Err(NotebookError::Truncated { line: 1, .. })
        ));
        assert!(matches!(
            parse(b"{\n  oops}"),
            Err(NotebookError::Syntax { line: 2, .. })
        ));
        let bomb = [b'['; 100_000];
        assert!(matches!(parse(&bomb), Err(NotebookError::TooDeep { .. })));
    }
}
