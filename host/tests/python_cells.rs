//! Cells as in Jupyter: every case of `python/cells/*.cells`, run in the real guest.
//!
//! A file holds sessions, each begun by a line `=== title`; a session holds cells. A cell is the
//! text after `--- in`, and after `--- out` one line per message that it publishes, in order:
//!
//! ```text
//! KIND == JSON             the message's text is exactly this JSON string
//! KIND ~ NEEDLE ~ NEEDLE   the message's text holds each of these
//! ```
//!
//! KIND is stdout, stderr, result, display, update, clear or error, or one of these, which check
//! the reply and may come last: `reply`, `reads`, `writes`. A stream's text is what was written
//! (neighbours joined); a bundle's is lines of `mime: value`; an error's is `ename: evalue` and
//! the traceback without colours.

#![allow(clippy::unwrap_used, clippy::panic)]

mod python;

use serde_json::Value;

use python::Session;

#[test]
fn cells_behave_as_in_jupyter() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/cells");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut failures = Vec::new();
    let mut cells = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for session in text.split("=== ").skip(1) {
            let (title, body) = session.split_once('\n').unwrap();
            let mut live = Session::new();
            for case in body.split("--- in\n").skip(1) {
                cells += 1;
                let (code, expected) = case
                    .split_once("--- out\n")
                    .unwrap_or_else(|| panic!("{title}: no --- out"));
                if let Err(why) = check(&mut live, code.trim_end_matches('\n'), expected) {
                    failures.push(format!("{}, {title}\n{code}{why}", file.display()));
                }
            }
        }
    }
    assert!(cells > 0);
    assert!(
        failures.is_empty(),
        "{} of {cells} cells failed\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

fn check(session: &mut Session, code: &str, expected: &str) -> Result<(), String> {
    let (messages, reply) = match code.strip_prefix("# request\n") {
        Some(request) => {
            let (_, messages, reply) = session.request(serde_json::from_str(request).unwrap());
            (messages, reply)
        }
        None => session.run(code),
    };
    let mut shown = joined(messages.iter().map(|m| (kind(m), text(m))));
    let expected: Vec<&str> = expected
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let of_reply = |line: &&&str| {
        ["reply", "reads", "writes"]
            .iter()
            .any(|k| line.starts_with(k))
    };
    for line in expected.iter().filter(of_reply) {
        shown.push(reply_part(line, &reply));
    }
    let said: Vec<String> = shown
        .iter()
        .map(|(kind, text)| format!("{kind} == {}", Value::from(text.as_str())))
        .collect();
    let fits = expected.len() == shown.len()
        && expected
            .iter()
            .zip(&shown)
            .all(|(line, shown)| matches(line, shown));
    if fits {
        Ok(())
    } else {
        Err(format!(
            "expected\n  {}\nbut got\n  {}",
            expected.join("\n  "),
            said.join("\n  ")
        ))
    }
}

fn reply_part(line: &str, reply: &Value) -> (String, String) {
    let list = |name: &str| {
        let names = reply["names"][name]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_str().unwrap());
        names.collect::<Vec<_>>().join(" ")
    };
    match line.split(' ').next().unwrap() {
        "reply" => ("reply".into(), reply["content"].to_string()),
        name => (name.into(), list(name)),
    }
}

/// Neighbouring pieces of one stream are one message, as nbformat has it.
fn joined(messages: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (kind, text) in messages {
        match out.last_mut() {
            Some((last, so_far)) if *last == kind && kind.starts_with("std") => {
                so_far.push_str(&text)
            }
            _ => out.push((kind, text)),
        }
    }
    out
}

fn kind(message: &Value) -> String {
    match message["msg_type"].as_str().unwrap() {
        "stream" => message["content"]["name"].as_str().unwrap().into(),
        "execute_result" => "result".into(),
        "display_data" => "display".into(),
        "update_display_data" => "update".into(),
        "clear_output" => "clear".into(),
        other => other.into(),
    }
}

fn text(message: &Value) -> String {
    let content = &message["content"];
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    if let Some(text) = content["text"].as_str() {
        return text.into();
    }
    if let Some(data) = content["data"].as_object() {
        let lines: Vec<_> = data
            .iter()
            .map(|(mime, value)| format!("{mime}: {}", plain(value)))
            .collect();
        return lines.join("\n");
    }
    if content["ename"].is_string() {
        let lines = content["traceback"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap());
        let lines: Vec<_> = lines.map(without_colours).collect();
        return format!(
            "{}: {}\n{}",
            plain(&content["ename"]),
            plain(&content["evalue"]),
            lines.join("\n")
        );
    }
    content.to_string()
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

fn matches(line: &str, (kind, text): &(String, String)) -> bool {
    if let Some((wanted, json)) = line.split_once(" == ") {
        return wanted == kind
            && serde_json::from_str::<String>(json).is_ok_and(|exact| exact == *text);
    }
    let mut parts = line.split(" ~ ");
    parts.next() == Some(kind.as_str()) && parts.all(|needle| text.contains(needle))
}
