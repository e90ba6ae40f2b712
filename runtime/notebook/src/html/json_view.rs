//! A JSON value as lists to open and close, without a script.

use std::fmt::Write;

use serde_json::Value;

use super::text::{counted, escaped, push_escaped};

/// Values with more parts than this are shown as text.
const MOST: usize = 3_000;

/// The value as HTML.
pub(crate) fn to_html(value: &Value) -> String {
    if parts(value, MOST) > MOST {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        return format!("<pre class=\"text\">{}</pre>", escaped(&text));
    }
    let mut out = String::from("<div class=\"json\">");
    push(&mut out, None, value, true);
    out.push_str("</div>");
    out
}

/// How many values there are, counted up to a little over `most`.
fn parts(value: &Value, most: usize) -> usize {
    let children: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => return 1,
    };
    children.fold(1, |sum, child| {
        if sum > most {
            sum
        } else {
            sum + parts(child, most - sum)
        }
    })
}

fn push(out: &mut String, key: Option<&str>, value: &Value, is_open: bool) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let entries = map.iter().map(|(key, value)| (key.clone(), value));
            push_branch(
                out,
                key,
                &format!("{{{}}}", counted(map.len(), "key")),
                entries,
                is_open,
            );
        }
        Value::Array(list) if !list.is_empty() => {
            let entries = list
                .iter()
                .enumerate()
                .map(|(index, value)| (index.to_string(), value));
            push_branch(
                out,
                key,
                &format!("[{}]", counted(list.len(), "item")),
                entries,
                is_open,
            );
        }
        leaf => {
            out.push_str("<div>");
            push_key(out, key);
            push_leaf(out, leaf);
            out.push_str("</div>");
        }
    }
}

fn push_branch<'v>(
    out: &mut String,
    key: Option<&str>,
    size: &str,
    entries: impl Iterator<Item = (String, &'v Value)>,
    is_open: bool,
) {
    out.push_str(if is_open {
        "<details open><summary>"
    } else {
        "<details><summary>"
    });
    push_key(out, key);
    let _ = write!(out, "<i>{size}</i></summary>");
    entries.for_each(|(key, value)| push(out, Some(&key), value, false));
    out.push_str("</details>");
}

fn push_key(out: &mut String, key: Option<&str>) {
    if let Some(key) = key {
        out.push_str("<b>");
        push_escaped(out, key);
        out.push_str("</b> ");
    }
}

fn push_leaf(out: &mut String, leaf: &Value) {
    let class = match leaf {
        Value::String(_) => "hs",
        Value::Number(_) => "hn",
        _ => "hb",
    };
    let _ = write!(out, "<span class=\"{class}\">");
    push_escaped(out, &leaf.to_string());
    out.push_str("</span>");
}
