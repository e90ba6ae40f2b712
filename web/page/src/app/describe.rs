//! What is in a table, by the kernel's word.

use std::rc::Rc;

use futures::channel::oneshot;
use serde::Deserialize;
use serde_json::{Map, Value};
use spoor_messages::State;
use spoor_protocol::Event;

use crate::files::{Describing, Preview, sentence};
use crate::session::{Health, Session};

/// How many of a table's rows are shown.
const ROWS: usize = 10;

/// What the kernel answers of a table that is there.
#[derive(Deserialize)]
struct Table {
    rows: u64,
    columns: Vec<Column>,
    first: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Asks the kernel what a table holds. The answer comes when it has nothing else to do.
pub fn describe(session: &Rc<Session>, table: &str) -> Describing {
    let failed = session.failed();
    let none = failed
        .iter()
        .any(|(part, _)| matches!(part.as_str(), "site" | "worker"));
    if none || session.health() == Health::Known(State::Dead) {
        let reason = "The kernel is not running: restart it, or reload the page, to see what the table holds.";
        return Box::pin(async move { Err(reason.to_owned()) });
    }
    let (send, answer) = oneshot::channel();
    let table = table.to_owned();
    session.ask(
        |id| Event::Describe {
            id,
            table,
            rows: ROWS,
        },
        move |content| {
            // Nobody waits any more where the panel is gone.
            let _ = send.send(content);
        },
    );
    Box::pin(async move { preview(answer.await.unwrap_or_default()) })
}

/// What to show until the answer is here.
pub fn waiting(session: &Session) -> &'static str {
    match session.health() {
        Health::NotLoaded | Health::Known(State::Loading) => {
            "The kernel is still loading. What the table holds is shown when it is there."
        }
        Health::Known(State::Busy) => {
            "A cell is running. What the table holds is shown when it has ended."
        }
        Health::Known(_) => "Reading…",
    }
}

fn preview(content: Map<String, Value>) -> Result<Preview, String> {
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    match text("status") {
        Some("ok") => {}
        Some("error") => return Err(sentence(text("evalue").unwrap_or("It could not be read"))),
        _ => return Err("It was not read to its end: open it again.".to_owned()),
    }
    let table: Table = serde_json::from_value(Value::Object(content))
        .map_err(|error| format!("The kernel's answer does not read: {error}."))?;
    Ok(Preview {
        columns: table
            .columns
            .into_iter()
            .map(|column| (column.name, column.kind))
            .collect(),
        rows: Some(table.rows),
        first: table.first,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn read(content: Value) -> Result<Preview, String> {
        preview(serde_json::from_value(content).unwrap())
    }

    #[test]
    fn the_kernels_answer_reads() {
        let content = json!({ "status": "ok", "rows": 3, "columns": [{ "name": "a", "type": "long" }], "first": [["1"]] });
        let preview = read(content).unwrap();
        assert_eq!(preview.rows, Some(3));
        assert_eq!(preview.columns, [("a".to_owned(), "long".to_owned())]);
    }

    #[test]
    fn what_went_wrong_is_a_sentence() {
        let failed = json!({ "status": "error", "ename": "DataError", "evalue": "no such file" });
        assert_eq!(read(failed).unwrap_err(), "No such file.");
        assert!(read(json!({})).is_err());
        assert!(read(json!({ "status": "aborted" })).is_err());
    }
}
